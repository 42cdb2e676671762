"""Each reconstruction loss against numbers worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.losses import reconstruction


def test_kl_divergence_of_normal_distributions():
    mean = tf.constant([[0.0, 0.0], [2.0, 0.0]])
    variance = tf.constant([[1.0, 1.0], [1.0, 4.0]])
    expected = [0.0, 0.5 * 4 + 0.5 * (4 - 1 - math.log(4))]
    np.testing.assert_allclose(reconstruction.kl_divergence(mean, tf.math.log(variance)), expected, rtol=1e-6)


@pytest.mark.parametrize(("loss", "expected"), [(reconstruction.l1, [1.5, 0.0]), (reconstruction.l2, [2.5, 0.0])])
def test_pixel_losses_are_means_over_the_values_of_a_sample(loss, expected):
    target, output = tf.constant([[1.0, 2.0], [3.0, 3.0]]), tf.constant([[2.0, 0.0], [3.0, 3.0]])
    np.testing.assert_allclose(loss(target, output), expected)
