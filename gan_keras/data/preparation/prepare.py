"""From a source of videos to a prepared folder: shards, `manifest.json` and `report.html`.

The same source and settings give the same bytes, whatever the number of workers and however often the work was
interrupted: order and split are functions of hashes of the videos' ids.

**A prepared folder never changes** to other clips, because runs train from it and go on with it. `prepare_below` names
folders by content, so that a source that changed makes a new one; `prepare` refuses a folder of other clips. Videos
that failed for reasons that may pass (`reasons`) are tried again at the next start; if one succeeds, the clips
are other ones, and they too make a new folder.
"""

import dataclasses
import hashlib
import itertools
import json
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from absl import logging

from gan_keras.config.train import ClipSettings
from gan_keras.data import records
from gan_keras.data.preparation import decode_jobs, reasons, report, segments
from gan_keras.data.preparation.report import REPORT_FILE
from gan_keras.data.preparation.usage import Usage, account, size
from gan_keras.data.preparation.work_folder import publish, remove_work, work_folder
from gan_keras.data.records import MANIFEST_FILE, WORK_FOLDER, Manifest, Shard
from gan_keras.data.sources.listing import Source, list_source
from gan_keras.data.sources.source_video import SourceVideo
from gan_keras.errors import UserError
from gan_keras.files import check_path, write_atomically
from gan_keras.progress import Progress

SHARD_BYTES, SHARD_RECORDS = 2**25, 512
"""At which a shard is full."""
_ATTEMPTS = 3  # to prepare beside a process that removes the work folder


@dataclass(frozen=True)
class _Segment:
    """A segment that becomes a record."""

    video: SourceVideo
    stored: decode_jobs.StoredSegment
    job: decode_jobs.DecodeJob

    @property
    def sort_key(self) -> str:
        return hashlib.sha256(f"{self.video.id}\n{self.stored.first}".encode()).hexdigest()


@dataclass(frozen=True)
class _ShardTask:
    """A shard to write in the work folder."""

    path: Path
    segments: tuple[_Segment, ...]
    classes: tuple[str, ...]
    clip: ClipSettings

    @property
    def entry_path(self) -> Path:
        return self.path.with_suffix(".json")

    def written(self) -> Shard:
        """Its entry in the manifest, once it is written."""
        return Shard(**json.loads(self.entry_path.read_text(encoding="utf-8")))


def prepare(source: str, out: Path, clip: ClipSettings, workers: int = 0, runner: decode_jobs.Runner | None = None
            ) -> Manifest:
    """Makes training clips of a source; does nothing where they are there already.

    Args:
        source: anything that `sources.list_source` lists.
        out: the folder to make. What an interrupted call left in it is used.
        clip: settings of the clips.
        workers: processes that decode; 0 for one a core.
        runner: that decodes and writes instead of processes of this machine. Its workers see source and `out` at the
            same paths.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        UserError: no such source, no clip in it, or a folder that holds other clips or cannot be written.
    """
    out = Path(out)
    listed = list_videos(source, clip, out)
    if (out / MANIFEST_FILE).is_file():
        changes = describe_changes(records.load_manifest(out), listed, clip)
        if changes:
            raise UserError(f"{out} holds other clips, and runs may train from them: {changes}. Name another --out, or "
                            "delete that folder first.")
    return _Preparation(listed, clip, workers, out, by_content=False, runner=runner).run()[1]


def prepare_below(listed: Source, parent: Path, clip: ClipSettings, workers: int = 0) -> tuple[Path, Manifest]:
    """Makes training clips of a source in a folder that is named by its content, and finds it there the next time.

    The name is that of the source, resolution, frames, and eight digits of the fingerprint; further eight where videos
    failed for reasons that may pass.

    Args:
        listed: the source, by `list_videos`.
        parent: of prepared folders.
        clip: settings of the clips.
        workers: processes that decode; 0 for one a core.

    Returns:
        The folder and its manifest.

    Raises:
        UserError: no clip can be made, or the folder cannot be written.
    """
    name = "".join(letter if letter.isalnum() else "-" for letter in Path(listed.name).absolute().name).strip("-")
    name = f"{name[:64] or 'clips'}-{clip.resolution}-{clip.num_frames}-{fingerprint(listed, clip)[:8]}"
    return _Preparation(listed, clip, workers, Path(parent) / name, by_content=True).run()


