"""Which stretches of video are not worth learning from."""

import hashlib

import numpy as np

# Of 255. Compression leaves a still or empty picture alive by a few levels; the smallest shape moves pixels by dozens.
_NOISE = 10


def is_blank(frames: np.ndarray) -> bool:
    """Whether every frame, of uint8 `[T, H, W, 3]`, is of one colour (which may change with time)."""
    pixels = frames.reshape(len(frames), -1, 3)
    return bool((np.ptp(pixels, axis=1) <= _NOISE).all())


def is_frozen(frames: np.ndarray) -> bool:
    """Whether no pixel of uint8 `[T, H, W, 3]` ever changes."""
    return bool((np.ptp(frames, axis=0) <= _NOISE).all())


def trouble(frames: np.ndarray, keep: tuple[str, ...]) -> str:
    """`"blank"`, `"frozen"` or nothing.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        keep: troubles that do not matter.
    """
    if "blank" not in keep and is_blank(frames):
        return "blank"
    if len(frames) == 1:  # a picture moves nowhere
        return ""
    # What is blank is frozen as well: whoever keeps blank clips keeps them although nothing moves.
    if "frozen" not in keep and is_frozen(frames) and not is_blank(frames):
        return "frozen"
    return ""


def content_hash(frames: np.ndarray) -> str:
    """The same for stretches whose every pixel is the same, which is what counts as a duplicate."""
    return hashlib.sha256(repr(frames.shape).encode() + frames.tobytes()).hexdigest()
