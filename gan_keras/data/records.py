"""The format of prepared data: a folder of small TFRecord shards and a `manifest.json` that accounts for each.

A record is a `tf.train.Example` of one stretch of a video, at least `num_frames` long and without a hard cut:

    frames   raw uint8 RGB [T, H, W, 3]        source   id of the video it comes from
    shape    int64 [4]                         first    index of its first frame in that video
    label    int64, -1 where there is none

Shards are small because one damaged byte costs the rest of a TFRecord file, and each has its number of records and its
SHA-256 in the manifest. TensorFlow is imported only by what reads or writes records.
"""

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gan_keras.errors import UserError
from gan_keras.train_settings import ClipSettings
from gan_keras.video.items import LeftOut
from gan_keras.video.sources import PREPARED_MARK

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

FORMAT = 1
SPLITS = ("train", "test")


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of records."""

    file: str
    records: int
    frames: int
    bytes: int
    sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
    """All there is to know about a prepared folder.

    Attributes:
        clips: what it was made for.
        fingerprint: of the source's listing and the settings; the same one means there is nothing to do.
        source: as the user named it.
        classes: names; a label is an index into them. Empty when the source has no classes.
        fps: frames per second of the clips, the median over the videos.
        videos: source videos in each split.
        labels: clips by class name in each split.
        splits: shards of each split.
        left_out: every file or stretch that gives no clip, and why.
    """

    clips: ClipSettings
    fingerprint: str
    source: str
    classes: tuple[str, ...]
    fps: float
    videos: dict[str, int]
    labels: dict[str, dict[str, int]]
    splits: dict[str, tuple[Shard, ...]]
    left_out: tuple[LeftOut, ...]

    def count(self, split: str) -> int:
        """Records in a split."""
        return sum(shard.records for shard in self.splits[split])

    def frames(self, split: str) -> int:
        """Frames in a split."""
        return sum(shard.frames for shard in self.splits[split])

    def paths(self, folder: Path, split: str) -> list[Path]:
        """The files of a split."""
        return [Path(folder) / shard.file for shard in self.splits[split]]

    def reasons(self) -> dict[str, int]:
        """How many were left out for each reason, the most frequent first."""
        return dict(sorted(Counter(entry.reason for entry in self.left_out).items(), key=lambda pair: (-pair[1], pair)))

    def to_json(self) -> str:
        """The manifest as indented JSON."""
        return json.dumps({"format": FORMAT, **dataclasses.asdict(self), "left_out_by_reason": self.reasons()},
                          indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The manifest that `to_json` wrote.

        Raises:
            ValueError, TypeError, KeyError, AttributeError: it is none.
        """
        stored: dict[str, Any] = json.loads(text)
        if stored.pop("format") != FORMAT:
            raise ValueError(f"it is not of format {FORMAT}")
        stored.pop("left_out_by_reason")
        clips = stored.pop("clips")
        return cls(
            clips=ClipSettings(**{**clips, "keep": tuple(clips["keep"])}),
            classes=tuple(stored.pop("classes")),
            splits={split: tuple(Shard(**shard) for shard in stored["splits"][split]) for split in SPLITS},
            left_out=tuple(LeftOut(**entry) for entry in stored.pop("left_out")),
            **{name: value for name, value in stored.items() if name != "splits"})


def is_prepared(folder: Path) -> bool:
    """Whether a folder holds prepared data."""
    return (Path(folder) / PREPARED_MARK).is_file()


def load_manifest(folder: Path) -> Manifest:
    """Reads the manifest of a prepared folder.

    Raises:
        UserError: it has none, or one that cannot be read.
    """
    path = Path(folder) / PREPARED_MARK
    if not path.is_file():
        raise UserError(f"{folder} is not a prepared folder: it has no {PREPARED_MARK}. Make one with prepare.py.")
    try:
        return Manifest.from_json(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise UserError(f"{path} cannot be read ({error}). Delete it and prepare again.") from error


def verify(folder: Path) -> Manifest:
    """Reads every shard of a prepared folder and compares it with the manifest.

    Raises:
        UserError: a shard is missing or damaged; the message names it.
    """
    manifest = load_manifest(folder)
    for split in SPLITS:
        for shard in manifest.splits[split]:
            path = Path(folder) / shard.file
            if not path.is_file():
                raise UserError(f"Shard {path} is missing. Delete {path.parent} and prepare again.")
            if path.stat().st_size != shard.bytes or hash_file(path) != shard.sha256:
                raise UserError(f"Shard {path} is damaged. Delete {path.parent} and prepare again.")
    return manifest


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def serialize(frames: "np.ndarray", label: int, source: str, first: int) -> bytes:
    """One record: the same values always give the same bytes.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        label: class, -1 for none.
        source: id of the video.
        first: index of the first frame in it.
    """
    import tensorflow as tf

    def integers(*values: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def text(value: bytes) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    features = {"frames": text(frames.tobytes()), "shape": integers(*frames.shape), "label": integers(label),
                "source": text(source.encode()), "first": integers(first)}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString(deterministic=True)


def write_shard(path: Path, records: Iterable[tuple[bytes, int]]) -> Shard:
    """Writes a shard, complete or not at all.

    Args:
        path: the file.
        records: serialized records, each with its number of frames.
    """
    import tensorflow as tf

    temporary = path.with_name(f".{path.name}.part")
    count = frames = 0
    with tf.io.TFRecordWriter(str(temporary)) as writer:
        for record, length in records:
            writer.write(record)
            count += 1
            frames += length
    shard = Shard(path.name, count, frames, temporary.stat().st_size, hash_file(temporary))
    temporary.replace(path)
    return shard


def parse(serialized: "tf.Tensor") -> dict[str, "tf.Tensor"]:
    """Reads a record; plain TensorFlow, for `tf.data.Dataset.map`.

    Args:
        serialized: string scalar.

    Returns:
        `frames` uint8 `[T, H, W, 3]` (T, H and W unknown to the graph), `label` int64, `source` string, `first` int64.
    """
    import tensorflow as tf

    features = tf.io.parse_single_example(serialized, {
        "frames": tf.io.FixedLenFeature([], tf.string), "shape": tf.io.FixedLenFeature([4], tf.int64),
        "label": tf.io.FixedLenFeature([], tf.int64), "source": tf.io.FixedLenFeature([], tf.string),
        "first": tf.io.FixedLenFeature([], tf.int64)})
    frames = tf.reshape(tf.io.decode_raw(features["frames"], tf.uint8), features.pop("shape"))
    frames = tf.ensure_shape(frames, [None, None, None, 3])
    return {**features, "frames": frames}