def list_videos(source: str, clip: ClipSettings, out: Path) -> Source:
    """Lists the videos of a source for preparation.

    Args:
        source: anything that `sources.list_source` lists.
        clip: settings of the clips.
        out: where the clips are to be.

    Raises:
        UserError: no such source, no video in it, or a clip that is too large.
    """
    segments.max_segment_frames(clip)  # raises where a clip is too large
    check_path(out)
    if Path(source).exists() and out.resolve() == Path(source).resolve():
        raise UserError(f"`out` must be another folder than `source`. Received: out={out}")
    if records.is_prepared(Path(source)):
        raise UserError(f"{source} is a prepared folder already: name it as `data` of the command train.")
    listed = list_source(source, clip)
    if not listed.videos:
        raise UserError(_no_clips_message(listed.name, clip, Usage((), listed.skipped)))
    return listed


def fingerprint(listed: Source, clip: ClipSettings, failed: Iterable[str] = ()) -> str:
    """Fingerprint of a source as it is listed, wherever it is, and of the settings.

    Args:
        listed: the source.
        clip: settings of the clips.
        failed: ids of the videos that failed for reasons that may pass.
    """
    parts = {"format": records.FORMAT, "clip": asdict(clip), "videos": [video.key for video in listed.videos]}
    return _hash(parts) + (f"-{_hash(sorted(failed))[:8]}" if failed else "")


def describe_changes(manifest: Manifest, listed: Source, clip: ClipSettings) -> str:
    """What differs between prepared clips and a source as it is listed now, in a few words; empty for nothing."""
    if manifest.fingerprint == fingerprint(listed, clip, manifest.failed):
        return ""
    return describe_differences(manifest, clip, {video.id: video.key for video in listed.videos})


def describe_differences(manifest: Manifest, clip: ClipSettings, keys: Mapping[str, str]) -> str:
    """What differs between prepared clips and others, in a few words.

    Args:
        manifest: of the prepared clips.
        clip: settings of the others.
        keys: `SourceVideo.key` of the others' videos by id.
    """
    before = {entry.video_id: entry.key for entry in manifest.sources}
    parts = [f"`{name}` was {_text(value)} and is {_text(getattr(clip, name))}"
             for name, value in dataclasses.asdict(manifest.clip).items() if value != getattr(clip, name)]
    for what, video_ids in (("new", keys.keys() - before.keys()), ("gone", before.keys() - keys.keys()),
                            ("changed", {name for name in keys.keys() & before.keys() if keys[name] != before[name]})):
        if video_ids:
            verb = "video is" if len(video_ids) == 1 else "videos are"
            parts.append(f"{len(video_ids)} {verb} {what}, such as {min(video_ids)}")
    return "; ".join(parts) or "other videos could be decoded then"


def _text(value: object) -> str:
    return (",".join(value) or "empty") if isinstance(value, tuple) else str(value)


