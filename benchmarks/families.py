"""Trains every system of configs/families for the same minutes, evaluates it, and writes docs/families.md.

    python benchmarks/families.py
    python benchmarks/families.py --only=mlp,vgan --family_minutes=1 --docs=/tmp/families.md

Takes `family_minutes` and about half a minute for each; what `--out` has an evaluation of is not run again. Ends with
the table and one JSON line. Each row has the parameters of the generator and of all discriminators, videos a second in
training, the distances with what real clips reach among themselves (the floor), how many clips the factor reader finds
valid, and a picture: the first frames of a few clips.
"""

import collections
import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import setting
from gan_keras.runs.run_folder import RunFolder

FLAGFILES = {path.stem: path for path in sorted((harness.ROOT / "configs" / "families").glob("*.flags"))}
AFTER = {"then_motion": "images_first", "personalized": "r3gan"}
"""Systems that begin with the weights of another."""

COLUMNS = {"appearance": "frechet/appearance", "motion": "frechet/motion", "joint": "frechet/joint",
           "coverage": "coverage", "valid frames": "factors/valid_frames", "valid clips": "factors/valid_clips"}

_PAGE = """\
# Families

Every system of `configs/families/`, trained for {minutes:g} minutes at 32x32, 16 frames, on 2 CPU cores, one after the
other, and evaluated on {clips} clips: what each makes of the same short time, not what it can come to. Distances are
Fréchet distances, smaller is better; below each head stands what real clips reach among themselves. Made by
`python benchmarks/families.py`.

{table}

`images_first` makes single pictures, whose motion cannot be measured; `then_motion` begins with it, `personalized` with
`r3gan`. Parameters are those of the generator (with its encoder) and of all discriminators, in thousands.
"""


@dataclasses.dataclass(frozen=True)
class FamiliesSettings(comparison.ComparisonSettings):
    """The comparison."""

    out: str = setting("runs/families", "Folder of the runs, one for each system.", path=True)
    only: tuple[str, ...] = setting((), "Systems to run; empty: all.", choices=tuple(FLAGFILES))
    family_minutes: float = setting(2.0, "Minutes of training of each.", above=0.0)
    docs: str = setting("docs/families.md", "Page to write; its pictures go into a folder of its name beside it.",
                        path=True)


def main() -> None:
    """Trains and evaluates what is missing, writes the page, prints the table."""
    settings = flags.settings(FamiliesSettings)
    page = Path(settings.docs)
    pictures = page.with_suffix("")
    pictures.mkdir(parents=True, exist_ok=True)
    names = sorted(settings.only or FLAGFILES, key=lambda name: name in AFTER)
    rows, floor = {}, {}
    for name in names:
        try:
            run = make(name, settings)
        except harness.ProgramFailed as error:  # one that diverges is an answer too
            print(f"{name}: {error}", flush=True)
            continue
        rows[name], found = row(run)
        floor = floor or found
        (pictures / f"{name}.png").write_bytes(picture(run))
        print(f"{name}: " + ", ".join(f"{head} {value}" for head, value in rows[name].items()), flush=True)
    head = ["system", "parameters, G + D", "videos/s", *(f"{head}<br>{shown(floor.get(head))}" for head in COLUMNS), ""]
    table = harness.table(head, ([f"`{name}`", *rows[name].values(), f"![]({pictures.name}/{name}.png)"]
                                 for name in sorted(rows)))
    page.write_text(_PAGE.format(minutes=settings.family_minutes, clips=settings.clips, table=table), encoding="utf-8")
    print(f"\n{table}\n")
    print(json.dumps({"benchmark": "families", "minutes": settings.family_minutes, "rows": rows, "floor": floor}))


def make(name: str, settings: FamiliesSettings) -> RunFolder:
    """Trains and evaluates one system, or what of it is not done yet.

    Raises:
        ProgramFailed: a script failed.
    """
    run = RunFolder(Path(settings.out) / name)
    special = [f"--init_from={Path(settings.out) / AFTER[name]}"] if name in AFTER else []
    if name == "perceptual":
        special.append(f"--perceptual_network={frozen_network(Path(settings.out))}")
    comparison.train(run, settings.family_minutes, f"--flagfile={FLAGFILES[name]}", *special)
    if run.load_config().clip.num_frames > 1:
        comparison.evaluate(run, settings.clips)
    return run


def frozen_network(folder: Path) -> Path:
    """A network for the row of the perceptual loss: three convolutions with fixed random weights, a `.keras` file."""
    logging.import_tensorflow()
    import keras

    path = folder / "random_features.keras"
    if not path.exists():
        keras.utils.set_random_seed(0)
        path.parent.mkdir(parents=True, exist_ok=True)
        keras.Sequential([keras.Input((32, 32, 3)), *(
            keras.layers.Conv2D(channels, 3, 2, activation="relu", kernel_initializer="he_normal")
            for channels in (32, 64, 64))]).save(path)
    return path


def row(run: RunFolder) -> tuple[dict[str, Any], dict[str, float]]:
    """The cells of a row after its name, and the floor by head."""
    metrics = run.metrics()
    found = comparison.evaluation(metrics) or {}
    cells = {"parameters": parameters(run), "videos_per_second": comparison.median_speed(metrics)}
    return (cells | {head: found.get(key) for head, key in COLUMNS.items()},
            {head: found[f"{key}.floor"] for head, key in COLUMNS.items() if f"{key}.floor" in found})


def parameters(run: RunFolder) -> str:
    """Thousands of weights of the generator and of the discriminators, from the run's checkpoint."""
    logging.import_tensorflow()
    import tensorflow as tf

    from gan_keras.runs import checkpoints

    counts = collections.Counter()
    newest = run.checkpoints / f"ckpt-{checkpoints.saved_steps(run.checkpoints)[-1]}"
    for name, shape in tf.train.list_variables(str(newest)):
        counts[name.split("/")[0]] += math.prod(shape)
    return " + ".join(f"{counts[owner] / 1000:.0f}" for owner in ("generator", "discriminator"))


def picture(run: RunFolder) -> bytes:
    """The upper left quarter of the run's contact sheet, as a PNG."""
    from gan_keras.video.pictures import encode_png, read_picture

    sheet = read_picture(sorted(run.samples.glob("*.png"))[-1])
    return encode_png(sheet[:sheet.shape[0] // 2, :sheet.shape[1] // 2])


def shown(value: float | None) -> str:
    """A number of the floor below its head."""
    return "" if value is None else f"{value:.3g}"


if __name__ == "__main__":
    flags.define(FamiliesSettings)
    flags.run(main, sys.argv, __doc__)
