"""A frame of a video and when it is shown."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Frame(NamedTuple):
    """A decoded frame.

    Attributes:
        pixels: uint8 RGB `[H, W, 3]`.
        time: when it is shown: seconds, or frames of the video where its rate is unknown.
        starts_shot: whether it does not go on from the frame before it: the first one, after a cut, after damage.
    """

    pixels: np.ndarray
    time: float
    starts_shot: bool = False


def usual_rate(times: Sequence[float]) -> float | None:
    """Frames per unit of time of most frames; None where no two times differ.

    Intervals that differ from the median by more than half are pauses or double frames and not the rate.

    Args:
        times: at which frames are shown, in any order.
    """
    intervals = np.diff(np.unique(times))
    if not len(intervals):
        return None
    usual = intervals[np.abs(intervals / np.median(intervals) - 1) <= 0.5]
    return float(1 / usual.mean())
