"""From a source of videos to a prepared folder: shards, `manifest.json` and `report.html`.

The same source and settings give the same bytes, whatever the number of workers and however often the work was
interrupted: order and split are functions of hashes of the videos' ids.

**Split.** A video is held out when the hash of its id, as a number from 0 to 1, is below `test_fraction`. So a video
keeps its split when others are added or removed. With few videos one split may be empty: then the video nearest to the
border changes its split, the only case in which other videos matter. All segments of a video are in the same split.
"""

import fcntl
import hashlib
import json
import shutil
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data import decode_jobs, records, report, segments
from gan_keras.data.records import MANIFEST_FILE, Manifest, Shard
from gan_keras.data.report import REPORT_FILE
from gan_keras.data.source_video import SkippedVideo
from gan_keras.data.sources import Source, list_source
from gan_keras.errors import UserError
from gan_keras.files import write_atomically
from gan_keras.progress import Progress

_WORK_FOLDER = ".work"
_SHARD_BYTES = 2**25
_SHARD_RECORDS = 512


@dataclass(frozen=True)
class _Segment:
    """A segment that becomes a record."""

    video_id: str
    label: str | None
    stored: decode_jobs.StoredSegment
    job: decode_jobs.DecodeJob

    @property
    def sort_key(self) -> str:
        return hashlib.sha256(f"{self.video_id}\n{self.stored.first}".encode()).hexdigest()

    def read(self, clip: ClipSettings) -> np.ndarray:
        return self.job.read(self.stored, clip)


def prepare(source: str, out: Path, clip: ClipSettings, workers: int = 0) -> Manifest:
    """Makes training clips of a source; does nothing where they are there already.

    Args:
        source: anything that `sources.list_source` lists.
        out: the folder to make. What an interrupted call left in it is used.
        clip: settings of the clips.
        workers: processes that decode; 0 for one a core.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        UserError: no such source, no clip in it, or a folder that cannot be written.
    """
    out = Path(out)
    listed = _list_videos(source, out, clip)
    fingerprint = _fingerprint(listed, clip)
    manifest = _up_to_date_manifest(out, fingerprint)
    if manifest:
        return manifest
    try:
        with _locked_work_folder(out) as work:
            return _prepare(listed, out, work, clip, fingerprint, workers)
    except OSError as error:
        raise UserError(f"Prepared folder {out} cannot be written: {error.strerror or error}") from error


def split_of(video_id: str, test_fraction: float) -> str:
    """`"test"` or `"train"`, as a function of a video's id."""
    return "test" if _hash_fraction(video_id) < test_fraction else "train"


def assign_splits(video_ids: set[str], test_fraction: float) -> dict[str, str]:
    """Split of every video, neither of them empty if possible (see the top of this file)."""
    splits = {video_id: split_of(video_id, test_fraction) for video_id in video_ids}
    if "train" not in splits.values():
        splits[max(video_ids, key=_hash_fraction)] = "train"
    elif "test" not in splits.values() and test_fraction > 0 and len(video_ids) > 1:
        splits[min(video_ids, key=_hash_fraction)] = "test"
    return splits


def _hash_fraction(video_id: str) -> float:
    return int.from_bytes(hashlib.sha256(video_id.encode()).digest()[:8], "big") / 2**64


def _list_videos(source: str, out: Path, clip: ClipSettings) -> Source:
    segments.max_segment_frames(clip)  # raises where a clip is too large
    if Path(source).exists() and out.resolve() == Path(source).resolve():
        raise UserError(f"`out` must be another folder than `source`. Received: out={out}")
    if records.is_prepared(Path(source)):
        raise UserError(f"{source} is a prepared folder already: name it as `data` of train.py.")
    listed = list_source(source, clip, exclude=out)
    if not listed.videos:
        raise UserError(_no_clips_message(listed.name, clip, list(listed.skipped)))
    return listed


def _fingerprint(listed: Source, clip: ClipSettings) -> str:
    parts = {"format": records.FORMAT, "clip": asdict(clip), "videos": [asdict(video) for video in listed.videos],
             "skipped": [asdict(entry) for entry in listed.skipped]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _up_to_date_manifest(out: Path, fingerprint: str) -> Manifest | None:
    """Manifest of a complete folder with this fingerprint; None if it must be prepared."""
    if not records.is_prepared(out):
        return None
    try:
        manifest = records.load_manifest(out)
    except UserError:
        return None
    sizes = {shard.file: shard.bytes for split in manifest.splits.values() for shard in split}
    is_complete = all((out / file).is_file() and (out / file).stat().st_size == size for file, size in sizes.items())
    return manifest if is_complete and manifest.fingerprint == fingerprint else None


@contextmanager
def _locked_work_folder(out: Path) -> Iterator[Path]:
    """The work folder, for one process at a time; the system releases the lock when that process dies."""
    work = out / _WORK_FOLDER
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"Another process is preparing {out}: wait for it or name another folder.") from error
        yield work


