"""Clips in NumPy files: `.npy`, or `.npz` with an array `videos`, uint8 `[N, T, H, W, 3 or 1]`."""

import functools
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np

from gan_keras.video.io import ReadError

SUFFIXES = (".npy", ".npz")
_MAX_BYTES = 2**34
_DAMAGE = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


@functools.lru_cache(maxsize=1)
def load(path: str, stamp: int) -> np.ndarray:
    """The last array stays in memory: its clips are asked for one after another."""
    declared_shape(Path(path))
    try:
        if path.lower().endswith(".npy"):
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with np.load(path, allow_pickle=False) as stored:
            return stored["videos"]
    except _DAMAGE as error:
        raise ReadError("unreadable", str(error)) from error


def declared_shape(path: Path) -> tuple[int, ...]:
    """The shape that an array file declares, read without reading the array."""
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                shape, kind = _header(file)
        else:
            with zipfile.ZipFile(path) as archive, archive.open("videos.npy") as file:
                shape, kind = _header(file)
    except KeyError as error:
        raise ReadError("unreadable", "holds no array named `videos`") from error
    except _DAMAGE as error:
        raise ReadError("unreadable", "empty file" if not path.stat().st_size else str(error)) from error
    if kind != np.uint8 or len(shape) != 5 or shape[-1] not in (1, 3) or min(shape) < 1:
        raise ReadError("unreadable", f"must be uint8 [N, T, H, W, 3 or 1], is {kind} {list(shape)}")
    if np.prod(shape, dtype=float) > _MAX_BYTES:
        raise ReadError("too large", f"declares an array of {list(shape)}")
    return shape


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, kind = read(file)
    return shape, kind
