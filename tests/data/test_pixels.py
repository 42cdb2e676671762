"""Conversions of the pixels of clips."""

import numpy as np
import tensorflow as tf

from gan_keras.data.pixels import downsample, to_float, to_uint8


def test_every_byte_survives_the_conversion_to_float_and_back():
    values = tf.cast(tf.reshape(tf.range(256), [1, 1, 16, 16, 1]), tf.uint8)
    floats = to_float(values)
    assert (floats.dtype, float(tf.reduce_min(floats)), float(tf.reduce_max(floats))) == (tf.float32, -1.0, 1.0)
    np.testing.assert_array_equal(to_uint8(floats), values)
    np.testing.assert_array_equal(to_uint8(tf.constant([-3.0, 3.0])), [0, 255])


def test_downsampling_takes_means_of_blocks():
    clip = tf.reshape(tf.range(16.0), [1, 1, 4, 4, 1])
    np.testing.assert_allclose(np.ravel(downsample(clip, 2)), [2.5, 4.5, 10.5, 12.5])
    assert downsample(clip, 1) is clip
