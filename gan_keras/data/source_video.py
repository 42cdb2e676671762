"""Source videos, and how each kind is read.

A new kind of file is a suffix in `sources._list_file` and a function in `_READERS` here.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gan_keras.data import moving_shapes as shapes
from gan_keras.video import arrays, decode
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import PICTURE_SUFFIXES, read_picture

NUMBERED = re.compile(r"^(.*?)(\d+)$")
# Among numbered pictures, one of two to four squares is more likely a wide frame than a strip.
_MIN_STRIP_FRAMES, MIN_STRIP_FRAMES_NUMBERED = 2, 5

Frames = Iterator[np.ndarray]


@dataclasses.dataclass(frozen=True)
class SourceVideo:
    """One video of a source.

    Attributes:
        id: stable name: the path below the source, and the index within a file that holds several.
        kind: of `_READERS`; decides how it is read.
        label: class name, or None.
        path: the file or folder, or the parameters of a drawn clip.
        index: of the clip in its file.
        size: bytes on disk.
        stamp: changes when the content does.
        split: `"train"` or `"test"`, as the folders of the source say; empty where they say nothing.
    """

    id: str
    kind: str
    label: str | None
    path: str
    index: int = 0
    size: int = 0
    stamp: int = 0
    split: str = ""

    def open(self) -> tuple[float | None, Frames]:
        """Frames per second (None: unknown) and the frames, uint8 RGB `[H, W, 3]`, decoded as they are asked for.

        Raises:
            DecodeError: it cannot be read, now or at any later frame.
        """
        return _READERS[self.kind](self)


@dataclasses.dataclass(frozen=True)
class SkippedVideo:
    """A video, or frames of one, that no clip is made of, and why.

    Attributes:
        video_id: of the video, or the path of another file below the source.
        reason: a word or two, e.g. `"truncated"`, `"too short"`.
        detail: more about it, or empty.
    """

    video_id: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.video_id}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


def _read_video(video: SourceVideo) -> tuple[float | None, Frames]:
    return decode.probe(Path(video.path)).fps, decode.read_video(Path(video.path))


def _read_strip(video: SourceVideo) -> tuple[float | None, Frames]:
    image = read_picture(Path(video.path))
    min_length = MIN_STRIP_FRAMES_NUMBERED if video.kind == "numbered_strip" else _MIN_STRIP_FRAMES
    length = strip_length(image)
    if length < min_length:
        height, width = image.shape[:2]
        raise DecodeError("unsupported", f"a picture of {width}x{height} is no strip of square frames")
    return None, iter(np.split(image, length, axis=0 if image.shape[0] > image.shape[1] else 1))


def strip_length(image: np.ndarray) -> int:
    """Number of square frames in a strip; 0 when the long side is no multiple of the short one."""
    short, long = sorted(image.shape[:2])
    return 0 if long % short else long // short


def _read_frames(video: SourceVideo) -> tuple[float | None, Frames]:
    return None, _read_frames_of_one_size(numbered_pictures(Path(video.path)))


def numbered_pictures(folder: Path) -> list[Path]:
    """Paths of the pictures in a folder of numbered ones, in the order of the numbers."""
    paths = [path for path in folder.iterdir()
             if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")]
    return sorted(paths, key=lambda path: (int(NUMBERED.match(path.stem).group(2)), path.name))


def _read_picture(video: SourceVideo) -> tuple[float | None, Frames]:
    return None, iter([read_picture(Path(video.path))])


def _read_frames_of_one_size(paths: list[Path]) -> Frames:
    shape = None
    for path in paths:
        try:
            frame = read_picture(path)
        except DecodeError as error:
            raise DecodeError(error.reason, f"{path.name}: {error.detail}") from error
        shape = shape or frame.shape
        if frame.shape != shape:
            raise DecodeError("unreadable", f"{path.name} is of another size than the frames before it")
        yield frame


def _read_array(video: SourceVideo) -> tuple[float | None, Frames]:
    clip = arrays.load(video.path, video.stamp)[video.index]
    if clip.shape[-1] == 1:
        clip = np.repeat(clip, 3, axis=-1)
    return None, iter(clip)


def motions_of(name: str) -> tuple[str, ...]:
    """Motions that a name in `shapes:motion=NAME` stands for."""
    return shapes.MOTIONS if name == "all" else (name,)


def _read_shapes(video: SourceVideo) -> tuple[float | None, Frames]:
    seed, frames, height, width, motion = video.path.split(",")
    motions = motions_of(motion)
    return shapes.FPS, iter(shapes.render(int(seed), video.index, int(frames), int(height), int(width), motions)[0])


_READERS: dict[str, Callable[[SourceVideo], tuple[float | None, Frames]]] = {
    "video": _read_video, "strip": _read_strip, "numbered_strip": _read_strip, "frames": _read_frames,
    "picture": _read_picture, "array": _read_array, "shapes": _read_shapes}
