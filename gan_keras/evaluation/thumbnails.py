"""Clips made small, by averages of square blocks."""

import numpy as np

THUMBNAIL_SIDE = 16

_FRAMES_AT_ONCE = 1024


def thumbnails(clips: np.ndarray) -> np.ndarray:
    """Clips as small as they are compared here.

    Args:
        clips: uint8 [..., H, W, 3].

    Returns:
        uint8 [..., h, w, 3]: averages of square blocks, whose side is the power of two that brings the shorter side of
        the frame nearest to 16 pixels and divides both.
    """
    factor = block_size(*clips.shape[-3:-1], THUMBNAIL_SIDE)
    frames = clips.reshape(-1, *clips.shape[-3:])
    small = np.empty((len(frames), frames.shape[1] // factor, frames.shape[2] // factor, 3), np.uint8)
    for first in range(0, len(frames), _FRAMES_AT_ONCE):
        chunk = slice(first, first + _FRAMES_AT_ONCE)
        small[chunk] = np.rint(block_means(frames[chunk], factor))
    return small.reshape(*clips.shape[:-3], *small.shape[1:])


def block_size(height: int, width: int, side: int) -> int:
    """The power of two that divides both and brings the shorter one nearest to `side`."""
    factor = 2 ** max(0, round(np.log2(min(height, width) / side)))
    while height % factor or width % factor:
        factor //= 2
    return factor


def block_means(frames: np.ndarray, factor: int) -> np.ndarray:
    """Averages of square blocks.

    Args:
        frames: [..., H, W, C].
        factor: side of a block; divides H and W.

    Returns:
        float32 [..., H / factor, W / factor, C].
    """
    *leading, height, width, channels = frames.shape
    # Rows first: whole rows lie side by side in memory, and leave little for the columns.
    rows = frames.reshape(*leading, height // factor, factor, width * channels).sum(-2, dtype=np.float32)
    columns = rows.reshape(*leading, height // factor, width // factor, factor, channels)
    return columns.sum(-2, dtype=np.float32) / factor**2