class _Preparation:
    """Preparation of a listed source in a folder, or beside it under a longer name.

    Args:
        listed: the source.
        clip: settings of the clips.
        workers: processes that decode.
        out: the folder; the work folder is in it.
        by_content: whether folders are named by content.
        runner: see `prepare`.
    """

    def __init__(self, listed: Source, clip: ClipSettings, workers: int, out: Path, by_content: bool,
                 runner: decode_jobs.Runner | None = None) -> None:
        self._listed, self._clip, self._workers, self._out = listed, clip, workers, out
        self._by_content, self._runner = by_content, runner

    def run(self) -> tuple[Path, Manifest]:
        """The prepared folder and its manifest, made where they are not there."""
        for attempt in range(_ATTEMPTS):
            found = self._find()
            if found and not found[1].failed:
                return self._up_to_date(*found)
            try:
                with work_folder(self._out) as work:
                    return self._prepare(work)
            except OSError as error:
                found = self._find()
                if found:  # made meanwhile by another process; or what failed cannot be tried again
                    return self._up_to_date(*found)
                if not isinstance(error, FileNotFoundError) or attempt == _ATTEMPTS - 1:
                    advice = (" Name a --run_dir in a folder that can be written, or prepare elsewhere with the "
                              "command prepare, and name its --out as --data.") if self._by_content else ""
                    raise UserError(f"Prepared folder {self._out} cannot be written: {error.strerror or error}."
                                    + advice) from error
        raise AssertionError  # the last attempt returns or raises

    def _find(self) -> tuple[Path, Manifest] | None:
        """The complete folder of these clips in which the fewest videos failed, and its manifest."""
        folders = [self._out]
        if self._by_content:
            folders += sorted(self._out.parent.glob(f"*-{fingerprint(self._listed, self._clip)[:8]}*"))
        manifests = ((folder, self._manifest(folder)) for folder in folders)
        return min(((folder, manifest) for folder, manifest in manifests if manifest),
                   key=lambda found: len(found[1].failed), default=None)

    def _manifest(self, folder: Path) -> Manifest | None:
        """Manifest of a folder, if it is complete and of these clips."""
        if not records.is_prepared(folder):
            return None
        manifest = records.load_manifest(folder)
        sizes = {shard.file: shard.bytes for split in manifest.splits.values() for shard in split}
        is_complete = all((folder / file).is_file() and (folder / file).stat().st_size == size
                          for file, size in sizes.items())
        fits = manifest.fingerprint == fingerprint(self._listed, self._clip, manifest.failed)
        return manifest if is_complete and fits else None

    def _up_to_date(self, folder: Path, manifest: Manifest) -> tuple[Path, Manifest]:
        """A complete folder, whose manifest and report now account for the files that lie in the source today."""
        if (folder / WORK_FOLDER).exists():  # left by a kill at the very end
            remove_work(folder / WORK_FOLDER)
        videos = {entry.video_id for entry in manifest.sources}
        of_videos = [entry for entry in manifest.skipped if entry.video_id in videos]
        skipped = tuple(sorted([*of_videos, *self._listed.skipped],
                               key=lambda entry: (entry.video_id, entry.reason, entry.detail)))
        if skipped != manifest.skipped:
            manifest = dataclasses.replace(manifest, skipped=skipped)
            try:
                write_atomically(folder / REPORT_FILE, _report(folder, manifest))
                write_atomically(folder / MANIFEST_FILE, manifest.to_json())
            except OSError as error:
                logging.warning("The report in %s is not of today's source: %s", folder, error)
        return folder, manifest

    def _prepare(self, work: Path) -> tuple[Path, Manifest]:
        found = self._find()  # again: by the process that was waited for
        jobs = decode_jobs.make_jobs(self._listed.videos, self._clip, work)
        if found and not self._succeeds_now(jobs, *found):
            remove_work(work)
            return self._up_to_date(*found)
        results = decode_jobs.run_jobs(jobs, self._clip, self._workers, self._runner)
        outcomes = {outcome.video_id: outcome for _, outcome in results}
        job_of = {outcome.video_id: job for job, outcome in results}
        usage, used = account(self._listed.videos, outcomes, self._listed.skipped, self._clip)
        if not used:
            remove_work(work)
            raise UserError(_no_clips_message(self._listed.name, self._clip, usage))
        failed = [video_id for video_id, outcome in outcomes.items() if decode_jobs.failed(outcome)]
        out = self._out
        if failed and self._by_content:
            out = out.with_name(f"{out.name}-{fingerprint(self._listed, self._clip, failed).split('-')[1]}")
            out.mkdir(exist_ok=True)
        manifest = self._manifest(out)
        if manifest is None:
            prepared = sorted((_Segment(video, stored, job_of[video.id]) for video, stored in used),
                              key=lambda segment: segment.sort_key)
            manifest = self._write(out, work, prepared, usage, failed)
        remove_work(work)
        return out, manifest

    def _succeeds_now(self, jobs: Sequence[decode_jobs.DecodeJob], folder: Path, manifest: Manifest) -> bool:
        """Tries again what failed; whether a new folder is to be made because some of it no longer fails."""
        failed = set(manifest.failed)
        if not failed:
            return False
        logging.info("Trying again %d videos that failed, such as %s.", len(failed), min(failed))
        retried = [job for job in jobs if any(video.id in failed for video in job.videos)]
        results = decode_jobs.run_jobs(retried, self._clip, self._workers, self._runner)
        good = failed - {outcome.video_id for _, outcome in results if decode_jobs.failed(outcome)}
        if good and not self._by_content:
            logging.warning("%d videos that failed can be decoded now, such as %s. To use them, name another --out, or "
                            "delete %s first.", len(good), min(good), folder)
        return bool(good) and self._by_content

    def _write(self, out: Path, work: Path, prepared: Sequence[_Segment], usage: Usage, failed: Sequence[str]
               ) -> Manifest:
        # From here on the folder is not what an old manifest says: its shards are damaged.
        (out / MANIFEST_FILE).unlink(missing_ok=True)
        classes = tuple(sorted({segment.video.label for segment in prepared if segment.video.label is not None}))
        splits = {entry.video_id: entry.split for entry in usage.used}
        by_split = {split: [segment for segment in prepared if splits[segment.video.id] == split]
                    for split in records.SPLITS}
        manifest = Manifest(
            clip=self._clip, fingerprint=fingerprint(self._listed, self._clip, failed), source=self._listed.name,
            classes=classes, fps=_median_fps([entry.fps for entry in usage.used]),
            videos={split: sum(assigned == split for assigned in splits.values()) for split in records.SPLITS},
            labels={split: dict(sorted(Counter(segment.video.label or "" for segment in by_split[split]).items()))
                    for split in records.SPLITS},
            splits=self._write_shards(by_split, classes, out, work),
            skipped=tuple(usage.skipped), sources=tuple(usage.sources))
        _remove_old_shards(out, manifest)
        publish(work, out / REPORT_FILE, _report(out, manifest))
        publish(work, out / MANIFEST_FILE, manifest.to_json())
        return manifest

    def _write_shards(self, by_split: dict[str, list[_Segment]], classes: tuple[str, ...], out: Path, work: Path
                      ) -> dict[str, tuple[Shard, ...]]:
        tasks: dict[str, list[_ShardTask]] = {}
        for split in records.SPLITS:
            groups = _group_by_shard(by_split[split], self._clip)
            paths = [work / f"{split}-{number:05d}-of-{len(groups):05d}.tfrecord" for number in range(len(groups))]
            tasks[split] = [_ShardTask(path, tuple(group), classes, self._clip)
                            for path, group in zip(paths, groups, strict=True)]
        with Progress("write", sum(map(len, by_split.values())), "records") as progress:
            for task, _ in (self._runner or _here)(_write_shard, [task for each in tasks.values() for task in each]):
                progress.advance(len(task.segments))
        for task in itertools.chain(*tasks.values()):
            task.path.replace(out / task.path.name)
        return {split: tuple(task.written() for task in each) for split, each in tasks.items()}


