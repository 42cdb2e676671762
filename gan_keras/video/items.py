"""One source video, and how each kind of it is read.

A new kind of file is a suffix in `sources._list_file` and a function in `_READERS` here.
"""

import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from gan_keras.video import arrays, io, shapes

NUMBERED = re.compile(r"^(.*?)(\d+)$")
# A picture of two to four squares in a folder of numbered ones is rather a wide frame than a strip.
_STRIP_FRAMES, STRIP_FRAMES_NUMBERED = 2, 5

Frames = Iterator[np.ndarray]


@dataclasses.dataclass(frozen=True)
class Item:
    """One source video.

    Attributes:
        id: stable name: the path below the root, and the number within a file that holds several.
        kind: which reader opens it.
        label: class name, or None.
        path: the file or folder, or the parameters of something drawn.
        index: which of the clips in the file.
        size: bytes on disk.
        stamp: changes when the content does.
    """

    id: str
    kind: str
    label: str | None
    path: str
    index: int = 0
    size: int = 0
    stamp: int = 0

    def open(self) -> tuple[float | None, Frames]:
        """Frames per second (None: unknown) and the frames, uint8 RGB `[H, W, 3]`, decoded as they are asked for.

        Raises:
            io.ReadError: it cannot be read, now or at any later frame.
        """
        return _READERS[self.kind](self)


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A file, or some frames of it, that no clip is made of, and why."""

    source: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


def _read_video(item: Item) -> tuple[float | None, Frames]:
    return io.probe(Path(item.path)).fps, io.read_video(Path(item.path))


def _read_strip(item: Item) -> tuple[float | None, Frames]:
    image = io.read_image(Path(item.path))
    least = STRIP_FRAMES_NUMBERED if item.kind == "numbered_strip" else _STRIP_FRAMES
    length = strip_length(image)
    if length < least:
        height, width = image.shape[:2]
        raise io.ReadError("unsupported", f"a picture of {width}x{height} is no strip of square frames")
    return None, iter(np.split(image, length, axis=0 if image.shape[0] > image.shape[1] else 1))


def strip_length(image: np.ndarray) -> int:
    """Square frames in a strip; 0 when the long side is no multiple of the short one."""
    short, long = sorted(image.shape[:2])
    return 0 if long % short else long // short


def _read_frames(item: Item) -> tuple[float | None, Frames]:
    return None, _same_size(numbered_pictures(Path(item.path)))


def numbered_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder of numbered ones, in their order."""
    paths = [path for path in folder.iterdir()
             if path.suffix.lower() in io.IMAGE_SUFFIXES and not path.name.startswith(".")]
    return sorted(paths, key=lambda path: (int(NUMBERED.match(path.stem).group(2)), path.name))


def _read_picture(item: Item) -> tuple[float | None, Frames]:
    return None, iter([io.read_image(Path(item.path))])


def _same_size(paths: list[Path]) -> Frames:
    first = None
    for path in paths:
        try:
            frame = io.read_image(path)
        except io.ReadError as error:
            raise io.ReadError(error.reason, f"{path.name}: {error.detail}") from error
        first = first or frame.shape
        if frame.shape != first:
            raise io.ReadError("unreadable", f"{path.name} is of another size than the frames before it")
        yield frame


def _read_array(item: Item) -> tuple[float | None, Frames]:
    clip = arrays.load(item.path, item.stamp)[item.index]
    if clip.shape[-1] == 1:
        clip = np.repeat(clip, 3, axis=-1)
    return None, iter(clip)


def motions_of(name: str) -> tuple[str, ...]:
    """The motions that a name of `shapes:` stands for."""
    return shapes.MOTIONS if name == "all" else (name,)


def _read_shapes(item: Item) -> tuple[float | None, Frames]:
    seed, frames, height, width, motion = item.path.split(",")
    motions = motions_of(motion)
    return shapes.FPS, iter(shapes.render(int(seed), item.index, int(frames), int(height), int(width), motions)[0])


_READERS: dict[str, Callable[[Item], tuple[float | None, Frames]]] = {
    "video": _read_video, "strip": _read_strip, "numbered_strip": _read_strip, "frames": _read_frames,
    "picture": _read_picture, "array": _read_array, "shapes": _read_shapes}
