"""Pictures: decoding, encoding, cropping and resizing."""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gan_keras.video.errors import DecodeError, check_not_empty
from gan_keras.video.opencv import cv2

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff", ".jp2", ".avif", ".ppm",
                    ".pgm", ".pnm")
"""Those of photographs first: of two series under the same numbers they are the frames, and the others are masks."""

_JPEG_MARK = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# IMREAD_UNCHANGED would not turn by the EXIF orientation; these together do, and keep alpha and 16 bits all the same.
_AS_STORED_BUT_UPRIGHT = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_COLOR


def read_picture(path: Path) -> np.ndarray:
    """Decoded picture, uint8 RGB `[H, W, 3]`: upright by its EXIF orientation, over black where it is transparent.

    Values of more than 8 bits are scaled so that the smallest is 0 and the largest is 255.

    Raises:
        DecodeError: not a whole picture.
    """
    picture = _decode(path)
    return _to_uint8(picture, _limits([picture]))


def read_pictures(paths: Sequence[Path]) -> Iterator[np.ndarray | DecodeError]:
    """Decoded pictures of a series, as `read_picture` decodes one, but scaled alike.

    Args:
        paths: of the pictures.

    Yields:
        Each picture, uint8 RGB `[H, W, 3]`, or why it cannot be decoded.
    """
    def pictures() -> Iterator[np.ndarray | DecodeError]:
        for path in paths:
            try:
                yield _decode(path)
            except DecodeError as error:
                yield error

    return scale_alike(pictures)


def scale_alike(pictures: Callable[[], Iterator[np.ndarray | DecodeError]]) -> Iterator[np.ndarray | DecodeError]:
    """Scales pictures to uint8, those of more than 8 bits by the range of all of them, so that none flickers.

    Args:
        pictures: begins to decode them, RGB `[H, W, 3]`; called a second time where the first is of more than 8 bits.
    """
    decoded = (picture for picture in pictures() if isinstance(picture, np.ndarray))
    first = next(decoded, None)
    limits = (0.0, 255.0)
    if first is not None and first.dtype != np.uint8:
        limits = _limits(itertools.chain([first], decoded))
    for picture in pictures():
        yield picture if isinstance(picture, DecodeError) else _to_uint8(picture, limits)


def _decode(path: Path) -> np.ndarray:
    """Decoded picture, RGB `[H, W, 3]` of uint8, uint16 or float."""
    check_not_empty(path)
    encoded = np.fromfile(path, np.uint8)
    try:
        picture = cv2.imdecode(encoded, _AS_STORED_BUT_UPRIGHT)
    except cv2.error as error:
        raise DecodeError("unreadable", f"the decoder failed: {error.err}") from error
    if picture is None or not _is_whole(encoded):
        raise DecodeError("unreadable", "not a whole picture: cut off, damaged or of a kind that is not read")
    return to_rgb(picture)


def _is_whole(encoded: np.ndarray) -> bool:
    """Whether a file is no half JPEG, which OpenCV decodes as if it were whole.

    Its segments end with a mark, and so does the data of each scan; in that data ff 00 is a byte.
    """
    content = encoded.tobytes()
    position = 2
    while content.startswith(b"\xff\xd8"):
        mark = _JPEG_MARK.search(content, position)
        if mark is None or mark.group() == b"\xff\xd9":
            return mark is not None
        length = int.from_bytes(content[mark.end():mark.end() + 2], "big")
        position = mark.end() + length
    return True


def to_rgb(image: np.ndarray) -> np.ndarray:
    """OpenCV's grey, BGR or BGRA as RGB `[H, W, 3]` of the same type, over black where it is transparent."""
    if image.dtype not in (np.uint8, np.uint16, np.float32):  # which OpenCV does not convert
        image = image.astype(np.float32)
    if image.ndim == 2 or image.shape[2] == 1:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if image.shape[2] == 4:
        opaque = 1.0 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
        image = (image[..., :3] * (image[..., 3:] / np.float32(opaque))).astype(image.dtype)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def _to_uint8(picture: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    if picture.dtype == np.uint8:
        return picture
    low, high = limits
    values = np.clip(np.nan_to_num(picture, nan=low), low, high).astype(np.float32)
    return np.rint((values - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)


def _limits(pictures: Iterable[np.ndarray]) -> tuple[float, float]:
    """Smallest and largest value of pictures; those that are not finite do not count."""
    ends = [(finite.min(), finite.max()) for finite in (picture[np.isfinite(picture)] for picture in pictures)
            if finite.size]
    return (float(min(low for low, _ in ends)), float(max(high for _, high in ends))) if ends else (0.0, 1.0)


def kept_part(rows: int, columns: int, height: int, width: int, pixel_aspect: float = 1.0) -> tuple[int, int]:
    """Rows and columns of the largest part of a frame that has the aspect ratio of a size.

    Args:
        rows: of the frame.
        columns: of the frame.
        height: of the size.
        width: of the size.
        pixel_aspect: width of the frame's pixels by their height.
    """
    return (min(rows, max(1, round(columns * pixel_aspect * height / width))),
            min(columns, max(1, round(rows * width / (height * pixel_aspect)))))


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
    rows, columns = kept_part(*frame.shape[:2], height, width)
    top, left = (frame.shape[0] - rows) // 2, (frame.shape[1] - columns) // 2
    part = frame[top:top + rows, left:left + columns]
    shrinks = rows >= height and columns >= width
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def encode_png(image: np.ndarray) -> bytes:
    """Bytes of a PNG file of a picture, uint8 RGB `[H, W, 3]`."""
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()
