"""Gradient penalties on a discriminator: pure functions. Every public function here is a value of `--penalty`.

Each takes the discriminator as a function, samples `[N, ...]` and one uniform number for each sample, and returns the
unweighted penalty of each sample, `[N]` float32.

References:
    1. Mescheder et al., Which training methods for GANs do actually converge?, 2018 (arXiv:1801.04406), eq. 9.
    2. Huang et al., R3GAN, 2024 (arXiv:2501.05441), eq. 4.
"""

from collections.abc import Callable

import tensorflow as tf

Discriminator = Callable[[tf.Tensor], tf.Tensor]


def r1(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Half the squared gradient norm at real samples (Mescheder 2018)."""
    del fake, uniform
    return 0.5 * _squared_gradient_norm(discriminator, real)


def r1r2(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Half the squared gradient norm at real and at generated samples (R3GAN 2024)."""
    del uniform
    norms = _squared_gradient_norm(discriminator, tf.concat([real, fake], axis=0))
    at_real, at_fake = tf.split(norms, 2)
    return 0.5 * (at_real + at_fake)


def _squared_gradient_norm(discriminator: Discriminator, samples: tf.Tensor) -> tf.Tensor:
    """[N]: each sample's logit depends on that sample alone, so the gradient of the sum holds every sample's own."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(samples)
        logits = tf.reduce_sum(discriminator(samples))
    gradient = tape.gradient(logits, samples)
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, samples.shape.rank)))
