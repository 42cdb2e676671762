"""What preparing a source would give, without making it: `prepare.py --inspect`.

Every file is listed; a sample of the videos, spread over the source by hash, is decoded as `prepare` would do it, and
the rest is predicted from it. A source of no more videos than the sample is told exactly.
"""

import functools
import hashlib
import itertools
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gan_keras import pages
from gan_keras.data import report, stretches, workshop
from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.run_folder import write_atomically
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io
from gan_keras.video.items import Item, LeftOut
from gan_keras.video.sources import Source, list_source

_SAMPLE = 64
_SAMPLE_FRAMES = 600  # looked at in each video
_PROCESS_BYTES = 150e6
_WRITER_BYTES = 700e6


@dataclass(frozen=True)
class Finding:
    """What decoding a video, or its first frames, told."""

    outcome: stretches.Outcome
    scale: float
    """Frames it has for each frame decoded."""
    seconds: float
    lengths: tuple[int, ...]
    """Frames of its stretches."""
    example: np.ndarray | None


def inspect(source: str, clips: ClipSettings, workers: int = 0, out: Path | None = None) -> str:
    """Tells what `prepare` would make of a source.

    Args:
        source: anything `sources.list_source` knows.
        clips: what a clip is to be.
        workers: processes that decode; 0 for one a core.
        out: where to write a `report.html` with a contact sheet; nothing is written without.

    Returns:
        Text for the terminal.

    Raises:
        UserError: no such source, or there is no video in it.
    """
    stretches.longest(clips)
    listed = list_source(source, clips, exclude=out)
    if not listed.items:
        raise UserError(f"There is no video in {source}."
                        + (f" It holds {listed.left_out[0]}" if listed.left_out else ""))
    chosen = sorted(listed.items, key=lambda item: hashlib.sha256(item.id.encode()).digest())[:_SAMPLE]
    findings = sorted(_look_at_all(chosen, clips, workers), key=lambda finding: finding.outcome.id)
    facts = _facts(listed, findings, clips, workers or workshop.cores())
    balance = sorted(Counter(item.label for item in listed.items if item.label is not None).items())
    left_out = [*listed.left_out, *(entry for finding in findings for entry in finding.outcome.left_out)]
    reasons = dict(Counter(entry.reason for entry in left_out).most_common())
    told = [pages.text_table(facts)]
    if balance:
        told.append(pages.text_table([("Class", "Videos"), *balance]))
    told.append(report.left_out_text(left_out, reasons))
    if out is None:
        told.append("Nothing was written; with --out=FOLDER a report with a contact sheet is.")
    else:
        path = _write_report(out, source, facts, balance, findings, left_out, reasons)
        told.append(f"Report: {path}")
    return "\n\n".join(told)


def _look_at_all(items: Sequence[Item], clips: ClipSettings, workers: int) -> Iterator[Finding]:
    with Progress("inspect", len(items), "videos") as progress:
        for item, found in workshop.each(functools.partial(look_at, clips=clips), items, workers):
            if found is workshop.CRASHED:
                left = LeftOut(item.id, "unreadable", workshop.CRASHED)
                found = Finding(stretches.Outcome(item.id, None, 0, None, (), (left,)), 1.0, 0.0, (), None)
            progress.advance()
            yield found


def look_at(item: Item, clips: ClipSettings) -> Finding:
    """Decodes a video, or its first frames, and keeps only what is told of it."""
    start = time.perf_counter()
    lengths, examples = [], []

    def keep(first: int, frames: np.ndarray) -> int:
        lengths.append(len(frames))
        if not examples:
            examples.append(frames[:clips.num_frames].copy())
        return first

    shortened = _Shortened(item)
    outcome = stretches.extract(shortened, clips, keep)
    seconds = time.perf_counter() - start
    if not outcome.stretches:
        return Finding(outcome, 1.0, seconds, (), None)
    return Finding(outcome, shortened.scale(outcome.decoded), seconds, tuple(lengths), examples[0])


