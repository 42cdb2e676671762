"""Each loss against numbers worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import catalog, losses

REAL, FAKE = tf.constant([0.0, 2.0]), tf.constant([0.0, -1.0])


def softplus(x):
    return math.log1p(math.exp(x))


def test_bce_is_cross_entropy_and_non_saturating():
    discriminator, generator = losses.bce(REAL, FAKE)
    np.testing.assert_allclose(discriminator, [2 * math.log(2), softplus(-2) + softplus(-1)], rtol=1e-6)
    np.testing.assert_allclose(generator, [math.log(2), softplus(1)], rtol=1e-6)


def test_hinge_stops_at_the_margin():
    discriminator, generator = losses.hinge(REAL, FAKE)
    np.testing.assert_allclose(discriminator, [2.0, 0.0])
    np.testing.assert_allclose(generator, [0.0, 1.0])


def test_minimax_is_one_game():
    discriminator, generator = losses.minimax(REAL, FAKE)
    np.testing.assert_allclose(discriminator, losses.bce(REAL, FAKE)[0])
    sigmoid = 1 / (1 + np.exp(-FAKE.numpy()))
    np.testing.assert_allclose(generator, np.log(1 - sigmoid), rtol=1e-6)


def test_least_squares_pulls_to_one_and_zero():
    discriminator, generator = losses.least_squares(REAL, FAKE)
    np.testing.assert_allclose(discriminator, [0.5, 0.5 * 1 + 0.5 * 1])
    np.testing.assert_allclose(generator, [0.5, 2.0])


def test_wasserstein_is_the_difference():
    discriminator, generator = losses.wasserstein(REAL, FAKE)
    np.testing.assert_allclose(discriminator, [0.0, -3.0])
    np.testing.assert_allclose(generator, [0.0, 1.0])


def test_relativistic_sees_only_the_difference():
    discriminator, generator = losses.relativistic(REAL, FAKE)
    np.testing.assert_allclose(discriminator, [math.log(2), softplus(-3)], rtol=1e-6)
    np.testing.assert_allclose(generator, [math.log(2), softplus(3)], rtol=1e-6)
    shifted = losses.relativistic(REAL + 5.0, FAKE + 5.0)
    np.testing.assert_allclose(shifted, (discriminator, generator), rtol=1e-6)


@pytest.mark.parametrize("name", catalog.choices("losses"))
def test_losses_push_apart_and_pull_together(name):
    loss = catalog.find("losses", name)
    real, fake = tf.constant([0.3]), tf.constant([0.2])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        discriminator, generator = loss(real, fake)
    assert discriminator.shape == generator.shape == (1,)
    assert tape.gradient(discriminator, real) < 0 < tape.gradient(discriminator, fake)
    assert tape.gradient(generator, fake) < 0
