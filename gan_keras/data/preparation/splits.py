"""Split of every video into train and test.

Where the folders of a source name test videos, those are held out and no other one that the folders name. All other
videos go by hash: a video is held out when the hash of its id, as a number from 0 to 1, is below `test_fraction`. So a
video keeps its split when others are added or removed. With few videos one split may be empty: then the video nearest
to the border changes its split, the only case in which other videos matter. All segments of a video, and all
parts of a film that a list names, are in the same split.
"""

import hashlib
from collections.abc import Mapping


def split_of(video_id: str, test_fraction: float) -> str:
    """`"test"` or `"train"`, as a function of a video's id."""
    return "test" if _hash_fraction(video_id) < test_fraction else "train"


def assign_splits(films: Mapping[str, str], test_fraction: float, named: Mapping[str, str]) -> dict[str, str]:
    """Split of every video, neither of them empty if possible (see the top of this file).

    Args:
        films: videos that have clips, by id: the id of the film that each is a part of, or its own.
        test_fraction: share of the films that are held out.
        named: splits that the folders or the list of the source say, by id, also of videos without clips; `""` for
            none.
    """
    has_test = "test" in named.values()
    fixed = {video_id: named[video_id] for video_id in films if has_test and named.get(video_id)}
    of_film = {film: split_of(film, test_fraction) for video_id, film in films.items() if video_id not in fixed}
    found = {*fixed.values(), *of_film.values()}
    if "train" not in found and of_film:
        of_film[max(of_film, key=_hash_fraction)] = "train"
    elif "test" not in found and not has_test and test_fraction > 0 and len(of_film) > 1:
        of_film[min(of_film, key=_hash_fraction)] = "test"
    return {video_id: fixed.get(video_id) or of_film[film] for video_id, film in films.items()}


def _hash_fraction(video_id: str) -> float:
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") / 2**64
