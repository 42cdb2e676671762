"""Adaptive discriminator augmentation: more where discriminators overfit, less where they do not."""

from collections.abc import Sequence

import tensorflow as tf

from gan_keras.config.train import ObjectiveSettings


def next_probability(probability: tf.Tensor, accuracies: Sequence[tf.Tensor], settings: ObjectiveSettings,
                     batch_size: int) -> tf.Tensor:
    """The augmentation probability after a step, in [0, 1] (ADA, Karras et al., 2020, arXiv:2006.06676, section 3.1).

    r = E[sign(D(x) - D(G(z)))] is held at `ada_target` by changes of a fixed size: from 0 to 1 in `ada_clips` clips.
    (There r is E[sign(D(x))], but a relativistic logit has no zero.)

    Args:
        probability: before the step.
        accuracies: of each discriminator, the share of pairs in which the real sample has the larger logit.
        settings: of the objective.
        batch_size: clips of a step, on all replicas.
    """
    overfitting = tf.reduce_mean([2.0 * accuracy - 1.0 for accuracy in accuracies])
    change = batch_size / settings.ada_clips * tf.sign(overfitting - settings.ada_target)
    return tf.clip_by_value(probability + change, 0.0, 1.0)
