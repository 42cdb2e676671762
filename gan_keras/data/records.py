"""The format of prepared data: a folder of small TFRecord shards and a `manifest.json` that accounts for each.

A record is a `tf.train.Example` of one segment of a video, at least `num_frames` long and without a hard cut:

    frames   raw uint8 RGB [T, H, W, 3]        video_id   of the source video
    shape    int64 [4]                         first      index of the first frame in that video
    label    int64, -1 where there is none

Shards are small because one damaged byte costs the rest of a TFRecord file. The manifest has the number of records and
the SHA-256 of each, and what was made of every video of the source. TensorFlow is imported only by functions that read
or write records.
"""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import reasons
from gan_keras.data.preparation.usage import SourceEntry, Usage
from gan_keras.data.sources.source_video import SkippedVideo
from gan_keras.errors import UserError
from gan_keras.files import check_path, hash_file, temporary_path
from gan_keras.progress import Progress
from gan_keras.video.encode import DEFAULT_FPS

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

_FORMATS = "gan_keras clips "
FORMAT = f"{_FORMATS}3"
MANIFEST_FILE = "manifest.json"
WORK_FOLDER = ".work"
"""Of a folder that is being prepared: what a killed process goes on with."""
SPLITS = ("train", "test")
_READERS = 4  # threads that hash shards: more than a disk serves at once, fewer than would push others off the cores


