"""Video files for tests, made with PyAV."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np


@contextmanager
def _scheduling_kept() -> Iterator[None]:
    """Undoes what SVT-AV1 does where it may: it makes the calling thread a real-time one.

    All threads and processes that this one starts later would inherit that, and on few cores nothing else runs any more
    while one of them waits busily.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, param)


@_scheduling_kept()
def encode(path: Path, frames: Sequence[np.ndarray], codec: str = "libx264", rate: int = 25, pix_fmt: str = "yuv420p",
           times: Sequence[int] | None = None, options: dict | None = None, container: dict | None = None,
           seconds_of_sound: float = 0.0, aspect: Fraction | None = None, gop: int = 12, **properties: int) -> None:
    """Writes a video.

    Args:
        path: of the file.
        frames: uint8 RGB [H, W, 3], or RGBA.
        codec: of FFmpeg.
        rate: frames per second; the unit of `times` is a thousandth of a second.
        pix_fmt: of FFmpeg.
        times: of the frames in milliseconds; None: evenly spaced.
        options: of the codec.
        container: options of the container.
        seconds_of_sound: beside it.
        aspect: of a pixel.
        gop: frames from a key frame to the next.
        properties: of the frames before they are encoded: colorspace, color_range, color_trc.
    """
    with av.open(str(path), "w", options=container or {}) as output:
        stream = output.add_stream(codec, rate=1000 if times is not None else rate)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.gop_size = gop
        context.options = options or {}
        context.bit_rate = 4_000_000
        context.thread_count = 1  # the same bytes always
        if times is not None:
            context.time_base = Fraction(1, 1000)
        if aspect:
            context.sample_aspect_ratio = aspect
        for name, value in properties.items():
            setattr(context, name, value)
        sound = output.add_stream("libopus", rate=48000) if seconds_of_sound else None
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgba" if pixels.shape[2] == 4 else "rgb24")
            matrix = {"dst_colorspace": properties.get("colorspace"), "dst_color_range": properties.get("color_range")}
            frame = frame.reformat(format=pix_fmt, **matrix)
            if times is not None:
                frame.pts, frame.time_base = times[index], Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
        for index in range(round(seconds_of_sound * 50)):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "flt", "mono")
            silence.sample_rate, silence.pts, silence.time_base = 48000, 960 * index, Fraction(1, 48000)
            output.mux(sound.encode(silence))
        if sound:
            output.mux(sound.encode())


def moving(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames of a bright square that moves over a gradient; no two of them are alike."""
    frames = []
    for index in range(count):
        frame = np.empty((height, width, 3), np.uint8)
        frame[:] = ((np.arange(width)[None, :, None] * 3 + 2 * index) % 200)
        left = (3 * index) % (width - height // 3)
        frame[height // 3:2 * height // 3, left:left + height // 3] = (250, 200, 20)
        frames.append(frame)
    return frames


def add_cover(path: Path, with_cover: Path) -> None:
    """Copies an .mp4 and puts a black cover picture before its video."""
    with (av.open(str(path)) as source, av.open(str(with_cover), "w") as output):
        cover = output.add_stream("mjpeg", rate=1)
        cover.height, cover.width, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream = output.add_stream_from_template(source.streams.video[0])
        output.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8))))
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)


def turn(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Has the header of an .mp4 say that its pixel (x, y) is shown at (a x + c y, b x + d y)."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    for position, value in enumerate([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30]):
        content[start + 4 * position:start + 4 * position + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)
