"""Are translated clips of the other domain, and what they were in all else?

    python benchmarks/translate.py --run_dir=runs/translate --source=shapes:256,seed=9,colour=red --colour=blue

Translates drawn shapes that the run has not seen by the run's exported model and reads their factors. Takes a minute.
Ends with one JSON line: the share of clips that can be read, that are read as of the other colour, that keep their
shape, that keep their path, and of which all is so.
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
    from gan_keras.evaluation.metrics.factor_reader import Readings

MAX_DEPARTURE = 0.05
"""Of a path that is kept, in shorter sides of the frame, the mean over frames."""


@dataclasses.dataclass(frozen=True)
class TranslateSettings(Settings):
    """What is translated to what."""

    run_dir: str = setting("", "Run whose exported model translates.", path=True)
    source: str = setting("shapes:256,seed=9,colour=red", "Drawn shapes to translate.")
    colour: str = setting("blue", "Colour of the other domain.")

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
    given = np.stack([np.stack([frame.pixels for frame in video.open(None).frames])[:facts.num_frames]
                      for video in list_source(settings.source, clip).videos])
    made = np.concatenate([model("serving_default", {"video": clip[np.newaxis]})["video"] for clip in given])
    print(json.dumps({"benchmark": "translate", "clips": len(given),
                      **shares(read_clips(given), read_clips(made), settings.colour)}))


def shares(given: "Readings", made: "Readings", colour: str) -> dict[str, float]:
    """Shares of clips, see the top of this file; frames that are not valid count against a clip where half are not."""
    import numpy as np

    from gan_keras.data.drawn.moving_shapes import COLOURS

    valid = made.valid & given.valid
    readable = made.valid.mean(1) >= 0.5
    same_shape = np.where(valid, made.shape == given.shape, False).sum(1) >= 0.5 * np.maximum(valid.sum(1), 1)
    distance = np.linalg.norm(made.positions - given.positions, axis=-1)
    departure = np.array([row[both].mean() if both.any() else np.inf
                          for row, both in zip(distance, valid, strict=True)])
    kept_path = departure <= MAX_DEPARTURE
    number = list(COLOURS).index(colour)
    of_domain = np.where(made.valid, made.colour == number, False).sum(1) >= 0.5 * np.maximum(made.valid.sum(1), 1)
    parts = {"readable": readable, "of_the_other_domain": readable & of_domain, "shape_kept": readable & same_shape,
             "path_kept": readable & kept_path}
    return {name: round(float(values.mean()), 3) for name, values in parts.items()} | {
        "all": round(float(np.logical_and.reduce(list(parts.values())).mean()), 3)}


if __name__ == "__main__":
    flags.define(TranslateSettings)
    flags.run(main, sys.argv, __doc__)
