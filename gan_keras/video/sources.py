"""What `--data` and `--source` may be.

A source is a list of items; an item is one source video: something that opens to a frame rate and an iterator of
frames. Listing is quick and decodes next to nothing; opening happens in the worker that wants the frames.

- a folder of videos, at any depth. Where there are folders, the first level names the class.
- in such a folder: a folder of numbered pictures is one video, frame by frame; a picture several times as long as it
  is wide (or the reverse) is a strip of square frames; `.npy` and `.npz` (array `videos`) hold uint8
  `[N, T, H, W, 3 or 1]`.
- one such file.
- hidden files and folders, and folders that prepare.py made, are passed over.
- where clips are of one frame, every picture is a clip, whatever its name and sides.
- `shapes:` or `shapes:2000` or `shapes:count=2000,seed=1,motion=sine`: drawn clips with known factors; `label=` says
  which of them is the class, `shape=` and `colour=` draw one alone, `without=triangle-blue` all but one combination.

A new kind of file is a suffix in `_list_file` and a reader in `items`; a new kind of source is an entry in `_SCHEMES`.
"""

import dataclasses
import itertools
import os
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from gan_keras.errors import UserError
from gan_keras.train_settings import ClipSettings
from gan_keras.video import arrays, io, shapes
from gan_keras.video.items import (
    NUMBERED,
    STRIP_FRAMES_NUMBERED,
    Item,
    LeftOut,
    motions_of,
    numbered_pictures,
    strip_length,
)

PREPARED_MARK = "manifest.json"
WORK_FOLDER = ".work"


@dataclasses.dataclass(frozen=True)
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
    if clips.num_frames == 1:
        items = [picture for item in items for picture in _pictures(item, root)]
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


def _pictures(item: Item, root: Path) -> list[Item]:
    """What is taken for a video where clips have frames to move in, as single pictures; videos as they are."""
    if item.kind in ("strip", "numbered_strip"):
        return [dataclasses.replace(item, kind="picture")]
    if item.kind == "frames":
        return [_item(path, root, "picture", _stamps([path])) for path in numbered_pictures(Path(item.path))]
    return [item]


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
    names = [NUMBERED.match(path.stem) for path in pictures]
    if len(pictures) < 2 or not all(names) or len({name.group(1) for name in names if name}) > 1:
        return set(), False
    try:
        length = strip_length(io.read_image(pictures[0]))
    except io.ReadError:
        length = 0
    return (set() if others or has_folders or length >= STRIP_FRAMES_NUMBERED else set(pictures)), True


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


def _list_shapes(parameters: str, clips: ClipSettings) -> tuple[Item, ...]:
    """`shapes:` with any of the parameters below; drawn at the size of the clips, twice as long as them."""
    values = {"count": "1000", "seed": "0", "frames": str(2 * clips.num_frames * clips.frame_stride),
              "motion": "bounce", "label": "shape", "shape": "any", "colour": "any", "without": "none"}
    for part in filter(None, parameters.split(",")):
        key, equals, value = part.partition("=")
        key, value = (key, value) if equals else ("count", key)
        if key not in values or value not in _SHAPES_WORDS.get(key, (value if value.isdecimal() else None,)):
            words = "; ".join(f"{word}: {', '.join(known)}" for word, known in _SHAPES_WORDS.items()
                              if word != "without")
            raise UserError(f"`shapes:` takes {', '.join(values)}, as in shapes:count=2000,seed=1,motion=sine ({words};"
                            f" without: SHAPE-COLOUR). Received: {part}")
        values[key] = value
    if values["without"] == f"{values['shape']}-{values['colour']}":
        raise UserError(f"`shapes:` cannot draw nothing but what it is to be without. Received: shapes:{parameters}")
    if not 1 <= int(values["count"]) <= 10**7 or not 1 <= int(values["frames"]) <= 10**5:
        raise UserError(f"`shapes:` needs a count from 1 to 10000000 and frames from 1 to 100000. "
                        f"Received: shapes:{parameters}")
    motions = motions_of(values["motion"])
    spec = f"{values['seed']},{values['frames']},{clips.height},{clips.width},{values['motion']}"

    def wanted(index: int) -> bool:
        drawn = shapes.turns(index, motions)
        return (all(values[factor] in ("any", drawn[factor]) for factor in ("shape", "colour"))
                and values["without"] != f"{drawn['shape']}-{drawn['colour']}")

    return tuple(Item(f"shapes-{values['seed']}-{values['motion']}/{index:07d}", "shapes",
                      shapes.turns(index, motions)[values["label"]], spec, index)
                 for index in itertools.islice(filter(wanted, itertools.count()), int(values["count"])))


_SHAPES_WORDS = {"motion": (*shapes.MOTIONS, "all"), "label": shapes.LABELS, "shape": (*shapes.SHAPES, "any"),
                 "colour": (*shapes.COLOURS, "any"),
                 "without": ("none", *(f"{shape}-{colour}" for shape in shapes.SHAPES for colour in shapes.COLOURS))}


_SCHEMES: dict[str, Callable[[str, ClipSettings], tuple[Item, ...]]] = {"shapes": _list_shapes}
