"""Clips into a NumPy file piece by piece. What such files hold is read in `arrays`."""

import math
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np


def write_array(path: Path, shape: tuple[int, ...], pieces: Iterable[np.ndarray]) -> None:
    """Writes the array `videos` of an `.npz` while it comes, and reads its header, size and checksum again.

    Args:
        path: the file. Parents are made.
        shape: of all, `(N, T, H, W, 3)`.
        pieces: uint8, of any shape; their numbers one after the other are those of the array.

    Raises:
        OSError: the file could not be written or differs from what was announced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
          archive.open("videos.npy", "w", force_zip64=True) as file):
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)})
        for piece in pieces:
            file.write(np.ascontiguousarray(piece).data)
    with zipfile.ZipFile(path) as archive:
        with archive.open("videos.npy") as file:
            np.lib.format.read_magic(file)
            found = np.lib.format.read_array_header_1_0(file)[0]
            size = archive.getinfo("videos.npy").file_size - file.tell()
        if archive.testzip() or found != tuple(shape) or size != math.prod(shape):
            raise OSError(f"{path} was written with shape {list(shape)} but reads as {list(found)}, {size} bytes, or "
                          "with another checksum")