@dataclasses.dataclass(frozen=True)
class Shard:
    """File of records.

    Attributes:
        file: name within the prepared folder.
        records: number of records.
        frames: number of frames in all records.
        bytes: size.
        sha256: of the content.
    """

    file: str
    records: int
    frames: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """Contents of a prepared folder, and where they come from.

    Attributes:
        clip: settings of the clips.
        fingerprint: of the videos as they were listed, and the settings; `-` and a hash of their ids follow where
            some failed for reasons that may pass. The same one means the same clips.
        source: as the user named it.
        classes: their names; a label is an index into them. Empty when the source has no classes.
        fps: frames per second of the clips, the median over the videos; 0 when unknown.
        videos: number of source videos in each split.
        labels: number of records by class name, `""` for none, in each split.
        splits: shards of each split.
        skipped: every file or segment that no clip is made of, and why.
        sources: every video of the source, and what was made of it.
    """

    clip: ClipSettings
    fingerprint: str
    source: str
    classes: tuple[str, ...]
    fps: float
    videos: dict[str, int]
    labels: dict[str, dict[str, int]]
    splits: dict[str, tuple[Shard, ...]]
    skipped: tuple[SkippedVideo, ...]
    sources: tuple[SourceEntry, ...] = ()

    @property
    def usage(self) -> Usage:
        """What became of every video and file of the source."""
        return Usage(self.sources, self.skipped)

    @property
    def failed(self) -> list[str]:
        """Sorted ids of the videos that failed, in whole or in part, for reasons that may pass."""
        listed = {entry.video_id for entry in self.sources}
        return sorted({entry.video_id for entry in self.skipped if reasons.passes(entry.reason)} & listed)

    @property
    def playback_fps(self) -> float:
        """Frames per second at which clips are shown; a default where their own rate is unknown."""
        return self.fps or DEFAULT_FPS

    def count(self, split: str) -> int:
        """Number of records in a split."""
        return sum(shard.records for shard in self.splits[split])

    def frames(self, split: str) -> int:
        """Number of frames in a split."""
        return sum(shard.frames for shard in self.splits[split])

    def paths(self, folder: Path, split: str) -> list[Path]:
        """Paths of the shards of a split."""
        return [Path(folder) / shard.file for shard in self.splits[split]]

    def reasons(self) -> dict[str, int]:
        """Number of skipped files and segments by reason, the most frequent first."""
        counts: Counter[str] = Counter()
        for entry in self.skipped:
            counts[entry.reason] += entry.count
        return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair)))

    def to_json(self) -> str:
        """Indented JSON of the manifest, a source video in each line."""
        stored = {"format": FORMAT, **dataclasses.asdict(self), "skipped_by_reason": self.reasons()}
        lines = ",\n  ".join(json.dumps(entry, ensure_ascii=False) for entry in stored.pop("sources"))
        return f'{json.dumps(stored, indent=1, ensure_ascii=False)[:-2]},\n "sources": [\n  {lines}\n ]\n}}\n'

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Manifest that `to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: the text is none.
        """
        stored: dict[str, Any] = json.loads(text)
        if stored.pop("format") != FORMAT:
            raise ValueError(f"it is not of format {FORMAT}")
        stored.pop("skipped_by_reason")
        clip = stored.pop("clip")
        return cls(
            clip=ClipSettings(**{**clip, "keep": tuple(clip["keep"])}),
            classes=tuple(stored.pop("classes")),
            splits={split: tuple(Shard(**shard) for shard in stored["splits"][split]) for split in SPLITS},
            skipped=tuple(SkippedVideo(**entry) for entry in stored.pop("skipped")),
            sources=tuple(SourceEntry(**{**entry, "size": entry["size"] and tuple(entry["size"]),
                                         "notes": tuple(entry["notes"])}) for entry in stored.pop("sources")),
            **{name: value for name, value in stored.items() if name != "splits"})


def is_prepared(folder: Path) -> bool:
    """Whether a folder holds prepared data, of this or another version; a `manifest.json` of another kind is none."""
    path = Path(folder) / MANIFEST_FILE
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(64).startswith(f'{{\n "format": "{_FORMATS}'.encode())
    except OSError:
        return False


def load_manifest(folder: Path) -> Manifest:
    """Manifest of a prepared folder.

    Raises:
        UserError: it has none, or one that cannot be read.
    """
    path = Path(folder) / MANIFEST_FILE
    check_path(folder)
    if not path.is_file():
        raise UserError(f"{folder} is not a prepared folder: it has no {MANIFEST_FILE}. Make one with the "
                        "command prepare.")
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8", errors="surrogateescape"))
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}). Delete it and prepare again.") from error


def verify(folder: Path) -> Manifest:
    """Manifest of a prepared folder, after every shard was compared with it, with a progress bar.

    Raises:
        UserError: a shard is missing or damaged; the message names it.
    """
    manifest = load_manifest(folder)
    shards = [shard for split in SPLITS for shard in manifest.splits[split]]
    with ThreadPoolExecutor(_READERS) as pool, Progress("check", len(shards), "shards") as progress:
        for shard, defect in zip(shards, pool.map(lambda shard: _defect(Path(folder), shard), shards), strict=True):
            if defect:
                pool.shutdown(cancel_futures=True)
                raise UserError(f"Shard {Path(folder) / shard.file} is {defect}. Delete {folder} and prepare again.")
            progress.advance()
    return manifest


def _defect(folder: Path, shard: Shard) -> str:
    path = folder / shard.file
    if not path.is_file():
        return "missing"
    try:
        return "" if path.stat().st_size == shard.bytes and hash_file(path) == shard.sha256 else "damaged"
    except OSError as error:
        return f"not readable ({error.strerror})"


def serialize(frames: "np.ndarray", label: int, video_id: str, first: int) -> bytes:
    """Bytes of one record; the same values always give the same bytes.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        label: index of the class, -1 for none.
        video_id: of the source video.
        first: index of the first frame in that video.
    """
    import tensorflow as tf

    def integers(*values: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {"frames": text(frames.tobytes()), "shape": integers(*frames.shape), "label": integers(label),
                "video_id": text(video_id.encode()), "first": integers(first)}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def write_shard(path: Path, records: Iterable[tuple[bytes, int]]) -> Shard:
    """Writes a shard, completely or not at all; the same records always give the same bytes.

    Args:
        path: the file.
        records: serialized records, each with its number of frames.

    Returns:
        Its entry in the manifest.

    Raises:
        OSError: it cannot be written.
    """
    import tensorflow as tf

    temporary = temporary_path(path)
    count = frames = 0
    try:
        with tf.io.TFRecordWriter(str(temporary)) as writer:
            for record, length in records:
                writer.write(record)
                count += 1
                frames += length
    except tf.errors.OpError as error:
        raise OSError(error.message) from error
    shard = Shard(path.name, count, frames, temporary.stat().st_size, hash_file(temporary))
    temporary.replace(path)
    return shard


def parse(serialized: "tf.Tensor") -> dict[str, "tf.Tensor"]:
    """Parses a record with TensorFlow operations only, for `tf.data.Dataset.map`.

    Args:
        serialized: string scalar.

    Returns:
        `frames` uint8 `[T, H, W, 3]` (T, H and W unknown to the graph), `label` int64, `video_id` string, `first`
        int64.
    """
    import tensorflow as tf

    features = tf.io.parse_single_example(serialized, {
        "frames": tf.io.FixedLenFeature([], tf.string), "shape": tf.io.FixedLenFeature([4], tf.int64),
        "label": tf.io.FixedLenFeature([], tf.int64), "video_id": tf.io.FixedLenFeature([], tf.string),
        "first": tf.io.FixedLenFeature([], tf.int64)})
    frames = tf.reshape(tf.io.decode_raw(features["frames"], tf.uint8), features.pop("shape"))
    frames = tf.ensure_shape(frames, [None, None, None, 3])
    return {**features, "frames": frames}
