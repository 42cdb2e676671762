"""From a source of videos to a prepared folder: shards, `manifest.json` and `report.html`.

The same source and settings give the same bytes, whatever the number of workers and however often the work was broken
off: order and split come from hashes of the videos' names alone.

**Split.** A video is held out when the hash of its id, as a number from 0 to 1, is below `test_fraction`. So a video
stays on its side when others come or go. With few videos that may leave a side empty: then the video nearest to the
border changes sides, the only case in which other videos matter. All stretches of a video are on the same side.
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

from gan_keras.data import records, report, stretches, workshop
from gan_keras.data.records import Manifest, Shard
from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.run_folder import write_atomically
from gan_keras.train_settings import ClipSettings
from gan_keras.video.items import LeftOut
from gan_keras.video.sources import PREPARED_MARK, WORK_FOLDER, Source, list_source

REPORT = "report.html"
_SHARD_BYTES = 2**25
_SHARD_RECORDS = 512


@dataclass(frozen=True)
class _Found:
    """A stretch, where it comes from and where it lies."""

    source: str
    label: str | None
    stretch: workshop.Stretch
    job: workshop.Job

    @property
    def order(self) -> str:
        return hashlib.sha256(f"{self.source}\n{self.stretch.first}".encode()).hexdigest()


def prepare(source: str, out: Path, clips: ClipSettings, workers: int = 0) -> Manifest:
    """Makes training clips of a source, or finds that they are there already.

    Args:
        source: anything `sources.list_source` knows.
        out: the folder to make; what an earlier, broken-off call left in it is used.
        clips: what a clip is to be.
        workers: processes that decode; 0 for one a core.

    Returns:
        The manifest, which is also in the folder.

    Raises:
        UserError: no such source, nothing in it gives a clip, or the folder cannot be written.
    """
    out = Path(out)
    listed = _list(source, out, clips)
    fingerprint = _fingerprint(listed, clips)
    ready = _ready(out, fingerprint)
    if ready:
        return ready
    try:
        with _locked(out) as work:
            return _make(listed, out, work, clips, fingerprint, workers)
    except OSError as error:
        raise UserError(f"Prepared folder {out} cannot be written: {error.strerror or error}") from error


def split_of(source: str, test_fraction: float) -> str:
    """`"test"` or `"train"`, from a video's id alone."""
    return "test" if _place(source) < test_fraction else "train"


def assign_splits(sources: set[str], test_fraction: float) -> dict[str, str]:
    """The split of every video, none of the two empty if that can be helped (see the top of this file)."""
    splits = {source: split_of(source, test_fraction) for source in sources}
    if "train" not in splits.values():
        splits[max(sources, key=_place)] = "train"
    elif "test" not in splits.values() and test_fraction > 0 and len(sources) > 1:
        splits[min(sources, key=_place)] = "test"
    return splits


def _place(source: str) -> float:
    return int.from_bytes(hashlib.sha256(source.encode()).digest()[:8], "big") / 2**64


def _list(source: str, out: Path, clips: ClipSettings) -> Source:
    stretches.longest(clips)
    if Path(source).exists() and out.resolve() == Path(source).resolve():
        raise UserError(f"`out` must be another folder than `source`. Received: out={out}")
    if records.is_prepared(Path(source)):
        raise UserError(f"{source} is a prepared folder already: name it as `data` of train.py.")
    listed = list_source(source, clips, exclude=out)
    if not listed.items:
        raise UserError(_nothing(listed.name, clips, list(listed.left_out)))
    return listed


def _fingerprint(listed: Source, clips: ClipSettings) -> str:
    parts = {"format": records.FORMAT, "clips": asdict(clips), "items": [asdict(item) for item in listed.items],
             "left_out": [asdict(entry) for entry in listed.left_out]}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _ready(out: Path, fingerprint: str) -> Manifest | None:
    """The manifest of a folder that needs no work; None if there is some."""
    if not records.is_prepared(out):
        return None
    try:
        manifest = records.load_manifest(out)
    except UserError:
        return None
    sizes = {shard.file: shard.bytes for split in manifest.splits.values() for shard in split}
    whole = all((out / file).is_file() and (out / file).stat().st_size == size for file, size in sizes.items())
    return manifest if whole and manifest.fingerprint == fingerprint else None


@contextmanager
def _locked(out: Path) -> Iterator[Path]:
    """The work folder, for one process at a time; the system lets go of the lock when that process dies."""
    work = out / WORK_FOLDER
    work.mkdir(parents=True, exist_ok=True)
    with (work / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"Another process is preparing {out}: wait for it or name another folder.") from error
        yield work


