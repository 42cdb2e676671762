"""Inspection of a source: what preparing it would give, without preparing it (`--inspect` of the command prepare).

Every file is listed. A sample of the videos, spread over the source by hash, is decoded as `prepare` would decode them,
and the rest is predicted from it. The numbers are exact for a source of no more videos than the sample.
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

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import cleaning, decode_jobs, report, segments
from gan_keras.data.preparation.usage import account
from gan_keras.data.sources.listing import Source, list_source
from gan_keras.data.sources.source_video import OpenedVideo, SourceVideo
from gan_keras.errors import UserError
from gan_keras.files import write_atomically
from gan_keras.progress import Progress
from gan_keras.reports import html

_MAX_VIDEOS = 64
_MAX_FRAMES = 600  # decoded of each video
_PROCESS_BYTES = 150e6
_WRITER_BYTES = 700e6


@dataclass(frozen=True)
class InspectedVideo:
    """Facts about a video from decoding it, or its first frames.

    Attributes:
        outcome: what became of it.
        scale: frames of the video for each decoded frame.
        seconds: time that decoding took.
        lengths: frames of each segment.
        example: first clip, uint8 `[T, H, W, 3]`; None where it has no segment.
    """

    outcome: segments.SegmentedVideo
    scale: float = 1.0
    seconds: float = 0.0
    lengths: tuple[int, ...] = ()
    example: np.ndarray | None = None


def inspect(source: str, clip: ClipSettings, workers: int = 0, out: Path | None = None) -> str:
    """Inspects a source.

    Args:
        source: anything that `sources.list_source` lists.
        clip: settings of the clips.
        workers: processes that decode; 0 for one a core.
        out: folder for a `report.html` with a contact sheet; without it nothing is written.

    Returns:
        Text for the terminal.

    Raises:
        UserError: no such source, or there is no video in it.
    """
    segments.max_segment_frames(clip)  # raises where a clip is too large
    listed = list_source(source, clip)
    if not listed.videos:
        raise UserError(f"There is no video in {source}."
                        + (f" It holds {listed.skipped[0]}" if listed.skipped else ""))
    sample = sorted(listed.videos, key=lambda video: hashlib.sha256(video.id.encode()).digest())[:_MAX_VIDEOS]
    inspected = sorted(_inspect_videos(sample, clip, workers), key=lambda video: video.outcome.video_id)
    rows = _fact_rows(listed, inspected, clip, workers or decode_jobs.cores())
    class_rows = sorted(Counter(video.label for video in listed.videos if video.label is not None).items())
    outcomes = {video.outcome.video_id: video.outcome for video in inspected}
    usage, _ = account([video for video in listed.videos if video.id in outcomes], outcomes, listed.skipped, clip)
    of_sample = ""
    if len(inspected) < len(listed.videos):
        of_sample = f"Of the {len(inspected)} videos that were decoded, and of other files:"
    parts = [html.text_table(rows), f"{of_sample}\n{report.usage_text(usage)}".strip()]
    if class_rows:
        parts.append(html.text_table([("Class", "Videos"), *class_rows]))
    if out is None:
        parts.append("Nothing was written; with --out=FOLDER a report with a contact sheet is.")
    else:
        examples = [video.example for video in inspected if video.example is not None][:report.EXAMPLES]
        sections = [html.paragraph(of_sample)] if of_sample else []
        sections += [report.headline(usage), report.contact_sheet_section(examples), html.table(rows),
                     *report.usage_sections(usage)]
        if class_rows:
            sections += ["<h2>Classes</h2>", html.table(class_rows, ("Class", "Videos"))]
        parts.append(f"Report: {_write_report(out, html.page(f'Inspection of {source}', sections))}")
    return "\n\n".join(parts)


def _inspect_videos(videos: Sequence[SourceVideo], clip: ClipSettings, workers: int) -> Iterator[InspectedVideo]:
    function = functools.partial(inspect_video, clip=clip)
    with Progress("inspect", len(videos), "videos") as progress:
        for video, result in decode_jobs.map_in_processes(function, videos, workers):
            progress.advance()
            yield InspectedVideo(decode_jobs.crashed(video.id)) if result is decode_jobs.CRASHED else result


def inspect_video(video: SourceVideo, clip: ClipSettings) -> InspectedVideo:
    """Decodes a video, or its first frames, and keeps only facts about it."""
    start = time.perf_counter()
    lengths, examples = [], []

    def store(first: int, frames: np.ndarray) -> decode_jobs.StoredSegment:
        lengths.append(len(frames))
        if not examples:
            examples.append(frames[:clip.num_frames].copy())
        return decode_jobs.StoredSegment(first, len(frames), 0, cleaning.content_hash(frames))

    beginning = _Beginning(video)
    outcome = segments.extract(beginning, clip, store)
    seconds = time.perf_counter() - start
    if not outcome.segments:
        return InspectedVideo(outcome, seconds=seconds)
    return InspectedVideo(outcome, beginning.scale(outcome.decoded), seconds, tuple(lengths), examples[0])


class _Beginning:
    """First frames of a video, in the place of the whole."""

    def __init__(self, video: SourceVideo) -> None:
        self.id, self._video = video.id, video
        self._frame_count: int | None = None

    def open(self, size: tuple[int, int]) -> OpenedVideo:
        opened = self._video.open(size)
        self._frame_count = opened.frame_count
        opened.frames = itertools.islice(opened.frames, _MAX_FRAMES)
        return opened

    def scale(self, decoded: int) -> float:
        return 1.0 if decoded < _MAX_FRAMES else max(1.0, (self._frame_count or 0) / decoded)


def _fact_rows(listed: Source, inspected: Sequence[InspectedVideo], clip: ClipSettings,
               workers: int) -> list[tuple[str, str]]:
    count = len(listed.videos)
    scale, workers_used = count / len(inspected), min(workers, count)
    about = "about " if scale > 1 or any(video.scale > 1 for video in inspected) else ""
    sizes = Counter("{1}x{0}".format(*video.outcome.size) for video in inspected if video.outcome.size)
    rates = sorted({round(video.outcome.fps * clip.frame_stride, 2) for video in inspected if video.outcome.fps})
    frames = sum(sum(video.lengths) * video.scale for video in inspected) * scale
    records = sum(len(video.lengths) * video.scale for video in inspected) * scale
    clips = sum(sum(length // clip.num_frames for length in video.lengths) * video.scale for video in inspected) * scale
    seconds = sum(video.seconds * video.scale for video in inspected) * scale / workers_used
    lengths = [video.outcome.decoded * video.scale for video in inspected if video.outcome.decoded]
    size = frames * clip.height * clip.width * 3
    return [
        ("Videos", f"{count}, {html.megabytes(sum(video.size for video in listed.videos))}"
         + (f"; {len(inspected)} of them decoded for what follows" if scale > 1 else "")),
        ("Sizes", ", ".join(f"{name} ({number})" for name, number in sizes.most_common(5)) or "unknown"),
        ("Frames per second", ", ".join(f"{rate:g}" for rate in rates[:6]) or "unknown"),
        ("Frames of a video", f"{min(lengths):.0f} to {max(lengths):.0f}, median {statistics.median(lengths):.0f}"
         if lengths else "unknown"),
        ("Clips", f"{about}{clips:,.0f} of {clip.num_frames} frames end to end, in {records:,.0f} records"),
        ("Disk", f"{about}{html.megabytes(size)}, twice that while preparing"),
        ("Memory", f"about {html.megabytes(_memory(inspected, clip, workers_used))}"),
        ("Time", f"about {max(1, round(seconds + 5 + size / 2e8)):,} seconds with {workers} workers")]


def _memory(inspected: Sequence[InspectedVideo], clip: ClipSettings, workers: int) -> float:
    """Bytes of memory while decoding, or while writing, whichever is more."""
    frame = max((video.outcome.size[0] * video.outcome.size[1] * 3 for video in inspected if video.outcome.size),
                default=0)
    segment = (segments.max_segment_frames(clip) + clip.num_frames) * clip.height * clip.width * 3
    return max(workers * (_PROCESS_BYTES + 20 * frame + 3 * segment), _WRITER_BYTES)


def _write_report(out: Path, page: str) -> Path:
    path = out / report.REPORT_FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_atomically(path, page)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    return path
