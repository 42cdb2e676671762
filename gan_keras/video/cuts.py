"""Hard cuts: where a video goes from one shot to another between two frames."""

import functools
from collections.abc import Iterable, Iterator

import numpy as np

from gan_keras.video import io

_SIDE = 32  # pixels of the picture in which cuts are looked for
_LEVELS = 8  # of each colour in a histogram
_QUARTERS = 4  # of the picture, each with its own histogram
_PIXEL_SCALE = 25.0  # mean difference of the pixels, of 255, that is surely enough for a cut
_PEAK = 2.0  # a cut differs this many times as much as the steps around it


def split_shots(frames: Iterable[np.ndarray], threshold: float) -> Iterator[tuple[np.ndarray, bool]]:
    """Yields each frame with whether a new shot starts with it; the first frame starts one.

    Two things tell a cut: the colours *and* the pixels change by more than the threshold (`difference`), and they
    change at once: much more than a frame earlier and a frame later. A shape that crosses the picture keeps the
    colours, a fast pan changes them at every frame, a flash changes them and changes them back, and none is a cut.

    Args:
        frames: uint8 `[H, W, 3]`.
        threshold: from 0 to 1, where 1 looks for none.
    """
    if threshold >= 1:
        for index, frame in enumerate(frames):
            yield frame, index == 0
        return
    before = step = 0.0  # how the held frame's predecessor, and the held frame, differ from what came before
    held, look = None, None
    for frame in frames:
        next_look = _Look(frame)
        if held is None:
            held, look = frame, next_look
            first = True
            continue
        after = difference(look, next_look, threshold)
        yield held, first or _is_cut(before, step, after, threshold)
        before, step, first = step, after, False
        held, look = frame, next_look
    if held is not None:
        yield held, first or _is_cut(before, step, 0.0, threshold)


def _is_cut(before: float, step: float, after: float, threshold: float) -> bool:
    return step > threshold and step > _PEAK * max(before, after)


class _Look:
    """What is compared of a frame: a small picture, and how its colours are spread in each quarter."""

    def __init__(self, frame: np.ndarray) -> None:
        self.pixels = io.fit(frame, _SIDE, _SIDE).reshape(-1, 3).astype(np.float32)  # [32 * 32, 3]

    @functools.cached_property
    def colours(self) -> np.ndarray:
        """Histograms of the quarters one after another, [4 * 512], sum 1.

        A pixel is shared between neighbouring bins, so that a colour near the edge of a bin does not flicker between
        them.
        """
        place = self.pixels * ((_LEVELS - 1) / 255)
        low = np.minimum(place.astype(int), _LEVELS - 2)
        share = place - low
        rows, columns = np.divmod(np.arange(len(place)), _SIDE)
        quarter = rows // (_SIDE // 2) * 2 + columns // (_SIDE // 2)
        histogram = np.zeros(_QUARTERS * _LEVELS**3)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, share, 1 - share), axis=1)
            index = np.ravel_multi_index((quarter, *(low + corner).T), (_QUARTERS, _LEVELS, _LEVELS, _LEVELS))
            histogram += np.bincount(index, weight, len(histogram))
        return histogram / len(place)


def difference(one: _Look, other: _Look, threshold: float = 0.0) -> float:
    """How unlike two frames look, from 0 to 1: the lesser of the change in colours and the change in pixels.

    Where the pixels alone say less than half the threshold, they are taken at their word: such a step is no cut and
    hides none beside it, so the colours, which take most of the time, need no look.
    """
    pixels = float(np.abs(one.pixels - other.pixels).mean()) / _PIXEL_SCALE
    if pixels <= threshold / _PEAK:
        return pixels
    return min(0.5 * float(np.abs(one.colours - other.colours).sum()), pixels, 1.0)
