"""Folders as people have them: files of many kinds, a third of them odd, each with what is right for it.

A kind is a function that writes one file, or a few that belong together, and says what should become of each. All is
drawn from a seed.
"""

import dataclasses
import itertools
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from gan_keras.data.records import Manifest
from gan_keras.files import CHECKPOINTS_FOLDER, VERSIONS_FILE
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import encode_png
from tests.video.videos import add_cover, encode, turn

WHOLE, PART, LEFT_OUT, IGNORED = OUTCOMES = ("used", "used in part", "left out", "ignored")
ODD_SHARE = 1 / 3
CLASSES = ("plain", "two words", "red, blue", "time 10:30", "größe", "日本の歌", "it's \"quoted\"")
"""Folders of the first level."""

_SIZES = ((48, 64), (72, 96), (96, 128), (120, 160), (64, 64), (96, 72))
_RATES = (24, 25, 30)
_FIRST_WORDS = ("amber", "brisk", "calm", "dusty", "early", "faint", "grey", "hazel", "ivory", "jolly", "kind", "late",
                "mild", "noble", "olive", "pale", "quiet", "rosy", "süß", "tall")
_SECOND_WORDS = ("brook", "cliff", "dune", "elm", "fjord", "grove", "heath", "isle", "jetty", "knoll", "lake", "moor",
                 "nook", "oasis", "pond", "quarry", "ridge", "shore", "тропа", "vale")


@dataclasses.dataclass(frozen=True)
class Expected:
    """What is right for a file.

    Attributes:
        outcome: one of `WHOLE`, `PART`, `LEFT_OUT`, `IGNORED`.
        text: the reason why it is left out; for others, part of what is to be said about it, or empty.
        frames: that can be decoded; None: at least a clip's.
        fps: frames per second of its clips; None: any.
        size: (height, width) as it is shown; None: any.
    """

    outcome: str
    text: str = ""
    frames: int | None = None
    fps: float | None = None
    size: tuple[int, int] | None = None


Expectations = dict[str, Expected]
"""What is right for each file or series, by its path below the source."""


class Item:
    """Where and of what the files of one item are made.

    Args:
        folder: that they are written to.
        name: their name, without a suffix; no other item of the source has it.
        random: decides about pixels, length, size and rate.

    Attributes:
        frames: uint8 `[H, W, 3]` each: a square that bounces over a textured gradient.
        rate: frames per second.
        size: (height, width).
    """

    def __init__(self, folder: Path, name: str, random: np.random.Generator) -> None:
        self.folder, self.name, self._random = folder, name, random
        self.rate = int(random.choice(_RATES))
        self.size = _SIZES[random.integers(len(_SIZES))]
        self.frames = self.shot(int(random.uniform(1.5, 3.0) * self.rate))

    def path(self, suffix: str) -> Path:
        """Path of the item's file with this suffix."""
        return self.folder / f"{self.name}{suffix}"

    def subfolder(self) -> "Item":
        """The same item, its files in a folder of its own."""
        inner = self.folder / self.name
        inner.mkdir()
        other = Item.__new__(Item)
        other.__dict__.update(self.__dict__, folder=inner)
        return other

    def shot(self, count: int) -> list[np.ndarray]:
        """Frames of another shot, `count` of them."""
        random, (height, width) = self._random, self.size
        side = height // 3
        colour, first, second = random.integers(40, 256, 3), *random.integers(0, 140, (2, 3))
        speed, start = random.uniform(1.0, 3.0, 2), random.uniform(0, 60, 2)
        slope = np.linspace(0, 1, width)[None, :, None]
        ground = first * (1 - slope) + second * slope + random.integers(-12, 13, (height, width, 1))
        frames = []
        for index in range(count):
            frame = np.clip(ground, 0, 255).astype(np.uint8)
            top, left = (int(_bounce(start[axis] + index * speed[axis], limit - side))
                         for axis, limit in enumerate((height, width)))
            frame[top:top + side, left:left + side] = colour
            frames.append(frame)
        return frames

    def expected(self, outcome: str = WHOLE, text: str = "", **changes: object) -> Expected:
        """That of a video of all of the item's frames."""
        facts = {"frames": len(self.frames), "fps": float(self.rate), "size": self.size}
        return Expected(outcome, text, **facts | changes)


