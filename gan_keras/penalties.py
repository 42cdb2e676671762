"""Gradient penalties on a discriminator: pure functions. Every public function here is a value of `--penalty`.

Each takes the discriminator as a function, samples `[N, ...]`, one uniform number for each sample and normal numbers
shaped like the samples (None where the penalty is not in `DISTURBS`), and returns the unweighted penalty of each
sample, `[N]` float32.

References:
    1. Mescheder et al., Which training methods for GANs do actually converge?, 2018 (arXiv:1801.04406), eq. 9.
    2. Huang et al., R3GAN, 2024 (arXiv:2501.05441), eq. 4.
    3. Gulrajani et al., Improved training of Wasserstein GANs, 2017 (arXiv:1704.00028), eq. 3.
    4. Kodali et al., On convergence and stability of GANs, 2017 (arXiv:1705.07215).
"""

from collections.abc import Callable

import tensorflow as tf

Discriminator = Callable[[tf.Tensor], tf.Tensor]

DISTURBS = ("dragan",)
"""Penalties that take normal numbers."""

TOWARDS_ZERO = ("r1", "r1r2")
"""Penalties that pull the squared gradient norm to 0. It falls as a sample has more numbers, so their weight grows with
them; a norm that is pulled to 1 needs no such thing."""

_DISTURBANCE = 0.25
_TINY = 1e-12


def r1(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor, normal: tf.Tensor | None
       ) -> tf.Tensor:
    """Half the squared gradient norm at real samples (Mescheder 2018)."""
    del fake, uniform, normal
    return 0.5 * _squared_gradient_norm(discriminator, real)


def r1r2(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor, normal: tf.Tensor | None
         ) -> tf.Tensor:
    """Half the squared gradient norm at real and at generated samples (R3GAN 2024)."""
    del uniform, normal
    norms = _squared_gradient_norm(discriminator, tf.concat([real, fake], axis=0))
    at_real, at_fake = tf.split(norms, 2)
    return 0.5 * (at_real + at_fake)


def wgan_gp(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor,
            normal: tf.Tensor | None) -> tf.Tensor:
    """(Gradient norm - 1)² at a uniformly drawn point between a real and a generated sample (WGAN-GP 2017)."""
    del normal
    share = tf.reshape(uniform, [-1] + [1] * (real.shape.rank - 1))
    return _distance_from_one(discriminator, share * real + (1.0 - share) * fake)


def dragan(discriminator: Discriminator, real: tf.Tensor, fake: tf.Tensor, uniform: tf.Tensor,
           normal: tf.Tensor | None) -> tf.Tensor:
    """(Gradient norm - 1)² at real samples with normal noise on them (DRAGAN 2017).

    The noise has a fixed strength, an eighth of the range, not one measured on the batch: several devices agree on it.
    """
    del fake, uniform
    return _distance_from_one(discriminator, real + _DISTURBANCE * normal)


def _distance_from_one(discriminator: Discriminator, samples: tf.Tensor) -> tf.Tensor:
    # The square root has no gradient at 0.
    return tf.square(tf.sqrt(_squared_gradient_norm(discriminator, samples) + _TINY) - 1.0)


def _squared_gradient_norm(discriminator: Discriminator, samples: tf.Tensor) -> tf.Tensor:
    """[N]: each sample's logit depends on that sample alone, so the gradient of the sum holds every sample's own."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(samples)
        logits = tf.reduce_sum(discriminator(samples))
    gradient = tape.gradient(logits, samples)
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, samples.shape.rank)))
