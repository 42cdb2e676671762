"""Source videos, and how each kind is read.

A new kind of file is a suffix in `folder_listing` and a function in `_OPEN` here.
"""

import dataclasses
import hashlib
import itertools
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np

from gan_keras.data.drawn.drawn_clips import DRAWN
from gan_keras.data.sources.file_kinds import suffix_of
from gan_keras.data.sources.remote_files import copy_remote
from gan_keras.data.sources.series import series_pictures
from gan_keras.data.sources.tar_file import copy_member
from gan_keras.data.sources.tfds_clips import load_clip
from gan_keras.video import arrays
from gan_keras.video.animations import read_animation
from gan_keras.video.decode import VideoFile
from gan_keras.video.errors import DecodeError
from gan_keras.video.frames import Frame, usual_rate
from gan_keras.video.pictures import read_picture, read_pictures

REMOTE, TAR, TFDS = "remote", "tar", "tfds"
SHARED = ("array", TFDS, *DRAWN)
"""Kinds whose clips are many in a file that is costly to open."""

# Among numbered pictures, one of two to four squares is more likely a wide frame than a strip.
_MIN_STRIP_FRAMES, MIN_STRIP_FRAMES_NUMBERED = 2, 5
_NAMED = 3  # pictures that a note names


@dataclasses.dataclass(frozen=True)
class SourceVideo:
    """One video of a source.

    Attributes:
        id: stable name: the path below the source, and the index within a file that holds several.
        kind: of `_OPEN`; decides how it is read.
        label: class name, or None.
        path: the file, the series as FOLDER/PREFIX*SUFFIX, or the parameters of a drawn clip.
        index: of the clip in its file; of a member of an archive, its first byte.
        size: bytes on disk.
        stamp: changes when the content does.
        split: `"train"` or `"test"`, as the folders of the source say; empty where they say nothing.
        left_out: names of pictures of a series that are not read: links that are not followed, for example.
        start: seconds of the file from which on it is read.
        end: seconds up to which it is; 0: to its end.
        group: id of the video that it is a part of, all of whose parts are in one split; empty where it is whole.
    """

    id: str
    kind: str
    label: str | None
    path: str
    index: int = 0
    size: int = 0
    stamp: int = 0
    split: str = ""
    left_out: tuple[str, ...] = ()
    start: float = 0.0
    end: float = 0.0
    group: str = ""

    def open(self, size: tuple[int, int] | None) -> "OpenedVideo":
        """Begins to read it.

        Args:
            size: (height, width) of the frames that are wanted; what can scale while it decodes makes such frames.
                None: as they are.

        Raises:
            DecodeError: it cannot be read, now or at any later frame.
        """
        opened = _OPEN[self.kind](self, size)
        return _trimmed(opened, self.start, self.end) if self.start or self.end else opened

    @property
    def key(self) -> str:
        """Key of the content: the same wherever the source is, another one when the file changes."""
        path = self.path if self.kind in DRAWN else ""  # there it is no place but the parameters
        parts = (self.id, self.kind, self.label, path, self.index, self.size, self.stamp, self.split)
        parts += (self.start, self.end) if self.start or self.end else ()
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


@dataclasses.dataclass(frozen=True)
class SkippedVideo:
    """A video, or frames of one, that no clip is made of, and why.

    Attributes:
        video_id: of the video, or the path of another file below the source.
        reason: one of `reasons`, e.g. `"truncated"`, `"too short"`.
        detail: more about it, or empty.
        count: number of files that it stands for: this one, and others that are left out for the same reason.
    """

    video_id: str
    reason: str
    detail: str = ""
    count: int = 1

    def __str__(self) -> str:
        return f"{self.video_id}: {self.reason}" + (f" ({self.details})" if self.details else "")

    @property
    def details(self) -> str:
        """The detail, and for how many files more it stands."""
        return "; ".join(filter(None, (self.detail, f"and {self.count - 1} more like it" if self.count > 1 else "")))


@dataclasses.dataclass
class OpenedVideo:
    """A source video that is being read.

    Attributes:
        rate: frames per second; None when unknown, and then a frame's time is its number.
        frames: its frames, decoded as they are asked for.
        frame_count: number of its frames; None when unknown.
        size: (height, width) of its frames, as they are shown, once one is decoded.
        notes: sentences about how it was read, complete once all frames are decoded.
        losses: why frames of it are missing, likewise.
        start: seconds at which its first frame is shown, by the clock of its sound, once it is decoded.
    """

    rate: float | None
    frames: Iterator[Frame]
    frame_count: int | None = None
    size: tuple[int, int] | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    losses: list[DecodeError] = dataclasses.field(default_factory=list)
    start: float = 0.0