def _bounce(position: float, limit: int) -> float:
    return limit - abs(position % (2 * limit) - limit)


Writer = Callable[[Item], Expectations]


# ---- files of one video ----

def _video(suffix: str, codec: str, text: str = "", rate: int = 0, size: tuple[int, int] | None = None,
           **options: object) -> Writer:
    """Writer of a file by one of FFmpeg's encoders.

    Args:
        suffix: of the file.
        codec: of FFmpeg.
        text: what is to be said about it.
        rate: frames per second; 0: the item's.
        size: (height, width); None: the item's.
        options: of `encode`.
    """
    def write(item: Item) -> Expectations:
        item.rate = rate or item.rate
        if size:
            item.size = size
            item.frames = item.shot(len(item.frames))
        _encode(item.path(suffix), item.frames, codec, item.rate, **options)
        return {item.path(suffix).name: item.expected(text=text)}

    return write


def _encode(path: Path, frames: Sequence[np.ndarray], codec: str = "libx264", rate: int = 25,
            **options: object) -> None:
    quiet = {"libx265": {"x265-params": "log-level=none"}}.get(codec, {})
    container = {"fflags": "+bitexact"} | options.pop("container", {})
    encode(path, frames, codec, rate, options=quiet | options.pop("options", {}), container=container, **options)


def _has_encoder(codec: str) -> bool:
    try:
        return bool(av.Codec(codec, "w"))
    except ValueError:
        return False


def _animated_webp(item: Item) -> Expectations:
    animation = cv2.Animation()
    animation.frames = [_bgr(frame) for frame in item.frames]
    animation.durations = [40] * len(item.frames)
    cv2.imwriteanimation(str(item.path(".webp")), animation)
    return {item.path(".webp").name: item.expected(fps=25.0)}


def _tiff_stack(item: Item) -> Expectations:
    cv2.imwritemulti(str(item.path(".tif")), [_bgr(frame) for frame in item.frames])
    return {item.path(".tif").name: item.expected(fps=None)}


def _array(item: Item) -> Expectations:
    clips = np.stack([np.stack(item.shot(20)) for _ in range(2)])
    np.save(item.path(".npy"), clips)
    return {f"{item.path('.npy').name}/{index:06d}": item.expected(frames=20, fps=None) for index in range(2)}


def _strip(item: Item) -> Expectations:
    item.size = (48, 48)
    frames = item.shot(12)
    item.path(".png").write_bytes(encode_png(np.concatenate(frames, axis=1)))
    return {item.path(".png").name: item.expected(frames=12, fps=None)}


def _bgr(frame: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(frame[..., ::-1])


# ---- series of pictures ----

def _write_series(item: Item, frames: Sequence[np.ndarray], pattern: str = "frame_{:04d}.png") -> list[Path]:
    """Writes BGR or BGRA frames as numbered pictures; returns their paths."""
    paths = [item.folder / pattern.format(index + 1) for index in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        path.write_bytes(cv2.imencode(path.suffix, frame)[1].tobytes())
    return paths


def _series(pattern: str = "frame_{:04d}.png", change: Callable[[np.ndarray], np.ndarray] = _bgr) -> Writer:
    """Writer of a series, with what makes a picture of a frame."""
    def write(item: Item) -> Expectations:
        item = item.subfolder()
        item.frames = item.frames[:30]
        _write_series(item, list(map(change, item.frames)), pattern)
        return {f"{item.name}/{pattern.replace('{:04d}', '*')}": item.expected(fps=None)}

    return write


def _deep(frame: np.ndarray) -> np.ndarray:
    """A frame of a sensor of 12 bits."""
    return _bgr(frame).astype(np.uint16) * 16


def _transparent(frame: np.ndarray) -> np.ndarray:
    return np.dstack([_bgr(frame), np.full(frame.shape[:2], 160, np.uint8)])


def _spoilt_series(spoil: Callable[[Path], object], outcome: str, text: str, suffix: str = ".png",
                   missing: int = 1) -> Writer:
    """Writer of a series of which one picture in the middle is not as the others.

    Args:
        spoil: changes it.
        outcome: what is right then.
        text: what is to be said.
        suffix: of the pictures.
        missing: pictures that cannot be decoded.
    """
    def write(item: Item) -> Expectations:
        pattern = "frame_{:04d}" + suffix
        [(name, expected)] = _series(pattern)(item).items()
        spoil(item.folder / item.name / pattern.format(13))
        return {name: dataclasses.replace(expected, outcome=outcome, text=text, frames=expected.frames - missing)}

    return write


def _halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])