def _prepare(listed: Source, out: Path, work: Path, clip: ClipSettings, fingerprint: str, workers: int) -> Manifest:
    jobs = decode_jobs.make_jobs(listed.videos, clip, work)
    decode_jobs.run_jobs(jobs, clip, workers)
    labels = {video.id: video.label for video in listed.videos}
    outcomes = {outcome.video_id: (outcome, job) for job in jobs for outcome in job.outcomes()}
    prepared = [_Segment(video_id, labels[video_id], stored, job)
                for video_id, (outcome, job) in sorted(outcomes.items()) for stored in outcome.segments]
    skipped = [*listed.skipped, *(entry for outcome, _ in outcomes.values() for entry in outcome.skipped)]
    if "duplicate" not in clip.keep:
        prepared, duplicates = _without_duplicates(prepared)
        skipped += duplicates
    if not prepared:
        shutil.rmtree(work)
        if not any(out.iterdir()):
            out.rmdir()
        raise UserError(_no_clips_message(listed.name, clip, skipped))
    # From here on the folder is not what an old manifest says.
    (out / MANIFEST_FILE).unlink(missing_ok=True)
    classes = tuple(sorted({segment.label for segment in prepared if segment.label is not None}))
    splits = assign_splits({segment.video_id for segment in prepared}, clip.test_fraction)
    prepared.sort(key=lambda segment: segment.sort_key)
    by_split = {split: [segment for segment in prepared if splits[segment.video_id] == split]
                for split in records.SPLITS}
    manifest = Manifest(
        clip=clip, fingerprint=fingerprint, source=listed.name, classes=classes,
        fps=_median_fps([outcomes[video_id][0].fps for video_id in splits]),
        videos={split: sum(assigned == split for assigned in splits.values()) for split in records.SPLITS},
        labels={split: dict(sorted(Counter(segment.label or "" for segment in by_split[split]).items()))
                for split in records.SPLITS},
        splits=_write_shards(by_split, classes, clip, out),
        skipped=tuple(sorted(skipped, key=lambda entry: (entry.video_id, entry.reason, entry.detail))))
    _remove_old_shards(out, manifest)
    examples = [segment.read(clip)[:clip.num_frames] for segment in by_split["train"][:report.EXAMPLES]]
    write_atomically(out / REPORT_FILE, report.html_report(manifest, examples))
    shutil.rmtree(work)
    write_atomically(out / MANIFEST_FILE, manifest.to_json())
    return manifest


def _without_duplicates(prepared: list[_Segment]) -> tuple[list[_Segment], list[SkippedVideo]]:
    originals: dict[str, _Segment] = {}
    unique, duplicates = [], []
    for segment in prepared:
        original = originals.setdefault(segment.stored.hash, segment)
        if original is segment:
            unique.append(segment)
        else:
            detail = (f"{segment.stored.frames} frames from frame {segment.stored.first}, the same as "
                      f"{original.video_id} from frame {original.stored.first}")
            duplicates.append(SkippedVideo(segment.video_id, "duplicate", detail))
    return unique, duplicates


def _median_fps(rates: list[float | None]) -> float:
    known = [rate for rate in rates if rate]
    return round(statistics.median(known), 3) if known else 0.0


def _write_shards(by_split: dict[str, list[_Segment]], classes: tuple[str, ...], clip: ClipSettings,
                  out: Path) -> dict[str, tuple[Shard, ...]]:
    groups = {split: _group_by_shard(by_split[split], clip) for split in records.SPLITS}
    shards: dict[str, tuple[Shard, ...]] = {}
    with Progress("write", sum(map(len, by_split.values())), "records") as progress:
        for split, split_groups in groups.items():
            written = []
            for number, group in enumerate(split_groups):
                path = out / f"{split}-{number:05d}-of-{len(split_groups):05d}.tfrecord"
                written.append(records.write_shard(path, _serialize(group, classes, clip)))
                progress.advance(len(group))
            shards[split] = tuple(written)
    return shards


def _group_by_shard(prepared: list[_Segment], clip: ClipSettings) -> list[list[_Segment]]:
    """Groups segments into shards of a bounded size."""
    groups: list[list[_Segment]] = []
    free_bytes = 0
    frame_bytes = clip.height * clip.width * 3
    for segment in prepared:
        size = segment.stored.frames * frame_bytes
        if not groups or free_bytes < size or len(groups[-1]) == _SHARD_RECORDS:
            groups.append([])
            free_bytes = _SHARD_BYTES
        groups[-1].append(segment)
        free_bytes -= size
    return groups


def _serialize(group: list[_Segment], classes: tuple[str, ...], clip: ClipSettings) -> Iterator[tuple[bytes, int]]:
    for segment in group:
        label = classes.index(segment.label) if segment.label is not None else -1
        frames = segment.read(clip)
        yield records.serialize(frames, label, segment.video_id, segment.stored.first), len(frames)


def _remove_old_shards(out: Path, manifest: Manifest) -> None:
    """Deletes shards of an earlier preparation with other settings."""
    current = {shard.file for split in manifest.splits.values() for shard in split}
    for split in records.SPLITS:
        for path in [*out.glob(f"{split}-*-of-*.tfrecord"), *out.glob(f".{split}-*-of-*.tfrecord.part")]:
            if path.name not in current:
                path.unlink()


def _no_clips_message(source: str, clip: ClipSettings, skipped: list[SkippedVideo]) -> str:
    """One line on why a source has no clips."""
    if not skipped:
        return f"There is no video in {source}."
    parts = []
    for reason, count in Counter(entry.reason for entry in skipped).most_common(3):
        example = next(entry for entry in skipped if entry.reason == reason)
        detail = f" ({example.detail})" if example.detail else ""
        parts.append(f"{count} {reason}, such as {example.video_id}{detail}")
    return f"No clip of {clip.num_frames} frames can be made of {source}: {'; '.join(parts)}."
