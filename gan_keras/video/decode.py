"""Decoding of videos.

OpenCV hides most failures: a truncated video just ends early, and a codec that it lacks opens and yields nothing. So
the decoded frames are counted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_keras.video import containers
from gan_keras.video.errors import DecodeError, check_not_empty
from gan_keras.video.opencv import cv2

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".gif")
# 8K video is accepted; a small file that declares 8192x8192 is not. A whole video may have five hours of 1080p.
MAX_FRAME_PIXELS = 2**25
MAX_VIDEO_PIXELS = 2**40


@dataclass(frozen=True)
class Header:
    """Header of a video.

    Attributes:
        width: in pixels, after the video's rotation.
        height: likewise.
        fps: frames per second; None when unknown.
        frames: number that the header declares; 0 when unknown.
    """

    width: int
    height: int
    fps: float | None
    frames: int


def probe(path: Path) -> Header:
    """Header of a video, read without decoding it.

    Raises:
        DecodeError: not a video, or one that declares an absurd size.
    """
    capture = _open(path)
    try:
        return _header(capture)
    finally:
        capture.release()


def read_video(path: Path) -> Iterator[np.ndarray]:
    """Frames of a video, upright, uint8 RGB `[H, W, 3]`, decoded as they are asked for.

    Raises:
        DecodeError: at the first frame if there is none, or at the end if frames are missing that the header declares.
    """
    capture = _open(path)
    try:
        header = _header(capture)
        count, pixels, seconds = 0, 0, 0.0
        while True:
            decoded, frame = capture.read()
            if not decoded:
                break
            count += 1
            pixels += frame.shape[0] * frame.shape[1]
            if pixels > MAX_VIDEO_PIXELS:
                raise DecodeError("too large", f"more than {count} frames of {header.width}x{header.height}")
            seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if not count and not containers.is_cut_short(path):
            raise DecodeError("unreadable", f"no frame can be decoded (codec {_codec(capture)})")
        if containers.lacks_frames(path, count, header.frames, header.fps, seconds):
            raise DecodeError("truncated", f"{count} of {header.frames} frames")
    except cv2.error as error:
        raise DecodeError("unreadable", f"the decoder failed: {error.err}") from error
    finally:
        capture.release()


def use_one_thread() -> None:
    """Confines OpenCV to the calling thread, for processes that work side by side."""
    cv2.setNumThreads(1)


def _open(path: Path) -> cv2.VideoCapture:
    check_not_empty(path)
    # An absolute path cannot be mistaken for a protocol, nor (with this backend) for a pattern of picture names.
    capture = cv2.VideoCapture(os.fspath(Path(path).absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        if containers.is_cut_short(path):
            raise DecodeError("truncated", "the end of the file is missing, and with it the index")
        raise DecodeError("unreadable", "not a video that can be opened, or its index is missing")
    return capture


def _header(capture: cv2.VideoCapture) -> Header:
    width, height = (int(capture.get(size)) for size in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fps, frames = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if width * height > MAX_FRAME_PIXELS or width * height * max(frames, 0) > MAX_VIDEO_PIXELS:
        raise DecodeError("too large", f"declares {frames} frames of {width}x{height}")
    return Header(width, height, fps if np.isfinite(fps) and 0 < fps <= 1000 else None, max(frames, 0))


def _codec(capture: cv2.VideoCapture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    name = code.to_bytes(4, "little")
    return name.decode("ascii") if name.isalnum() else "unknown"