def _narrow(path: Path) -> None:
    path.write_bytes(cv2.imencode(path.suffix, cv2.imread(str(path))[:, :-2])[1].tobytes())


def _series_beside(*names: str, reason: str) -> Writer:
    """Writer of a series beside files and folders that are no frames of it, which have a reason each."""
    def write(item: Item) -> Expectations:
        outcomes = _series("frame_{:04d}.jpg")(item)
        for name in names:
            path = item.folder / item.name / name
            if path.suffix:
                path.write_bytes(encode_png(item.frames[0]))
            else:
                path.mkdir()
                (path / "frame_0001.jpg").write_bytes(encode_png(item.frames[0]))
            outcomes[f"{item.name}/{name}"] = Expected(LEFT_OUT, reason)
        return outcomes

    return write


def _series_beside_masks(item: Item) -> Expectations:
    outcomes = _series("frame_{:04d}.jpg")(item)
    inner = item.folder / item.name
    for path in sorted(inner.glob("*.jpg")):
        path.with_suffix(".png").write_bytes(encode_png((cv2.imread(str(path)) > 128).astype(np.uint8) * 255))
    return outcomes | {f"{item.name}/frame_*.png": Expected(LEFT_OUT, "beside frames")}


# ---- odd videos that are used whole ----

def _turned(*matrix: int) -> Writer:
    def write(item: Item) -> Expectations:
        _encode(item.path(".mp4"), item.frames, rate=item.rate)
        turn(item.path(".mp4"), *matrix)
        return {item.path(".mp4").name: item.expected(size=item.size if matrix[0] else item.size[::-1])}

    return write


def _anamorphic(item: Item) -> Expectations:
    _encode(item.path(".mkv"), item.frames, rate=item.rate, aspect=Fraction(4, 3))
    height, width = item.size
    return {item.path(".mkv").name: item.expected(size=(height, round(width * 4 / 3)))}


def _interlaced(suffix: str, codec: str, **options: str) -> Writer:
    def write(item: Item) -> Expectations:
        item.rate = 25
        fields = item.shot(2 * len(item.frames))
        woven = [first.copy() for first in fields[::2]]
        for frame, second in zip(woven, fields[1::2], strict=True):
            frame[1::2] = second[1::2]
        _encode(item.path(suffix), woven, codec, options={"flags": "+ilme+ildct"} | options)
        return {item.path(suffix).name: item.expected(text="interlaced")}

    return write


def _trimmed(item: Item) -> Expectations:
    """An .mp4 cut without encoding it anew: it begins at a key frame before the cut and says from where to show it."""
    long = item.path(".long.mp4")
    _encode(long, item.frames, rate=25, options={"bf": "2"}, gop=6)
    with (av.open(str(long)) as source,
          av.open(str(item.path(".mp4")), "w", options={"avoid_negative_ts": "disabled"}) as output):
        stream = output.add_stream_from_template(source.streams.video[0])
        frame = round(1 / (25 * source.streams.video[0].time_base))
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts >= 6 * frame:
                packet.pts, packet.dts, packet.stream = packet.pts - 10 * frame, packet.dts - 10 * frame, stream
                output.mux(packet)
    long.unlink()
    return {item.path(".mp4").name: item.expected(frames=len(item.frames) - 10, fps=25.0)}


