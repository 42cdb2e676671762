"""Videos in a `.tar`, as WebDataset lays them out: files of one sample have one name and suffixes of their own.

`0001.mp4` is a video; its class is what `0001.cls` says, or `label` in `0001.json`, where there is one.
"""

import json
import tarfile
from collections import defaultdict
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple

from gan_keras.data.sources.file_kinds import printable, suffix_of
from gan_keras.errors import error_text
from gan_keras.video.decode import VIDEO_SUFFIXES
from gan_keras.video.errors import DecodeError

SUFFIX = ".tar"

_CHUNK = 2**20
_LABELS = (".cls", ".json")


class Member(NamedTuple):
    """A video in an archive.

    Attributes:
        name: its path in there.
        offset: of its first byte in the archive.
        size: in bytes.
        label: class name, or None.
    """

    name: str
    offset: int
    size: int
    label: str | None


def video_members(path: Path) -> list[Member]:
    """The videos of an archive that is not compressed, in its order; of one that ends early, those that are whole.

    Raises:
        DecodeError: nothing in it can be read.
    """
    videos: list[tuple[str, tarfile.TarInfo]] = []
    labels: dict[str, str] = defaultdict(str)
    try:
        with tarfile.open(path, "r:") as archive:
            size = path.stat().st_size
            for member in archive:
                name = PurePosixPath(member.name)
                if name.name.startswith(".") or member.offset_data + member.size > size:
                    continue  # hidden, as a Mac's copies; or cut off
                key, suffix = str(name.parent / name.name.partition(".")[0]), suffix_of(member.name)
                if member.isfile() and suffix in VIDEO_SUFFIXES:
                    videos.append((key, member))
                elif member.isfile() and suffix in _LABELS:
                    labels[key] = labels[key] or _label(suffix, archive.extractfile(member).read())
    except (tarfile.TarError, OSError, EOFError) as error:
        if not videos:
            raise DecodeError("unreadable", f"no archive that can be read: {error_text(error)}") from error
    if not videos:
        raise DecodeError("not a video", "an archive without videos")
    return [Member(printable(member.name), member.offset_data, member.size, labels[key] or None)
            for key, member in videos]


def copy_member(path: Path, offset: int, size: int, to: BinaryIO) -> None:
    """Copies a file out of an archive."""
    with path.open("rb") as archive:
        archive.seek(offset)
        left = size
        while left > 0:
            data = archive.read(min(left, _CHUNK))
            if not data:
                raise DecodeError("truncated", "the archive ends before it")
            to.write(data)
            left -= len(data)


def _label(suffix: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8").strip()
        label = text if suffix == ".cls" else json.loads(text)["label"]
    except (ValueError, KeyError, TypeError):
        return ""
    return str(label) if isinstance(label, str | int | float) else ""
