"""Report on prepared data: `report.html`, one page that needs no network, and a summary for the terminal.

Both say in this order how much of the source is used; what is not, why, and what to do; what is used only in part; and
then what the clips are like.
"""

from collections.abc import Sequence

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import reasons
from gan_keras.data.preparation.usage import Groups, Usage, size
from gan_keras.data.records import MANIFEST_FILE, SPLITS, Manifest
from gan_keras.reports.html import details, figures, megabytes, page, paragraph, picture, table, text_table
from gan_keras.video.contact_sheets import contact_sheet

REPORT_FILE = "report.html"
EXAMPLES = 6
"""Clips on the contact sheet, at most."""

_COLUMNS = 8
_ROWS = 1000  # of a table
_OPEN_ROWS = 3  # of lists that are not folded
_NOTES = "How some videos were read"
_SPLIT_HEAD = ("Split", "Videos", "Records", "Frames", "Shards", "Size")


def html_report(manifest: Manifest, examples: Sequence[np.ndarray]) -> str:
    """HTML page on a prepared folder.

    Args:
        manifest: of the folder.
        examples: a few clips, uint8 `[T, H, W, 3]`, of one length.
    """
    usage = manifest.usage
    parts = [headline(usage), contact_sheet_section(examples), *usage_sections(usage),
             "<h2>Clips</h2>", table(_clip_rows(manifest.clip, manifest.fps)),
             table(_split_rows(manifest), _SPLIT_HEAD)]
    if manifest.classes:
        parts += ["<h2>Records of each class</h2>", table(_class_rows(manifest), ("", *SPLITS))]
    return page(f"Clips of {manifest.source}", parts)


def summary(manifest: Manifest) -> str:
    """Summary of a prepared folder for the terminal."""
    parts = [text_table(_clip_rows(manifest.clip, manifest.fps)), text_table([_SPLIT_HEAD, *_split_rows(manifest)])]
    if manifest.classes:
        parts.append(text_table([("Records of", *SPLITS), *_class_rows(manifest)]))
    return "\n\n".join([usage_text(manifest.usage), *parts])


def _clip_rows(clip: ClipSettings, fps: float) -> list[tuple[str, str]]:
    """Rows of a table about the shape and rate of clips; `fps` 0 is an unknown rate."""
    return [("Clips", f"{clip.num_frames} frames of {clip.width} x {clip.height}"),
            ("Frames per second", f"{fps:g}" if fps else "unknown")]


def _split_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(split, manifest.videos[split], manifest.count(split), manifest.frames(split), len(manifest.splits[split]),
             megabytes(sum(shard.bytes for shard in manifest.splits[split]))) for split in SPLITS]


def _class_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(name, *(manifest.labels[split].get(name, 0) for split in SPLITS)) for name in manifest.classes]


def usage_text(usage: Usage) -> str:
    """What is used and what not, for the terminal: the numbers, and each reason with an example and what to do."""
    lines = [f"Used: {len(usage.used):,} of {_videos(usage.count)}"
             + (f", {len(usage.in_part):,} of them in part" if usage.in_part else "")]
    for title, groups in ((f"Not used: {_videos(size(usage.unused))}", usage.unused),
                          (f"Used in part: {_videos(len(usage.in_part))}", usage.missing),
                          (f"Other files: {size(usage.others):,}", usage.others)):
        if groups:
            lines += ["", title]
        for reason, entries in groups.items():
            lines.append(f"  {reason}: " + _with_example(size({reason: entries}), entries[0].video_id)
                         + (f" ({entries[0].detail})" if entries[0].detail else ""))
            if reasons.advice(reason):
                lines.append(f"    {reasons.advice(reason)}")
    if usage.notes:
        lines += ["", _NOTES]
        lines += [f"  {note}: {_with_example(len(videos), videos[0][0])} ({videos[0][1]})"
                  for note, videos in usage.notes.items()]
    return "\n".join(lines)


def _with_example(count: int, example: str) -> str:
    return f"{count:,}, {'such as ' if count > 1 else ''}{example}"


def _videos(count: int) -> str:
    return f"{count:,} video{'s' * (count != 1)}"


def headline(usage: Usage) -> str:
    """HTML of how many videos are used, in whole, in part and not, and of how many other files there are."""
    in_part, used, others = len(usage.in_part), len(usage.used), size(usage.others)
    numbers = [(f"{used:,} of {usage.count:,}", "videos used"), (f"{others:,}", "other files")]
    parts = [(used - in_part, "used in whole"), (in_part, "used in part"), (usage.count - used, "not used")]
    return figures(numbers[:2 if others else 1], parts)


def usage_sections(usage: Usage) -> list[str]:
    """HTML sections on what is not used, what is used in part, other files, and every video."""
    unused, missing, others = usage.unused, usage.missing, usage.others
    parts = []
    if unused:
        parts += [f"<h2>Not used: {_videos(size(unused))}</h2>", *_reason_lists(unused)]
    if missing:
        parts += [f"<h2>Used in part: {_videos(len(usage.in_part))}</h2>", *_reason_lists(missing)]
    if usage.notes:
        parts += [f"<h2>{_NOTES}</h2>"]
        parts += [_list(f"{note[0].upper()}{note[1:]}: {_videos(len(videos))}", videos, ())
                  for note, videos in usage.notes.items()]
    if others:
        parts += [f"<h2>Other files: {size(others):,}</h2>", *_reason_lists(others)]
    if usage.sources:
        rows = [(entry.video_id, entry.frames, f"{entry.fps:g}" if entry.fps else "unknown",
                 "{1} x {0}".format(*entry.size) if entry.size else "unknown", entry.segments, entry.records,
                 entry.split or "not used", "; ".join(entry.notes)) for entry in usage.sources]
        head = ("Video", "Frames", "Clips' frames per second", "Size", "Segments", "Records", "Split", "Notes")
        parts += ["<h2>All videos that were read</h2>", _list(_videos(len(rows)), rows, head)]
    return parts


def _reason_lists(groups: Groups) -> list[str]:
    """A list that can be folded for each reason, under how many there are and what to do."""
    return [_list(f"{reason.capitalize()}: {size({reason: entries}):,}",
                  [(entry.video_id, entry.details) for entry in entries], (), reasons.advice(reason))
            for reason, entries in groups.items()]


def _list(title: str, rows: Sequence[Sequence[object]], head: Sequence[str], hint: str = "") -> str:
    """A table that can be folded; a short one is not folded at first."""
    more = len(rows) - _ROWS
    content = table(rows[:_ROWS], head)
    if more > 0:
        content += paragraph(f"And {more} more: {MANIFEST_FILE} lists all.")
    return details(title, content, len(rows) <= _OPEN_ROWS, hint)


def contact_sheet_section(examples: Sequence[np.ndarray]) -> str:
    """HTML of a contact sheet of clips of one length, uint8 `[T, H, W, 3]`; empty without clips."""
    if not len(examples):
        return ""
    return picture(contact_sheet(np.stack(examples), _COLUMNS), "Frames of some clips, a clip in each row")
