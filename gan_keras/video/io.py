"""Frames in and out of files.

Frames are uint8 RGB `[H, W, 3]`, clips uint8 `[T, H, W, 3]`, several clips `[N, T, H, W, 3]`.

OpenCV hides most failures: a truncated video just ends early, a codec it lacks opens and yields nothing, a writer drops
frames of a wrong size. So what is read is counted, and what is written is read again.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_keras.quiet import quiet
from gan_keras.video import containers
from gan_keras.video.npz import write_array
from gan_keras.video.opencv import cv2
from gan_keras.video.sheets import contact_sheet, grid

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".3gp", ".mkv", ".webm", ".avi", ".gif")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff")
WRITTEN_SUFFIXES = (".webm", ".mp4", ".gif", ".png", ".npz")
HELD_SUFFIXES = (".gif", ".png")
"""Of these: the kinds that are held in memory as a whole to be written."""
_FOURCC = {".webm": "VP90", ".mp4": "vp09"}
# 8K video passes; a small file that declares 8192x8192 does not. In all, about five hours of 1080p.
_MAX_FRAME_PIXELS = 2**25
_MAX_VIDEO_PIXELS = 2**40


class ReadError(Exception):
    """A file whose frames cannot be had.

    Attributes:
        reason: one of `"unreadable"`, `"truncated"`, `"too large"`.
        detail: what was found.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


@dataclass(frozen=True)
class Header:
    """What a video says of itself, upright: rotation is already applied to width and height."""

    width: int
    height: int
    fps: float | None
    frames: int


def probe(path: Path) -> Header:
    """Reads a video's header without decoding it.

    Raises:
        ReadError: not a video, or one that declares an absurd size.
    """
    capture = _open(path)
    try:
        return _header(capture)
    finally:
        capture.release()


def read_video(path: Path) -> Iterator[np.ndarray]:
    """Decodes a video frame by frame, upright, as uint8 RGB `[H, W, 3]`.

    Raises:
        ReadError: at the first frame if there is none, or at the end if frames that the header declares are missing.
    """
    capture = _open(path)
    try:
        header = _header(capture)
        count, pixels, seconds = 0, 0, 0.0
        while True:
            good, frame = capture.read()
            if not good:
                break
            count += 1
            pixels += frame.shape[0] * frame.shape[1]
            if pixels > _MAX_VIDEO_PIXELS:
                raise ReadError("too large", f"more than {count} frames of {header.width}x{header.height}")
            seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        if not count and not containers.is_cut_short(path):
            raise ReadError("unreadable", f"no frame can be decoded (codec {_codec(capture)})")
        if containers.lacks_frames(path, count, header.frames, header.fps, seconds):
            raise ReadError("truncated", f"{count} of {header.frames} frames")
    except cv2.error as error:
        raise ReadError("unreadable", f"the decoder failed: {error.err}") from error
    finally:
        capture.release()


def read_image(path: Path) -> np.ndarray:
    """Decodes a picture, upright after its EXIF orientation, as uint8 RGB `[H, W, 3]`.

    Raises:
        ReadError: not a picture.
    """
    try:
        image = cv2.imread(os.fspath(path), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise ReadError("unreadable", f"the decoder failed: {error.err}") from error
    if image is None:
        raise ReadError("unreadable", "empty file" if _is_empty(path) else "not a picture that can be decoded")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def fit(frame: np.ndarray, height: int, width: int) -> np.ndarray:
    """Cuts the largest centred part with the wanted aspect from a frame and brings it to the wanted size.

    Args:
        frame: uint8 `[H, W, 3]`.
        height: wanted height in pixels.
        width: wanted width in pixels.

    Returns:
        uint8 `[height, width, 3]`; areas are averaged when it shrinks, so that thin things do not flicker.
    """
    if frame.shape[:2] == (height, width):
        return frame
    rows = min(frame.shape[0], max(1, round(frame.shape[1] * height / width)))
    columns = min(frame.shape[1], max(1, round(frame.shape[0] * width / height)))
    top, left = (frame.shape[0] - rows) // 2, (frame.shape[1] - columns) // 2
    part = frame[top:top + rows, left:left + columns]
    shrinks = rows >= height and columns >= width
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)


def use_one_thread() -> None:
    """Keeps OpenCV to the calling thread, for processes that work side by side."""
    cv2.setNumThreads(1)


