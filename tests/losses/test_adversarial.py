"""Each loss against numbers worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.losses import adversarial

REAL, GENERATED = tf.constant([0.0, 2.0]), tf.constant([0.0, -1.0])


def softplus(x):
    return math.log1p(math.exp(x))


def test_bce_is_cross_entropy_and_non_saturating():
    discriminator, generator = adversarial.bce(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, [2 * math.log(2), softplus(-2) + softplus(-1)], rtol=1e-6)
    np.testing.assert_allclose(generator, [math.log(2), softplus(1)], rtol=1e-6)


def test_hinge_stops_at_the_margin():
    discriminator, generator = adversarial.hinge(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, [2.0, 0.0])
    np.testing.assert_allclose(generator, [0.0, 1.0])


def test_minimax_is_one_game():
    discriminator, generator = adversarial.minimax(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, adversarial.bce(REAL, GENERATED)[0])
    sigmoid = 1 / (1 + np.exp(-GENERATED.numpy()))
    np.testing.assert_allclose(generator, np.log(1 - sigmoid), rtol=1e-6)


def test_least_squares_pulls_to_one_and_zero():
    discriminator, generator = adversarial.least_squares(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, [0.5, 0.5 * 1 + 0.5 * 1])
    np.testing.assert_allclose(generator, [0.5, 2.0])


def test_wasserstein_is_the_difference():
    discriminator, generator = adversarial.wasserstein(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, [0.0, -3.0])
    np.testing.assert_allclose(generator, [0.0, 1.0])


def test_relativistic_sees_only_the_difference():
    discriminator, generator = adversarial.relativistic(REAL, GENERATED)
    np.testing.assert_allclose(discriminator, [math.log(2), softplus(-3)], rtol=1e-6)
    np.testing.assert_allclose(generator, [math.log(2), softplus(3)], rtol=1e-6)
    shifted = adversarial.relativistic(REAL + 5.0, GENERATED + 5.0)
    np.testing.assert_allclose(shifted, (discriminator, generator), rtol=1e-6)


@pytest.mark.parametrize("loss", adversarial.FUNCTIONS.values())
def test_losses_push_apart_and_pull_together(loss):
    real, generated = tf.constant([0.3]), tf.constant([0.2])
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, generated])
        discriminator_loss, generator_loss = loss(real, generated)
    assert discriminator_loss.shape == generator_loss.shape == (1,)
    assert tape.gradient(discriminator_loss, real) < 0 < tape.gradient(discriminator_loss, generated)
    assert tape.gradient(generator_loss, generated) < 0
