"""Report on prepared data: `report.html`, one page that needs no network, and a summary for the terminal."""

from collections.abc import Sequence

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data.records import MANIFEST_FILE, SPLITS, Manifest
from gan_keras.data.source_video import SkippedVideo
from gan_keras.reports.html import megabytes, page, picture, table, text_table
from gan_keras.video.contact_sheets import contact_sheet

REPORT_FILE = "report.html"
EXAMPLES = 12
"""Clips on the contact sheet, at most."""

_COLUMNS = 8
_SKIPPED_ROWS = 1000
_SKIPPED_LINES = 10
_SPLIT_HEAD = ("Split", "Videos", "Records", "Frames", "Shards", "Size")


def html_report(manifest: Manifest, examples: Sequence[np.ndarray]) -> str:
    """HTML page on a prepared folder.

    Args:
        manifest: of the folder.
        examples: a few clips, uint8 `[T, H, W, 3]`, of one length.
    """
    parts = [table(_clip_rows(manifest.clip, manifest.fps)), "<h2>Splits</h2>",
             table(_split_rows(manifest), _SPLIT_HEAD), contact_sheet_section(examples)]
    if manifest.classes:
        parts += ["<h2>Records of each class</h2>", table(_class_rows(manifest), ("", *SPLITS))]
    parts.append(skipped_section(manifest.skipped, manifest.reasons()))
    return page(f"Clips of {manifest.source}", parts)


def summary(manifest: Manifest) -> str:
    """Summary of a prepared folder for the terminal."""
    parts = [text_table(_clip_rows(manifest.clip, manifest.fps)), text_table([_SPLIT_HEAD, *_split_rows(manifest)])]
    if manifest.classes:
        parts.append(text_table([("Records of", *SPLITS), *_class_rows(manifest)]))
    parts.append(skipped_text(manifest.skipped, manifest.reasons()))
    return "\n\n".join(parts)


def _clip_rows(clip: ClipSettings, fps: float) -> list[tuple[str, str]]:
    """Rows of a table about the shape and rate of clips; `fps` 0 is an unknown rate."""
    return [("Clips", f"{clip.num_frames} frames of {clip.width} x {clip.height}"),
            ("Frames per second", f"{fps:g}" if fps else "unknown")]


def _split_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(split, manifest.videos[split], manifest.count(split), manifest.frames(split), len(manifest.splits[split]),
             megabytes(sum(shard.bytes for shard in manifest.splits[split]))) for split in SPLITS]


def _class_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(name, *(manifest.labels[split].get(name, 0) for split in SPLITS)) for name in manifest.classes]


def skipped_text(skipped: Sequence[SkippedVideo], reasons: dict[str, int]) -> str:
    """List of what was skipped for the terminal: the count of each reason, and the first few entries.

    Args:
        skipped: all entries.
        reasons: number of entries by reason.
    """
    if not skipped:
        return "Skipped: nothing."
    lines = ["Skipped: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items())]
    lines += [f"  {entry}" for entry in skipped[:_SKIPPED_LINES]]
    if len(skipped) > _SKIPPED_LINES:
        lines.append(f"  and {len(skipped) - _SKIPPED_LINES} more, all in the report")
    return "\n".join(lines)


def skipped_section(skipped: Sequence[SkippedVideo], reasons: dict[str, int]) -> str:
    """HTML section on what was skipped: the count of each reason, and the entries.

    Args:
        skipped: all entries.
        reasons: number of entries by reason.
    """
    if not skipped:
        return "<h2>Skipped</h2>\n<p>Nothing.</p>"
    more = len(skipped) - _SKIPPED_ROWS
    note = f"\n<p>And {more} more: {MANIFEST_FILE} lists all.</p>" if more > 0 else ""
    rows = [(entry.video_id, entry.reason, entry.detail) for entry in skipped[:_SKIPPED_ROWS]]
    return "\n".join(["<h2>Skipped</h2>", table(list(reasons.items()), ("Reason", "Count")),
                      table(rows, ("What", "Why", "")) + note])


def contact_sheet_section(examples: Sequence[np.ndarray]) -> str:
    """HTML section with a contact sheet of clips of one length, uint8 `[T, H, W, 3]`; empty without clips."""
    if not len(examples):
        return ""
    return "<h2>Examples</h2>\n" + picture(contact_sheet(np.stack(examples), _COLUMNS),
                                           "Frames of some clips, a clip a row")
