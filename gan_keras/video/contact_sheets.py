"""Several clips in one picture (a contact sheet) or in one clip (a grid)."""

import numpy as np

_GAP = 2
_GAP_GREY = 64
_MIN_SIDE = 96
"""Pixels that the shorter side of an enlarged clip has at least."""


def contact_sheet(clips: np.ndarray, columns: int = 8) -> np.ndarray:
    """Contact sheet: a row for each clip, with evenly spaced frames in columns.

    Args:
        clips: uint8 `[N, T, H, W, 3]`.
        columns: frames shown of each clip; fewer when it has fewer.

    Returns:
        uint8 `[H', W', 3]`.
    """
    indices = np.linspace(0, clips.shape[1] - 1, min(columns, clips.shape[1])).round().astype(int)
    return _tile(clips[:, indices])


def grid(clips: np.ndarray, columns: int | None = None) -> np.ndarray:
    """One clip that plays several side by side.

    Args:
        clips: uint8 `[N, T, H, W, 3]`.
        columns: clips in a row; about a square where None.

    Returns:
        uint8 `[T, H', W', 3]`.
    """
    count = len(clips)
    if count == 1:
        return clips[0]
    columns = columns or int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    padded = np.concatenate([clips, np.zeros((rows * columns - count, *clips.shape[1:]), np.uint8)])
    return np.stack([_tile(padded[:, time].reshape(rows, columns, *clips.shape[2:])) for time in range(clips.shape[1])])


def enlarge(clips: np.ndarray) -> np.ndarray:
    """Enlarges clips, uint8 `[..., H, W, 3]`, by repeating pixels until the shorter side has 96 or more."""
    factor = -(-_MIN_SIDE // min(clips.shape[-3:-1]))
    return clips.repeat(factor, axis=-3).repeat(factor, axis=-2)


def match(clip: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A clip at the size and length of another one: pixels are repeated, the last frame stands.

    Args:
        clip: uint8 `[..., t, h, w, 3]`.
        like: `[..., T, H, W, 3]`.
    """
    frames = np.minimum(np.arange(like.shape[-4]), clip.shape[-4] - 1)
    rows, columns = (np.arange(side) * there // side
                     for side, there in zip(like.shape[-3:-1], clip.shape[-3:-1], strict=True))
    return clip[..., frames[:, None, None], rows[:, None], columns, :]


def _tile(pictures: np.ndarray) -> np.ndarray:
    """[rows, columns, H, W, 3] → [H', W', 3] with narrow grey gaps."""
    rows, columns, height, width, channels = pictures.shape
    canvas = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels), _GAP_GREY, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + _GAP), column * (width + _GAP)
            canvas[top:top + height, left:left + width] = pictures[row, column]
    return canvas
