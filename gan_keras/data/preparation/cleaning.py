"""Defects of segments that make them unfit for training: blank, frozen, duplicate."""

import hashlib

import numpy as np

# Of 255. Compression changes a still or empty picture by a few levels; the smallest moving shape changes pixels by
# dozens.
_NOISE = 10


def is_blank(frames: np.ndarray) -> bool:
    """Whether every frame, of uint8 `[T, H, W, 3]`, is of one colour (which may change with time)."""
    pixels = frames.reshape(len(frames), -1, 3)
    return bool((np.ptp(pixels, axis=1) <= _NOISE).all())


def is_frozen(frames: np.ndarray) -> bool:
    """Whether no pixel of uint8 `[T, H, W, 3]` ever changes."""
    return bool((np.ptp(frames, axis=0) <= _NOISE).all())


def defect(frames: np.ndarray, keep: tuple[str, ...]) -> str:
    """Defect of a segment: `"blank"`, `"frozen"` or, if it has none, `""`.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        keep: defects to ignore.
    """
    if "blank" not in keep and is_blank(frames):
        return "blank"
    if len(frames) == 1:  # a picture cannot be frozen
        return ""
    # A blank segment may be frozen as well. With `keep=blank` it is kept all the same.
    if "frozen" not in keep and is_frozen(frames) and not is_blank(frames):
        return "frozen"
    return ""


def content_hash(frames: np.ndarray) -> str:
    """SHA-256 of shape and pixels; segments with the same one are duplicates."""
    return hashlib.sha256(repr(frames.shape).encode() + frames.tobytes()).hexdigest()
