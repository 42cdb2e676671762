"""What losses are computed from, and what a loss is: the records that tasks, losses and the training step share."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import tensorflow as tf

from gan_keras.models.discriminator import Discriminator, DiscriminatorOutputs
from gan_keras.models.views import View, Views

Tensors = Mapping[str, tf.Tensor]


class Example(NamedTuple):
    """A batch of training examples.

    Attributes:
        condition: what the generator is given beside its latents, by name: a label, clips, masks; [B, ...].
        target: the true clips, float32 [B, T, H, W, 3] from -1 to 1.
    """

    condition: Tensors
    target: tf.Tensor


class EarlierClips(NamedTuple):
    """The clips before the generated ones in their sequences, for student forcing.

    Attributes:
        counts: int32 [B], how many there are of each sequence.
        noise: latents of each frame of the first N, by name, [B, N, T, dim].
    """

    counts: tf.Tensor
    noise: Tensors


class StepNoise(NamedTuple):
    """Random numbers of a replica in a training step, functions of (seed, step) alone.

    Attributes:
        latents: of the generated clips, by name.
        earlier: what comes before these; None: they are the first of their sequences.
        frames: uniform [B, pairs, 3], which frames are seen at full resolution (`views.sampled_frames`).
        penalty: uniform [B, 1] by view, for gradient penalties.
        diffaugment: uniform [B, augmentations, UNIFORMS + 1] by view (`augment.augment`).
        perturbation: normal, of each view's shape, for penalties with noise; None without.
        instance: normal, of each view's shape, instance noise (Sønderby et al., 2016, arXiv:1610.04490); None without.
        augment_probability: of each augmentation of a clip.
        task: what the task draws for itself, by name.
    """

    latents: Tensors
    earlier: EarlierClips | None
    frames: tf.Tensor
    penalty: Views
    diffaugment: Views
    perturbation: Views | None
    instance: Views | None
    augment_probability: tf.Tensor
    task: Tensors


class DiscriminatorPass(NamedTuple):
    """A discriminator's samples of an example, and its outputs for them.

    Attributes:
        discriminator: the discriminator.
        real: samples of the target, [N, ...], N a multiple of B.
        generated: samples of the generated clips, [N, ...].
        label: weights of the classes [N, K]; None without classes.
        real_outputs: outputs for `real`.
        generated_outputs: outputs for `generated`.
        seen_by_generator: outputs for real and generated samples that the generator's losses are computed from: those
            above, or those of an unrolled discriminator.
    """

    discriminator: Discriminator
    real: tf.Tensor
    generated: tf.Tensor
    label: tf.Tensor | None
    real_outputs: DiscriminatorOutputs
    generated_outputs: DiscriminatorOutputs
    seen_by_generator: tuple[DiscriminatorOutputs, DiscriminatorOutputs]


class ForwardPass(NamedTuple):
    """All that a training step computes of an example before its losses.

    Attributes:
        example: the example.
        noise: random numbers of the step.
        inputs: of the generator, latents and conditions by name.
        outputs: of the generator's backbone, by name.
        real: views of the target.
        generated: views of the generated clips.
        discriminators: passes through the discriminators, by name.
        task: what the task computes beside (`Task.extend`).
    """

    example: Example
    noise: StepNoise
    inputs: Tensors
    outputs: Tensors
    real: Views
    generated: Views
    discriminators: Mapping[str, DiscriminatorPass]
    task: Any = None


class LossTerm(NamedTuple):
    """One term of the objective.

    Attributes:
        name: under which it is logged; unique for a network.
        weight: in the network's loss.
        network: whose loss it is part of: `generator`, a discriminator, or another network of the task.
        compute: one number for each clip, float32 [B], from a forward pass.
        interval: steps between two in which it is computed; it counts as many times then (lazy regularization).
        crosses_replicas: whether it needs values of all replicas before it is done; XLA cannot compile such a term.
        view: that it needs, of real and generated clips; None: whole clips.
    """

    name: str
    weight: float
    network: str
    compute: Callable[[ForwardPass], tf.Tensor]
    interval: int = 1
    crosses_replicas: bool = False
    view: View | None = None


def mean_per_clip(values: tf.Tensor, forward: ForwardPass) -> tf.Tensor:
    """Mean over the samples of each clip, [N] or [N, P] → [B]."""
    return tf.reduce_mean(tf.reshape(values, [tf.shape(forward.example.target)[0], -1]), axis=1)


def same_for_clips(value: tf.Tensor, forward: ForwardPass) -> tf.Tensor:
    """A scalar as the value of each clip, [B]."""
    return tf.fill([tf.shape(forward.example.target)[0]], value)


def sum_over_replicas(values: Any) -> Any:
    """Sum of tensors over all replicas, known to each; to be called on each replica."""
    context = tf.distribute.get_replica_context()
    alone = context.num_replicas_in_sync == 1 or not tf.nest.flatten(values)  # TensorFlow fails to sum nothing
    return values if alone else context.all_reduce("sum", values)


def mean_over_batch(values: tf.Tensor) -> tf.Tensor:
    """Mean of [N, ...] over the first axis, over the global batch."""
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    return sum_over_replicas(tf.reduce_mean(values, axis=0) / replicas)
