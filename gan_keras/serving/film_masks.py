"""Masks of the frames of a film, of what is to be made anew: a video, a folder of pictures, a picture, a rectangle."""

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.video.errors import DecodeError
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import read_picture

_DILATION = 4
"""Pixels by which a mask is made larger all around: codecs smear edges."""

Mask = Callable[[int, tuple[int, int]], np.ndarray]
"""From the number of a frame and its (height, width) to its mask, uint8 [H, W], 1 in it."""


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