class _Shortened:
    """An item of which only the first frames are decoded."""

    def __init__(self, item: Item) -> None:
        self.id, self._item = item.id, item

    def open(self) -> tuple[float | None, Iterator[np.ndarray]]:
        fps, frames = self._item.open()
        return fps, itertools.islice(frames, _SAMPLE_FRAMES)

    def scale(self, decoded: int) -> float:
        if decoded < _SAMPLE_FRAMES or self._item.kind != "video":
            return 1.0
        return max(1.0, io.probe(Path(self._item.path)).frames / decoded)


def _facts(listed: Source, findings: Sequence[Finding], clips: ClipSettings, workers: int) -> list[tuple[str, str]]:
    many = len(listed.items) / len(findings)
    about = "about " if many > 1 or any(finding.scale > 1 for finding in findings) else ""
    sizes = Counter("{1}x{0}".format(*finding.outcome.size) for finding in findings if finding.outcome.size)
    rates = sorted({round(finding.outcome.fps * clips.frame_stride, 2) for finding in findings if finding.outcome.fps})
    frames = sum(sum(finding.lengths) * finding.scale for finding in findings) * many
    records = sum(len(finding.lengths) * finding.scale for finding in findings) * many
    whole = sum(sum(length // clips.num_frames for length in finding.lengths) * finding.scale
                for finding in findings) * many
    seconds = sum(finding.seconds * finding.scale for finding in findings) * many / min(workers, len(listed.items))
    lengths = [finding.outcome.decoded * finding.scale for finding in findings if finding.outcome.decoded]
    return [
        ("Videos", f"{len(listed.items)}, {pages.megabytes(sum(item.size for item in listed.items))}"
         + (f"; {len(findings)} of them decoded for what follows" if many > 1 else "")),
        ("Sizes", ", ".join(f"{size} ({count})" for size, count in sizes.most_common(5)) or "unknown"),
        ("Frames per second", ", ".join(f"{rate:g}" for rate in rates[:6]) or "unknown"),
        ("Frames of a video", f"{min(lengths):.0f} to {max(lengths):.0f}, median {statistics.median(lengths):.0f}"
         if lengths else "unknown"),
        ("Clips", f"{about}{whole:,.0f} of {clips.num_frames} frames end to end, in {records:,.0f} records"),
        ("Disk", f"{about}{pages.megabytes(frames * clips.height * clips.width * 3)}, twice that while preparing"),
        ("Memory", f"about {pages.megabytes(_memory(findings, clips, min(workers, len(listed.items))))}"),
        ("Time", f"about {max(1, round(seconds + 5 + frames * clips.height * clips.width * 3 / 2e8)):,} seconds with "
                 f"{workers} workers")]


def _memory(findings: Sequence[Finding], clips: ClipSettings, workers: int) -> float:
    """Bytes while decoding, or while writing, whichever is more."""
    frame = max((finding.outcome.size[0] * finding.outcome.size[1] * 3 for finding in findings if finding.outcome.size),
                default=0)
    stretch = (stretches.longest(clips) + clips.num_frames) * clips.height * clips.width * 3
    return max(workers * (_PROCESS_BYTES + 20 * frame + 3 * stretch), _WRITER_BYTES)


def _write_report(out: Path, source: str, facts: Sequence[tuple[str, str]], balance: Sequence[tuple[str, int]],
                  findings: Sequence[Finding], left_out: Sequence[LeftOut], reasons: dict[str, int]) -> Path:
    examples = [finding.example for finding in findings if finding.example is not None][:report.EXAMPLES]
    parts = [pages.table(facts), report.sheet(examples)]
    if balance:
        parts += ["<h2>Classes</h2>", pages.table(balance, ("Class", "Videos"))]
    parts.append(report.left_out_section(left_out, reasons))
    path = out / "report.html"
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(path, pages.page(f"What {source} would give", parts))
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    return path