def _make(listed: Source, out: Path, work: Path, clips: ClipSettings, fingerprint: str, workers: int) -> Manifest:
    jobs = workshop.make_jobs(listed.items, clips, work)
    workshop.work(jobs, clips, workers)
    labels = {item.id: item.label for item in listed.items}
    outcomes = {outcome.id: (outcome, job) for job in jobs for outcome in job.outcomes()}
    found = [_Found(name, labels[name], stretch, job) for name, (outcome, job) in sorted(outcomes.items())
             for stretch in outcome.stretches]
    left_out = [*listed.left_out, *(entry for outcome, _ in outcomes.values() for entry in outcome.left_out)]
    if "duplicate" not in clips.keep:
        found, twice = _without_duplicates(found)
        left_out += twice
    if not found:
        shutil.rmtree(work)
        if not any(out.iterdir()):
            out.rmdir()
        raise UserError(_nothing(listed.name, clips, left_out))
    # From here on the folder is not what an old manifest says.
    (out / PREPARED_MARK).unlink(missing_ok=True)
    classes = tuple(sorted({entry.label for entry in found if entry.label is not None}))
    splits = assign_splits({entry.source for entry in found}, clips.test_fraction)
    found.sort(key=lambda entry: entry.order)
    by_split = {split: [entry for entry in found if splits[entry.source] == split] for split in records.SPLITS}
    manifest = Manifest(
        clips=clips, fingerprint=fingerprint, source=listed.name, classes=classes,
        fps=_median_fps([outcomes[name][0].fps for name in splits]),
        videos={split: sum(side == split for side in splits.values()) for split in records.SPLITS},
        labels={split: dict(sorted(Counter(entry.label or "" for entry in by_split[split]).items()))
                for split in records.SPLITS},
        splits=_write_shards(by_split, classes, clips, out),
        left_out=tuple(sorted(left_out, key=lambda entry: (entry.source, entry.reason, entry.detail))))
    _remove_strangers(out, manifest)
    write_atomically(out / REPORT, report.prepared(manifest, _examples(by_split["train"], clips)))
    shutil.rmtree(work)
    write_atomically(out / PREPARED_MARK, manifest.to_json())
    return manifest


def _without_duplicates(found: list[_Found]) -> tuple[list[_Found], list[LeftOut]]:
    first: dict[str, _Found] = {}
    kept, twice = [], []
    for entry in found:
        original = first.setdefault(entry.stretch.hash, entry)
        if original is entry:
            kept.append(entry)
        else:
            detail = f"{entry.stretch.frames} frames from frame {entry.stretch.first}, the same as {original.source} " \
                     f"from frame {original.stretch.first}"
            twice.append(LeftOut(entry.source, "duplicate", detail))
    return kept, twice


def _median_fps(rates: list[float | None]) -> float:
    known = [rate for rate in rates if rate]
    return round(statistics.median(known), 3) if known else 0.0


def _write_shards(by_split: dict[str, list[_Found]], classes: tuple[str, ...], clips: ClipSettings,
                  out: Path) -> dict[str, tuple[Shard, ...]]:
    groups = {split: _groups(by_split[split], clips) for split in records.SPLITS}
    shards: dict[str, tuple[Shard, ...]] = {}
    with Progress("write", sum(map(len, by_split.values())), "records") as progress:
        for split, parts in groups.items():
            written = []
            for number, part in enumerate(parts):
                path = out / f"{split}-{number:05d}-of-{len(parts):05d}.tfrecord"
                written.append(records.write_shard(path, _serialized(part, classes, clips)))
                progress.advance(len(part))
            shards[split] = tuple(written)
    return shards


def _groups(found: list[_Found], clips: ClipSettings) -> list[list[_Found]]:
    """Splits stretches into shards of a bounded size."""
    groups: list[list[_Found]] = []
    room = 0
    frame_bytes = clips.height * clips.width * 3
    for entry in found:
        size = entry.stretch.frames * frame_bytes
        if not groups or room < size or len(groups[-1]) == _SHARD_RECORDS:
            groups.append([])
            room = _SHARD_BYTES
        groups[-1].append(entry)
        room -= size
    return groups


def _serialized(found: list[_Found], classes: tuple[str, ...], clips: ClipSettings) -> Iterator[tuple[bytes, int]]:
    for entry in found:
        label = classes.index(entry.label) if entry.label is not None else -1
        frames = entry.job.read(entry.stretch, clips)
        yield records.serialize(frames, label, entry.source, entry.stretch.first), len(frames)


def _examples(found: list[_Found], clips: ClipSettings) -> list:
    return [entry.job.read(entry.stretch, clips)[:clips.num_frames] for entry in found[:report.EXAMPLES]]


def _remove_strangers(out: Path, manifest: Manifest) -> None:
    """Deletes shards of an earlier preparation with other settings."""
    ours = {shard.file for split in manifest.splits.values() for shard in split}
    for split in records.SPLITS:
        for path in [*out.glob(f"{split}-*-of-*.tfrecord"), *out.glob(f".{split}-*-of-*.tfrecord.part")]:
            if path.name not in ours:
                path.unlink()


def _nothing(source: str, clips: ClipSettings, left_out: list[LeftOut]) -> str:
    """Why there is not one clip, in a line."""
    if not left_out:
        return f"There is no video in {source}."
    reasons = Counter(entry.reason for entry in left_out)
    said = []
    for reason, count in reasons.most_common(3):
        example = next(entry for entry in left_out if entry.reason == reason)
        said.append(f"{count} {reason}, such as {example.source}" + (f" ({example.detail})" if example.detail else ""))
    return f"No clip of {clips.num_frames} frames can be made of {source}: {'; '.join(said)}."
