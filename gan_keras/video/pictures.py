"""Pictures: decoding, encoding, cropping and resizing."""

import os
from pathlib import Path

import numpy as np

from gan_keras.video.errors import DecodeError, check_not_empty
from gan_keras.video.opencv import cv2

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")


def read_picture(path: Path) -> np.ndarray:
    """Decoded picture, upright by its EXIF orientation, uint8 RGB `[H, W, 3]`.

    Raises:
        DecodeError: not a picture.
    """
    try:
        image = cv2.imread(os.fspath(path), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise DecodeError("unreadable", f"the decoder failed: {error.err}") from error
    if image is None:
        check_not_empty(path)
        raise DecodeError("unreadable", "not a picture that can be decoded")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def crop_and_resize(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Crops a frame to the aspect ratio of a size, about its centre, and resizes it to that size.

    Args:
        frame: uint8 `[H, W, 3]`.
        height: of the result, in pixels.
        width: of the result, in pixels.

    Returns:
        uint8 `[height, width, 3]`; a frame that shrinks is averaged over areas, so that thin lines do not flicker.
    """
    if frame.shape[:2] == (height, width):
        return frame
    rows = min(frame.shape[0], max(1, round(frame.shape[1] * height / width)))
    columns = min(frame.shape[1], max(1, round(frame.shape[0] * width / height)))
    top, left = (frame.shape[0] - rows) // 2, (frame.shape[1] - columns) // 2
    part = frame[top:top + rows, left:left + columns]
    shrinks = rows >= height and columns >= width
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def encode_png(image: np.ndarray) -> bytes:
    """Bytes of a PNG file of a picture, uint8 RGB `[H, W, 3]`."""
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
