"""Animated WebP and AVIF, and stacks of TIFF: several frames in a file that FFmpeg takes for a picture."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from gan_keras.video.errors import DecodeError, check_not_empty
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import scale_alike, to_rgb

_STACKS = (".tif", ".tiff")
ANIMATION_SUFFIXES = (".webp", ".avif", *_STACKS)
"""Suffixes of files that may hold several frames."""

_CHUNK_BYTES = 2**27  # decoded at a time; what is before a chunk is decoded again for it


def is_animation(path: Path) -> bool:
    """Whether a file holds several frames; only its structure is read."""
    try:
        return path.suffix.lower() in ANIMATION_SUFFIXES and cv2.imcount(str(path)) > 1
    except cv2.error:
        return False


def is_apng(path: Path) -> bool:
    """Whether a PNG is animated; FFmpeg reads those as videos."""
    with path.open("rb") as file:
        return b"acTL" in file.read(2**12).partition(b"IDAT")[0]


def read_animation(path: Path) -> Iterator[tuple[np.ndarray, float | None]]:
    """Frames of an animation, a few in memory at a time.

    Those of a stack with more than 8 bits are scaled by the range of the whole stack.

    Args:
        path: of the file.

    Yields:
        Each frame, uint8 RGB `[H, W, 3]` over black, and when it is shown, in seconds; None for those of a stack.

    Raises:
        DecodeError: no frame can be decoded.
    """
    check_not_empty(path)
    if path.suffix.lower() in _STACKS:
        for frame in scale_alike(lambda: (to_rgb(page) for page, _ in _in_chunks(path, _read_pages))):
            yield frame, None
        return
    time = 0.0
    for frame, milliseconds in _in_chunks(path, _read_frames):
        yield to_rgb(frame), time
        time += milliseconds / 1000


def _in_chunks(path: Path, read: Callable[[str, int, int], tuple[Sequence[np.ndarray], Sequence[float]]]
               ) -> Iterator[tuple[np.ndarray, float]]:
    start, count = 0, 1
    while True:
        try:
            frames, milliseconds = read(str(path), start, count)
        except cv2.error as error:
            raise DecodeError("unreadable", f"the decoder failed: {error.err}") from error
        if not len(frames):
            break
        yield from zip(frames, milliseconds, strict=True)
        start, count = start + len(frames), max(1, _CHUNK_BYTES // frames[0].nbytes)
    if not start:
        raise DecodeError("unreadable", "no frame can be decoded: it is cut off, damaged or of a kind that is not read")


def _read_frames(path: str, start: int, count: int) -> tuple[Sequence[np.ndarray], Sequence[float]]:
    _, animation = cv2.imreadanimation(path, start, count)
    return animation.frames, animation.durations


def _read_pages(path: str, start: int, count: int) -> tuple[Sequence[np.ndarray], Sequence[float]]:
    _, pages = cv2.imreadmulti(path, start, count, flags=cv2.IMREAD_UNCHANGED)
    return pages, [0.0] * len(pages)
