"""Reconstruction losses: pure functions of samples and what was made of them, one number for each sample, [N] float32.

References:
    1. Larsen et al., Autoencoding beyond pixels using a learned similarity metric, 2016 (arXiv:1512.09300), eq. 7.
    2. Charbonnier et al., Two deterministic half-quadratic regularization algorithms for computed imaging, 1994.
    3. Kingma and Welling, Auto-encoding variational Bayes, 2014 (arXiv:1312.6114), appendix B.
"""

import tensorflow as tf


def l1(target: tf.Tensor, reconstruction: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of samples [N, ...]."""
    return tf.reduce_mean(tf.abs(reconstruction - target), axis=list(range(1, target.shape.rank)))


def l2(target: tf.Tensor, reconstruction: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of samples [N, ...]; of discriminator features, Larsen 2016."""
    return tf.reduce_mean(tf.square(reconstruction - target), axis=list(range(1, target.shape.rank)))


FUNCTIONS = {function.__name__: function for function in (l1, l2)}
"""The losses of pixels by name."""


def charbonnier(target: tf.Tensor, reconstruction: tf.Tensor, epsilon: float = 1e-3) -> tf.Tensor:
    """Mean of sqrt(d² + ε²) over the differences d of samples [N, ...] (Charbonnier 1994): L1 without its corner."""
    smooth = tf.sqrt(tf.square(reconstruction - target) + epsilon**2)
    return tf.reduce_mean(smooth, axis=list(range(1, target.shape.rank)))


def l1_within(mask: tf.Tensor, target: tf.Tensor, reconstruction: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of samples [N, ..., C] where a mask [N, ..., 1] is 1; 0 where it is 0 all over."""
    axes = list(range(1, target.shape.rank))
    covered = tf.reduce_sum(mask, axis=axes) * target.shape[-1]
    return tf.reduce_sum(mask * tf.abs(reconstruction - target), axis=axes) / tf.maximum(covered, 1.0)


def kl_divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of a normal distribution from the standard normal one, summed over its dimensions (Kingma 2014).

    Args:
        mean: [N, ...].
        log_variance: of the same shape.
    """
    each = 0.5 * (tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance)
    return tf.reduce_sum(each, axis=list(range(1, mean.shape.rank)))


def flow_smoothness(flow: tf.Tensor) -> tf.Tensor:
    """Smoothness loss of flows [N, T, h, w, 2], in pixels², [N]: the mean squared difference of the flow at a place and
    at the one below, and likewise to the right (Horn and Schunck, 1981)."""
    flow = tf.cast(flow, tf.float32)
    return sum(tf.reduce_mean(tf.square(difference), axis=list(range(1, flow.shape.rank))) for difference in (
        flow[..., 1:, :, :] - flow[..., :-1, :, :], flow[..., 1:, :] - flow[..., :-1, :]))
