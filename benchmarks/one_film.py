"""One film as its own training set: is it mended better than by what needs no training?

    python benchmarks/one_film.py --film=film.mp4

Draws scratches, and three missing frames, on the middle third of the film, trains on the other two thirds alone, mends
it with `generate.py`, and compares the mended third with the true one, in the holes. Takes `--film_minutes` and some
more. Ends with one JSON line: the mean squared error of the mended film and of each answer that needs no training, of
scratches and of missing frames apart, in levels², and the shares.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder

if TYPE_CHECKING:
    import numpy as np

MISSING = 3
CONTEXT = 8
"""Frames around the damaged third that answers without training may look at."""


@dataclasses.dataclass(frozen=True)
class OneFilmSettings(Settings):
    """What is mended."""

    film: str = setting("", "A video without damage.", path=True)
    resolution: str = setting("64", "Size of the parts of its frames that it is trained on.")
    film_minutes: float = setting(20.0, "Minutes of training.", above=0.0)
    film_steps: int = setting(4500, "Steps of training, where the minutes are enough: the learning rate falls over "
                              "them.", minimum=1)
    out: str = setting("runs/one_film", "Folder for the damaged film, its mask, the run and the mended film.",
                       path=True)

    def check(self) -> None:
        """There is no film by default."""
        if not self.film:
            raise UserError("`film` must name a video. Received: film=")


def main() -> None:
    """Damages, trains, mends, compares."""
    settings = flags.settings(OneFilmSettings)
    logging.import_tensorflow()
    import numpy as np

    from gan_keras.video.decode import VideoFile, read_video
    from gan_keras.video.encode import write_clip
    from gan_keras.video.films import FilmWriter

    out = Path(settings.out)
    frames = np.stack(list(read_video(Path(settings.film))))
    rate = VideoFile(Path(settings.film)).rate or 25.0
    mask = damage(frames.shape[:3])
    damaged, mended, holes = out / "damaged.mp4", out / "mended.mp4", out / "mask"
    if not damaged.exists():
        out.mkdir(parents=True, exist_ok=True)
        write_clip(holes, np.repeat(255 * mask, 3, -1), rate)
        writer = FilmWriter(damaged, rate, "")
        for number, (frame, hole) in enumerate(zip(frames, mask, strict=True)):
            writer.write(np.where(hole > 0, 255, frame), number / rate)
        writer.finish(None, 0.0)
    good = out / "good.csv"
    thirds = (f"{len(frames) * part // 3 / rate:.2f}" for part in (1, 2))
    good.write_text("path,start,end\n{0},0,{1}\n{0},{2},{3:.2f}\n".format(
        damaged.name, *thirds, len(frames) / rate), encoding="utf-8")
    run = RunFolder(out / "run")
    comparison.train(run, settings.film_minutes, f"--flagfile={harness.ROOT / 'configs' / 'inpaint.flags'}",
                     f"--data={good}", f"--resolution={settings.resolution}", "--holes=scratch,frames,box",
                     "--sharpness=0", f"--steps={settings.film_steps}")
    harness.script("export.py", f"--run_dir={run.path}")
    harness.script("generate.py", f"--model={run.exports}", f"--input={damaged}", f"--mask={holes}", f"--out={mended}")
    made = np.stack(list(read_video(mended)))[:, :frames.shape[1], :frames.shape[2]]
    print(json.dumps({"benchmark": "one_film", "minutes": settings.film_minutes,
                      **compared(frames, np.stack(list(read_video(damaged))), mask, made)}))


def damage(shape: tuple[int, int, int]) -> "np.ndarray":
    """Holes in the middle third of a film of (T, H, W), uint8 [T, H, W, 1]: scratches, and missing frames."""
    import numpy as np

    from gan_keras.data import holes

    count, begin = shape[0] // 3, shape[0] // 3
    random = np.random.default_rng(0)
    scratches = holes.holes(["scratch"], (count, *shape[1:]), random.random((1, holes.UNIFORMS + 1), np.float32),
                            random.random((1, *holes.BITS), np.float32)).numpy()[0]
    mask = np.zeros((*shape, 1), np.uint8)
    mask[begin:begin + count] = scratches
    for number in np.linspace(begin, begin + count - 1, MISSING + 2).astype(int)[1:-1]:
        mask[number] = 1
    return mask


def compared(true: "np.ndarray", damaged: "np.ndarray", mask: "np.ndarray", made: "np.ndarray") -> dict[str, dict]:
    """Errors in scratches and in missing frames, by answer, and shares of the least error without training."""
    import numpy as np

    from gan_keras.evaluation.baselines import baselines

    where = np.flatnonzero(mask.any((1, 2, 3)))
    part = slice(max(0, where[0] - CONTEXT), where[-1] + CONTEXT + 1)
    true, damaged, mask, made = (values[part] for values in (true, damaged, mask, made))
    answers = {"made": made, **baselines(damaged * (1 - mask), mask, true.shape[:3])}
    whole = mask.all((1, 2, 3))
    found = {}
    for name, frames in (("scratches", ~whole), ("missing", whole)):
        weight = mask[frames].astype(np.float64)
        errors = {answer: float((np.square(clip[frames].astype(np.float64) - true[frames]) * weight).sum()
                                / (3 * weight.sum())) for answer, clip in answers.items()}
        best = min((answer for answer in errors if answer != "made"), key=errors.get)
        found[name] = {answer: round(error, 2) for answer, error in errors.items()} | {
            "best": best, "share": round(errors["made"] / errors[best], 3)}
    return found


if __name__ == "__main__":
    flags.define(OneFilmSettings)
    flags.run(main, sys.argv, __doc__)
