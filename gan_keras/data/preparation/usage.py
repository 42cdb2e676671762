"""What became of every video and file of a source: used, used in part, or not, and why."""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import reasons
from gan_keras.data.preparation.decode_jobs import StoredSegment
from gan_keras.data.preparation.segments import SegmentedVideo
from gan_keras.data.preparation.splits import assign_splits
from gan_keras.data.sources.source_video import SkippedVideo, SourceVideo


@dataclass(frozen=True)
class SourceEntry:
    """A video of a source, and what was made of it.

    Attributes:
        video_id: of the video.
        label: name of its class, or None.
        frames: frames that were decoded.
        fps: frames per second of its clips; None when unknown.
        size: (height, width) of its frames before resizing; None where there is none.
        segments: parts that clips can be made of.
        records: those that are used; the others are duplicates.
        split: `"train"` or `"test"`; empty where no record is used.
        notes: what a reader should know of how it was read.
        key: of the video as it was listed; changes when the file does.
    """

    video_id: str
    label: str | None
    frames: int
    fps: float | None
    size: tuple[int, int] | None
    segments: int
    records: int
    split: str
    notes: tuple[str, ...]
    key: str


Groups = dict[str, list[SkippedVideo]]
"""What is left out, by reason; the reason for which the most is left out comes first."""


@dataclass(frozen=True)
class Usage:
    """What became of every video and file of a source.

    Attributes:
        sources: every video.
        skipped: every other file that is no video, and every video or part of one that no clip is made of.
    """

    sources: Sequence[SourceEntry]
    skipped: Sequence[SkippedVideo]

    @functools.cached_property
    def used(self) -> list[SourceEntry]:
        """Videos of which clips are made, in whole or in part."""
        return [entry for entry in self.sources if entry.records]

    @functools.cached_property
    def in_part(self) -> list[SourceEntry]:
        """Those of them of which something is missing."""
        return [entry for entry in self.used if entry.video_id in self._reasons]

    @functools.cached_property
    def _reasons(self) -> dict[str, list[SkippedVideo]]:
        reasons_of = defaultdict(list)
        for entry in self.skipped:
            reasons_of[entry.video_id].append(entry)
        return dict(reasons_of)

    @property
    def count(self) -> int:
        """Number of videos, and of files that may have been taken for some."""
        return len(self.used) + size(self.unused)

    @property
    def missing(self) -> Groups:
        """What is missing of videos that are used in part."""
        return _by_reason(entry for video in self.in_part for entry in self._reasons[video.video_id])

    @property
    def unused(self) -> Groups:
        """Videos that are not used, and files that may have been taken for some, by their most frequent reason."""
        return _by_reason(entry for entry in self._not_used() if reasons.is_of_videos(entry.reason))

    @property
    def others(self) -> Groups:
        """Files that are no videos."""
        return _by_reason(entry for entry in self._not_used() if not reasons.is_of_videos(entry.reason))

    @property
    def notes(self) -> dict[str, list[tuple[str, str]]]:
        """(id, details) of videos that are used, by what a reader should know of how they were read.

        In a note the details follow a colon.
        """
        notes: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for entry in self.used:
            for note in entry.notes:
                what, _, details = note.partition(": ")
                notes[what].append((entry.video_id, details))
        return dict(sorted(notes.items()))

    def _not_used(self) -> Iterator[SkippedVideo]:
        """Every video and file of which no clip is made, with all its reasons in one."""
        used = {entry.video_id for entry in self.used}
        notes = {entry.video_id: entry.notes for entry in self.sources}
        for video_id, entries in sorted(self._reasons.items()):
            if video_id not in used:
                reason = Counter(entry.reason for entry in entries).most_common(1)[0][0]
                details = [entry.detail if entry.reason == reason else _reason(entry) for entry in entries]
                yield SkippedVideo(video_id, reason, "; ".join(filter(None, [*details, *notes.get(video_id, ())])),
                                   entries[0].count)


def size(groups: Groups) -> int:
    """Number of videos and files in groups."""
    return sum(entry.count for entries in groups.values() for entry in entries)


def _by_reason(entries: Iterable[SkippedVideo]) -> Groups:
    groups: Groups = defaultdict(list)
    for entry in entries:
        groups[entry.reason].append(entry)
    return dict(sorted(groups.items(), key=lambda group: (-sum(entry.count for entry in group[1]), group[0])))


def account(videos: Sequence[SourceVideo], outcomes: Mapping[str, SegmentedVideo], skipped: Sequence[SkippedVideo],
            clip: ClipSettings) -> tuple[Usage, list[tuple[SourceVideo, StoredSegment]]]:
    """Accounts for every video of a source, and finds the segments that become records.

    Args:
        videos: of the source, by id.
        outcomes: what became of each, by id.
        skipped: other files of the source.
        clip: settings of the clips.

    Returns:
        The accounts, and (video, segment) of each record.
    """
    segments = [(video, segment) for video in videos for segment in outcomes[video.id].segments]
    left_out = [*skipped, *(entry for video in videos for entry in _left_out(outcomes[video.id]))]
    if "duplicate" not in clip.keep:
        segments, duplicates = _without_duplicates(segments)
        left_out += duplicates
    records = Counter(video.id for video, _ in segments)
    groups = {video.id: video.group or video.id for video in videos if records[video.id]}
    splits = assign_splits(groups, clip.test_fraction, {video.id: video.split for video in videos})
    sources = tuple(_entry(video, outcomes[video.id], records[video.id], splits.get(video.id, "")) for video in videos)
    left_out.sort(key=lambda entry: (entry.video_id, entry.reason, entry.detail))
    return Usage(sources, tuple(left_out)), segments


def _entry(video: SourceVideo, outcome: SegmentedVideo, records: int, split: str) -> SourceEntry:
    return SourceEntry(video.id, video.label, outcome.decoded, outcome.fps, outcome.size, len(outcome.segments),
                       records, split, outcome.notes, video.key)


def _left_out(outcome: SegmentedVideo) -> Iterator[SkippedVideo]:
    """What is left out of a video; never nothing where no segment is left."""
    yield from outcome.skipped
    if not outcome.segments and not outcome.skipped:
        yield SkippedVideo(outcome.video_id, "unreadable", "it holds no frames")


def _without_duplicates(segments: list[tuple[SourceVideo, StoredSegment]]
                        ) -> tuple[list[tuple[SourceVideo, StoredSegment]], list[SkippedVideo]]:
    originals: dict[str, tuple[SourceVideo, StoredSegment]] = {}
    unique, frames = [], Counter()
    for video, segment in segments:
        original, first = originals.setdefault(segment.hash, (video, segment))
        if first is segment:
            unique.append((video, segment))
        else:
            frames[video.id, original.id] += segment.frames
    return unique, [SkippedVideo(video_id, "duplicate", f"{count} frames that are in {original_id} as well")
                    for (video_id, original_id), count in frames.items()]


def _reason(entry: SkippedVideo) -> str:
    return entry.reason + (f" ({entry.detail})" if entry.detail else "")
