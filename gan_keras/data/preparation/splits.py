"""Split of every video into train and test.

Where the folders of a source name test videos, those are held out and no other one that the folders name. All other
videos go by hash: a video is held out when the hash of its id, as a number from 0 to 1, is below `test_fraction`. So a
video keeps its split when others are added or removed. With few videos one split may be empty: then the video nearest
to the border changes its split, the only case in which other videos matter. All segments of a video, and all
clips that a list cuts out of it, are in the same split.
"""

import hashlib
from collections.abc import Mapping


def split_of(video_id: str, test_fraction: float) -> str:
    """`"test"` or `"train"`, as a function of a video's id."""
    return "test" if _hash_fraction(video_id) < test_fraction else "train"


def assign_splits(groups: Mapping[str, str], test_fraction: float, named: Mapping[str, str]) -> dict[str, str]:
    """Split of every video, neither of them empty if possible (see the top of this file).

    Args:
        groups: of the videos that have clips, by their ids: the id of the video that each is cut out of, or its own.
        test_fraction: share of the groups that are held out.
        named: splits that the folders or the list of the source say, by id, also of videos without clips; `""` for
            none.
    """
    has_test = "test" in named.values()
    fixed = {video_id: named[video_id] for video_id in groups if has_test and named.get(video_id)}
    by_group = {group: split_of(group, test_fraction) for video_id, group in groups.items() if video_id not in fixed}
    found = {*fixed.values(), *by_group.values()}
    if "train" not in found and by_group:
        by_group[max(by_group, key=_hash_fraction)] = "train"
    elif "test" not in found and not has_test and test_fraction > 0 and len(by_group) > 1:
        by_group[min(by_group, key=_hash_fraction)] = "test"
    return {video_id: fixed.get(video_id) or by_group[group] for video_id, group in groups.items()}


def _hash_fraction(video_id: str) -> float:
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") / 2**64
