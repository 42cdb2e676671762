"""Films: written in closed segments, joined without encoding again, with the sound of another file.

A process that is killed leaves the segments that were closed (an mp4 file without its index is lost); the next one
goes on behind them. Frames keep their times, so a film of variable rate stays one. Sound is copied packet by packet
where the container takes it, and encoded where it does not.
"""

import dataclasses
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from gan_keras.files import write_atomically
from gan_keras.video.encode import add_video_stream, as_os_error

FILM_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm")
"""Of films that are written."""

SEGMENT_SECONDS = 10.0

_CLOCK = 90000
"""Ticks of a second."""
_FORMATS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm"}
_SOUND = {".webm": "libopus"}
_OPUS_RATE = 48000
_LIST = "segments.json"


@dataclasses.dataclass(frozen=True)
class _Segment:
    """A closed segment: its file's name, its frames, and the tick at which its first one is shown."""

    file: str
    frames: int
    start: int


class FilmWriter:
    """Writes a film segment by segment.

    Args:
        path: of the film, one of `FILM_SUFFIXES`.
        rate: frames per second of most of its frames.
        key: what has to be the same for the work of an earlier process to be gone on with.

    Attributes:
        done: frames that are in segments which an earlier process closed.
        written: whether there are any frames.
    """

    def __init__(self, path: Path, rate: float, key: str) -> None:
        self._path, self._rate, self._key = path, rate, key
        self._folder = path.with_name(f".{path.name}.segments")
        self._segments = self._closed()
        self.done = sum(segment.frames for segment in self._segments)
        self._open: _OpenSegment | None = None

    @property
    def written(self) -> bool:
        """See the class."""
        return bool(self._segments or self._open)

    def write(self, pixels: np.ndarray, time: float) -> None:
        """Writes the next frame.

        Args:
            pixels: uint8 [H, W, 3]; an odd last row or column is doubled.
            time: seconds from the first frame of the film.

        Raises:
            OSError: it cannot be written.
        """
        tick = round(time * _CLOCK)
        if self._open and tick - self._open.start >= SEGMENT_SECONDS * _CLOCK:
            self._close()
        if not self._open:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = self._folder / f"{len(self._segments):05d}{self._path.suffix.lower()}"
            self._open = _OpenSegment(file, self._rate, pixels.shape, tick)
        self._open.write(pixels, tick)

    def finish(self, source: Path | None, start: float) -> None:
        """Closes the last segment and joins all.

        Args:
            source: whose sound the film has; None: none.
            start: seconds of its clock at which the film begins.

        Raises:
            OSError: it cannot be written.
        """
        if self._open:
            self._close()
        whole = self._folder / f"film{self._path.suffix.lower()}"
        files = [(self._folder / segment.file, segment.start) for segment in self._segments]
        with as_os_error(whole):
            _join(files, whole, source, start)
        whole.replace(self._path)
        shutil.rmtree(self._folder)

    def abandon(self) -> None:
        """Closes what is open, so that it can be gone on with."""
        if self._open:
            self._close()

    def _close(self) -> None:
        self._open.close()
        self._segments.append(_Segment(self._open.path.name, self._open.frames, self._open.start))
        self._open = None
        listed = {"key": self._key, "segments": [dataclasses.asdict(segment) for segment in self._segments]}
        write_atomically(self._folder / _LIST, json.dumps(listed))

    def _closed(self) -> list[_Segment]:
        """Segments that an earlier process closed, where it did the same work."""
        try:
            listed = json.loads((self._folder / _LIST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        if listed["key"] != self._key:
            return []
        return [_Segment(**segment) for segment in listed["segments"]]


class _OpenSegment:
    """A segment that is being written; its own clock begins with its first frame."""

    def __init__(self, path: Path, rate: float, shape: tuple[int, ...], start: int) -> None:
        self.path, self.start, self.frames = path, start, 0
        self._size = shape[0] + shape[0] % 2, shape[1] + shape[1] % 2
        with as_os_error(path):
            self._container = av.open(os.fspath(path.absolute()), "w", format=_FORMATS[path.suffix])
            self._stream = add_video_stream(self._container, path.suffix, self._size, rate, Fraction(1, _CLOCK))
        self._reformatter = VideoReformatter()

    def write(self, pixels: np.ndarray, tick: int) -> None:
        """Encodes a frame that is shown at a tick of the film's clock."""
        missing = [(0, side - there) for side, there in zip(self._size, pixels.shape[:2], strict=True)]
        even = np.pad(pixels, [*missing, (0, 0)], "edge")
        with as_os_error(self.path):
            picture = self._reformatter.reformat(
                av.VideoFrame.from_ndarray(even, "rgb24"), format="yuv420p", interpolation=Interpolation.AREA,
                dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
            picture.pts, picture.time_base = tick - self.start, Fraction(1, _CLOCK)
            self._container.mux(self._stream.encode(picture))
        self.frames += 1

    def close(self) -> None:
        """Ends the file."""
        with as_os_error(self.path):
            self._container.mux(self._stream.encode(None))
            self._container.close()


def _join(files: Iterable[tuple[Path, int]], path: Path, source: Path | None, start: float) -> None:
    """Copies the packets of segments, each with the tick at which it begins, and the sound of the source."""
    files = list(files)
    with av.open(os.fspath(path.absolute()), "w", format=_FORMATS[path.suffix]) as output:
        with av.open(os.fspath(files[0][0].absolute())) as first:
            video = output.add_stream_from_template(first.streams.video[0])
        packets = [_video_packets(files, video)]
        if source is not None:
            packets += _sound(output, source, start)
        for packet in _in_order(packets):
            output.mux(packet)


def _video_packets(files: Iterable[tuple[Path, int]], stream: av.VideoStream) -> Iterator[av.Packet]:
    for file, begin in files:
        with av.open(os.fspath(file.absolute())) as container:
            for packet in container.demux(video=0):
                if packet.size:
                    offset = int(Fraction(begin, _CLOCK) / packet.time_base)
                    packet.pts += offset
                    packet.dts = packet.dts + offset if packet.dts is not None else packet.pts
                    packet.stream = stream
                    yield packet


def _in_order(streams: list[Iterator[av.Packet]]) -> Iterator[av.Packet]:
    """Packets of several streams by their times."""
    waiting = {i: packet for i, stream in enumerate(streams) if (packet := next(stream, None))}
    while waiting:
        i = min(waiting, key=lambda i: waiting[i].dts * waiting[i].time_base)
        yield waiting[i]
        packet = next(streams[i], None)
        if packet:
            waiting[i] = packet
        else:
            del waiting[i]


def _sound(output: av.container.OutputContainer, source: Path, start: float) -> list[Iterator[av.Packet]]:
    """Packets of each audio stream of a source, from a time of its clock on, as streams of the output."""
    with av.open(os.fspath(source.absolute())) as container:
        count = len(container.streams.audio)
        found = []
        for index in range(count):
            stream = container.streams.audio[index]
            try:
                target = output.add_stream_from_template(stream)
                found.append(_copied(source, index, target, start))
            except ValueError:  # a codec that the container does not take
                encoder = _SOUND.get(Path(output.name).suffix, "aac")
                target = output.add_stream(encoder, rate=_OPUS_RATE if encoder == "libopus" else stream.rate)
                found.append(_encoded(source, index, target, start))
    return found


def _copied(source: Path, index: int, target: av.AudioStream, start: float) -> Iterator[av.Packet]:
    with av.open(os.fspath(source.absolute())) as container:
        for packet in container.demux(audio=index):
            if not packet.size or packet.pts is None:
                continue
            offset = int(Fraction(start).limit_denominator(_CLOCK) / packet.time_base)
            packet.pts, packet.dts = packet.pts - offset, (packet.dts or packet.pts) - offset
            if packet.pts >= 0:
                packet.stream = target
                yield packet


def _encoded(source: Path, index: int, target: av.AudioStream, start: float) -> Iterator[av.Packet]:
    with av.open(os.fspath(source.absolute())) as container:
        resampler = AudioResampler(target.format, target.layout, target.rate)
        for frame in container.decode(audio=index):
            if frame.time is not None and frame.time >= start:
                frame.pts = round((frame.time - start) / frame.time_base)
                for resampled in resampler.resample(frame):
                    yield from target.encode(resampled)
        yield from target.encode(None)
