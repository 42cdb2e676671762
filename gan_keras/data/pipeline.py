"""Prepared clips to batches, with no Python in between and no hidden state.

The order of clips is a function of (seed, epoch), and what a step sees of (seed, step). A resumed run therefore starts
its pipeline at the step it has reached and sees what it would have seen: nothing of the pipeline is in a checkpoint.

An epoch visits the shards in a new order, a *window* of them at a time: the records of a window are shuffled wholly.
To begin in the middle of an epoch only the records of the window in question are read and passed over.
"""

import math
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.config import Config
from gan_keras.data import clips as clip_batch
from gan_keras.data import records
from gan_keras.data.augment import UNIFORMS
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError

_WINDOW_BYTES = 256 * 2**20
"""Clips shuffled together, and so held in memory."""


def training_batches(folder: Path, manifest: Manifest, config: Config, first_step: int = 0) -> tf.data.Dataset:
    """Endless batches of the train split from the given step on.

    Args:
        folder: the prepared clips.
        manifest: of that folder.
        config: the settings: what a clip is, batch size, seed, augmentation.
        first_step: the step that sees the first batch.

    Returns:
        Batches of `clips` uint8 [batch_size, T, H, W, 3] and their `label` int64 [batch_size], -1 where there is none.

    Raises:
        UserError: there are no training clips.
    """
    total = manifest.count("train")
    if not total:
        raise UserError(f"{folder} holds no training clips.")
    batch_size, seed = config.optimization.batch_size, config.optimization.seed
    epoch, offset = divmod(first_step * batch_size, total)
    order = _Order(folder, manifest, seed)
    serialized = order.records(epoch, offset)
    numbered = tf.data.Dataset.zip(tf.data.Dataset.counter(first_step * batch_size), serialized)

    def crop(index: tf.Tensor, record: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = records.parse(record)
        frames = parsed["frames"]
        place = tf.random.stateless_uniform([], tf.stack([tf.constant(seed, tf.int64), index]))
        spare = tf.shape(frames)[0] - config.clips.num_frames
        start = tf.cast(place * tf.cast(spare + 1, tf.float32), tf.int32)
        clip = tf.ensure_shape(frames[start:start + config.clips.num_frames], config.clips.shape)
        return {"clips": clip, "label": parsed["label"]}

    batches = numbered.map(crop, num_parallel_calls=tf.data.AUTOTUNE).batch(batch_size, drop_remainder=True)
    if config.objective.augment:
        batches = batches.enumerate(first_step).map(
            lambda step, batch: {**batch, "clips": _augment(batch["clips"], config.objective.augment, seed, step)},
            tf.data.AUTOTUNE)
    return batches.prefetch(tf.data.AUTOTUNE)


def first_clips(folder: Path, manifest: Manifest, num_frames: int, count: int, split: str = "train") -> np.ndarray:
    """The first frames of the first records of a split, uint8 [N, T, H, W, 3], N at most `count`."""
    paths = [str(path) for path in manifest.paths(folder, split)]
    taken = tf.data.TFRecordDataset(paths).take(count).map(lambda record: records.parse(record)["frames"][:num_frames])
    return np.stack(list(taken.as_numpy_iterator()))


class _Order:
    """In which order an epoch reads the records."""

    def __init__(self, folder: Path, manifest: Manifest, seed: int) -> None:
        shards = manifest.splits["train"]
        self._seed = seed
        self._paths = tf.constant([str(path) for path in manifest.paths(folder, "train")])
        self._counts = np.array([shard.records for shard in shards])
        per_shard = max(shard.bytes for shard in shards)
        self._per_window = max(1, min(len(shards), _WINDOW_BYTES // per_shard))
        self._windows = math.ceil(len(shards) / self._per_window)
        self._largest = int(np.sort(self._counts)[-self._per_window:].sum())

    def records(self, epoch: int, offset: int) -> tf.data.Dataset:
        """Serialized records for ever, from the one at `offset` in an epoch on."""
        counts = self._counts[self._shards(tf.constant(epoch, tf.int64)).numpy()]
        ends = np.cumsum([counts[start:start + self._per_window].sum()
                          for start in range(0, len(counts), self._per_window)])
        window = int(np.searchsorted(ends, offset, side="right"))
        passed = offset - (int(ends[window - 1]) if window else 0)
        windows = tf.data.Dataset.counter(epoch * self._windows + window)
        return windows.flat_map(self._window).skip(passed)

    def _shards(self, epoch: tf.Tensor) -> tf.Tensor:
        """The shards' numbers in the order of an epoch."""
        return tf.random.experimental.stateless_shuffle(tf.range(len(self._counts)), self._key(epoch, 0))

    def _window(self, index: tf.Tensor) -> tf.data.Dataset:
        start = tf.cast(index % self._windows, tf.int32) * self._per_window
        shards = self._shards(index // self._windows)[start:start + self._per_window]
        # One reader: with several the order would depend on the machine. `Dataset.shuffle` would, on the global seed.
        whole = tf.data.TFRecordDataset(tf.gather(self._paths, shards)).batch(self._largest)
        return whole.map(lambda found: tf.random.experimental.stateless_shuffle(found, self._key(index, 1))).unbatch()

    def _key(self, number: tf.Tensor, stream: int) -> tf.Tensor:
        return tf.stack([tf.constant(2 * self._seed + stream, tf.int64), number])


def _augment(clips: tf.Tensor, names: tuple[str, ...], seed: int, step: tf.Tensor) -> tf.Tensor:
    key = tf.stack([tf.constant(seed + 2**32, tf.int64), step])
    uniform = tf.random.stateless_uniform([clips.shape[0], len(names), UNIFORMS + 1], key)
    return clip_batch.to_uint8(clip_batch.augment(clip_batch.to_float(clips), names, uniform))
