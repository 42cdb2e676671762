"""Each term of a loss against numbers worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import terms


def test_classification_is_cross_entropy_and_nothing_where_no_class_is_known():
    logits = tf.constant([[0.0, math.log(3.0)], [5.0, 5.0], [1.0, 2.0]])
    label = tf.constant([[0.0, 1.0], [0.5, 0.5], [0.0, 0.0]])
    np.testing.assert_allclose(terms.classification(logits, label), [math.log(4 / 3), math.log(2), 0.0], rtol=1e-6)


def test_information_is_half_the_squared_error_of_the_guess():
    found = terms.information(tf.constant([[1.0, 0.0], [0.5, -0.5]]), tf.constant([[-1.0, 1.0], [0.5, -0.5]]))
    np.testing.assert_allclose(found, [0.5 * (4 + 1), 0.0])


def test_feature_matching_is_the_squared_distance_of_means_and_moves_the_generated_one_alone():
    real, fake = tf.constant([1.0, 2.0]), tf.constant([0.0, 4.0])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        value = terms.feature_matching(real, fake)
    assert float(value) == 5.0
    assert tape.gradient(value, real) is None
    np.testing.assert_allclose(tape.gradient(value, fake), [-2.0, 4.0])


def test_sparsity_is_what_a_mask_covers():
    np.testing.assert_allclose(terms.sparsity(tf.constant([[[1.0], [0.0]], [[0.5], [0.5]]])), [0.5, 0.5])


def test_divergence_of_normal_distributions():
    mean = tf.constant([[0.0, 0.0], [2.0, 0.0]])
    variance = tf.constant([[1.0, 1.0], [1.0, 4.0]])
    expected = [0.0, 0.5 * 4 + 0.5 * (4 - 1 - math.log(4))]
    np.testing.assert_allclose(terms.divergence(mean, tf.math.log(variance)), expected, rtol=1e-6)


@pytest.mark.parametrize(("term", "expected"), [(terms.l1, [1.5, 0.0]), (terms.l2, [2.5, 0.0])])
def test_reconstruction_is_a_mean_over_the_numbers_of_a_sample(term, expected):
    real, made = tf.constant([[1.0, 2.0], [3.0, 3.0]]), tf.constant([[2.0, 0.0], [3.0, 3.0]])
    np.testing.assert_allclose(term(real, made), expected)
