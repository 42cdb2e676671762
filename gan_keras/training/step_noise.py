"""Random numbers of a training step, functions of (seed, step) alone.

They are drawn for the global batch, and each replica takes its rows: a run does not depend on the number of replicas or
on having been interrupted.
"""

import zlib
from collections.abc import Mapping

import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.augment import UNIFORMS
from gan_keras.losses import gradient_penalties
from gan_keras.losses.forward_pass import EarlierClips, StepNoise, Tensors
from gan_keras.models import views
from gan_keras.models.build import discriminator_view_shapes
from gan_keras.models.generator import Generator
from gan_keras.models.latents import ALGORITHM, Latent, draw_latents
from gan_keras.models.views import Views
from gan_keras.tasks.task import Task

_STREAMS = {
    "latents": 7216752, "posterior": 4219265, "frames": 7244090,
    "penalty/low_resolution": 14033313, "penalty/full_resolution": 9587318,
    "diffaugment/low_resolution": 2201457, "diffaugment/full_resolution": 6683814,
    "perturbation/low_resolution": 3877412, "perturbation/full_resolution": 8339955,
    "instance/low_resolution": 16381626, "instance/full_resolution": 12426605}
"""Numbers that keep the streams apart; other numbers are other random numbers of every run. Streams that are not listed
take the checksum of their name."""


class StepRandom:
    """Random numbers of a replica in a step: its rows of those of the global batch.

    Args:
        seed: of the run.
        step: int64 scalar.
        batch_size: clips of the global batch.
        num_frames: frames of a clip.
        replicas: over how many devices the batch is split.
        replica_id: which of them this is.

    Attributes:
        step: see above.
    """

    def __init__(self, seed: int, step: tf.Tensor, batch_size: int, num_frames: int, replicas: int,
                 replica_id: tf.Tensor | int) -> None:
        self._seed, self.step, self._num_frames = seed, step, num_frames
        self._batch_size, self._rows, self._replica_id = batch_size, batch_size // replicas, replica_id

    def uniform(self, stream: str, *shape: int) -> tf.Tensor:
        """Uniform numbers in [0, 1), float32 [B, *shape]; `stream` names their use."""
        return self._take(tf.random.stateless_uniform([self._batch_size, *shape], self._key(stream), alg=ALGORITHM))

    def normal(self, stream: str, *shape: int) -> tf.Tensor:
        """Standard normal numbers, float32 [B, *shape]."""
        return self._take(tf.random.stateless_normal([self._batch_size, *shape], self._key(stream), alg=ALGORITHM))

    def latents(self, stream: str, latents: Mapping[str, Latent], clips: int = 1) -> Tensors:
        """Latents of the first `clips` clips of B sequences, by name; those of each frame are [B, clips * T, dim]."""
        seeds = tf.random.stateless_uniform([self._batch_size], self._key(stream), minval=None, maxval=None,
                                            dtype=tf.int64, alg=ALGORITHM)
        return draw_latents(latents, self._take(seeds), clips * self._num_frames)

    def _take(self, values: tf.Tensor) -> tf.Tensor:
        # Not a slice between numbers that are tensors: its length would not be known before it runs.
        return tf.reshape(values, [-1, self._rows, *values.shape[1:]])[self._replica_id]

    def _key(self, stream: str) -> tf.Tensor:
        # A checksum of the name, not hash(): Python salts that anew in every process.
        number = _STREAMS.get(stream, zlib.crc32(stream.encode()) % 2**24)
        return tf.stack([tf.constant(self._seed * 2**24 + number, tf.int64), tf.cast(self.step, tf.int64)])


def draw_step_noise(config: Config, task: Task, generator: Generator, random: StepRandom,
                    augment_probability: tf.Tensor) -> StepNoise:
    """Draws all numbers of a replica's step.

    Args:
        config: the settings.
        task: draws numbers of its own.
        generator: its latents are drawn.
        random: of the replica.
        augment_probability: scalar; passed on.
    """
    objective = config.objective
    channels = 3 + sum(task.shown_conditions.values())
    shapes = discriminator_view_shapes(config.clip, config.model, channels)

    def normal(stream: str) -> Views:
        return Views(*(random.normal(f"{stream}/{view}", *shape) for view, shape in shapes._asdict().items()))

    def uniform(stream: str, *shape: int) -> Views:
        return Views(*(random.uniform(f"{stream}/{view}", *shape) for view in Views._fields))

    latents, earlier = _draw_latents(objective.student_forcing, config.clip.num_frames, generator.latents, random)
    return StepNoise(
        latents=latents,
        earlier=earlier,
        frames=random.uniform("frames", config.model.frame_pairs, views.UNIFORMS),
        penalty=uniform("penalty", 1),
        diffaugment=uniform("diffaugment", len(objective.diffaugment), UNIFORMS + 1),
        perturbation=normal("perturbation") if objective.penalty in gradient_penalties.NOISY else None,
        instance=normal("instance") if objective.instance_noise else None,
        augment_probability=augment_probability,
        task=task.draw_noise(random, generator))


def _draw_latents(earlier_clips: int, num_frames: int, latents: Mapping[str, Latent], random: StepRandom
                  ) -> tuple[Tensors, EarlierClips | None]:
    """Latents of any of the first clips of each sequence, and what comes before it: as where the sequence is served.

    Args:
        earlier_clips: how many clips may come before it, N.
        num_frames: frames of a clip, T.
        latents: of the generator; those of each frame are drawn for N + 1 clips.
        random: of the replica.
    """
    drawn = random.latents("latents", latents, 1 + earlier_clips)
    if not earlier_clips:
        return drawn, None
    count = tf.cast(random.uniform("student_forcing") * (1 + earlier_clips), tf.int32)
    noise = {name: tf.reshape(drawn[name], [-1, 1 + earlier_clips, num_frames, latent.dim])
             for name, latent in latents.items() if latent.per_frame}
    return ({**drawn, **{name: tf.gather(values, count, batch_dims=1) for name, values in noise.items()}},
            EarlierClips(count, {name: values[:, :-1] for name, values in noise.items()}))
