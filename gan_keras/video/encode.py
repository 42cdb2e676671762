"""Encoding of clips: videos, animated GIF and WebP, contact sheets, arrays, folders of frames.

Every file is read back after it was written.
"""

import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from gan_keras.video.arrays import write_array
from gan_keras.video.contact_sheets import contact_sheet, grid
from gan_keras.video.decode import read_video
from gan_keras.video.errors import DecodeError
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import encode_png, read_picture

DEFAULT_FPS = 15.0
"""Playback rate, in frames per second, of clips whose own rate is unknown (arrays, image strips)."""
WRITTEN_SUFFIXES = (".webm", ".mp4", ".webp", ".gif", ".png", ".npz")
HELD_SUFFIXES = (".webp", ".gif", ".png")
"""Those of them that are gathered in memory before anything is written."""
_VP9 = ("libvpx-vp9", {"crf": "12", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"})
_H264 = ("libx264", {"crf": "14"})
_ENCODERS = {".webm": (_VP9,), **dict.fromkeys((".mp4", ".mov", ".mkv"), (_H264, _VP9))}
"""Encoders of each suffix with their options; the first that is there writes."""
_CONTAINER_OPTIONS = {".webm": {}, ".mp4": {"movflags": "+faststart"}}
_ANIMATION_OPTIONS = {".gif": [cv2.IMWRITE_GIF_DITHER, 3], ".webp": [cv2.IMWRITE_WEBP_QUALITY, 90]}
"""This dithering of GIFs keeps the colours: a mean error of 2 of 255. The default has 15."""
_BT709 = 1
"""Code of that standard's primaries, transfer and matrix, which players take videos without any for."""
_MAX_DENOMINATOR = 10**5
"""Of frame rates: 30000/1001 is one of television's; a frame may last a day."""


def write_clip(path: Path, frames: np.ndarray, fps: float) -> None:
    """Writes clips in the format that the path's suffix names, then reads the file back to verify it.

    Args:
        path: ends in `.mp4` (H.264, which nearly everything plays; VP9 where that encoder is missing), `.webm` (VP9,
            which browsers play), `.webp`, `.gif`, `.png` (contact sheet), `.npz` (array `videos`, uint8
            `[N, T, H, W, 3]`), or has no suffix: a folder of numbered pictures. Parents are made.
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
        elif suffix == ".gif":
            _write_gif(path, grid(clips), fps)
        else:
            _write_webp(path, grid(clips), fps)
        return
    frames = itertools.chain.from_iterable(map(grid, segments))
    if suffix:
        _write_video(path, frames, fps)
    else:
        _write_folder(path, frames)


def encode_animation(suffix: str, frames: np.ndarray, fps: float) -> bytes:
    """Bytes of an animation that repeats a clip endlessly, at most 50 frames a second.

    Args:
        suffix: `.gif`, or `.webp`, which is smaller and keeps all colours.
        frames: uint8 `[T, H, W, 3]`.
        fps: frames per second.
    """
    animation = cv2.Animation()
    animation.frames = [cv2.cvtColor(frame, cv2.COLOR_RGB2BGR) for frame in frames]
    animation.durations = np.full(len(frames), _milliseconds(fps), np.int32)
    succeeded, encoded = cv2.imencodeanimation(suffix, animation, _ANIMATION_OPTIONS[suffix])
    if not succeeded:
        raise OSError(f"The {suffix} could not be encoded.")
    return encoded.tobytes()


def _write_picture(path: Path, image: np.ndarray) -> None:
    path.write_bytes(encode_png(image))
    _check_written(path, read_picture(path).shape, image.shape)


def _milliseconds(fps: float) -> int:
    """Of a frame of an animation: browsers slow down those below 20, and 16 bits of hundredths end at 655 s."""
    return min(max(20, round(1000 / fps)), 655350)


def _write_gif(path: Path, frames: np.ndarray, fps: float) -> None:
    path.write_bytes(encode_animation(".gif", frames, fps))
    _check_video(path, read_video(path), frames.shape)


def _write_webp(path: Path, frames: np.ndarray, fps: float) -> None:
    path.write_bytes(encode_animation(".webp", frames, fps))
    _, written = cv2.imreadanimation(str(path))
    # Frames that are equal have become one that is shown for longer; where all are, it is a picture without times.
    count = len(frames) if len(written.frames) == 1 else round(sum(written.durations) / _milliseconds(fps))
    _check_written(path, (count, *written.frames[0].shape[:2], 3) if written.frames else (), frames.shape)


def _write_folder(path: Path, frames: Iterable[np.ndarray]) -> None:
    path.mkdir(exist_ok=True)
    for index, frame in enumerate(frames):
        _write_picture(path / f"{index:05d}.png", frame)


def _write_video(path: Path, frames: Iterable[np.ndarray], fps: float) -> None:
    even = (np.pad(frame, [(0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)], mode="edge") for frame in frames)
    first, count, suffix = next(even), 0, path.suffix.lower()
    with as_os_error(path):
        # An absolute path cannot be mistaken for a protocol.
        container = av.open(os.fspath(path.absolute()), "w", format=suffix[1:], options=_CONTAINER_OPTIONS[suffix])
        stream = add_video_stream(container, suffix, first.shape[:2], fps)
    try:
        reformatter = VideoReformatter()
        for frame in itertools.chain([first], even):
            with as_os_error(path):
                picture = reformatter.reformat(
                    av.VideoFrame.from_ndarray(frame, "rgb24"), format="yuv420p", interpolation=Interpolation.AREA,
                    dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
                picture.pts = count
                container.mux(stream.encode(picture))
            count += 1
    finally:  # if the frames end early, those written so far can be played
        with as_os_error(path):
            container.mux(stream.encode(None))
            container.close()
    _check_video(path, read_video(path), (count, *first.shape))


def add_video_stream(container: av.container.OutputContainer, suffix: str, size: tuple[int, int], fps: float,
                     time_base: Fraction | None = None) -> av.VideoStream:
    """Adds a stream for frames of a container, in colours of BT.709.

    Args:
        container: to be written.
        suffix: of its file; decides the encoder.
        size: (height, width), even.
        fps: frames per second.
        time_base: unit of the frames' times, of which some may be longer than others; packets come in the order of
            their frames then. None: one frame.
    """
    encoder, options = next((found for found in _ENCODERS[suffix] if found[0] in av.codecs_available), _VP9)
    rate = Fraction(fps).limit_denominator(_MAX_DENOMINATOR)
    stream = container.add_stream(encoder, rate, options | ({"bf": "0"} if time_base and encoder != _VP9[0] else {}))
    stream.height, stream.width = size
    stream.pix_fmt = "yuv420p"
    context = stream.codec_context
    if time_base:
        context.time_base = time_base
    context.color_primaries = context.color_trc = context.colorspace = _BT709
    context.color_range = ColorRange.MPEG
    return stream


@contextmanager
def as_os_error(path: Path) -> Iterator[None]:
    """Context in which errors of FFmpeg about a file are raised as those of the system."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror, os.fspath(path)) from error
    except UnknownCodecError as error:
        raise OSError(f"{path} cannot be written: {error}") from error


def _check_video(path: Path, frames: Iterable[np.ndarray], shape: tuple[int, ...]) -> None:
    shape_read: tuple[int, ...] = (0,)
    try:
        for frame in frames:
            shape_read = (shape_read[0] + 1, *frame.shape)
    except DecodeError as error:
        raise OSError(f"{path} was written but reads as {error}") from error
    _check_written(path, shape_read, shape)


def _check_written(path: Path, shape_read: tuple[int, ...], shape: tuple[int, ...]) -> None:
    if tuple(shape_read) != tuple(shape):
        raise OSError(f"{path} was written with shape {list(shape)} but reads as {list(shape_read)}")
