"""Seeds to latents: the same numbers in training, export and generation.

Every random number is a function of a seed, never of hidden state. A clip's latents depend on its own seed alone, so
rows of a batch are independent of their neighbours; a training step draws the seeds of its global batch from
(run seed, stream, step), so a run does not depend on the number of replicas or on having been interrupted.
"""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

_CHUNK = 16
"""Frames whose noise is drawn together. A longer clip begins with the frames of a shorter one of the same seed."""


_ALGORITHM = "philox"
"""Named, because the default is another one on some devices."""


@dataclasses.dataclass(frozen=True)
class Latent:
    """One input of a generator: standard normal numbers.

    Attributes:
        size: how many numbers.
        per_frame: whether each frame has its own ([B, T, size]) or the clip has one set ([B, size]).
    """

    size: int
    per_frame: bool = False

    def shape(self, num_frames: int | None) -> tuple[int | None, ...]:
        """The shape without the batch dimension."""
        return (num_frames, self.size) if self.per_frame else (self.size,)


def draw_latents(specification: Mapping[str, Latent], seeds: tf.Tensor, num_frames: int) -> dict[str, tf.Tensor]:
    """Draws the latents of each seed.

    Args:
        specification: name to `Latent`; the order of names decides which numbers each gets.
        seeds: int64 [B].
        num_frames: frames of the clip.

    Returns:
        Name to float32 [B, size] or [B, T, size].
    """
    drawn = {}
    for stream, (name, latent) in enumerate(specification.items()):
        if latent.per_frame:
            drawn[name] = _frames_normal(seeds, stream, num_frames, latent.size)
        else:
            drawn[name] = _rows_normal(seeds, tf.zeros_like(seeds) + stream * 2**32, [latent.size])
    return drawn


def step_seeds(seed: int, stream: str, step: tf.Tensor, count: int) -> tf.Tensor:
    """Draws `count` clip seeds, int64 [count], for one step of a run; `stream` separates their uses."""
    return tf.random.stateless_uniform([count], _key(seed, stream, step), minval=None, maxval=None, dtype=tf.int64,
                                       alg=_ALGORITHM)


def step_uniform(seed: int, stream: str, step: tf.Tensor, shape: list[int]) -> tf.Tensor:
    """Draws float32 numbers in [0, 1) for one step of a run; `stream` separates their uses."""
    return tf.random.stateless_uniform(shape, _key(seed, stream, step), alg=_ALGORITHM)


def _key(seed: int, stream: str, step: tf.Tensor) -> tf.Tensor:
    # The bytes of the name, not hash(): Python salts that anew in every process.
    code = int.from_bytes(stream.encode()[:3], "little")
    return tf.stack([tf.constant(seed * 2**24 + code, tf.int64), tf.cast(step, tf.int64)])


def _frames_normal(seeds: tf.Tensor, stream: int, num_frames: int, size: int) -> tf.Tensor:
    chunks = -(-num_frames // _CHUNK)
    keys = tf.range(chunks, dtype=tf.int64) + stream * 2**32 + 1
    rows = _rows_normal(tf.repeat(seeds, chunks), tf.tile(keys, tf.shape(seeds)), [_CHUNK, size])
    return tf.reshape(rows, [-1, chunks * _CHUNK, size])[:, :num_frames]


def _rows_normal(seeds: tf.Tensor, keys: tf.Tensor, shape: list[int]) -> tf.Tensor:
    """[B, *shape], row i drawn from (seeds[i], keys[i]) alone."""
    return tf.map_fn(lambda pair: tf.random.stateless_normal(shape, pair, alg=_ALGORITHM),
                     tf.stack([seeds, keys], axis=1), fn_output_signature=tf.float32)
