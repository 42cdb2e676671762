"""Containers of videos: whether the end of a file is missing, which its decoder does not say."""

import os
from pathlib import Path

_MATROSKA = b"\x1a\x45\xdf\xa3"


def lacks_frames(path: Path, count: int, declared: int, fps: float | None, seconds: float) -> bool:
    """Whether frames are missing that the header declares.

    The mp4 family counts its frames, of which an edit list may hide one or two. Matroska only declares a duration. The
    number of frames is guessed from it, wrongly where the rate varies, so there the time of the last frame decides. A
    GIF declares nothing but ends with a mark.

    Args:
        path: of the video.
        count: frames decoded.
        declared: frames declared.
        fps: frames per second; None when unknown.
        seconds: time of the last frame.
    """
    if count >= declared - max(1, declared // 50):
        return _is_gif(path) and is_cut_short(path)
    with Path(path).open("rb") as file:
        is_matroska = file.read(4) == _MATROSKA
    return not (is_matroska and fps and seconds + 2 / fps >= 0.97 * declared / fps)


def is_cut_short(path: Path) -> bool:
    """Whether the file ends before its content does; only known of mp4 and GIF files."""
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        if start[:4] == b"GIF8":
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b";"
        if start[4:] != b"ftyp":
            return False
        position = 0
        while position < size:
            file.seek(position)
            header = file.read(16)
            length = int.from_bytes(header[:4], "big")
            if length == 1:
                length = int.from_bytes(header[8:16], "big")
            if length < 8:  # 0: to the end of the file; less: damaged in another way
                return False
            position += length
        return position > size


def _is_gif(path: Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"GIF8"
