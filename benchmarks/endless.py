"""Does a sequence without end drift away, fade, or loop?

    python benchmarks/endless.py --model=runs/quickstart/export --videos=data/skies

Generates long sequences, and compares what becomes of their colour with what real videos do. Takes about a minute. Ends
with one JSON line, for each sequence (in levels of 255): by how much the mean colour of a stretch departs from that of
the first one at most, the contrast of the first and of the last stretch, how far the nearest later frame is from the
first, and how far neighbours are apart; and by how much real videos depart from their first frame, half of them and a
tenth of them at least.
"""

import dataclasses
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

if TYPE_CHECKING:
    import numpy as np

STRETCH = 100
"""Frames that are averaged, and that lie between a frame and one that counts as later."""
REAL_VIDEOS = 64


@dataclasses.dataclass(frozen=True)
class EndlessSettings(Settings):
    """What is generated."""

    model: str = setting("", "Exported version, or the folder of versions, for the newest.", path=True)
    videos: str = setting("data/skies", "Real videos to compare with.", path=True)
    frames: int = setting(3000, "Frames of each sequence.", minimum=2 * STRETCH)
    sequences: int = setting(8, "Sequences, of the seeds from 0 on.", minimum=1, maximum=64)

    def check(self) -> None:
        """There is no model to measure by default."""
        if not self.model:
            raise UserError("`model` must name what export.py made. Received: model=")


def main() -> None:
    """Generates and compares."""
    settings = flags.settings(EndlessSettings)
    logging.import_tensorflow()
    import numpy as np

    from gan_keras.evaluation.samples import open_samples
    from gan_keras.evaluation.thumbnails import thumbnails
    from gan_keras.serving.saved_generator import SavedGenerator

    segments = SavedGenerator(Path(settings.model)).segments(range(settings.sequences), settings.frames)
    sequences = np.concatenate([thumbnails(segment) for segment in segments], axis=1)
    real = open_samples("", "", settings.videos, 0, 0)
    departures = colour_departure(thumbnails(real.clips(min(REAL_VIDEOS, real.count))), 1)
    print(json.dumps({
        "benchmark": "endless", "frames": settings.frames, "departure": rounded(colour_departure(sequences, STRETCH)),
        "contrast_first": rounded(contrast(sequences[:, :STRETCH])),
        "contrast_last": rounded(contrast(sequences[:, -STRETCH:])),
        "nearest_later_frame": rounded([nearest_later_frame(sequence) for sequence in sequences]),
        "neighbours": rounded(abs(np.diff(sequences.astype("float32"), axis=1)).mean((1, 2, 3, 4))),
        "real_departure_half": round(float(np.median(departures)), 1),
        "real_departure_tenth": round(float(np.quantile(departures, 0.9)), 1)}))


def colour_departure(sequences: "np.ndarray", stretch: int) -> "np.ndarray":
    """Largest difference of the mean colour of a stretch from that of the first stretch, over stretches and channels.

    Args:
        sequences: uint8 [N, T, H, W, 3].
        stretch: frames of a stretch; what is left over at the end does not count.

    Returns:
        float [N], in levels.
    """
    count = sequences.shape[1] // stretch
    colours = sequences[:, :count * stretch].mean((2, 3)).reshape(len(sequences), count, stretch, 3).mean(2)
    return abs(colours - colours[:, :1]).max((1, 2))


def contrast(sequences: "np.ndarray") -> "np.ndarray":
    """Mean standard deviation within a frame, uint8 [N, T, H, W, 3] → float [N], in levels."""
    return sequences.std((2, 3)).mean((1, 2))


def nearest_later_frame(sequence: "np.ndarray") -> float:
    """Mean difference of the first frame and the one most like it, `STRETCH` frames later or more.

    Args:
        sequence: uint8 [T, H, W, 3].
    """
    return float(abs(sequence[STRETCH:].astype("float32") - sequence[0]).mean((1, 2, 3)).min())


def rounded(values: Iterable[float]) -> list[float]:
    """For the JSON line."""
    return [round(float(value), 1) for value in values]


if __name__ == "__main__":
    flags.define(EndlessSettings)
    flags.run(main, sys.argv, __doc__)
