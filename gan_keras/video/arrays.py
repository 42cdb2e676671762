"""Clips in NumPy files: `.npy`, or `.npz` with an array `videos`; uint8 `[N, T, H, W, 3 or 1]`."""

import functools
import math
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from gan_keras.video.errors import DecodeError

SUFFIXES = (".npy", ".npz")
MAX_BYTES = 2**34
_READ_ERRORS = (OSError, ValueError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)


@functools.lru_cache(maxsize=1)
def load(path: str, stamp: int) -> np.ndarray:
    """Array of clips in a file. The last one stays in memory, because its clips are read one after another.

    Args:
        path: of the file; a string, to be hashable.
        stamp: changes when the file does, so that the array is read again.

    Returns:
        uint8 `[N, T, H, W, 3 or 1]`; memory-mapped where the file is `.npy`.

    Raises:
        DecodeError: the file holds no such array.
    """
    declared_shape(Path(path))
    try:
        with _headers_of_python_2():
            if path.lower().endswith(".npy"):
                return np.load(path, mmap_mode="r", allow_pickle=False)
            with np.load(path, allow_pickle=False) as archive:
                return archive["videos"]
    except _READ_ERRORS as error:
        raise DecodeError("unreadable", str(error)) from error


def declared_shape(path: Path) -> tuple[int, ...]:
    """Shape that an array file declares; the array itself is not read.

    Raises:
        DecodeError: the file declares no array of clips, or one larger than `MAX_BYTES`.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                shape, dtype = _read_header(file)
        else:
            with zipfile.ZipFile(path) as archive, archive.open("videos.npy") as file:
                shape, dtype = _read_header(file)
    except KeyError as error:
        raise DecodeError("unreadable", "holds no array named `videos`") from error
    except _READ_ERRORS as error:
        raise DecodeError("unreadable", "empty file" if not path.stat().st_size else str(error)) from error
    if dtype != np.uint8 or len(shape) != 5 or shape[-1] not in (1, 3) or min(shape) < 1:
        raise DecodeError("unreadable", f"must be uint8 [N, T, H, W, 3 or 1], is {dtype} {list(shape)}")
    if np.prod(shape, dtype=float) > MAX_BYTES:
        raise DecodeError("too large", f"declares an array of {list(shape)}")
    return shape


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with _headers_of_python_2():
        shape, _, dtype = read(file)
    return shape, dtype


@contextmanager
def _headers_of_python_2() -> Iterator[None]:
    """Has NumPy read them without a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Reading `.npy`", category=UserWarning)
        yield


def write_array(path: Path, shape: tuple[int, ...], segments: Iterable[np.ndarray]) -> None:
    """Writes the array `videos` of an `.npz` segment by segment, then reads back its header, size and checksum.

    Args:
        path: the file. Parents are made.
        shape: of the whole array, `(N, T, H, W, 3)`.
        segments: uint8, of any shape; their values one after another are those of the array.

    Raises:
        OSError: the file could not be written, or differs from `shape`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
          archive.open("videos.npy", "w", force_zip64=True) as file):
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)})
        for segment in segments:
            file.write(np.ascontiguousarray(segment).data)
    with zipfile.ZipFile(path) as archive:
        with archive.open("videos.npy") as file:
            shape_read, _ = _read_header(file)
            size = archive.getinfo("videos.npy").file_size - file.tell()
        if archive.testzip() or shape_read != tuple(shape) or size != math.prod(shape):
            raise OSError(f"{path} was written with shape {list(shape)} but reads as {list(shape_read)}, {size} bytes, "
                          "or with another checksum")
