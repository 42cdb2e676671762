"""Latents of a clip as a function of its seed: the same numbers in training, export and generation.

A clip's latents depend on its own seed alone, so rows of a batch are independent of their neighbours.
"""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

ALGORITHM = "philox"
"""Named, because the default random number generator is another one on some devices."""

_CHUNK = 16
"""Frames whose noise is drawn together. A longer clip begins with the frames of a shorter one of the same seed."""


@dataclasses.dataclass(frozen=True)
class Latent:
    """Shape and distribution of one random input of a generator.

    Attributes:
        dim: dimension.
        per_frame: whether each frame has its own ([B, T, dim]) or the clip has one ([B, dim]); only of `normal`.
        distribution: `normal`, standard normal; `uniform`, from -1 to 1; `category`, one-hot, all equally likely.
    """

    dim: int
    per_frame: bool = False
    distribution: str = "normal"

    def shape(self, num_frames: int | None) -> tuple[int | None, ...]:
        """Shape without the batch dimension."""
        return (num_frames, self.dim) if self.per_frame else (self.dim,)


def draw_latents(latents: Mapping[str, Latent], seeds: tf.Tensor, num_frames: int,
                 first_frames: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Draws the latents of each seed, for consecutive frames of a sequence without end.

    Args:
        latents: by name; their order decides which numbers each gets.
        seeds: int64 [B].
        num_frames: frames of the clip, T.
        first_frames: int64 [B], from 0: the frame of its sequence that each row begins with; None: all with the first.

    Returns:
        By name, float32 [B, dim] or [B, T, dim].
    """
    values = {}
    for stream, (name, latent) in enumerate(latents.items()):
        if latent.per_frame:
            values[name] = _draw_frames(seeds, stream, num_frames, latent.dim, first_frames)
        else:
            values[name] = _draw_rows(seeds, tf.zeros_like(seeds) + stream * 2**32, [latent.dim], latent.distribution)
    return values


def _draw_frames(seeds: tf.Tensor, stream: int, num_frames: int, dim: int, first_frames: tf.Tensor | None) -> tf.Tensor:
    """Normal numbers [B, num_frames, dim]; those of a frame depend on its row's seed and on its number alone."""
    begin = tf.zeros_like(seeds) if first_frames is None else first_frames
    lead = 0 if first_frames is None else _CHUNK - 1  # frames of the first chunk that may lie before the first frame
    chunks = -(-(num_frames + lead) // _CHUNK)
    keys = (begin // _CHUNK)[:, tf.newaxis] + tf.range(chunks, dtype=tf.int64) + stream * 2**32 + 1
    rows = _draw_rows(tf.repeat(seeds, chunks), tf.reshape(keys, [-1]), [_CHUNK, dim], "normal")
    rows = tf.reshape(rows, [-1, chunks * _CHUNK, dim])
    if first_frames is None:
        return rows[:, :num_frames]
    positions = (begin % _CHUNK)[:, tf.newaxis] + tf.range(num_frames, dtype=tf.int64)
    return tf.gather(rows, positions, batch_dims=1)


def _draw_rows(seeds: tf.Tensor, keys: tf.Tensor, shape: list[int], distribution: str) -> tf.Tensor:
    """[B, *shape], row i drawn from (seeds[i], keys[i]) alone."""
    return tf.map_fn(lambda key: _DISTRIBUTIONS[distribution](shape, key), tf.stack([seeds, keys], axis=1),
                     fn_output_signature=tf.float32)


def _normal(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_normal(shape, key, alg=ALGORITHM)


def _uniform(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    return 2.0 * tf.random.stateless_uniform(shape, key, alg=ALGORITHM) - 1.0


def _category(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    index = tf.random.stateless_uniform([], key, 0, shape[-1], tf.int32, ALGORITHM)
    return tf.one_hot(index, shape[-1])


_DISTRIBUTIONS = {"normal": _normal, "uniform": _uniform, "category": _category}
