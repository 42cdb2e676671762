"""Hard cuts: where one shot of a video ends and the next begins."""

import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from gan_keras.video.frames import Frame
from gan_keras.video.pictures import crop_and_resize

_SIDE = 32  # pixels of the picture in which frames are compared
_LEVELS = 8  # of each colour in a histogram
_QUARTERS = 4  # of the picture, each with its own histogram
_PIXEL_SCALE = 25.0  # mean difference of the pixels, of 255, that is surely enough for a cut
_PEAK = 2.0  # a cut differs this many times as much as the steps around it


Shown = Callable[[Frame], tuple[np.ndarray, np.ndarray, float]]
"""From a frame to the pixels that are compared with the frame before it, those that are with the one after, and the
share of the first that can differ, above 0."""


def split_shots(frames: Iterable[Frame], threshold: float, shown: Shown | None = None) -> Iterator[Frame]:
    """Marks each frame with which a new shot starts, where it is not marked yet; the first frame starts one.

    At a cut the colours *and* the pixels change by more than the threshold (`difference`), and they change at once:
    much more than a frame earlier and a frame later. A shape that crosses the picture keeps the colours, a fast pan
    changes them at every frame, a flash changes them and changes them back: none of these is a cut.

    Args:
        frames: of a video.
        threshold: from 0 to 1, where 1 detects no cuts.
        shown: what of frames is compared, by default all; called once for each, in order.
    """
    if threshold >= 1:
        for index, frame in enumerate(frames):
            yield frame._replace(starts_shot=frame.starts_shot or index == 0)
        return
    before = step = 0.0  # differences into the previous frame, and from it into the current one
    current, signature = None, None
    for following in frames:
        behind, ahead, share = shown(following) if shown else (following.pixels, following.pixels, 1.0)
        next_signature = _FrameSignature(behind)
        if current is None:
            current, signature = following._replace(starts_shot=True), next_signature
            continue
        after = 0.0 if following.starts_shot else min(
            difference(signature, next_signature, threshold * share) / share, 1.0)
        yield current._replace(starts_shot=current.starts_shot or _is_cut(before, step, after, threshold))
        before, step = step, after
        current, signature = following, next_signature if ahead is behind else _FrameSignature(ahead)
    if current is not None:
        yield current._replace(starts_shot=current.starts_shot or _is_cut(before, step, 0.0, threshold))


def _is_cut(before: float, step: float, after: float, threshold: float) -> bool:
    return step > threshold and step > _PEAK * max(before, after)


class _FrameSignature:
    """What is compared of a frame: a small picture, and a histogram of the colours in each quarter."""

    def __init__(self, frame: np.ndarray) -> None:
        self.pixels = crop_and_resize(frame, _SIDE, _SIDE).reshape(-1, 3).astype(np.float32)  # [32 * 32, 3]

    @functools.cached_property
    def colours(self) -> np.ndarray:
        """Histograms of the quarters one after another, [4 * 512], sum 1.

        A pixel is shared between neighbouring bins, so that a colour near the edge of a bin does not flicker between
        them.
        """
        levels = self.pixels * ((_LEVELS - 1) / 255)
        low = np.minimum(levels.astype(int), _LEVELS - 2)
        share = levels - low
        rows, columns = np.divmod(np.arange(len(levels)), _SIDE)
        quarter = rows // (_SIDE // 2) * 2 + columns // (_SIDE // 2)
        histogram = np.zeros(_QUARTERS * _LEVELS**3)
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, share, 1 - share), axis=1)
            index = np.ravel_multi_index((quarter, *(low + corner).T), (_QUARTERS, _LEVELS, _LEVELS, _LEVELS))
            histogram += np.bincount(index, weight, len(histogram))
        return histogram / len(levels)


def difference(one: _FrameSignature, other: _FrameSignature, threshold: float = 0.0) -> float:
    """Difference of two frames, from 0 to 1: the lesser of the change in colours and the change in pixels.

    Where the change in pixels alone is less than half the threshold, it is returned as it is: such a step is no cut and
    hides none beside it, so the histograms, which take most of the time, are not needed.

    Args:
        one: signature of a frame.
        other: signature of another frame.
        threshold: of a cut, from 0 to 1; 0 always compares the histograms.
    """
    pixels = float(np.abs(one.pixels - other.pixels).mean()) / _PIXEL_SCALE
    if pixels <= threshold / _PEAK:
        return pixels
    return min(0.5 * float(np.abs(one.colours - other.colours).sum()), pixels, 1.0)
