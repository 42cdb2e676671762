"""Standard deviation over the minibatch (Karras et al., 2018, arXiv:1710.10196, section 3)."""

import keras
import tensorflow as tf
from keras import layers

GROUP_SIZE = 4
"""Consecutive samples over which the standard deviation is taken."""


class MinibatchStddev(layers.Layer):
    """Appends a channel with the standard deviation over groups of 4 samples, [N, ..., C] → [N, ..., C + 1].

    It is the mean over positions and channels. Where N is no multiple of 4, the last sample is counted for those that
    are missing.
    """

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x and the channel."""
        count = tf.shape(x)[0]
        padded = tf.concat([x, tf.repeat(x[-1:], -count % GROUP_SIZE, axis=0)], 0)
        groups = tf.reshape(tf.cast(padded, tf.float32), [-1, GROUP_SIZE, *x.shape[1:]])
        stddev = tf.sqrt(tf.math.reduce_variance(groups, axis=1) + 1e-8)
        stddev = tf.reduce_mean(stddev, axis=list(range(1, len(x.shape))))
        stddev = tf.repeat(stddev, GROUP_SIZE)[:count]
        stddev = tf.reshape(stddev, [-1] + [1] * (len(x.shape) - 1))
        return tf.concat([x, tf.cast(tf.broadcast_to(stddev, [*tf.unstack(tf.shape(x))[:-1], 1]), x.dtype)], -1)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One channel more."""
        return (*input_shape[:-1], input_shape[-1] + 1)
