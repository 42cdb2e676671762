"""Reasons why a video, or a part of one, is not used: what to do about each, and which of them may pass.

A reason is a word or two in `SkippedVideo.reason`. One that is not in this list is reported without advice and taken to
be the same at the next start.
"""

from typing import NamedTuple


class Reason(NamedTuple):
    """What a reason means to the user.

    Attributes:
        advice: what to do about it.
        passes: whether it may be otherwise at the next start though the file is the same; it is tried again then.
        is_of_videos: whether the user may have taken the file for a video.
    """

    advice: str
    passes: bool = False
    is_of_videos: bool = True


_CONVERT = "ffmpeg -i INPUT -c:v libx264 -pix_fmt yuv420p OUTPUT.mp4"

_REASONS = {
    "too short": Reason("Lower --num_frames or --frame_stride, or raise --fps. Parts between two cuts count by "
                        "themselves: --cut_threshold=1 cuts nowhere."),
    "blank": Reason("All frames are of one colour. --keep=blank keeps such clips."),
    "frozen": Reason("Nothing moves. --keep=frozen keeps such clips."),
    "duplicate": Reason("The same frames are in the clips already. --keep=duplicate keeps them."),
    "unreadable": Reason(f"See whether a player shows it, and copy or convert it anew: {_CONVERT}"),
    "truncated": Reason("Its end is missing. Copy it anew from where it is whole."),
    "damaged": Reason("Copy it anew from where it is whole."),
    "unsupported": Reason(f"If it is a video, convert it: {_CONVERT}"),
    "single picture": Reason("Numbered pictures in a folder are a video. --num_frames=1 trains on single pictures."),
    "too large": Reason("Make its frames smaller: ffmpeg -i INPUT -vf scale=1280:-2 OUTPUT.mp4"),
    "not a video": Reason("If it is one, give it the suffix of its format.", is_of_videos=False),
    "system file": Reason("Nothing is to be done.", is_of_videos=False),
    "beside frames": Reason("Put it into a folder of its own if it is to be used.", is_of_videos=False),
    "missing": Reason("A list names it: put it where the list says, or take it off the list."),
    "link": Reason("Put the file itself into the folder, or follow links with --follow_links."),
    "no permission": Reason("Make it readable: chmod u+r FILE. It is tried again at the next start.", True),
    "no decoder": Reason(f"It is tried again at the next start. Or convert it: {_CONVERT}", True),
    "crashed": Reason("Its decoder crashed or ran out of memory. It is tried again at the next start, with more memory "
                      "if --workers is lower.", True),
    "out of memory": Reason("It is tried again at the next start, with more memory if --workers is lower.", True),
    "not reachable": Reason("Its disk or network did not answer. It is tried again at the next start.", True),
}


def advice(reason: str) -> str:
    """What to do about a reason; empty where nothing is known."""
    return _REASONS[reason].advice if reason in _REASONS else ""


def is_of_videos(reason: str) -> bool:
    """Whether what is left out for this reason is a video, or may have been taken for one."""
    return reason not in _REASONS or _REASONS[reason].is_of_videos


def passes(reason: str) -> bool:
    """Whether what failed for this reason is tried again at the next start."""
    return reason in _REASONS and _REASONS[reason].passes
