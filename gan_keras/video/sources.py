"""What `--data` and `--source` may be.

A source is a list of items; an item is one source video: something that opens to a frame rate and an iterator of
frames. Listing is quick and decodes next to nothing; opening happens in the worker that wants the frames.

- a folder of videos, at any depth. Where there are folders, the first level names the class.
- in such a folder: a folder of numbered pictures is one video, frame by frame; a picture several times as long as it
  is wide (or the reverse) is a strip of square frames; `.npy` and `.npz` (array `videos`) hold uint8
  `[N, T, H, W, 3 or 1]`.
- one such file.
- hidden files and folders, and folders that prepare.py made, are passed over.
- `shapes:` or `shapes:2000` or `shapes:count=2000,seed=1,motion=sine`: drawn clips with known factors.

A new kind of file is a suffix in `_list_file` and a function in `_READERS`; a new kind of source is an entry in
`_SCHEMES`.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_keras.config import ClipSettings
from gan_keras.errors import UserError
from gan_keras.video import arrays, io, shapes

PREPARED_MARK = "manifest.json"
WORK_FOLDER = ".work"
_NUMBERED = re.compile(r"^(.*?)(\d+)$")
# A picture of two to four squares in a folder of numbered ones is rather a wide frame than a strip.
_STRIP_FRAMES, _STRIP_FRAMES_NUMBERED = 2, 5

Frames = Iterator[np.ndarray]


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class LeftOut:
    """A file, or some frames of it, that no clip is made of, and why."""

    source: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class Source:
    """A list of videos.

    Attributes:
        name: as the user gave it.
        items: sorted by id.
        left_out: what was seen and cannot be a video.
    """

    name: str
    items: tuple[Item, ...]
    left_out: tuple[LeftOut, ...] = ()


def list_source(name: str, clips: ClipSettings, exclude: Path | None = None) -> Source:
    """Lists the videos of a source.

    Args:
        name: a path, or `shapes:...`.
        clips: what is to be made of it; drawn clips are drawn to fit.
        exclude: a folder below it that is not to be looked into.

    Raises:
        UserError: there is no such source.
    """
    if not name:
        raise UserError("`source` must name a folder of videos, an .npy or .npz file, or shapes:COUNT. "
                        "Received: source=")
    scheme, colon, parameters = name.partition(":")
    if colon and scheme in _SCHEMES:
        return Source(name, _SCHEMES[scheme](parameters, clips))
    root = Path(name)
    if not root.exists():
        raise UserError(f"There is no file or folder {name}. Name a folder of videos, or one of "
                        + ", ".join(f"{known}:" for known in _SCHEMES))
    items: list[Item] = []
    left_out: list[LeftOut] = []
    if root.is_file():
        _list_file(root, root.parent, items, left_out, False)
    else:
        _list_folder(root, root, exclude.resolve() if exclude else None, items, left_out)
    return Source(name, tuple(sorted(items, key=lambda item: item.id)),
                  tuple(sorted(left_out, key=lambda entry: entry.source)))


def _list_folder(folder: Path, root: Path, exclude: Path | None, items: list[Item], left_out: list[LeftOut]) -> None:
    if folder != root and (folder.resolve() == exclude or (folder / PREPARED_MARK).is_file()):
        return
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        left_out.append(LeftOut(_id(folder, root), "unreadable", error.strerror or str(error)))
        return
    files = []
    for path in entries:
        reason, detail = _trouble(path, root)
        if reason:
            left_out.append(LeftOut(_id(path, root), reason, detail))
        elif path.is_dir():
            _list_folder(path, root, exclude, items, left_out)
        else:
            files.append(path)
    frames, numbered = _frame_folder(files, any(path.is_dir() for path in entries))
    if frames:
        items.append(_item(folder, root, "frames", _stamps(frames)))
    for path in files:
        if path not in frames:
            _list_file(path, root, items, left_out, numbered)


def _trouble(path: Path, root: Path) -> tuple[str, str]:
    """Why an entry of a folder is not even looked at: reason and detail, empty when it is."""
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path.name):
        return "unsupported", "its name holds characters that are not text"
    if path.is_symlink():
        if path.is_dir():
            return "link", "links to folders are not followed"
        if not path.exists():
            return "link", "leads nowhere"
        if not path.resolve().is_relative_to(root.resolve()):
            return "link", "leads out of the source folder"
    if not path.is_dir() and not path.is_file():
        return "unsupported", "no regular file"
    return "", ""


def _frame_folder(files: list[Path], has_folders: bool) -> tuple[set[Path], bool]:
    """The files that are frames of one video, and whether the pictures are numbered at all."""
    pictures = [path for path in files if path.suffix.lower() in io.IMAGE_SUFFIXES]
    others = [path for path in files if path.suffix.lower() in (*io.VIDEO_SUFFIXES, *arrays.SUFFIXES)]
    names = [_NUMBERED.match(path.stem) for path in pictures]
    if len(pictures) < 2 or not all(names) or len({name.group(1) for name in names if name}) > 1:
        return set(), False
    try:
        length = _strip_length(io.read_image(pictures[0]))
    except io.ReadError:
        length = 0
    return (set() if others or has_folders or length >= _STRIP_FRAMES_NUMBERED else set(pictures)), True


def _list_file(path: Path, root: Path, items: list[Item], left_out: list[LeftOut], numbered: bool) -> None:
    suffix = path.suffix.lower()
    if suffix in io.VIDEO_SUFFIXES:
        items.append(_item(path, root, "video", _stamps([path])))
    elif suffix in io.IMAGE_SUFFIXES:
        items.append(_item(path, root, "numbered_strip" if numbered else "strip", _stamps([path])))
    elif suffix in arrays.SUFFIXES:
        try:
            count = arrays.declared_shape(path)[0]
        except io.ReadError as error:
            left_out.append(LeftOut(_id(path, root), error.reason, error.detail))
            return
        size, stamp = _stamps([path])
        items.extend(_item(path, root, "array", (size // max(count, 1), stamp), index) for index in range(count))
    else:
        left_out.append(LeftOut(_id(path, root), "unsupported", f"{suffix or 'no suffix'} is no known kind of video"))


def _item(path: Path, root: Path, kind: str, stamps: tuple[int, int], index: int | None = None) -> Item:
    name = _id(path, root)
    label = name.split("/")[0] if "/" in name else None
    return Item(name if index is None else f"{name}/{index:06d}", kind, label, os.fspath(path), index or 0, *stamps)


def _id(path: Path, root: Path) -> str:
    name = path.resolve().name if path == root else path.relative_to(root).as_posix()
    return name.encode("utf-8", "backslashreplace").decode()


def _stamps(paths: Iterator[Path] | list[Path] | set[Path]) -> tuple[int, int]:
    """Bytes in all and the time of the last change, in nanoseconds."""
    stats = [path.stat() for path in paths]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def _read_video(item: Item) -> tuple[float | None, Frames]:
    return io.probe(Path(item.path)).fps, io.read_video(Path(item.path))


def _read_strip(item: Item) -> tuple[float | None, Frames]:
    image = io.read_image(Path(item.path))
    least = _STRIP_FRAMES_NUMBERED if item.kind == "numbered_strip" else _STRIP_FRAMES
    length = _strip_length(image)
    if length < least:
        height, width = image.shape[:2]
        raise io.ReadError("unsupported", f"a picture of {width}x{height} is no strip of square frames")
    return None, iter(np.split(image, length, axis=0 if image.shape[0] > image.shape[1] else 1))


def _strip_length(image: np.ndarray) -> int:
    """Square frames in a strip; 0 when the long side is no multiple of the short one."""
    short, long = sorted(image.shape[:2])
    return 0 if long % short else long // short


def _read_frames(item: Item) -> tuple[float | None, Frames]:
    paths = [path for path in Path(item.path).iterdir()
             if path.suffix.lower() in io.IMAGE_SUFFIXES and not path.name.startswith(".")]
    return None, _same_size(sorted(paths, key=lambda path: (int(_NUMBERED.match(path.stem).group(2)), path.name)))


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


def _list_shapes(parameters: str, clips: ClipSettings) -> tuple[Item, ...]:
    """`shapes:` with any of count, seed, frames, motion; drawn at the size of the clips, twice as long as them."""
    values = {"count": "1000", "seed": "0", "frames": str(2 * clips.num_frames * clips.frame_stride),
              "motion": "bounce"}
    for part in filter(None, parameters.split(",")):
        key, equals, value = part.partition("=")
        key, value = (key, value) if equals else ("count", key)
        if key not in values or (key != "motion" and not value.isdecimal()) or (
                key == "motion" and value not in (*shapes.MOTIONS, "all")):
            raise UserError(f"`shapes:` takes {', '.join(values)}, as in shapes:count=2000,seed=1,motion=sine (motion: "
                            f"{', '.join(shapes.MOTIONS)} or all). Received: {part}")
        values[key] = value
    if not 1 <= int(values["count"]) <= 10**7 or not 1 <= int(values["frames"]) <= 10**5:
        raise UserError(f"`shapes:` needs a count from 1 to 10000000 and frames from 1 to 100000. "
                        f"Received: shapes:{parameters}")
    spec = f"{values['seed']},{values['frames']},{clips.height},{clips.width},{values['motion']}"
    return tuple(Item(f"shapes-{values['seed']}-{values['motion']}/{index:07d}", "shapes",
                      shapes.SHAPES[index % len(shapes.SHAPES)], spec, index)
                 for index in range(int(values["count"])))


def _read_shapes(item: Item) -> tuple[float | None, Frames]:
    seed, frames, height, width, motion = item.path.split(",")
    motions = shapes.MOTIONS if motion == "all" else (motion,)
    return shapes.FPS, iter(shapes.render(int(seed), item.index, int(frames), int(height), int(width), motions)[0])


_READERS: dict[str, Callable[[Item], tuple[float | None, Frames]]] = {
    "video": _read_video, "strip": _read_strip, "numbered_strip": _read_strip, "frames": _read_frames,
    "array": _read_array, "shapes": _read_shapes}
_SCHEMES: dict[str, Callable[[str, ClipSettings], tuple[Item, ...]]] = {"shapes": _list_shapes}
