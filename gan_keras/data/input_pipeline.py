"""Input pipeline: prepared clips to training batches, with TensorFlow operations only and no hidden state.

The order of clips is a function of (seed, epoch), and the batch of a step is a function of (seed, step). A resumed run
therefore starts its pipeline at the step it has reached: nothing of the pipeline is in a checkpoint.

An epoch visits the shards in a new order, a *window* of them at a time; the records of a window are shuffled as a
whole. To begin in the middle of an epoch only the records of one window are read and skipped.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data import records
from gan_keras.data.augment import UNIFORMS, augment
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError

WINDOW_BYTES = 256 * 2**20
"""Size of the shards that are shuffled together, and so are in memory at once."""


class Batch(NamedTuple):
    """Clips with their classes.

    Attributes:
        clips: uint8 [B, T, H, W, 3].
        label: int64 [B], -1 where there is none.
    """

    clips: tf.Tensor
    label: tf.Tensor


class DomainBatch(NamedTuple):
    """Clips of one domain and clips of another, which have nothing to do with each other.

    Attributes:
        clips: uint8 [B, T, H, W, 3].
        label: int64 [B], of `clips`.
        target: uint8 [B, T, H, W, 3], of the other domain.
    """

    clips: tf.Tensor
    label: tf.Tensor
    target: tf.Tensor


def with_target(batches: tf.data.Dataset, others: tf.data.Dataset) -> tf.data.Dataset:
    """Batches of one domain beside those of another: datasets of `Batch` → dataset of `DomainBatch`."""
    both = tf.data.Dataset.zip(batches, others)
    return both.map(lambda batch, other: DomainBatch(batch.clips, batch.label, other.clips))


def training_batches(folder: Path, manifest: Manifest, config: Config, first_step: int = 0,
                     rows: slice = slice(None)) -> tf.data.Dataset:
    """Endless batches of the train split, from a step on.

    Args:
        folder: the prepared clips.
        manifest: of that folder.
        config: the settings: shape of a clip, batch size, seed, augmentation.
        first_step: training step of the first batch.
        rows: rows of the global batch that this process decodes.

    Returns:
        Dataset of `Batch`, of these rows only.

    Raises:
        UserError: there are no training clips.
    """
    total = manifest.count("train")
    if not total:
        raise UserError(f"{folder} holds no training clips.")
    batch_size, seed = config.optimization.batch_size, config.optimization.seed
    start, stop, _ = rows.indices(batch_size)
    epoch, offset = divmod(first_step * batch_size, total)
    records_in_order = _RecordOrder(folder, manifest, seed).records(epoch, offset)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(first_step * batch_size), records_in_order)
    if stop - start < batch_size:
        numbered = numbered.filter(lambda index, _: tf.logical_and(index % batch_size >= start,
                                                                   index % batch_size < stop))

    def crop(index: tf.Tensor, record: tf.Tensor) -> Batch:
        parsed = records.parse(record)
        frames = parsed["frames"]
        position = tf.random.stateless_uniform([], tf.stack([tf.constant(seed, tf.int64), index]))
        spare = tf.shape(frames)[0] - config.clip.num_frames
        first = tf.cast(position * tf.cast(spare + 1, tf.float32), tf.int32)
        clip = tf.ensure_shape(frames[first:first + config.clip.num_frames], config.clip.shape)
        return Batch(clip, parsed["label"])

    batches = numbered.map(crop, num_parallel_calls=tf.data.AUTOTUNE).batch(stop - start, drop_remainder=True)
    if config.objective.augment:
        batches = batches.enumerate(first_step).map(
            lambda step, batch: batch._replace(clips=_augment(batch.clips, config, step, rows)), tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def first_clips(folder: Path, manifest: Manifest, num_frames: int, count: int, split: str = "train") -> np.ndarray:
    """First frames of the first records of a split.

    Args:
        folder: the prepared clips.
        manifest: of that folder.
        num_frames: T.
        count: N at most.
        split: `"train"` or `"test"`.

    Returns:
        uint8 [N, T, H, W, 3].
    """
    paths = [str(path) for path in manifest.paths(folder, split)]
    frames = tf.data.TFRecordDataset(paths).take(count).map(lambda record: records.parse(record)["frames"])
    return np.stack([clip[:num_frames] for clip in frames.as_numpy_iterator()])


class _RecordOrder:
    """Order of the records in each epoch."""

    def __init__(self, folder: Path, manifest: Manifest, seed: int) -> None:
        shards = manifest.splits["train"]
        self._seed = seed
        self._paths = tf.constant([str(path) for path in manifest.paths(folder, "train")])
        self._counts = np.array([shard.records for shard in shards])
        per_shard = max(shard.bytes for shard in shards)
        self._shards_per_window = max(1, min(len(shards), WINDOW_BYTES // per_shard))
        self._windows = math.ceil(len(shards) / self._shards_per_window)
        self._max_records = int(np.sort(self._counts)[-self._shards_per_window:].sum())

    def records(self, epoch: int, offset: int) -> tf.data.Dataset:
        """Endless serialized records, from the one at `offset` in an epoch on."""
        counts = self._counts[self._shards(tf.constant(epoch, tf.int64)).numpy()]
        ends = np.cumsum([counts[start:start + self._shards_per_window].sum()
                          for start in range(0, len(counts), self._shards_per_window)])
        window = int(np.searchsorted(ends, offset, side="right"))
        skipped = offset - (int(ends[window - 1]) if window else 0)
        windows = tf.data.Dataset.counter(epoch * self._windows + window)
        return windows.flat_map(self._window).skip(skipped)

    def _shards(self, epoch: tf.Tensor) -> tf.Tensor:
        """Indices of the shards in the order of an epoch."""
        return tf.random.experimental.stateless_shuffle(tf.range(len(self._counts)), self._key(epoch, 0))

    def _window(self, index: tf.Tensor) -> tf.data.Dataset:
        start = tf.cast(index % self._windows, tf.int32) * self._shards_per_window
        shards = self._shards(index // self._windows)[start:start + self._shards_per_window]
        # One reader: with several, the order would depend on the machine. (That of `Dataset.shuffle` depends on the
        # global seed.)
        window = tf.data.TFRecordDataset(tf.gather(self._paths, shards)).batch(self._max_records)
        return window.map(lambda batch: tf.random.experimental.stateless_shuffle(batch, self._key(index, 1))).unbatch()

    def _key(self, number: tf.Tensor, stream: int) -> tf.Tensor:
        return tf.stack([tf.constant(2 * self._seed + stream, tf.int64), number])


def _augment(clips: tf.Tensor, config: Config, step: tf.Tensor, rows: slice) -> tf.Tensor:
    """Augments the rows of a global batch that this process decodes."""
    names, optimization = config.objective.augment, config.optimization
    key = tf.stack([tf.constant(optimization.seed + 2**32, tf.int64), step])
    uniform = tf.random.stateless_uniform([optimization.batch_size, len(names), UNIFORMS + 1], key)
    return to_uint8(augment(to_float(clips), names, uniform[rows]))
