"""Decoding of video files with FFmpeg (PyAV): every frame as a player shows it, and when it does.

Headers are believed in nothing that the packets say themselves: how many frames there are, when they are shown, at what
rate. So a file is read twice: once its packets alone, which is quick, and then its frames.

Damage: FFmpeg says that a packet is damaged, that bytes of the container make no sense, or that a frame cannot be
decoded. What follows is wrong until the next key frame, because frames are coded as differences. Those frames are left
out, and a shot starts behind them.
"""

import itertools
import logging
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, Self

import av
import av.logging
import numpy as np
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError
from av.filter import Graph
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gan_keras.video.errors import DecodeError, as_decode_error, check_not_empty
from gan_keras.video.frames import Frame, usual_rate
from gan_keras.video.pictures import kept_part

VIDEO_SUFFIXES = (".mp4", ".m4v", ".mov", ".qt", ".3gp", ".3g2", ".mkv", ".webm", ".avi", ".divx", ".mpg", ".mpeg",
                  ".m2v", ".vob", ".ts", ".mts", ".m2ts", ".wmv", ".asf", ".flv", ".f4v", ".ogv", ".mxf", ".dv", ".y4m",
                  ".gif", ".apng")
# 8K video is accepted; a small file that declares 8192x8192 is not. A whole video may have five hours of 1080p.
MAX_FRAME_PIXELS = 2**25
MAX_VIDEO_PIXELS = 2**40

# Without these lists a text file named `.mp4` can be a playlist that opens other files or the network.
_OPEN_OPTIONS = {"format_whitelist": "mov,matroska,webm,avi,mpegts,mpeg,mpegvideo,asf,flv,ogg,mxf,dv,yuv4mpegpipe,"
                                     "gif,apng",
                 "protocol_whitelist": "file"}
_DEMUX_ERRORS = (FFmpegError, MemoryError, ValueError)
_SNAP = 0.1  # of an interval, by which containers round times
_MAX_PIXEL_ASPECT = 10
_RGB, _UNSPECIFIED = 0, 2  # of AVColorSpace
_HD = 720  # rows, from which on colours are BT.709 where a file does not say
_HDR = {16: "PQ", 18: "HLG"}  # of AVColorTransferCharacteristic

threads = 1
"""Threads that decode and scale a video; a process that decodes no others beside it has more of them."""

logging.getLogger("libav").addHandler(logging.NullHandler())
logging.getLogger("libav").propagate = False
av.logging.set_skip_repeated(False)  # every error counts


def read_video(path: Path) -> Iterator[np.ndarray]:
    """Frames of a video, upright, of square pixels, uint8 RGB `[H, W, 3]`, decoded as they are asked for.

    Raises:
        DecodeError: not a video, or no frame of it can be decoded.
    """
    return (frame.pixels for frame in VideoFile(path).frames())


