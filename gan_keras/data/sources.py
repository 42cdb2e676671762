"""Sources: what `--data` and `--source` may name.

A source is a list of source videos, each of which opens to a frame rate and an iterator of frames. Listing is quick and
decodes next to nothing; a video is opened in the worker process that needs the frames.

- a folder of videos, at any depth. Where it has folders, those at its first level name the classes.
- in such a folder: a folder of numbered pictures is one video, a frame each; a picture several times as long as it is
  wide (or the reverse) is a strip of square frames; `.npy` and `.npz` (array `videos`) hold uint8
  `[N, T, H, W, 3 or 1]`.
- one such file.
- hidden files and folders, and folders that prepare.py made, are ignored.
- where clips have one frame, every picture is a clip, whatever its name and sides.
- `shapes:` or `shapes:2000` or `shapes:count=2000,seed=1,motion=sine`: drawn clips with known factors; `label=` says
  which of them is the class, `shape=` and `colour=` draw only one, `without=triangle-blue` all but one combination.

A new kind of file is a suffix in `_list_file` and a reader in `source_video`; a new kind of source is an entry in
`_SCHEMES`.
"""

import dataclasses
import itertools
import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path

from gan_keras.config.train import ClipSettings
from gan_keras.data import moving_shapes as shapes
from gan_keras.data.records import is_prepared
from gan_keras.data.source_video import (
    MIN_STRIP_FRAMES_NUMBERED,
    NUMBERED,
    SkippedVideo,
    SourceVideo,
    motions_of,
    numbered_pictures,
    strip_length,
)
from gan_keras.errors import UserError
from gan_keras.video import arrays
from gan_keras.video.decode import VIDEO_SUFFIXES
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import PICTURE_SUFFIXES, read_picture


@dataclasses.dataclass(frozen=True)
class Source:
    """A source, listed.

    Attributes:
        name: as the user gave it.
        videos: sorted by id.
        skipped: files and folders that are no videos, sorted by id.
    """

    name: str
    videos: tuple[SourceVideo, ...]
    skipped: tuple[SkippedVideo, ...] = ()


def list_source(name: str, clip: ClipSettings, exclude: Path | None = None) -> Source:
    """Lists the videos of a source.

    Args:
        name: a path, or `shapes:...`.
        clip: settings of the clips; `shapes:` draws at their size.
        exclude: a folder below it that is ignored.

    Raises:
        UserError: there is no such source.
    """
    if not name:
        raise UserError("`source` must name a folder of videos, an .npy or .npz file, or shapes:COUNT. "
                        "Received: source=")
    scheme, colon, parameters = name.partition(":")
    if colon and scheme in _SCHEMES:
        return Source(name, _SCHEMES[scheme](parameters, clip))
    root = Path(name)
    if not root.exists():
        raise UserError(f"There is no file or folder {name}. Name a folder of videos, or one of "
                        + ", ".join(f"{known}:" for known in _SCHEMES))
    videos: list[SourceVideo] = []
    skipped: list[SkippedVideo] = []
    if root.is_file():
        _list_file(root, root.parent, videos, skipped, False)
    else:
        _list_folder(root, root, exclude.resolve() if exclude else None, videos, skipped)
    if clip.num_frames == 1:
        videos = [picture for video in videos for picture in _as_pictures(video, root)]
    return Source(name, tuple(sorted(videos, key=lambda video: video.id)),
                  tuple(sorted(skipped, key=lambda entry: entry.video_id)))


def _list_folder(folder: Path, root: Path, exclude: Path | None, videos: list[SourceVideo],
                 skipped: list[SkippedVideo]) -> None:
    if folder != root and (folder.resolve() == exclude or is_prepared(folder)):
        return
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        skipped.append(SkippedVideo(_id(folder, root), "unreadable", error.strerror or str(error)))
        return
    files = []
    for path in entries:
        reason, detail = _why_unusable(path, root)
        if reason:
            skipped.append(SkippedVideo(_id(path, root), reason, detail))
        elif path.is_dir():
            _list_folder(path, root, exclude, videos, skipped)
        else:
            files.append(path)
    frames, numbered = _numbered_frames(files, any(path.is_dir() for path in entries))
    if frames:
        videos.append(_source_video(folder, root, "frames", _size_and_stamp(frames)))
    for path in files:
        if path not in frames:
            _list_file(path, root, videos, skipped, numbered)


def _as_pictures(video: SourceVideo, root: Path) -> list[SourceVideo]:
    """Single pictures in place of a strip or a folder of frames; other videos as they are."""
    if video.kind in ("strip", "numbered_strip"):
        return [dataclasses.replace(video, kind="picture")]
    if video.kind == "frames":
        return [_source_video(path, root, "picture", _size_and_stamp([path]))
                for path in numbered_pictures(Path(video.path))]
    return [video]


def _why_unusable(path: Path, root: Path) -> tuple[str, str]:
    """Reason and detail why an entry of a folder is not opened; both empty if it is."""
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