def _open_file(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    file = VideoFile(Path(video.path), size)

    def frames() -> Iterator[Frame]:
        for frame in file.frames():
            opened.size, opened.start = file.display_size, file.start
            yield frame

    opened = OpenedVideo(file.rate, frames(), file.frame_count, notes=file.notes, losses=file.losses)
    return opened


def _of_pixels(pictures: Iterable[np.ndarray], count: int | None = None) -> OpenedVideo:
    """A video of pictures, one after another, of unknown rate."""
    return _of_frames(None, (Frame(pixels, float(index), index == 0) for index, pixels in enumerate(pictures)), count)


def _of_frames(rate: float | None, frames: Iterable[Frame], count: int | None) -> OpenedVideo:
    """A video of frames as they are stored."""
    def measured() -> Iterator[Frame]:
        for frame in frames:
            opened.size = opened.size or frame.pixels.shape[:2]
            yield frame

    opened = OpenedVideo(rate, measured(), count)
    return opened


def _trimmed(opened: OpenedVideo, start: float, end: float) -> OpenedVideo:
    """The frames from one second to another."""
    if opened.rate is None:
        raise DecodeError("unsupported", "a part of it is named in seconds, and its frames have no times")

    def frames() -> Iterator[Frame]:
        """The frames of that time."""
        first = True
        for frame in whole:
            if end and frame.time >= end:
                return
            if frame.time >= start:
                yield frame._replace(starts_shot=frame.starts_shot or first)
                first = False
        if first:
            raise DecodeError("too short", f"it ends before second {start:g}, where a part of it is to begin")

    whole = opened.frames
    opened.frames, opened.frame_count = frames(), None
    return opened


def _open_strip(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    image = read_picture(Path(video.path))
    min_length = MIN_STRIP_FRAMES_NUMBERED if video.kind == "numbered_strip" else _MIN_STRIP_FRAMES
    length = strip_length(image)
    if length < min_length:
        height, width = image.shape[:2]
        raise DecodeError("single picture", f"a picture of {width}x{height} is no strip of square frames")
    return _of_pixels(np.split(image, length, axis=0 if image.shape[0] > image.shape[1] else 1), length)


def strip_length(image: np.ndarray) -> int:
    """Number of square frames in a strip; 0 when the long side is no multiple of the short one."""
    short, long = sorted(image.shape[:2])
    return 0 if long % short else long // short


def _open_series(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    """A series of pictures. Its numbers are times: where some are missing, frames are missing."""
    pictures = series_pictures(video.path, video.left_out)
    numbers = [number for number, _ in pictures]
    step = float(np.median(np.diff(numbers))) if len(numbers) > 1 else 1.0
    unreadable: dict[str, list[str]] = defaultdict(list)

    def frames() -> Iterator[Frame]:
        first = True
        for (number, path), picture in zip(pictures, read_pictures([path for _, path in pictures]), strict=True):
            if isinstance(picture, DecodeError):
                unreadable[picture.reason].append(f"{path.name} ({picture.detail})")
            else:
                yield Frame(picture, (number - numbers[0]) / max(step, 1.0), first)
                first = False
        if first:
            reason, names = max(unreadable.items(), key=lambda entry: len(entry[1]))
            raise DecodeError(reason, f"no picture can be decoded, such as {names[0]}")
        for reason, names in unreadable.items():
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            opened.losses.append(DecodeError(
                reason, f"{len(names)} of its {len(pictures)} pictures: {', '.join(names[:_NAMED])}{more}"))

    opened = _of_frames(None, frames(), len(pictures))
    return opened


def _open_animation(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    path = Path(video.path)
    times: list[float | None] = []
    losses: list[DecodeError] = []
    try:
        times.extend(time for _, time in read_animation(path))
    except DecodeError as error:
        if not times:
            raise
        losses.append(DecodeError(error.reason, f"{error.detail}: the {len(times)} frames before it were used"))
    rate = usual_rate([time for time in times if time is not None])
    frames = (Frame(pixels, float(index) if time is None else time, index == 0)
              for index, (pixels, time) in enumerate(itertools.islice(read_animation(path), len(times))))
    opened = _of_frames(rate, frames, len(times))
    opened.losses += losses
    return opened


def _open_picture(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    return _of_pixels([read_picture(Path(video.path))], 1)


def _open_array(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    clip = arrays.load(video.path, video.stamp)[video.index]
    if clip.shape[-1] == 1:
        clip = np.repeat(clip, 3, axis=-1)
    return _of_pixels(clip, len(clip))


def _open_drawn(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    kind = DRAWN[video.kind]
    clip = kind.render(video.path, video.index)
    return _of_frames(kind.fps, (Frame(pixels, index / kind.fps, index == 0) for index, pixels in enumerate(clip)),
                      len(clip))


def _open_member(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    return _open_copy(video, suffix_of(video.id), size, lambda file: copy_member(
        Path(video.path), video.index, video.size, file))


def _open_remote(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    return _open_copy(video, suffix_of(video.path), size, lambda file: copy_remote(video.path, file))


def _open_copy(video: SourceVideo, suffix: str, size: tuple[int, int] | None, copy: Callable[[BinaryIO], None]
               ) -> OpenedVideo:
    """A video that is copied to a file first, which is deleted when its frames were read."""
    file = tempfile.NamedTemporaryFile(suffix=suffix)  # noqa: SIM115 (closed with the frames)
    try:
        copy(file)
        file.flush()
        opened = _open_file(dataclasses.replace(video, path=file.name), size)
    except BaseException:
        file.close()
        raise
    whole = opened.frames

    def frames() -> Iterator[Frame]:
        """All of them; the file is there until then."""
        with file:
            yield from whole

    opened.frames = frames()
    return opened


def _open_tfds(video: SourceVideo, size: tuple[int, int] | None) -> OpenedVideo:
    clip = load_clip(video.path, video.index)
    return _of_pixels(np.repeat(clip, 3, axis=-1) if clip.shape[-1] == 1 else clip[..., :3], len(clip))


_OPEN: dict[str, Callable[[SourceVideo, tuple[int, int] | None], OpenedVideo]] = {
    "video": _open_file, "animation": _open_animation, "strip": _open_strip, "numbered_strip": _open_strip,
    "frames": _open_series, "picture": _open_picture, "array": _open_array, TAR: _open_member, TFDS: _open_tfds,
    REMOTE: _open_remote,
    **dict.fromkeys(DRAWN, _open_drawn)}
