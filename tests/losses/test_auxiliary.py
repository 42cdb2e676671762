"""Each auxiliary loss against numbers worked out by hand."""

import math

import numpy as np
import tensorflow as tf

from gan_keras.losses import auxiliary


def test_classification_is_cross_entropy_and_zero_where_no_class_is_known():
    logits = tf.constant([[0.0, math.log(3.0)], [5.0, 5.0], [1.0, 2.0]])
    label = tf.constant([[0.0, 1.0], [0.5, 0.5], [0.0, 0.0]])
    np.testing.assert_allclose(auxiliary.classification(logits, label), [math.log(4 / 3), math.log(2), 0.0], rtol=1e-6)


def test_code_likelihood_is_half_the_squared_error_of_the_estimate():
    estimates, codes = tf.constant([[1.0, 0.0], [0.5, -0.5]]), tf.constant([[-1.0, 1.0], [0.5, -0.5]])
    np.testing.assert_allclose(auxiliary.code_likelihood(estimates, codes), [0.5 * (4 + 1), 0.0])


def test_feature_matching_is_the_squared_distance_of_means_and_moves_the_generated_one_alone():
    real, generated = tf.constant([1.0, 2.0]), tf.constant([0.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, generated])
        value = auxiliary.feature_matching(real, generated)
    assert float(value) == 5.0
    assert tape.gradient(value, real) is None
    np.testing.assert_allclose(tape.gradient(value, generated), [-2.0, 4.0])


def test_sparsity_is_the_mean_of_a_mask():
    np.testing.assert_allclose(auxiliary.sparsity(tf.constant([[[1.0], [0.0]], [[0.5], [0.5]]])), [0.5, 0.5])
