"""Several clips in one picture or one clip."""

import numpy as np

_GAP = 2


def contact_sheet(clips: np.ndarray, columns: int = 8) -> np.ndarray:
    """A picture with a row for each clip and evenly spaced frames in columns.

    Args:
        clips: uint8 `[N, T, H, W, 3]`.
        columns: frames shown of each clip; fewer when it has fewer.

    Returns:
        uint8 `[H', W', 3]`.
    """
    chosen = np.linspace(0, clips.shape[1] - 1, min(columns, clips.shape[1])).round().astype(int)
    return _tile(clips[:, chosen])


def grid(clips: np.ndarray, columns: int | None = None) -> np.ndarray:
    """One clip that plays several side by side.

    Args:
        clips: uint8 `[N, T, H, W, 3]`.
        columns: clips in a row; about a square when not given.

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


def _tile(pictures: np.ndarray) -> np.ndarray:
    """[rows, columns, H, W, 3] → [H', W', 3] with small grey gaps."""
    rows, columns, height, width, channels = pictures.shape
    sheet = np.full((rows * (height + _GAP) - _GAP, columns * (width + _GAP) - _GAP, channels), 64, np.uint8)
    for row in range(rows):
        for column in range(columns):
            top, left = row * (height + _GAP), column * (width + _GAP)
            sheet[top:top + height, left:left + width] = pictures[row, column]
    return sheet
