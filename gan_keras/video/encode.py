"""Encoding of clips: videos, animated GIFs, contact sheets, arrays, folders of frames.

OpenCV's writer drops frames of a wrong size silently, so every file is read back after it was written.
"""

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gan_keras.logging import native_log_filter
from gan_keras.video.arrays import write_array
from gan_keras.video.contact_sheets import contact_sheet, grid
from gan_keras.video.decode import read_video
from gan_keras.video.errors import DecodeError
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import encode_png, read_picture

DEFAULT_FPS = 15.0
"""Playback rate, in frames per second, of clips whose own rate is unknown (arrays, image strips)."""
WRITTEN_SUFFIXES = (".webm", ".mp4", ".gif", ".png", ".npz")
HELD_SUFFIXES = (".gif", ".png")
"""Those of them that are gathered in memory before anything is written."""
_FOURCC = {".webm": "VP90", ".mp4": "vp09"}


def write_clip(path: Path, frames: np.ndarray, fps: float) -> None:
    """Writes clips in the format that the path's suffix names, then reads the file back to verify it.

    Args:
        path: ends in `.webm` or `.mp4` (VP9, which browsers play), `.gif`, `.png` (contact sheet), `.npz` (array
            `videos`, uint8 `[N, T, H, W, 3]`), or has no suffix: a folder of numbered pictures. Parents are made.
        frames: uint8 `[T, H, W, 3]`, or `[N, T, H, W, 3]`, which `.npz` and `.png` keep apart and the others show in a
            grid. In videos of an odd size the last row or column is doubled, because the codec needs even sizes.
        fps: frames per second.

    Raises:
        ValueError: a suffix or an array that cannot be written.
        OSError: the file could not be written, or reads back differently.
    """
    path, frames = Path(path), np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim not in (4, 5) or frames.shape[-1] != 3 or not frames.size:
        raise ValueError("`frames` must be uint8 [T, H, W, 3] or [N, T, H, W, 3]. "
                         f"Received: frames={frames.dtype}{list(frames.shape)}")
    suffix = path.suffix.lower()
    if suffix and suffix not in WRITTEN_SUFFIXES:
        raise ValueError(f"`path` must end in one of {', '.join(WRITTEN_SUFFIXES)} or name a folder. "
                         f"Received: path={path}")
    clips = frames if frames.ndim == 5 else frames[None]
    if suffix == ".npz":
        write_array(path, clips.shape, clips)
    else:
        write_segments(path, [clips], fps)


def write_segments(path: Path, segments: Iterable[np.ndarray], fps: float) -> None:
    """Writes clips as `write_clip` does, segment by segment: any number of frames in constant memory.

    Args:
        path: as for `write_clip`, but not `.npz`. With one of `HELD_SUFFIXES`, all segments are gathered first.
        segments: at least one, uint8 `[N, t, H, W, 3]`: the next frames of all N clips.
        fps: frames per second.

    Raises:
        OSError: the file could not be written, or reads back differently.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix in HELD_SUFFIXES:
        clips = np.concatenate(list(segments), axis=1)
        if suffix == ".png":
            _write_picture(path, contact_sheet(clips))
        else:
            _write_gif(path, grid(clips), fps)
        return
    frames = itertools.chain.from_iterable(map(grid, segments))
    if suffix:
        _write_video(path, frames, fps, _FOURCC[suffix])
    else:
        _write_folder(path, frames)


def encode_gif(frames: np.ndarray, fps: float) -> bytes:
    """Bytes of a GIF file that repeats a clip, uint8 `[T, H, W, 3]`, endlessly; shows at most 50 frames a second."""
    animation = cv2.Animation()
    animation.frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in frames]
    # Browsers slow down GIFs that ask for less than 20 ms a frame.
    animation.durations = np.full(len(frames), max(20, round(1000 / fps)), np.int32)
    # This dithering keeps the colours: a mean error of 2 of 255. The default has 15.
    succeeded, encoded = cv2.imencodeanimation(".gif", animation, [cv2.IMWRITE_GIF_DITHER, 3])
    if not succeeded:
        raise OSError("The GIF could not be encoded.")
    return encoded.tobytes()


def _write_picture(path: Path, image: np.ndarray) -> None:
    path.write_bytes(encode_png(image))
    _check_written(path, read_picture(path).shape, image.shape)


def _write_gif(path: Path, frames: np.ndarray, fps: float) -> None:
    path.write_bytes(encode_gif(frames, fps))
    _check_video(path, frames.shape)


def _write_folder(path: Path, frames: Iterable[np.ndarray]) -> None:
    path.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        _write_picture(path / f"{index:05d}.png", frame)


def _write_video(path: Path, frames: Iterable[np.ndarray], fps: float, fourcc: str) -> None:
    even = (np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge") for frame in frames)
    first, count = next(even), 0
    with native_log_filter():  # OpenCV always warns of a codec tag that WebM does not store
        writer = cv2.VideoWriter(os.fspath(path.absolute()), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*fourcc), fps,
                                 (first.shape[1], first.shape[0]))
    if not writer.isOpened():
        raise OSError(f"{path} cannot be written: is the folder writable, and does this OpenCV have {fourcc}?")
    try:
        for frame in itertools.chain([first], even):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            count += 1
    finally:  # if the frames end early, those written so far can be played
        writer.release()
    _check_video(path, (count, *first.shape))


def _check_video(path: Path, shape: tuple[int, ...]) -> None:
    shape_read: tuple[int, ...] = (0,)
    try:
        for frame in read_video(path):
            shape_read = (shape_read[0] + 1, *frame.shape)
    except DecodeError as error:
        raise OSError(f"{path} was written but reads as {error}") from error
    _check_written(path, shape_read, shape)


def _check_written(path: Path, shape_read: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if tuple(shape_read) != tuple(shape):
        raise OSError(f"{path} was written with shape {list(shape)} but reads as {list(shape_read)}")