def _with_longer_sound(item: Item) -> Expectations:
    seconds = len(item.frames) / item.rate + 1.5
    _encode(item.path(".webm"), item.frames, "libvpx-vp9", item.rate, seconds_of_sound=seconds)
    return {item.path(".webm").name: item.expected()}


def _with_dropped_frames(item: Item) -> Expectations:
    with av.open(str(item.path(".avi")), "w", options={"fflags": "+bitexact"}) as output:
        stream = output.add_stream("mpeg4", rate=25)
        (stream.height, stream.width), stream.pix_fmt = item.size, "yuv420p"
        frames = [av.VideoFrame.from_ndarray(frame) for frame in item.frames]
        for packet in itertools.chain.from_iterable(map(stream.encode, [*frames, None])):
            if packet.pts % 5 != 4:
                output.mux(packet)
    dropped = sum(index % 5 == 4 for index in range(len(item.frames)))
    return {item.path(".avi").name: item.expected(frames=len(item.frames) - dropped, fps=25.0,
                                                  text="not evenly spaced")}


def _with_times(suffix: str, codec: str, times: Callable[[int], list[int]], fps: float, outcome: str = WHOLE,
                text: str = "") -> Writer:
    """Writer of a video whose frames are shown at these milliseconds, given how many there are."""
    def write(item: Item) -> Expectations:
        _encode(item.path(suffix), item.frames, codec, times=times(len(item.frames)))
        return {item.path(suffix).name: item.expected(outcome, text, fps=fps)}

    return write


def _browser_times(count: int) -> list[int]:
    return [33 * index + index % 3 for index in range(count)]


def _times_with_a_still_end(count: int) -> list[int]:
    return [40 * index for index in range(count - 1)] + [40 * count + 9000]


def _with_alpha(item: Item) -> Expectations:
    frames = [np.dstack([frame, np.full(frame.shape[:2], 160, np.uint8)]) for frame in item.frames]
    _encode(item.path(".mov"), frames, "qtrle", item.rate, pix_fmt="argb")
    return {item.path(".mov").name: item.expected()}


def _with_cover(item: Item) -> Expectations:
    plain = item.path(".plain.mp4")
    _encode(plain, item.frames, rate=item.rate)
    add_cover(plain, item.path(".mp4"))
    plain.unlink()
    return {item.path(".mp4").name: item.expected()}


