"""Gradient penalties of a discriminator: pure functions. `losses.GRADIENT_PENALTIES` lists them.

Each takes the discriminator as a function from samples [N, ...] to logits [N], real and generated samples [N, ...],
one uniform number for each sample [N], and normal numbers shaped like the samples (None where the penalty is not in
`NOISY`), and returns the unweighted penalty of each sample, [N] float32.

References:
    1. Mescheder et al., Which training methods for GANs do actually converge?, 2018 (arXiv:1801.04406), eq. 9.
    2. Huang et al., R3GAN, 2024 (arXiv:2501.05441), eq. 4.
    3. Gulrajani et al., Improved training of Wasserstein GANs, 2017 (arXiv:1704.00028), eq. 3.
    4. Kodali et al., On convergence and stability of GANs, 2017 (arXiv:1705.07215).
    5. Lin et al., Seaweed-APT, 2025 (arXiv:2501.08316), eq. 4.
"""

from collections.abc import Callable

import tensorflow as tf

LogitFunction = Callable[[tf.Tensor], tf.Tensor]

NOISY = ("dragan", "approximate_r1", "approximate_r1r2")
"""Penalties that take normal numbers."""

ZERO_CENTERED = ("r1", "r1r2", "approximate_r1", "approximate_r1r2")
"""Penalties that pull the squared gradient norm to 0. It falls as a sample has more values, so their weight grows with
them; a norm that is pulled to 1 needs no such thing."""

_NOISE_STDDEV = 0.25
_STEP_STDDEV = 0.1
"""Of the differences in place of gradients, in a range of 2: small steps drown in the rounding of bfloat16."""
_TINY = 1e-12


def r1(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
       normal: tf.Tensor | None) -> tf.Tensor:
    """Half the squared gradient norm at real samples (Mescheder 2018)."""
    del generated, uniform, normal
    return 0.5 * _squared_gradient_norm(discriminator, real)


def r1r2(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
         normal: tf.Tensor | None) -> tf.Tensor:
    """Half the squared gradient norm at real and at generated samples (R3GAN 2024)."""
    del uniform, normal
    norms = _squared_gradient_norm(discriminator, tf.concat([real, generated], axis=0))
    at_real, at_generated = tf.split(norms, 2)
    return 0.5 * (at_real + at_generated)


def approximate_r1(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
                   normal: tf.Tensor | None) -> tf.Tensor:
    """`r1` by the difference of the logits of a real sample and of it with a little noise, which on average over the
    noise is the gradient norm (Seaweed-APT 2025): no gradient of a gradient."""
    del generated, uniform
    return 0.5 * _squared_slope(discriminator, real, normal)


def approximate_r1r2(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
                     normal: tf.Tensor | None) -> tf.Tensor:
    """`r1r2` by differences, see `approximate_r1`; a real and a generated sample get the same noise."""
    del uniform
    slopes = _squared_slope(discriminator, tf.concat([real, generated], axis=0), tf.concat([normal, normal], axis=0))
    at_real, at_generated = tf.split(slopes, 2)
    return 0.5 * (at_real + at_generated)


def wgan_gp(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
            normal: tf.Tensor | None) -> tf.Tensor:
    """(Gradient norm - 1)² at a uniformly drawn point between a real and a generated sample (WGAN-GP 2017)."""
    del normal
    share = tf.reshape(uniform, [-1] + [1] * (real.shape.rank - 1))
    return _one_centered(discriminator, share * real + (1.0 - share) * generated)


def dragan(discriminator: LogitFunction, real: tf.Tensor, generated: tf.Tensor, uniform: tf.Tensor,
           normal: tf.Tensor | None) -> tf.Tensor:
    """(Gradient norm - 1)² at real samples with normal noise on them (DRAGAN 2017).

    The noise has a fixed strength, an eighth of the range, not one measured on the batch: several devices agree on it.
    """
    del generated, uniform
    return _one_centered(discriminator, real + _NOISE_STDDEV * normal)


def _one_centered(discriminator: LogitFunction, samples: tf.Tensor) -> tf.Tensor:
    # The square root has no gradient at 0.
    return tf.square(tf.sqrt(_squared_gradient_norm(discriminator, samples) + _TINY) - 1.0)


def _squared_slope(discriminator: LogitFunction, samples: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """[N]: that along the noise, of which the squared gradient norm is the expectation."""
    here, there = tf.split(discriminator(tf.concat([samples, samples + _STEP_STDDEV * normal], axis=0)), 2)
    return tf.square((there - here) / _STEP_STDDEV)


def _squared_gradient_norm(discriminator: LogitFunction, samples: tf.Tensor) -> tf.Tensor:
    """[N]: each sample's logit depends on that sample alone, so the gradient of the sum holds every sample's own."""
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(samples)
        logits = tf.reduce_sum(discriminator(samples))
    gradient = tape.gradient(logits, samples)
    return tf.reduce_sum(tf.square(gradient), axis=list(range(1, samples.shape.rank)))


FUNCTIONS = {function.__name__: function for function in (
    r1, r1r2, approximate_r1, approximate_r1r2, wgan_gp, dragan)}
"""The penalties by name."""
