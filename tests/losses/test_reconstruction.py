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


def test_charbonnier_is_the_root_of_squares_with_a_rounded_corner():
    target, output = tf.constant([[1.0, 2.0], [3.0, 3.0]]), tf.constant([[4.0, 2.0], [3.0, 3.0]])
    np.testing.assert_allclose(reconstruction.charbonnier(target, output, 4.0), [(5.0 + 4.0) / 2, 4.0])
    np.testing.assert_allclose(reconstruction.charbonnier(target, output), [1.5, 0.001], rtol=1e-3)


def test_l1_within_a_mask_is_the_mean_over_what_it_covers():
    target = tf.zeros([3, 2, 2, 1, 3])
    mask = tf.reshape(tf.constant([[1.0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 0, 0]]), [3, 2, 2, 1, 1])
    output = tf.reshape(tf.constant([[2.0, 9, 9, 4], [9, 9, 5, 9], [9, 9, 9, 9]]), [3, 2, 2, 1, 1]) * tf.ones([3])
    np.testing.assert_allclose(reconstruction.l1_within(mask, target, output), [3.0, 5.0, 0.0])


def test_smoothness_of_a_flow_is_of_neighbours_in_space():
    flow = np.zeros((2, 2, 2, 3, 2), np.float32)
    flow[0, 1] = 7.0  # another frame may go elsewhere
    flow[1, :, 1, :, 0] = 2.0  # the second row goes to the right
    flow[1, 0, 0, 2, 1] = 4.0
    below = (2 * 3 * 2.0**2 + 4.0**2) / (2 * 3 * 2)
    beside = 4.0**2 / (2 * 2 * 2 * 2)
    np.testing.assert_allclose(reconstruction.flow_smoothness(flow), [0.0, below + beside], rtol=1e-6)