def _two_shots(item: Item) -> Expectations:
    frames = [frame // 4 for frame in item.frames] + [255 - frame // 4 for frame in item.shot(30)]
    _encode(item.path(".mp4"), frames, rate=item.rate, gop=len(item.frames))
    return {item.path(".mp4").name: item.expected(frames=len(frames))}


# ---- videos of which a part is used ----

def _cut_off(suffix: str, codec: str, **options: object) -> Writer:
    """Writer of a file that ends in the middle of a frame, after about 60 % of them."""
    def write(item: Item) -> Expectations:
        path = item.path(suffix)
        _encode(path, item.frames, codec, item.rate, **options)
        with av.open(str(path)) as container:
            packets = [packet for packet in container.demux(video=0) if packet.size and packet.pos is not None]
        middle = packets[len(packets) // 2:len(packets) * 7 // 10]
        last = max(middle, key=lambda packet: packet.size)  # a small one may be lost without a trace
        path.write_bytes(path.read_bytes()[:last.pos + last.size // 2])
        return {path.name: item.expected(PART, "were used", frames=None)}

    return write


def _damaged(suffix: str, codec: str, **options: object) -> Writer:
    """Writer of a file with 300 wrong bytes in the middle."""
    def write(item: Item) -> Expectations:
        path = item.path(suffix)
        item.frames = item.shot(60)
        _encode(path, item.frames, codec, item.rate, gop=10, **options)
        content = bytearray(path.read_bytes())
        start = int(0.45 * len(content))
        content[start:start + 300] = np.random.default_rng(0).bytes(300)
        path.write_bytes(content)
        return {path.name: item.expected(PART, "damaged", frames=None)}

    return write


def _with_a_short_shot(item: Item) -> Expectations:
    frames = [frame // 4 for frame in item.frames] + [255 - frame // 4 for frame in item.shot(5)]
    _encode(item.path(".mp4"), frames, rate=item.rate)
    return {item.path(".mp4").name: item.expected(PART, "too short", frames=len(frames))}


# ---- what no clip is made of ----

def _left_out(suffix: str, codec: str, reason: str, frames: Callable[[Item], Sequence[np.ndarray]]) -> Writer:
    """Writer of a good file of frames that are no clip."""
    def write(item: Item) -> Expectations:
        _encode(item.path(suffix), frames(item), codec, item.rate)
        return {item.path(suffix).name: Expected(LEFT_OUT, reason)}

    return write


def _file(suffix: str, content: bytes, reason: str) -> Writer:
    def write(item: Item) -> Expectations:
        item.path(suffix).write_bytes(content)
        return {item.path(suffix).name: Expected(LEFT_OUT, reason)}

    return write


def _without_index(item: Item) -> Expectations:
    _encode(item.path(".mp4"), item.frames, rate=item.rate)
    _halve(item.path(".mp4"))
    return {item.path(".mp4").name: Expected(LEFT_OUT, "truncated")}


def _half_picture(item: Item) -> Expectations:
    strip = np.concatenate(item.frames[:6], axis=1)
    item.path(".jpg").write_bytes(cv2.imencode(".jpg", _bgr(strip))[1].tobytes())
    _halve(item.path(".jpg"))
    return {item.path(".jpg").name: Expected(LEFT_OUT, "unreadable")}


def _photograph(item: Item) -> Expectations:
    item.path(".jpg").write_bytes(cv2.imencode(".jpg", _bgr(item.frames[0][:48, :60]))[1].tobytes())
    return {item.path(".jpg").name: Expected(LEFT_OUT, "single picture")}


def _sound(item: Item) -> Expectations:
    with av.open(str(item.path(".mp4")), "w") as output:
        stream = output.add_stream("aac", rate=48000)
        for index in range(50):
            silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            silence.sample_rate, silence.pts, silence.time_base = 48000, 1024 * index, Fraction(1, 48000)
            output.mux(stream.encode(silence))
        output.mux(stream.encode())
    return {item.path(".mp4").name: Expected(LEFT_OUT, "unsupported")}


def _playlist(item: Item) -> Expectations:
    _encode(item.path(" part.mp4"), item.frames, rate=item.rate)
    item.path(".mp4").write_text(f"ffconcat version 1.0\nfile '{item.path(' part.mp4').name}'\n", encoding="utf-8")
    return {item.path(" part.mp4").name: item.expected(), item.path(".mp4").name: Expected(LEFT_OUT, "unreadable")}


def _copies(item: Item) -> Expectations:
    _encode(item.path(" a.mp4"), item.frames, rate=item.rate)
    shutil.copy(item.path(" a.mp4"), item.path(" b.mp4"))
    return {item.path(" a.mp4").name: item.expected(), item.path(" b.mp4").name: Expected(LEFT_OUT, "duplicate")}


def _links(item: Item) -> Expectations:
    _encode(item.path(" a.mp4"), item.frames, rate=item.rate)
    outside = item.folder.parents[1] / "elsewhere"
    outside.mkdir(exist_ok=True)
    _encode(outside / f"{item.name}.mp4", item.shot(40), rate=item.rate)
    item.path(" b.mp4").symlink_to(item.path(" a.mp4").name)
    item.path(" c.mp4").symlink_to(f"../../elsewhere/{item.name}.mp4")
    item.path(" d.mp4").symlink_to("nowhere.mp4")
    return {item.path(" a.mp4").name: item.expected(), item.path(" b.mp4").name: Expected(LEFT_OUT, "duplicate"),
            item.path(" c.mp4").name: Expected(LEFT_OUT, "link"), item.path(" d.mp4").name: Expected(LEFT_OUT, "link")}


def _without_permission(item: Item) -> Expectations:
    _encode(item.path(".mp4"), item.frames, rate=item.rate)
    item.path(".mp4").chmod(0)
    return {item.path(".mp4").name: Expected(LEFT_OUT, "no permission")}


def _own_manifest(item: Item) -> Expectations:
    item = item.subfolder()
    (item.folder / "manifest.json").write_text('{"name": "my project", "videos": 1}')
    _encode(item.folder / "clip.mp4", item.frames, rate=item.rate)
    return {f"{item.name}/clip.mp4": item.expected(), f"{item.name}/manifest.json": Expected(LEFT_OUT, "not a video")}


def _run(item: Item) -> Expectations:
    item = item.subfolder()
    (item.folder / CHECKPOINTS_FOLDER).mkdir()
    (item.folder / VERSIONS_FILE).write_text("{}")
    _encode(item.folder / "sample.mp4", item.frames, rate=item.rate)
    return {f"{item.name}/sample.mp4": Expected(IGNORED)}


def _apple_double(item: Item) -> Expectations:
    (item.folder / f"._{item.name}.mp4").write_bytes(bytes(100))
    return {f"._{item.name}.mp4": Expected(IGNORED)}


ORDINARY: dict[str, Writer] = {
    "H.264 .mp4": _video(".mp4", "libx264"),
    "H.264 .MP4": _video(".MP4", "libx264"),
    "HEVC .mp4": _video(".mp4", "libx265"),
    "AV1 .mp4": _video(".mp4", "libsvtav1", size=(72, 96)),
    "MPEG-4 .m4v": _video(".m4v", "mpeg4"),
    "VP9 .webm": _video(".webm", "libvpx-vp9"),
    "VP8 .webm": _video(".webm", "libvpx"),
    "H.264 .mkv": _video(".mkv", "libx264"),
    "10 bit .mkv": _video(".mkv", "libx264", pix_fmt="yuv420p10le"),
    "MPEG-4 .avi": _video(".avi", "mpeg4"),
    "Motion JPEG .avi": _video(".avi", "mjpeg", pix_fmt="yuvj420p"),
    "ProRes .mov": _video(".mov", "prores_ks", pix_fmt="yuv422p10le"),
    "Motion JPEG .mov": _video(".mov", "mjpeg", pix_fmt="yuvj420p"),
    "H.264 .ts": _video(".ts", "libx264"),
    "MPEG-2 .mpg": _video(".mpg", "mpeg2video"),
    "MPEG-2 .mxf": _video(".mxf", "mpeg2video", rate=25),
    ".wmv": _video(".wmv", "wmv2"),
    ".flv": _video(".flv", "flv"),
    ".gif": _video(".gif", "gif", rate=25, pix_fmt="rgb8"),
    "animated .webp": _animated_webp,
    "animated .apng": _video(".apng", "apng", pix_fmt="rgb24", rate=25),
    "stack of .tif": _tiff_stack,
    ".npy": _array,
    "strip": _strip,
    "series of .png": _series(),
    "series of .jpg": _series("IMG_{:04d}.jpg")}
"""What one expects in a folder of videos."""

ODD: dict[str, Writer] = {
    "turned": _turned(0, 1, -1, 0),
    "mirrored": _turned(-1, 0, 0, 1),
    "turned and mirrored": _turned(0, 1, 1, 0),
    "pixels not square": _anamorphic,
    "interlaced .mpg": _interlaced(".mpg", "mpeg2video"),
    "interlaced .ts": _interlaced(".ts", "libx264", **{"x264-params": "tff=1"}),
    "trimmed without encoding": _trimmed,
    "sound longer than picture": _with_longer_sound,
    "frames dropped": _with_dropped_frames,
    "rate varies, .webm": _with_times(".webm", "libvpx-vp9", _browser_times, 30),
    "still at the end": _with_times(".mp4", "libx264", _times_with_a_still_end, 25, PART, "too short"),
    "HDR": _video(".mp4", "libx265", "HDR", pix_fmt="yuv420p10le", colorspace=9, color_trc=16),
    "transparent .mov": _with_alpha,
    "cover picture": _with_cover,
    "two shots": _two_shots,
    "16 bit series": _series(change=_deep),
    "transparent series": _series(change=_transparent),
    "series, a frame narrower": _spoilt_series(_narrow, WHOLE, "", missing=0),
    "series, a frame missing": _spoilt_series(Path.unlink, WHOLE, "not evenly spaced"),
    "series, a frame empty": _spoilt_series(lambda path: path.write_bytes(b""), PART, "frame_0013.png"),
    "series, half a JPEG": _spoilt_series(_halve, PART, "frame_0013.jpg", ".jpg"),
    "series beside masks": _series_beside_masks,
    "series beside a thumbnail": _series_beside("thumbnail.png", "cover.png", reason="beside frames"),
    "series beside a system's files": _series_beside("Thumbs.db", "@eaDir", "__MACOSX", reason="system file"),
    "manifest.json of a user": _own_manifest,
    "ends early, .mkv": _cut_off(".mkv", "libx264"),
    "ends early, .webm": _cut_off(".webm", "libvpx-vp9"),
    "ends early, .avi": _cut_off(".avi", "mpeg4"),
    "ends early, .ts": _cut_off(".ts", "libx264"),
    "ends early, .mpg": _cut_off(".mpg", "mpeg2video"),
    "ends early, .flv": _cut_off(".flv", "flv"),
    "ends early, .wmv": _cut_off(".wmv", "wmv2"),
    "ends early, .gif": _cut_off(".gif", "gif", pix_fmt="rgb8"),
    "ends early, .mp4": _cut_off(".mp4", "libx264", container={"movflags": "faststart"}),
    "damaged .mp4": _damaged(".mp4", "libx264"),
    "damaged .mkv": _damaged(".mkv", "libx264"),
    "damaged .ts": _damaged(".ts", "libx264"),
    "damaged .avi": _damaged(".avi", "mpeg4"),
    "a shot too short": _with_a_short_shot,
    ".mp4 without its index": _without_index,
    "empty file": _file(".mp4", b"", "unreadable"),
    "text named .mp4": _file(".mp4", b"It is under construction.\n" * 40, "unreadable"),
    "playlist named .mp4": _playlist,
    "half a JPEG": _half_picture,
    "photograph": _photograph,
    "sound only": _sound,
    "too short": _left_out(".mp4", "libx264", "too short", lambda item: item.frames[:4]),
    "nothing moves": _left_out(".mp4", "libx264", "frozen", lambda item: item.frames[:1] * 40),
    "black": _left_out(".webm", "libvpx-vp9", "blank", lambda item: [0 * item.frames[0]] * 40),
    "copies": _copies,
    "links": _links,
    "no permission": _without_permission,
    "notes": _file(".txt", b"shot in spring\n", "not a video"),
    "archive": _file(".zip", b"PK\x05\x06" + bytes(18), "unsupported"),
    "unfinished download": _file(".mp4.part", bytes(1000), "unsupported"),
    "photograph .heic": _file(".heic", bytes(1000), "unsupported"),
    "run below": _run,
    "hidden copy of a Mac": _apple_double}
"""What one finds in it as well."""


def _lacking(folder: Path) -> set[str]:
    """Kinds that cannot be made in a folder here."""
    encoders = {"libx265": {"HEVC .mp4", "HDR"}, "libsvtav1": {"AV1 .mp4"}}
    lacking = {kind for codec, kinds in encoders.items() if not _has_encoder(codec) for kind in kinds}
    forbidden = folder / "forbidden"
    forbidden.touch(mode=0)
    is_readable = os.access(forbidden, os.R_OK)  # by an administrator, or where the file system has no modes
    forbidden.unlink()
    return lacking | ({"no permission"} if is_readable else set())


def write_folder(root: Path, count: int, seed: int) -> dict[str, Expectations]:
    """Writes a folder of items, two thirds of them ordinary.

    Args:
        root: of the source; made. Links lead to a folder `elsewhere` beside it.
        count: of items; each kind that can be made here comes at least once.
        seed: of everything in them.

    Returns:
        What is right for each file, by kind and by path below the source.
    """
    os.environ.setdefault("SVT_LOG", "1")  # its encoder prints what it does
    root.mkdir(parents=True)
    lacking = _lacking(root)
    ordinary, odd = ([kind for kind in kinds if kind not in lacking] for kinds in (ORDINARY, ODD))
    odd_count = max(len(odd), round(count * ODD_SHARE))
    ordinary_count = max(len(ordinary), count - odd_count)
    kinds = [*itertools.islice(itertools.cycle(ordinary), ordinary_count),
             *itertools.islice(itertools.cycle(odd), odd_count)]
    random = np.random.default_rng(seed)
    names = [f"{first} {second}" for first in _FIRST_WORDS for second in _SECOND_WORDS]
    random.shuffle(names)
    expected: dict[str, Expectations] = defaultdict(dict)
    for index, kind in enumerate(kinds):
        folder = root / CLASSES[index % len(CLASSES)]
        folder.mkdir(exist_ok=True)
        name = names[index % len(names)] + (f" {index // len(names)}" if index >= len(names) else "")
        outcomes = (ORDINARY | ODD)[kind](Item(folder, name, np.random.default_rng([seed, index])))
        expected[kind] |= {f"{folder.name}/{name}": outcome for name, outcome in outcomes.items()}
    return dict(expected)


@dataclasses.dataclass
class Account:
    """What became of the files of a kind.

    Attributes:
        outcomes: how many have each outcome.
        reasons: why some are used in part or left out, and how many.
        wrong: each file that is not what it should be, in words.
    """

    outcomes: Counter = dataclasses.field(default_factory=Counter)
    reasons: Counter = dataclasses.field(default_factory=Counter)
    wrong: list[str] = dataclasses.field(default_factory=list)


def check(manifest: Manifest, expected: dict[str, Expectations]) -> dict[str, Account]:
    """Compares what a manifest says of every file with what is right for it; accounts by kind."""
    sources = {entry.video_id: entry for entry in manifest.sources}
    skipped = defaultdict(list)
    for entry in manifest.skipped:
        skipped[entry.video_id].append(entry)
    accounts = {}
    for kind, outcomes in expected.items():
        account = accounts[kind] = Account()
        for name, right in outcomes.items():
            source, reasons = sources.get(name), skipped[name]
            outcome = ((PART if reasons else WHOLE) if source and source.records else LEFT_OUT if reasons else IGNORED)
            account.outcomes[outcome] += 1
            account.reasons.update({entry.reason for entry in reasons})
            texts = [*(source.notes if source else ()), *map(str, reasons)]
            wrong = [] if outcome == right.outcome else [f"{outcome} and not {right.outcome}"]
            if right.text and not any(right.text in text for text in texts):
                wrong.append(f"`{right.text}` is not said")
            if right.outcome == WHOLE and not right.text and texts:
                wrong.append("nothing needs to be said")
            if source and right.frames and source.frames != right.frames:
                wrong.append(f"{source.frames} frames and not {right.frames}")
            if source and right.fps and not (source.fps and abs(source.fps / right.fps - 1) < 0.02):
                wrong.append(f"{source.fps} frames per second and not {right.fps:g}")
            if source and right.size and source.size != right.size:
                wrong.append(f"{source.size} and not {right.size}")
            if wrong:
                account.wrong.append(f"{name}: {', '.join(wrong)} ({'; '.join(texts)})")
    unforeseen = (sources.keys() | skipped.keys()) - {name for outcomes in expected.values() for name in outcomes}
    if unforeseen:
        accounts["unforeseen"] = Account(Counter(), Counter(), sorted(unforeseen))
    return accounts
