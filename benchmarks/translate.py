"""Are translated clips of the other domain, and what they were in all else?

    python benchmarks/translate.py --run_dir=runs/translate
    python benchmarks/translate.py --run_dir=runs/translate --factor=motion --source=linear --target=sine

Translates drawn shapes that the run has not seen by the run's exported model and reads their factors. Takes a minute.
Ends with one JSON line: the share of clips that can be read, that are read as of the other domain, that keep their
shape, that keep their colour (where that is not what changes), that keep their path (where its kind changes: are near
it), and of which all is so. Where motion changes, also the share of clips whose path is nearer to one of the target's
motion than to any of the source's, and the median distance to the former, in shorter sides of the frame.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    from gan_keras.evaluation.metrics.factor_reader import Readings

MAX_DEPARTURE = {"colour": 0.05, "motion": 0.15}
"""By what changes: of a path that is kept, in shorter sides of the frame, the mean over frames; 0.15 is the radius of
a shape."""
MAX_DISTANCE = 0.02
"""Of a path from the best one of its motion, in shorter sides, root mean square: half a pixel of 32."""


@dataclasses.dataclass(frozen=True)
class TranslateSettings(Settings):
    """What is translated to what."""

    run_dir: str = setting("", "Run whose exported model translates.", path=True)
    factor: str = setting("colour", "What is another in the other domain.", choices=tuple(MAX_DEPARTURE))
    source: str = setting("red", "Its value in the domain that is translated.")
    target: str = setting("blue", "Its value in the other domain.")
    clips: int = setting(256, "Clips to translate.", minimum=1)
    seed: int = setting(9, "Seed of the clips.", minimum=0)

    def check(self) -> None:
        """There is no run by default."""
        if not self.run_dir:
            raise UserError("`run_dir` must name a run. Received: run_dir=")


def main() -> None:
    """Translates, reads, counts."""
    settings = flags.settings(TranslateSettings)
    logging.import_tensorflow()
    import numpy as np

    from gan_keras.config.train import ClipSettings
    from gan_keras.data.sources.listing import list_source
    from gan_keras.evaluation.metrics.factor_reader import read_clips
    from gan_keras.serving.saved_generator import SavedGenerator

    model = SavedGenerator(Path(settings.run_dir) / "export")
    facts = model.description
    clip = ClipSettings(resolution=f"{facts.width}x{facts.height}", num_frames=facts.num_frames)
    source = f"shapes:{settings.clips},seed={settings.seed},{settings.factor}={settings.source}"
    given = np.stack([np.stack([frame.pixels for frame in video.open(None).frames])[:facts.num_frames]
                      for video in list_source(source, clip).videos])
    made = np.concatenate([model("serving_default", {"video": clip[np.newaxis]})["video"] for clip in given])
    readings = read_clips(given), read_clips(made)
    more = {}
    if settings.factor == "colour":
        of_domain = is_colour(readings[1], settings.target)
    else:
        of_source, of_target = distances(readings[1], facts.height, facts.width, settings.source, settings.target)
        of_domain = is_motion(of_source, of_target)
        more = {"nearer_to_the_target": round(float((of_target < of_source).mean()), 3),
                "median_distance": round(float(np.median(of_target)), 4)}
    print(json.dumps({"benchmark": "translate", "clips": len(given), **shares(*readings, of_domain, settings.factor),
                      **more}))


def is_colour(made: "Readings", colour: str) -> "np.ndarray":
    """Clips of which half of the valid frames have a colour, bool [N]."""
    from gan_keras.data.drawn.moving_shapes import COLOURS

    return _mostly(made.colour == list(COLOURS).index(colour), made.valid)


def distances(made: "Readings", height: int, width: int, source: str, target: str) -> "tuple[np.ndarray, np.ndarray]":
    """Of each clip's path from the best one of the source's motion and of the target's, in shorter sides, [N] each."""
    from gan_keras.data.drawn.moving_shapes import MOTIONS
    from gan_keras.evaluation.metrics.motion_reader import path_distances

    of_all = path_distances(made, height, width)
    return of_all[:, MOTIONS.index(source)], of_all[:, MOTIONS.index(target)]


def is_motion(of_source: "np.ndarray", of_target: "np.ndarray") -> "np.ndarray":
    """Clips whose path is one of the target's motion, and nearer to the best of those than to any of the source's, [N]
    bool, by `distances`."""
    return (of_target < of_source) & (of_target <= MAX_DISTANCE)


def shares(given: "Readings", made: "Readings", of_domain: "np.ndarray", factor: str) -> dict[str, float]:
    """Shares of clips, see the top of this file; a clip of which fewer than half of the frames are valid has nothing.

    Args:
        given: N clips.
        made: what was made of them.
        of_domain: bool [N], whether that is of the other domain.
        factor: what has to change.
    """
    import numpy as np

    readable, valid = made.valid.mean(1) >= 0.5, made.valid & given.valid
    kept = {"shape_kept": _mostly(made.shape == given.shape, valid)}
    if factor != "colour":
        kept["colour_kept"] = _mostly(made.colour == given.colour, valid)
    departure = np.where(valid, np.linalg.norm(made.positions - given.positions, axis=-1), 0.0).sum(1)
    kept["path_kept"] = departure <= MAX_DEPARTURE[factor] * valid.sum(1)
    parts = {"readable": readable, "of_the_other_domain": of_domain & readable,
             **{name: values & readable for name, values in kept.items()}}
    return {name: round(float(values.mean()), 3) for name, values in parts.items()} | {
        "all": round(float(np.logical_and.reduce(list(parts.values())).mean()), 3)}


def _mostly(frames: "np.ndarray", valid: "np.ndarray") -> "np.ndarray":
    """Whether something is so in half of the valid frames [N, T] of each clip, bool [N]."""
    return (frames & valid).sum(1) >= 0.5 * valid.sum(1)


if __name__ == "__main__":
    flags.define(TranslateSettings)
    flags.run(main, sys.argv, __doc__)