class VideoFile:
    """A video file whose packets have been read.

    Args:
        path: of the file.
        size: (height, width) of the frames, which are cropped about their centre to its aspect ratio; None: as they
            are.

    Attributes:
        rate: frames per second, of most of its frames; None where no two of them have a time.
        frame_count: number of its frames; some may turn out to be damaged.
        display_size: (height, width) of its frames as a player shows them, once one is decoded.
        start: seconds at which its first frame is shown, by the clock that its sound has too; once one is decoded.
        notes: sentences about how it was read, complete once all frames are decoded.
        losses: why frames of it are missing, likewise.

    Raises:
        DecodeError: not a video, or one of an absurd size.
    """

    def __init__(self, path: Path, size: tuple[int, int] | None = None) -> None:
        check_not_empty(path)
        self._path, self._size = path, size
        self._damage: list[tuple[int, int]] = []  # packets: the first that is wrong, the first that may be right
        self._is_damaged = self._recovered = self._ends_early = False
        self.display_size: tuple[int, int] | None = None
        self.start = 0.0
        self.notes: list[str] = []
        self.losses: list[DecodeError] = []
        with _open(path) as (container, stream):
            times = self._read_packets(container, stream)
            self.frame_count, self.rate = len(times), _rate(times, stream)
            if stream.width * stream.height * len(times) > MAX_VIDEO_PIXELS:
                raise DecodeError("too large", f"{len(times)} frames of {stream.width}x{stream.height}")

    def frames(self) -> Iterator[Frame]:
        """The frames, in the order and at the times at which they are shown; the first one at 0.

        Raises:
            DecodeError: none can be decoded, or they are more than `MAX_VIDEO_PIXELS`.
        """
        count, origin, before = 0, None, None
        with _open(self._path) as (container, stream):
            graph = _FilterGraph(self._size, stream)
            unit = float(stream.time_base or 1)
            interval = 1 / (self.rate * unit) if self.rate else 1.0
            for decoded in itertools.chain(self._decode(container, stream), [None]):
                for time, pixels in graph.filter(decoded):
                    time = time if time is not None else 0 if before is None else round(before + interval)
                    # In a damaged file a gap may be frames that are lost; in others the frame before it stands there.
                    starts_shot = before is None or time < before or (
                        self._is_damaged and time - before > 1.5 * interval)
                    if origin is None:
                        origin, self.start = time, time * unit
                    count, before, self.display_size = count + 1, time, graph.display_size
                    yield Frame(pixels, self._on_grid((time - origin) * unit), starts_shot)
            codec = stream.codec_context.name
        if not count:
            raise DecodeError("unreadable", f"none of its {self.frame_count} frames can be decoded ({codec})")
        self.notes += graph.notes
        if self._ends_early:
            self.losses.append(DecodeError("truncated", f"the {count} frames that are there were used"))
        if self._recovered or (self._is_damaged and not self._ends_early):
            self.losses.append(DecodeError("damaged", f"{count} of its {self.frame_count} frames were used"))

    def _read_packets(self, container: InputContainer, stream: VideoStream) -> list[int | None]:
        """Times of the frames that are shown, in units of the stream; finds where FFmpeg complains of the container."""
        times, count = [], 0
        with _errors_counted() as errors:
            complaints = errors()
            for count, packet in enumerate(self._demux(container, stream), 1):
                if errors() > complaints:  # bytes before it are lost, and the packet before may be damaged
                    self._damage.append((count - 2, count - 1))
                if packet.is_corrupt:
                    self._damage.append((count - 1, count))
                if not packet.is_discard:
                    times.append(_time(packet))
                complaints = errors()
            self._ends_early |= errors() > complaints
        if container.format.name == "gif" and not self._path.read_bytes().rstrip(b"\0").endswith(b";"):
            self._ends_early = True
            self._damage.append((count - 1, count))  # its last frame may be there in part
        self._is_damaged = bool(self._damage)
        return times

    def _demux(self, container: InputContainer, stream: VideoStream) -> Iterator[Packet]:
        """Packets of a stream as far as the container can be read."""
        packets = container.demux(stream)
        while True:
            try:
                packet = next(packets, None)
            except _DEMUX_ERRORS:
                self._ends_early = True
                return
            if packet is None or (packet.size == 0 and packet.dts is None):  # PyAV's last one is empty
                return
            yield packet

    def _decode(self, container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
        """Decoded frames but those that damage has spoilt."""
        indices: dict[int | None, int] = {}  # of packets by their times, which frames have too
        pixels = 0
        for index, packet in enumerate(itertools.chain(self._demux(container, stream), [None])):
            if packet is not None:
                indices[_time(packet)] = index
            try:
                decoded = stream.codec_context.decode(packet)
            except FFmpegError:
                self._damage.append((index, index + 1))
                self._is_damaged = True
                continue
            for frame in decoded:
                pixels += frame.width * frame.height
                if pixels > MAX_VIDEO_PIXELS:
                    raise DecodeError("too large", f"frames of {pixels:.1g} pixels in all")
                if not self._is_spoilt(frame, indices.get(frame.pts, index)):
                    yield frame

    def _is_spoilt(self, frame: VideoFrame, index: int) -> bool:
        """Whether damage lies between a frame and the key frame before it."""
        if frame.is_corrupt:
            self._damage.append((index, index + 1))
            self._is_damaged = True
        if frame.key_frame:
            ahead = [(wrong, right) for wrong, right in self._damage if right > index]
            self._recovered |= len(ahead) < len(self._damage)
            self._damage = ahead
        return any(wrong <= index for wrong, _ in self._damage)

    def _on_grid(self, time: float) -> float:
        """A time without the error by which its container rounds it."""
        position = time * (self.rate or 0.0)
        return round(position) / self.rate if self.rate and abs(position - round(position)) < _SNAP else time


class _FilterGraph:
    """What makes frames of a decoder what a player shows, at the size that is wanted."""

    def __init__(self, size: tuple[int, int] | None, stream: VideoStream) -> None:
        self._size, self._stream = size, stream
        self._graph: Graph | None = None
        self._properties: tuple | None = None
        self._times: deque[int | None] = deque()
        self._interlaced = False
        self._turn = _Turn(False, False, False)
        self.display_size: tuple[int, int] | None = None
        self.notes: list[str] = []

    def filter(self, frame: VideoFrame | None) -> Iterator[tuple[int | None, np.ndarray]]:
        """Filters a frame.

        Args:
            frame: the next one; None: the last ones are wanted.

        Yields:
            (time in units of the stream, uint8 RGB `[H, W, 3]`) of each frame that is ready.
        """
        if frame is not None:
            self._interlaced |= frame.interlaced_frame
            properties = (frame.width, frame.height, frame.format.name, frame.colorspace, frame.color_range,
                          self._interlaced, _Turn.of(frame))
            if properties != self._properties:
                yield from self._flush()
                self._graph, self._properties, self._turn = self._build(frame), properties, properties[-1]
            self._times.append(frame.pts)
            self._graph.push(frame)
            yield from self._pull()
        else:
            yield from self._flush()

    def _flush(self) -> Iterator[tuple[int | None, np.ndarray]]:
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pull()
            self._graph = None

    def _pull(self) -> Iterator[tuple[int | None, np.ndarray]]:
        while True:
            try:
                frame = self._graph.pull()
            except (BlockingIOError, EOFError):
                return
            yield self._times.popleft(), self._turn.apply(frame.to_ndarray())

    def _build(self, frame: VideoFrame) -> Graph:
        graph = Graph()
        graph.threads = threads
        nodes = [graph.add("buffer", video_size=f"{frame.width}x{frame.height}", pix_fmt=frame.format.name,
                           time_base=str(self._stream.time_base or Fraction(1)), pixel_aspect="1/1",
                           colorspace=str(frame.colorspace), range=str(frame.color_range))]
        turn, aspect = _Turn.of(frame), _pixel_aspect(self._stream)
        shown = _square_size(frame.height, frame.width, aspect)
        self.display_size = turn.size(*shown)
        height, width = turn.size(*self._size) if self._size else shown
        rows, columns = kept_part(frame.height, frame.width, height, width, aspect)
        matrix = "bt601"
        if frame.colorspace not in (_UNSPECIFIED, _RGB):
            matrix = "auto"
        elif frame.height >= _HD:  # as players take it where a file does not say
            matrix = "bt709"
        if self._interlaced:
            nodes.append(graph.add("bwdif", mode="send_frame", deint="interlaced"))
        if any(component.is_alpha for component in frame.format.components):
            nodes += [graph.add("scale", in_color_matrix=matrix), graph.add("format", "pix_fmts=gbrap"),
                      graph.add("premultiply", inplace="1")]
        shrinks = rows >= height and columns >= width
        nodes += [graph.add("crop", w=str(columns), h=str(rows), exact="1"),
                  graph.add("scale", w=str(width), h=str(height), in_color_matrix=matrix,
                            flags=("area" if shrinks else "bicubic") + "+accurate_rnd+full_chroma_int"),
                  graph.add("format", "pix_fmts=rgb24"), graph.add("buffersink")]
        graph.link_nodes(*nodes)
        graph.configure()
        self._note(frame)
        return graph

    def _note(self, frame: VideoFrame) -> None:
        notes = ["interlaced: its fields were merged"] if self._interlaced else []
        if frame.color_trc in _HDR:
            notes.append(f"HDR ({_HDR[frame.color_trc]}): its colours were not tone-mapped")
        self.notes += [note for note in notes if note not in self.notes]


class _Turn(NamedTuple):
    """A turn and reflection: rows and columns are exchanged first, then each may be reversed."""

    transposes: bool
    flips_rows: bool
    flips_columns: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> Self:
        """That of a frame's display matrix, to the nearest quarter turn."""
        data = frame.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls(False, False, False)
        a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]  # a point (x, y) is shown at (a x + c y, b x + d y)
        if abs(int(a)) + abs(int(d)) >= abs(int(b)) + abs(int(c)):
            return cls(False, bool(d < 0), bool(a < 0))
        return cls(True, bool(b < 0), bool(c < 0))

    def size(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) after the turn of what has this size before it, and the other way round."""
        return (width, height) if self.transposes else (height, width)

    def apply(self, pixels: np.ndarray) -> np.ndarray:
        """`[H, W, 3]` turned."""
        turned = pixels.transpose(1, 0, 2) if self.transposes else pixels
        return np.ascontiguousarray(turned[::-1 if self.flips_rows else 1, ::-1 if self.flips_columns else 1])


@contextmanager
def _open(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its main video stream."""
    try:
        with _errors_counted():
            container = av.open(os.fspath(Path(path).absolute()), options=_OPEN_OPTIONS)
    except (FFmpegError, OSError, ValueError, MemoryError) as error:
        raise _open_error(path, error) from error
    with container:
        streams = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
        if not streams:
            raise DecodeError("unsupported", "it has no video" + (", only sound" if container.streams.audio else
                                                                  ": its header is empty or damaged"))
        stream = max(streams, key=lambda stream: (bool(stream.disposition & Disposition.default), -stream.index))
        if stream.codec_context is None:
            raise DecodeError("no decoder", "there is none for its codec here")
        if stream.width * stream.height > MAX_FRAME_PIXELS:
            raise DecodeError("too large", f"declares frames of {stream.width}x{stream.height}")
        stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
        stream.thread_type = "SLICE"  # with threads of frames errors come late, and frames that are wrong pass
        stream.codec_context.thread_count = threads
        yield container, stream


