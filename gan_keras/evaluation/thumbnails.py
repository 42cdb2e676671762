"""Thumbnails of clips: averages of square blocks."""

import numpy as np

THUMBNAIL_SIDE = 16

_CHUNK_FRAMES = 1024


def thumbnails(clips: np.ndarray) -> np.ndarray:
    """Thumbnails, at which clips are compared pixel by pixel.

    Args:
        clips: uint8 [..., H, W, 3].

    Returns:
        uint8 [..., h, w, 3], averages of square blocks; their side is the power of two that divides both sides of the
        frame and brings the shorter one nearest to 16 pixels.
    """
    factor = block_size(*clips.shape[-3:-1], THUMBNAIL_SIDE)
    frames = clips.reshape(-1, *clips.shape[-3:])
    averages = np.empty((len(frames), frames.shape[1] // factor, frames.shape[2] // factor, 3), np.uint8)
    for first in range(0, len(frames), _CHUNK_FRAMES):
        chunk = slice(first, first + _CHUNK_FRAMES)
        averages[chunk] = np.rint(block_means(frames[chunk], factor))
    return averages.reshape(*clips.shape[:-3], *averages.shape[1:])


def block_size(height: int, width: int, side: int) -> int:
    """Side of a block: the power of two that divides both sides and brings the shorter one nearest to `side`.

    Args:
        height: of the frames.
        width: of the frames.
        side: of the thumbnails, in pixels.
    """
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
    # Rows first: they are contiguous in memory, and little is left for the columns.
    rows = frames.reshape(*leading, height // factor, factor, width * channels).sum(-2, dtype=np.float32)
    columns = rows.reshape(*leading, height // factor, width // factor, factor, channels)
    return columns.sum(-2, dtype=np.float32) / factor**2