def _hash(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _report(folder: Path, manifest: Manifest) -> str:
    """The HTML report, with examples from the shards."""
    from gan_keras.data.input_pipeline import first_clips  # imports TensorFlow

    examples = ()
    if manifest.count("train"):
        examples = first_clips(folder, manifest, manifest.clip.num_frames, report.EXAMPLES)
    return report.html_report(manifest, examples)


def _median_fps(rates: list[float | None]) -> float:
    known = [rate for rate in rates if rate]
    return round(statistics.median(known), 3) if known else 0.0


def _write_shard(task: _ShardTask) -> None:
    """Writes a shard, and its entry in the manifest beside it."""
    shard = records.write_shard(task.path, _serialize(task.segments, task.classes, task.clip))
    write_atomically(task.entry_path, json.dumps(asdict(shard)))


def _here(function: Callable[[_ShardTask], None], tasks: Iterable[_ShardTask]) -> Iterator[tuple[_ShardTask, None]]:
    """The runner that writes shards where no other is named: this process, which the disk keeps waiting anyway."""
    for task in tasks:
        yield task, function(task)


def _group_by_shard(prepared: Sequence[_Segment], clip: ClipSettings) -> list[list[_Segment]]:
    """Groups segments into shards of a bounded size."""
    groups: list[list[_Segment]] = []
    free_bytes = 0
    frame_bytes = clip.height * clip.width * 3
    for segment in prepared:
        size = segment.stored.frames * frame_bytes
        if not groups or free_bytes < size or len(groups[-1]) == SHARD_RECORDS:
            groups.append([])
            free_bytes = SHARD_BYTES
        groups[-1].append(segment)
        free_bytes -= size
    return groups


def _serialize(group: Sequence[_Segment], classes: tuple[str, ...], clip: ClipSettings) -> Iterator[tuple[bytes, int]]:
    for segment in group:
        label = classes.index(segment.video.label) if segment.video.label is not None else -1
        frames = segment.job.read(segment.stored, clip)
        yield records.serialize(frames, label, segment.video.id, segment.stored.first), len(frames)


def _remove_old_shards(out: Path, manifest: Manifest) -> None:
    """Deletes shards of a preparation with other settings that was interrupted."""
    current = {shard.file for split in manifest.splits.values() for shard in split}
    for split in records.SPLITS:
        for path in out.glob(f"{split}-*-of-*.tfrecord"):
            if path.name not in current:
                path.unlink(missing_ok=True)


def _no_clips_message(source: str, clip: ClipSettings, usage: Usage) -> str:
    """One line on why a source has no clips."""
    if not usage.skipped:
        return f"There is no video in {source}."
    parts = []
    groups = usage.unused or usage.others
    for reason, entries in list(groups.items())[:3]:
        detail = f" ({entries[0].detail})" if entries[0].detail else ""
        parts.append(f"{size({reason: entries})} {reason}, such as {entries[0].video_id}{detail}")
    advice = reasons.advice(next(iter(groups)))
    return f"No clip of {clip.num_frames} frames can be made of {source}: {'; '.join(parts)}. {advice}".strip()
