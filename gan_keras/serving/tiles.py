"""Tiles of frames that are too large for the memory: parts with a margin, beyond which nothing reaches."""

import math
import re
from pathlib import Path
from typing import NamedTuple

from gan_keras.data import filling
from gan_keras.models import encoder_decoder

MULTIPLE = 2**filling.LEVELS
"""Pixels of which the sides of tiles are multiples."""


class Tile(NamedTuple):
    """A part of a frame: what is looked at, and the core of it that is used, ((top, bottom), (left, right))."""

    rows: slice
    columns: slice
    core: tuple[tuple[int, int], tuple[int, int]]


def margin_of(masked: bool) -> int:
    """Pixels around the core of a tile, a multiple of `MULTIPLE`; more where holes are filled."""
    reach = encoder_decoder.SPATIAL_REACH + (filling.SPATIAL_REACH if masked else 0)
    return math.ceil(reach / MULTIPLE) * MULTIPLE


def cut(size: tuple[int, int], side: int, margin: int) -> list[Tile]:
    """Cuts a frame into tiles.

    Args:
        size: (height, width) of the frame.
        side: pixels that the core of a tile is high and wide at most, a multiple of `MULTIPLE`.
        margin: pixels around it, as far as the frame goes, likewise.
    """
    def spans(length: int) -> list[tuple[slice, tuple[int, int]]]:
        return [(slice(max(0, start - margin), min(length, start + side + margin)),
                 (start, min(length, start + side))) for start in range(0, length, side)]

    return [Tile(rows, columns, (top, left)) for rows, top in spans(size[0]) for columns, left in spans(size[1])]


def available_memory() -> float:
    """Bytes that are free, as far as the system says it."""
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
        return 1024.0 * int(re.search(r"MemAvailable:\s+(\d+) kB", text)[1])
    except (OSError, TypeError):
        return 4.0 * 2**30
