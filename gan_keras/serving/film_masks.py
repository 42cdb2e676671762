"""Masks of the frames of a film, of what is to be made anew: a video, a folder of pictures, a picture, a rectangle; and
the shots of a film of which some is masked."""

import itertools
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.video.cuts import split_shots
from gan_keras.video.errors import DecodeError
from gan_keras.video.frames import Frame
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import read_picture

_DILATION = 4
"""Pixels by which a mask is made larger all around: codecs smear edges."""

_LEAST_SEEN = 0.1
"""Share of a frame; where less is not masked, nothing is seen of it."""

Mask = Callable[[int, tuple[int, int]], np.ndarray]
"""From the number of a frame and its (height, width) to its mask, uint8 [H, W], 1 in it."""


def masked_shots(frames: Iterable[Frame], mask: str, cut_threshold: float) -> Iterator[tuple[Frame, np.ndarray]]:
    """Frames of a film, marked where a shot starts, each with its mask, uint8 [H, W].

    What is masked is no sign of a cut. Frames that are missing are of the shot before them.

    Args:
        frames: of the film.
        mask: as the user names it.
        cut_threshold: see `split_shots`.
    """
    mask_of, masks, seen = masks_of(mask), deque(), _Seen()

    def read() -> Iterator[Frame]:
        for number, frame in enumerate(frames):
            masks.append(mask_of(number, frame.pixels.shape[:2]))
            yield frame

    for frame in split_shots(read(), cut_threshold, lambda frame: seen.compared(frame.pixels, masks[-1])):
        yield frame, masks.popleft()


class _Seen:
    """What can be compared of masked frames, one after the other: two of them in what is seen of both; one after frames
    of which nothing is seen with what was seen last."""

    def __init__(self) -> None:
        self._last = np.zeros((0, 0, 3), np.uint8)
        self._hidden = np.zeros((0, 0, 1), bool)

    def compared(self, pixels: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """See `cuts.Shown`, of the next frame, uint8 [H, W, 3], and its mask, uint8 [H, W]."""
        hidden = mask[..., np.newaxis] > 0
        if self._last.shape != pixels.shape:
            self._last, self._hidden = pixels, hidden
        before = self._hidden if self._hidden.mean() <= 1.0 - _LEAST_SEEN else np.zeros_like(hidden)
        either = hidden | before
        behind = np.where(either, self._last, pixels)
        self._last, self._hidden = np.where(hidden, self._last, pixels), hidden
        return behind, self._last, max(1.0 - either.mean(), _LEAST_SEEN)


def masks_of(text: str) -> Mask:
    """From a mask that is named to the mask of each frame by its number and size, uint8 [H, W], 1 in it.

    Frames have to be asked for one after the other.
    """
    box = re.fullmatch(r"\s*(\d+),(\d+),(\d+),(\d+)\s*", text)
    if box:
        return _box_mask(*map(int, box.groups()))
    if not Path(text).exists():
        raise UserError(f"`mask` must name a video, a folder of pictures, a picture, or X,Y,WIDTH,HEIGHT. Received: "
                        f"mask={text}")
    videos = list_source(text, ClipSettings(num_frames=1)).videos
    if not videos:
        raise UserError(f"`mask` must name a video, a folder of pictures or a picture. Received: mask={text}")
    if videos[0].kind == "picture" and len(videos) == 1:
        picture = read_picture(Path(text) if Path(text).is_file() else Path(videos[0].path))
        return lambda index, size: _dilated(picture, size, text)
    if len(videos) > 1 and not all(video.kind == "picture" for video in videos):
        raise UserError(f"`mask` must be one video or one series of pictures. Received: mask={text}")
    frames = itertools.chain.from_iterable(video.open(None).frames for video in videos)

    def next_mask(index: int, size: tuple[int, int]) -> np.ndarray:
        """The mask of the next frame."""
        try:
            frame = next(frames, None)
        except DecodeError as error:
            raise UserError(f"`mask` cannot be read: {error}. Received: mask={text}") from error
        if frame is None:
            raise UserError(f"`mask` must be as long as the input: it ends after {index} frames. "
                            f"Received: mask={text}")
        return _dilated(frame.pixels, size, text)

    return next_mask


def _box_mask(x: int, y: int, width: int, height: int) -> Mask:
    def mask(index: int, size: tuple[int, int]) -> np.ndarray:
        """The same of every frame."""
        if x >= size[1] or y >= size[0] or not width or not height:
            raise UserError(f"`mask` must lie in the frame of {size[1]}x{size[0]}. Received: "
                            f"mask={x},{y},{width},{height}")
        picture = np.zeros((*size, 3), np.uint8)
        picture[y:y + height, x:x + width] = 255
        return _dilated(picture, size, "")

    return mask


def _dilated(picture: np.ndarray, size: tuple[int, int], text: str) -> np.ndarray:
    if picture.shape[:2] != size:
        raise UserError(f"`mask` must be as large as the frames, {size[1]}x{size[0]}; it is "
                        f"{picture.shape[1]}x{picture.shape[0]}. Received: mask={text}")
    mask = (picture[..., :3].max(-1) > 127).astype(np.uint8)
    side = 2 * _DILATION + 1
    return cv2.dilate(mask, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
