"""Series: numbered pictures of one folder that are the frames of one video.

A series is all pictures of a folder whose names differ in one number only. Its path is `FOLDER/PREFIX*SUFFIX`, with one
`*` where the number stands: `clips/walk_*.png`, `clips/*_left.jpg`. A name with several numbers, as
`cam2_0001_640x480.png`, is counted by the last one that changes. The extension may be in capitals or not.
"""

import os
import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from gan_keras.video.pictures import PICTURE_SUFFIXES

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Series:
    """Pictures of one folder whose names differ in one number.

    Attributes:
        prefix: what their names begin with.
        suffix: what follows the number, with the extension in small letters.
        pictures: number and name of each, in the order of the numbers.
    """

    prefix: str
    suffix: str
    pictures: tuple[tuple[int, str], ...]

    @property
    def pattern(self) -> str:
        """`PREFIX*SUFFIX`."""
        return f"{self.prefix}*{self.suffix}"

    @property
    def numbers(self) -> set[int]:
        """Numbers of the pictures."""
        return {number for number, _ in self.pictures}

    def names_like_it(self, names: Iterable[str]) -> list[str]:
        """Those of some names that would belong to it, sorted."""
        regex = _regex(self.pattern)
        return sorted(name for name in names if regex.fullmatch(_normalize(name)))


def series_pictures(path: str, left_out: Collection[str] = ()) -> list[tuple[int, Path]]:
    """Numbers and paths of the pictures of a series that are there now, in the order of the numbers.

    Args:
        path: `FOLDER/PREFIX*SUFFIX`; the last `*` is the number.
        left_out: names of pictures that are not used.

    Raises:
        OSError: the folder cannot be read.
    """
    folder, pattern = os.path.split(path)
    regex = _regex(pattern)
    with os.scandir(folder or ".") as entries:
        matches = [(regex.fullmatch(_normalize(entry.name)), entry.name) for entry in entries
                   if entry.name not in left_out]
    numbered = _distinct((int(match.group(1)), name) for match, name in matches if match)
    pictures = [(number, Path(folder, name)) for number, name in numbered]
    return [(number, picture) for number, picture in pictures if picture.is_file()]


def find_series(names: Iterable[str]) -> tuple[list[Series], list[str]]:
    """Groups names of pictures, all of one folder, into series.

    Args:
        names: of the files.

    Returns:
        The series of at least two numbers, by prefix and suffix, and the names that belong to none, sorted.
    """
    places = {name: _places(name) for name in names}
    numbers: dict[tuple[str, str], set[int]] = defaultdict(set)
    pictures: dict[tuple[str, str], int] = defaultdict(int)
    for candidates in places.values():
        for place, number in candidates:
            numbers[place].add(number)
            pictures[place] += 1
    members: dict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for name, candidates in places.items():
        place = next(((place, number) for place, number in candidates if len(numbers[place]) > 1), None)
        if place:
            members[place[0]].append((place[1], name))
    # Its path must list a series and nothing else.
    series = [Series(*place, tuple(_distinct(group))) for place, group in sorted(members.items())
              if len(group) == pictures[place]]
    grouped = {name for entry in series for _, name in entry.pictures}
    return series, sorted(name for name in places if name not in grouped)


def without_companions(series: Iterable[Series]) -> tuple[list[Series], list[tuple[Series, Series]]]:
    """Separates frames from what is stored beside them under the same numbers, such as masks.

    Of series with the same prefix that share numbers, the one with the most pictures is a video; among equals the
    one whose suffix comes first in `PICTURE_SUFFIXES`.

    Args:
        series: of one folder.

    Returns:
        The videos, and each other series with the one beside which it is left out.
    """
    videos: dict[str, list[Series]] = defaultdict(list)
    companions = []
    for entry in sorted(series, key=_precedence):
        video = next((video for video in videos[entry.prefix] if video.numbers & entry.numbers), None)
        if video:
            companions.append((entry, video))
        else:
            videos[entry.prefix].append(entry)
    return sorted((video for same in videos.values() for video in same), key=lambda video: video.pattern), companions


def _distinct(pictures: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """Pictures in the order of their numbers; of several with one number, as 1.png and 01.png, the first by name."""
    distinct: dict[int, str] = {}
    for number, name in sorted(pictures):
        distinct.setdefault(number, name)
    return list(distinct.items())


def _precedence(series: Series) -> tuple[int, int, int, str]:
    extension = series.suffix[series.suffix.rfind("."):]
    rank = PICTURE_SUFFIXES.index(extension) if extension in PICTURE_SUFFIXES else len(PICTURE_SUFFIXES)
    return -len(series.pictures), rank, len(series.suffix), series.pattern


def _places(name: str) -> list[tuple[tuple[str, str], int]]:
    """What stands before and after each number of a name, and the number; the last number first."""
    name = _normalize(name)
    return [((name[:match.start()], name[match.end():]), int(match.group()))
            for match in reversed(list(_NUMBER.finditer(name, 0, name.rfind(".")))) if "*" not in name[match.end():]]


def _regex(pattern: str) -> re.Pattern:
    """Of the names of a series; its group is the number."""
    prefix, _, suffix = pattern.rpartition("*")
    return re.compile(re.escape(prefix) + r"(\d+)" + re.escape(suffix))


def _normalize(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return stem + dot + extension.lower()
