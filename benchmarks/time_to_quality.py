"""How many minutes of training until generated clips are nearer to real ones than given clips are?

    python benchmarks/time_to_quality.py --data=my_videos/ --given_clips=theirs.npz --quality_minutes=8
    python benchmarks/time_to_quality.py --data=data/skies --learning_rate=2e-3 --batch_size=16

Trains from nothing, with every flag of train.py that is named, evaluates on the way, and counts the time of training
alone: what evaluations, samples and checkpoints take is left out. Nearer is: in all three Fréchet distances, over
equally many clips. Ends with a table and one JSON line; without `--given_clips` there is the curve alone.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras.config import flags
from gan_keras.config.settings import setting
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder

DISTANCES = ("appearance", "motion", "joint")
_NEVER = 10**9


@dataclasses.dataclass(frozen=True)
class QualitySettings(comparison.ComparisonSettings):
    """What is reached, and how it is looked for."""

    given_clips: str = setting("", "Clips to come up to, as evaluate.py takes --videos; empty: none.", path=True)
    quality_minutes: float = setting(10.0, "Minutes of training, evaluations included, after which it ends.", above=0.0)
    quality_every: int = setting(250, "Steps between two evaluations.", minimum=1)
    out: str = setting("runs/time_to_quality", "Folder of the run and of the evaluation of the clips, made anew.",
                       path=True)


def main() -> None:
    """Evaluates the given clips, trains, counts."""
    settings = flags.settings(QualitySettings)
    config = Config().replace(**flags.named_config())
    if not config.run.data:
        raise UserError("`data` must name the real clips. Received: data=")
    out = harness.empty_folder(Path(settings.out))
    clip = [f"--{field.name}={getattr(config.clip, field.name)}" for field in dataclasses.fields(config.clip)
            if field.name in ("resolution", "num_frames", "frame_stride")]
    wanted = None
    if settings.given_clips:
        harness.script("evaluate.py", f"--videos={settings.given_clips}", f"--data={config.run.data}", *clip,
                       f"--clips={settings.clips}", f"--out={out / 'given'}")
        wanted = distances(comparison.evaluation(RunFolder(out / "given").metrics()))
        print(f"to come up to: {wanted}", flush=True)
    run = RunFolder(out / "run")
    harness.script("train.py", *harness.passed_on(QualitySettings), f"--run_dir={run.path}", "--noexport",
                   f"--minutes={settings.quality_minutes}", f"--evaluate_every={settings.quality_every}",
                   f"--evaluate_clips={settings.clips}", f"--sample_every={_NEVER}", f"--checkpoint_every={_NEVER}")
    rows = curve(run.metrics(), config.optimization.batch_size)
    print(harness.table(["step", "minutes", *DISTANCES], (row.values() for row in rows)) + "\n")
    print(json.dumps({"benchmark": "time_to_quality", "wanted": wanted, "minutes": reached(rows, wanted),
                      "curve": rows}))


def distances(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """The Fréchet distances of an evaluation."""
    return {name: evaluation[f"frechet/{name}"] for name in DISTANCES}


def curve(metrics: Sequence[Mapping[str, Any]], batch_size: int) -> list[dict[str, float]]:
    """A row for each evaluation: step, minutes of training until there, distances."""
    rows, seconds, step = [], 0.0, 0
    for entry in metrics:
        if "speed/clips_per_second" in entry:
            seconds += (entry["step"] - step) * batch_size / entry["speed/clips_per_second"]
            step = entry["step"]
        if "frechet/joint" in entry:
            rows.append({"step": entry["step"], "minutes": round(seconds / 60, 2), **distances(entry)})
    return rows


def reached(rows: Sequence[Mapping[str, float]], wanted: Mapping[str, float] | None) -> float | None:
    """Minutes until the first evaluation in which all distances are below the wanted ones; None: in none."""
    if wanted is None:
        return None
    return next((row["minutes"] for row in rows if all(row[name] < wanted[name] for name in DISTANCES)), None)


if __name__ == "__main__":
    flags.define_config()
    flags.define(QualitySettings)
    flags.run(main, sys.argv, __doc__)