def _numbered_frames(files: list[Path], has_folders: bool) -> tuple[set[Path], bool]:
    """Files that are the frames of one video, and whether the pictures are numbered at all."""
    pictures = [path for path in files if path.suffix.lower() in PICTURE_SUFFIXES]
    others = [path for path in files if path.suffix.lower() in (*VIDEO_SUFFIXES, *arrays.SUFFIXES)]
    names = [NUMBERED.match(path.stem) for path in pictures]
    if len(pictures) < 2 or not all(names) or len({name.group(1) for name in names if name}) > 1:
        return set(), False
    try:
        length = strip_length(read_picture(pictures[0]))
    except DecodeError:
        length = 0
    return (set() if others or has_folders or length >= MIN_STRIP_FRAMES_NUMBERED else set(pictures)), True


def _list_file(path: Path, root: Path, videos: list[SourceVideo], skipped: list[SkippedVideo],
               numbered: bool) -> None:
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        videos.append(_source_video(path, root, "video", _size_and_stamp([path])))
    elif suffix in PICTURE_SUFFIXES:
        kind = "numbered_strip" if numbered else "strip"
        videos.append(_source_video(path, root, kind, _size_and_stamp([path])))
    elif suffix in arrays.SUFFIXES:
        try:
            count = arrays.declared_shape(path)[0]
        except DecodeError as error:
            skipped.append(SkippedVideo(_id(path, root), error.reason, error.detail))
            return
        size, stamp = _size_and_stamp([path])
        videos.extend(_source_video(path, root, "array", (size // max(count, 1), stamp), index)
                      for index in range(count))
    else:
        detail = f"{suffix or 'no suffix'} is no known kind of video"
        skipped.append(SkippedVideo(_id(path, root), "unsupported", detail))


def _source_video(path: Path, root: Path, kind: str, size_and_stamp: tuple[int, int],
                  index: int | None = None) -> SourceVideo:
    name = _id(path, root)
    label = name.split("/")[0] if "/" in name else None
    video_id = name if index is None else f"{name}/{index:06d}"
    return SourceVideo(video_id, kind, label, os.fspath(path), index or 0, *size_and_stamp)


def _id(path: Path, root: Path) -> str:
    name = path.resolve().name if path == root else path.relative_to(root).as_posix()
    return name.encode("utf-8", "backslashreplace").decode()


def _size_and_stamp(paths: Iterable[Path]) -> tuple[int, int]:
    """Bytes of all files, and the time of their last change in nanoseconds."""
    stats = [path.stat() for path in paths]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def _list_shapes(parameters: str, clip: ClipSettings) -> tuple[SourceVideo, ...]:
    """Drawn clips of `shapes:` with any of the parameters below, at the size of the clips and twice as long."""
    values = {"count": "1000", "seed": "0", "frames": str(2 * clip.num_frames * clip.frame_stride),
              "motion": "bounce", "label": "shape", "shape": "any", "colour": "any", "without": "none"}
    for part in filter(None, parameters.split(",")):
        key, equals, value = part.partition("=")
        key, value = (key, value) if equals else ("count", key)
        if key not in values or value not in _SHAPES_CHOICES.get(key, (value if value.isdecimal() else None,)):
            choices = "; ".join(f"{name}: {', '.join(names)}" for name, names in _SHAPES_CHOICES.items()
                                if name != "without")
            raise UserError(f"`shapes:` takes {', '.join(values)}, as in shapes:count=2000,seed=1,motion=sine "
                            f"({choices}; without: SHAPE-COLOUR). Received: {part}")
        values[key] = value
    if values["without"] == f"{values['shape']}-{values['colour']}":
        raise UserError("`shapes:` cannot be without the only combination that it draws. "
                        f"Received: shapes:{parameters}")
    if not 1 <= int(values["count"]) <= 10**7 or not 1 <= int(values["frames"]) <= 10**5:
        raise UserError("`shapes:` needs a count from 1 to 10000000 and frames from 1 to 100000. "
                        f"Received: shapes:{parameters}")
    motions = motions_of(values["motion"])
    spec = f"{values['seed']},{values['frames']},{clip.height},{clip.width},{values['motion']}"

    def matches(index: int) -> bool:
        factors = shapes.factors_of(index, motions)
        return (all(values[name] in ("any", factors[name]) for name in ("shape", "colour"))
                and values["without"] != f"{factors['shape']}-{factors['colour']}")

    return tuple(SourceVideo(f"shapes-{values['seed']}-{values['motion']}/{index:07d}", "shapes",
                             shapes.factors_of(index, motions)[values["label"]], spec, index)
                 for index in itertools.islice(filter(matches, itertools.count()), int(values["count"])))


_SHAPES_CHOICES = {
    "motion": (*shapes.MOTIONS, "all"), "label": shapes.LABELS, "shape": (*shapes.SHAPES, "any"),
    "colour": (*shapes.COLOURS, "any"),
    "without": ("none", *(f"{shape}-{colour}" for shape in shapes.SHAPES for colour in shapes.COLOURS))}
"""Values of the parameters of `shapes:` that are no numbers."""

_SCHEMES: dict[str, Callable[[str, ClipSettings], tuple[SourceVideo, ...]]] = {"shapes": _list_shapes}
