"""What a source gives: `report.html`, one page that needs no network, and the same in short for the terminal."""

from collections.abc import Sequence

import numpy as np

from gan_keras.data.records import SPLITS, Manifest
from gan_keras.pages import megabytes, page, picture, table, text_table
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io
from gan_keras.video.items import LeftOut

EXAMPLES = 12
_COLUMNS = 8
_LEFT_OUT_SHOWN = 1000
_LEFT_OUT_TOLD = 10
_SPLIT_HEAD = ("Split", "Videos", "Records", "Frames", "Shards", "Size")


def prepared(manifest: Manifest, examples: Sequence[np.ndarray]) -> str:
    """The report of a prepared folder.

    Args:
        manifest: of the folder.
        examples: a few clips, uint8 `[T, H, W, 3]`, of one length.
    """
    parts = [table(clip_facts(manifest.clips, manifest.fps)), "<h2>Splits</h2>",
             table(_split_rows(manifest), _SPLIT_HEAD), sheet(examples)]
    if manifest.classes:
        parts += ["<h2>Records of each class</h2>", table(_balance(manifest), ("", *SPLITS))]
    parts.append(left_out_section(manifest.left_out, manifest.reasons()))
    return page(f"Clips of {manifest.source}", parts)


def summary(manifest: Manifest) -> str:
    """What a prepared folder holds, for the terminal."""
    parts = [text_table(clip_facts(manifest.clips, manifest.fps)), text_table([_SPLIT_HEAD, *_split_rows(manifest)])]
    if manifest.classes:
        parts.append(text_table([("Records of", *SPLITS), *_balance(manifest)]))
    parts.append(left_out_text(manifest.left_out, manifest.reasons()))
    return "\n\n".join(parts)


def clip_facts(clips: ClipSettings, fps: float) -> list[tuple[str, str]]:
    """What a clip is."""
    return [("Clips", f"{clips.num_frames} frames of {clips.width} x {clips.height}"),
            ("Frames per second", f"{fps:g}" if fps else "unknown")]


def _split_rows(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(split, manifest.videos[split], manifest.count(split), manifest.frames(split), len(manifest.splits[split]),
             megabytes(sum(shard.bytes for shard in manifest.splits[split]))) for split in SPLITS]


def _balance(manifest: Manifest) -> list[tuple[object, ...]]:
    return [(name, *(manifest.labels[split].get(name, 0) for split in SPLITS)) for name in manifest.classes]


def left_out_text(left_out: Sequence[LeftOut], reasons: dict[str, int]) -> str:
    """What was left out, for the terminal: all reasons, and the first few of all."""
    if not left_out:
        return "Left out: nothing."
    lines = ["Left out: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items())]
    lines += [f"  {entry}" for entry in left_out[:_LEFT_OUT_TOLD]]
    if len(left_out) > _LEFT_OUT_TOLD:
        lines.append(f"  and {len(left_out) - _LEFT_OUT_TOLD} more, all in the report")
    return "\n".join(lines)


def left_out_section(left_out: Sequence[LeftOut], reasons: dict[str, int]) -> str:
    """What was left out: how many for each reason, then each."""
    if not left_out:
        return "<h2>Left out</h2>\n<p>Nothing.</p>"
    more = len(left_out) - _LEFT_OUT_SHOWN
    note = f"\n<p>And {more} more: manifest.json lists all.</p>" if more > 0 else ""
    listed = [(entry.source, entry.reason, entry.detail) for entry in left_out[:_LEFT_OUT_SHOWN]]
    return "\n".join(["<h2>Left out</h2>", table(list(reasons.items()), ("Reason", "Count")),
                      table(listed, ("What", "Why", "")) + note])


def sheet(examples: Sequence[np.ndarray]) -> str:
    """A contact sheet of clips of one length, uint8 `[T, H, W, 3]`, a row each, as part of the page."""
    if not len(examples):
        return ""
    return "<h2>Examples</h2>\n" + picture(io.contact_sheet(np.stack(examples), _COLUMNS),
                                            "Frames of some clips, a clip a row")
