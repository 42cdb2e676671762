"""Seeds to latents: the same numbers in training, export and generation.

Every random number is a function of a seed, never of hidden state. A clip's latents depend on its own seed alone, so
rows of a batch are independent of their neighbours; a training step draws the seeds of its global batch from
(run seed, stream, step), so a run does not depend on the number of replicas or on having been interrupted.
"""

import dataclasses
import zlib
from collections.abc import Mapping

import tensorflow as tf

_CHUNK = 16
"""Frames whose noise is drawn together. A longer clip begins with the frames of a shorter one of the same seed."""


_ALGORITHM = "philox"
"""Named, because the default is another one on some devices."""


@dataclasses.dataclass(frozen=True)
class Latent:
    """One input of a generator: random numbers.

    Attributes:
        size: how many numbers.
        per_frame: whether each frame has its own ([B, T, size]) or the clip has one set ([B, size]); only of `normal`.
        kind: how they are distributed: `normal`, standard normal; `uniform`, from -1 to 1; `category`, a one and
            zeros, each place as likely.
    """

    size: int
    per_frame: bool = False
    kind: str = "normal"

    def shape(self, num_frames: int | None) -> tuple[int | None, ...]:
        """The shape without the batch dimension."""
        return (num_frames, self.size) if self.per_frame else (self.size,)


def draw_latents(specification: Mapping[str, Latent], seeds: tf.Tensor, num_frames: int,
                 first_frames: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
    """Draws the latents of each seed: of frames in a row from a sequence without end.

    Args:
        specification: name to `Latent`; the order of names decides which numbers each gets.
        seeds: int64 [B].
        num_frames: frames of the clip.
        first_frames: int64 [B], from 0: which frame of its sequence each row begins with; None: all with the first.

    Returns:
        Name to float32 [B, size] or [B, T, size].
    """
    drawn = {}
    for stream, (name, latent) in enumerate(specification.items()):
        if latent.per_frame:
            drawn[name] = _frames_normal(seeds, stream, num_frames, latent.size, first_frames)
        else:
            drawn[name] = _rows(seeds, tf.zeros_like(seeds) + stream * 2**32, [latent.size], latent.kind)
    return drawn


def step_seeds(seed: int, stream: str, step: tf.Tensor, count: int) -> tf.Tensor:
    """Draws `count` clip seeds, int64 [count], for one step of a run; `stream` separates their uses."""
    return tf.random.stateless_uniform([count], _key(seed, stream, step), minval=None, maxval=None, dtype=tf.int64,
                                       alg=_ALGORITHM)


def step_uniform(seed: int, stream: str, step: tf.Tensor, shape: list[int]) -> tf.Tensor:
    """Draws float32 numbers in [0, 1) for one step of a run; `stream` separates their uses."""
    return tf.random.stateless_uniform(shape, _key(seed, stream, step), alg=_ALGORITHM)


def step_normal(seed: int, stream: str, step: tf.Tensor, shape: list[int]) -> tf.Tensor:
    """Draws standard normal float32 numbers for one step of a run; `stream` separates their uses."""
    return tf.random.stateless_normal(shape, _key(seed, stream, step), alg=_ALGORITHM)


def _key(seed: int, stream: str, step: tf.Tensor) -> tf.Tensor:
    # A checksum of the name, not hash(): Python salts that anew in every process.
    code = zlib.crc32(stream.encode()) % 2**24
    return tf.stack([tf.constant(seed * 2**24 + code, tf.int64), tf.cast(step, tf.int64)])


def _frames_normal(seeds: tf.Tensor, stream: int, num_frames: int, size: int, first_frames: tf.Tensor | None
                   ) -> tf.Tensor:
    """[B, num_frames, size]: the numbers of a frame depend on its row's seed and on which frame it is, alone."""
    begin = tf.zeros_like(seeds) if first_frames is None else first_frames
    ahead = 0 if first_frames is None else _CHUNK - 1  # frames of the first chunk that may lie before the first frame
    chunks = -(-(num_frames + ahead) // _CHUNK)
    keys = (begin // _CHUNK)[:, tf.newaxis] + tf.range(chunks, dtype=tf.int64) + stream * 2**32 + 1
    rows = _rows(tf.repeat(seeds, chunks), tf.reshape(keys, [-1]), [_CHUNK, size], "normal")
    rows = tf.reshape(rows, [-1, chunks * _CHUNK, size])
    if first_frames is None:
        return rows[:, :num_frames]
    places = (begin % _CHUNK)[:, tf.newaxis] + tf.range(num_frames, dtype=tf.int64)
    return tf.gather(rows, places, batch_dims=1)


def _rows(seeds: tf.Tensor, keys: tf.Tensor, shape: list[int], kind: str) -> tf.Tensor:
    """[B, *shape], row i drawn from (seeds[i], keys[i]) alone."""
    return tf.map_fn(lambda pair: _DRAW[kind](shape, pair), tf.stack([seeds, keys], axis=1),
                     fn_output_signature=tf.float32)


def _normal(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    return tf.random.stateless_normal(shape, key, alg=_ALGORITHM)


def _uniform(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    return 2.0 * tf.random.stateless_uniform(shape, key, alg=_ALGORITHM) - 1.0


def _category(shape: list[int], key: tf.Tensor) -> tf.Tensor:
    place = tf.random.stateless_uniform([], key, 0, shape[-1], tf.int32, _ALGORITHM)
    return tf.one_hot(place, shape[-1])


_DRAW = {"normal": _normal, "uniform": _uniform, "category": _category}
