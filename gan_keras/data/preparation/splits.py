"""Split of every video into train and test.

Where the folders of a source name test videos, those are held out and no other one that the folders name. All other
videos go by hash: a video is held out when the hash of its id, as a number from 0 to 1, is below `test_fraction`. So a
video keeps its split when others are added or removed. With few videos one split may be empty: then the video nearest
to the border changes its split, the only case in which other videos matter. All segments of a video are in the same
split.
"""

import hashlib
from collections.abc import Collection, Mapping


def split_of(video_id: str, test_fraction: float) -> str:
    """`"test"` or `"train"`, as a function of a video's id."""
    return "test" if _hash_fraction(video_id) < test_fraction else "train"


def assign_splits(video_ids: Collection[str], test_fraction: float, named: Mapping[str, str]) -> dict[str, str]:
    """Split of every video, neither of them empty if possible (see the top of this file).

    Args:
        video_ids: videos that have clips.
        test_fraction: share of the videos that are held out.
        named: splits that the folders of the source say, by id, also of videos without clips; `""` for none.
    """
    has_test = "test" in named.values()
    fixed = {video_id: named[video_id] for video_id in video_ids if has_test and named.get(video_id)}
    free = [video_id for video_id in video_ids if video_id not in fixed]
    splits = fixed | {video_id: split_of(video_id, test_fraction) for video_id in free}
    if "train" not in splits.values() and free:
        splits[max(free, key=_hash_fraction)] = "train"
    elif "test" not in splits.values() and not has_test and test_fraction > 0 and len(free) > 1:
        splits[min(free, key=_hash_fraction)] = "test"
    return splits


def _hash_fraction(video_id: str) -> float:
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") / 2**64