def write_clip(path: Path, frames: np.ndarray, fps: float) -> None:
    """Writes clips in the format that the path's suffix names, then reads the file again to be sure of it.

    Args:
        path: ends in `.webm` or `.mp4` (VP9, which browsers play), `.gif`, `.png` (contact sheet), `.npz` (array
            `videos`, uint8 `[N, T, H, W, 3]`), or has no suffix: a folder of numbered pictures. Parents are made.
        frames: uint8 `[T, H, W, 3]`, or `[N, T, H, W, 3]`, which `.npz` and `.png` keep apart and the others show in a
            grid. Videos of an odd size get their last row or column doubled, because the codec wants even sizes.
        fps: frames per second.

    Raises:
        ValueError: a suffix or an array that cannot be written.
        OSError: the file could not be written or differs from what was given.
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
        write_pieces(path, [clips], fps)


def write_pieces(path: Path, pieces: Iterable[np.ndarray], fps: float) -> None:
    """Writes clips as `write_clip` does, while they come: any number of frames in constant memory.

    Args:
        path: as that of `write_clip`, but no `.npz`. `HELD_SUFFIXES` gather all pieces first.
        pieces: at least one; uint8 `[N, t, H, W, 3]`, the next frames of all N clips.
        fps: frames per second.

    Raises:
        OSError: the file could not be written or differs from what was given.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = path.suffix.lower()
    if suffix in HELD_SUFFIXES:
        clips = np.concatenate(list(pieces), axis=1)
        if suffix == ".png":
            _write_image(path, contact_sheet(clips))
        else:
            _write_gif(path, grid(clips), fps)
        return
    frames = itertools.chain.from_iterable(map(grid, pieces))
    if suffix:
        _write_video(path, frames, fps, _FOURCC[suffix])
    else:
        _write_folder(path, frames)


def encode_png(image: np.ndarray) -> bytes:
    """A picture, uint8 RGB `[H, W, 3]`, as the bytes of a PNG file."""
    return cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1].tobytes()


def encode_gif(frames: np.ndarray, fps: float) -> bytes:
    """A clip, uint8 `[T, H, W, 3]`, as the bytes of an endlessly repeating GIF file."""
    animation = cv2.Animation()
    animation.frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in frames]
    # Browsers slow down GIFs that ask for less than 20 ms a frame.
    animation.durations = np.full(len(frames), max(20, round(1000 / fps)), np.int32)
    # This dithering is the one whose colours come out right: a mean error of 2 of 255, by default 15.
    good, encoded = cv2.imencodeanimation(".gif", animation, [cv2.IMWRITE_GIF_DITHER, 3])
    if not good:
        raise OSError("The GIF could not be encoded.")
    return encoded.tobytes()


def _open(path: Path) -> cv2.VideoCapture:
    if _is_empty(path):
        raise ReadError("unreadable", "empty file")
    # An absolute path cannot be taken for a protocol, nor (with this backend) for a pattern of picture names.
    capture = cv2.VideoCapture(os.fspath(Path(path).absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        if containers.is_cut_short(path):
            raise ReadError("truncated", "the end of the file is missing, and with it the index")
        raise ReadError("unreadable", "not a video that can be opened, or its index is missing")
    return capture


def _is_empty(path: Path) -> bool:
    try:
        return Path(path).stat().st_size == 0
    except OSError as error:
        raise ReadError("unreadable", error.strerror or str(error)) from error


def _header(capture: cv2.VideoCapture) -> Header:
    width, height = (int(capture.get(size)) for size in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    fps, frames = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if width * height > _MAX_FRAME_PIXELS or width * height * max(frames, 0) > _MAX_VIDEO_PIXELS:
        raise ReadError("too large", f"declares {frames} frames of {width}x{height}")
    return Header(width, height, fps if np.isfinite(fps) and 0 < fps <= 1000 else None, max(frames, 0))


def _codec(capture: cv2.VideoCapture) -> str:
    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    name = code.to_bytes(4, "little")
    return name.decode("ascii") if name.isalnum() else "unknown"


def _write_image(path: Path, image: np.ndarray) -> None:
    path.write_bytes(encode_png(image))
    _check_written(path, read_image(path).shape, image.shape)


def _write_gif(path: Path, frames: np.ndarray, fps: float) -> None:
    path.write_bytes(encode_gif(frames, fps))
    _check_video(path, frames.shape)


def _write_folder(path: Path, frames: Iterable[np.ndarray]) -> None:
    path.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        _write_image(path / f"{index:05d}.png", frame)


def _write_video(path: Path, frames: Iterable[np.ndarray], fps: float, fourcc: str) -> None:
    even = (np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge") for frame in frames)
    first, count = next(even), 0
    with quiet():  # OpenCV warns of a codec tag that WebM has no place for, come what may
        writer = cv2.VideoWriter(os.fspath(path.absolute()), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*fourcc), fps,
                                 (first.shape[1], first.shape[0]))
    if not writer.isOpened():
        raise OSError(f"{path} cannot be written: is the folder writable, and does this OpenCV have {fourcc}?")
    try:
        for frame in itertools.chain([first], even):
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            count += 1
    finally:  # what is there when the frames end early can be played
        writer.release()
    _check_video(path, (count, *first.shape))


def _check_video(path: Path, given: tuple[int, ...]) -> None:
    found = (0,)
    try:
        for frame in read_video(path):
            found = (found[0] + 1, *frame.shape)
    except ReadError as error:
        raise OSError(f"{path} was written but reads as {error}") from error
    _check_written(path, found, given)


def _check_written(path: Path, found: tuple[int, ...], given: tuple[int, ...]) -> None:
    if tuple(found) != tuple(given):
        raise OSError(f"{path} was written with shape {list(given)} but reads as {list(found)}")