def _open_error(path: Path, error: Exception) -> DecodeError:
    said = error.log[2] if getattr(error, "log", None) else ""
    if "moov atom not found" in said and _begins_as_mp4(path):
        return DecodeError("truncated", "its end is missing, and with it the index without which no frame can be found")
    if isinstance(error, InvalidDataError | ValueError):
        return DecodeError("unreadable", "it is not a video, or of a kind that is not read")
    return as_decode_error(error)


def _begins_as_mp4(path: Path) -> bool:
    with Path(path).open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


@contextmanager
def _errors_counted() -> Iterator[Callable[[], int]]:
    """Has FFmpeg log errors, and counts them. Only where a single thread runs: its log waits for Python's."""
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        yield lambda: av.logging.get_last_error()[0]
    finally:
        av.logging.set_level(level)


def _time(packet: Packet) -> int | None:
    """When the frame of a packet is shown, in units of its stream."""
    return packet.dts if packet.pts is None else packet.pts


def _rate(times: Sequence[int | None], stream: VideoStream) -> float | None:
    """Frames per second of most frames.

    A rate that the header names is taken where it puts every frame within a quarter of an interval of its time: it is
    exact, and times are rounded.
    """
    rate = usual_rate([time for time in times if time is not None])
    if rate is None or not stream.time_base:
        return None
    rate /= float(stream.time_base)
    for named in (stream.average_rate, stream.base_rate):
        if named and abs(float(named) / rate - 1) * len(times) < 0.25:
            return float(named)
    return rate


def _pixel_aspect(stream: VideoStream) -> float:
    """Width of a pixel by its height."""
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    return aspect if 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT else 1.0


def _square_size(height: int, width: int, aspect: float) -> tuple[int, int]:
    """Size in square pixels, where none is lost."""
    return (height, round(width * aspect)) if aspect >= 1 else (round(height / aspect), width)
