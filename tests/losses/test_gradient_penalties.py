"""Each penalty on a discriminator whose gradient is known."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.losses import gradient_penalties

REAL, GENERATED = tf.constant([[1.0, 2.0], [0.0, 0.0]]), tf.constant([[0.0, 3.0], [-1.0, 1.0]])
UNIFORM = tf.constant([0.25, 0.75])


def half_square(x):
    """D(x) = |x|^2 / 2, so that the gradient at x is x."""
    return 0.5 * tf.reduce_sum(tf.square(x), axis=1)


def test_r1_is_half_the_squared_gradient_norm_at_real_samples():
    np.testing.assert_allclose(gradient_penalties.r1(half_square, REAL, GENERATED, UNIFORM, None), [2.5, 0.0])


def test_r1r2_adds_the_generated_samples():
    np.testing.assert_allclose(gradient_penalties.r1r2(half_square, REAL, GENERATED, UNIFORM, None), [2.5 + 4.5, 1.0])


def test_differences_have_the_squared_gradient_norm_as_their_mean_over_the_noise():
    normal = tf.constant(np.random.default_rng(0).standard_normal((20_000, 2)), tf.float32)
    steep, gentle = tf.constant([[3.0, 4.0]]), tf.constant([[1.0, 2.0]])
    real, generated = tf.repeat(steep, 20_000, 0), tf.repeat(gentle, 20_000, 0)
    at_real = gradient_penalties.approximate_r1(half_square, real, generated, UNIFORM, normal)
    at_both = gradient_penalties.approximate_r1r2(half_square, real, generated, UNIFORM, normal)
    assert float(tf.reduce_mean(at_real)) == pytest.approx(0.5 * 25, rel=0.03)
    assert float(tf.reduce_mean(at_both)) == pytest.approx(0.5 * (25 + 5), rel=0.03)


def test_a_difference_is_the_slope_along_the_noise():
    normal = tf.constant([[1.0, 0.0], [2.0, -1.0]])
    penalty = gradient_penalties.approximate_r1(lambda x: 3 * x[:, 0] + 5 * x[:, 1], REAL, GENERATED, UNIFORM, normal)
    np.testing.assert_allclose(penalty, [0.5 * 3**2, 0.5 * (6 - 5)**2], rtol=1e-4)


def test_wgan_gp_is_the_distance_of_the_norm_from_one_between_real_and_generated():
    # The gradient there is the point itself.
    between = 0.25 * REAL[0] + 0.75 * GENERATED[0], 0.75 * REAL[1] + 0.25 * GENERATED[1]
    expected = [(np.linalg.norm(point) - 1) ** 2 for point in between]
    np.testing.assert_allclose(gradient_penalties.wgan_gp(half_square, REAL, GENERATED, UNIFORM, None), expected,
                               rtol=1e-5)


def test_dragan_is_the_distance_of_the_norm_from_one_around_real_samples():
    normal = tf.constant([[4.0, -8.0], [0.0, 8.0]])
    penalty = gradient_penalties.dragan(half_square, REAL, GENERATED, UNIFORM, normal)
    np.testing.assert_allclose(penalty, [(2 - 1) ** 2, (2 - 1) ** 2], rtol=1e-5)  # at (2, 0) and (0, 2)


def test_a_flat_discriminator_can_be_penalized():
    flat = tf.Variable(0.0)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(gradient_penalties.wgan_gp(lambda x: flat * x[:, 0], REAL, GENERATED, UNIFORM, None))
    assert float(value) == pytest.approx(2.0, abs=1e-4) and np.isfinite(tape.gradient(value, flat))


@pytest.mark.parametrize("penalty", [gradient_penalties.r1, gradient_penalties.r1r2])
def test_penalties_can_be_trained_on(penalty):
    steepness = tf.Variable(3.0)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(penalty(lambda x: steepness * x[:, 0], REAL, GENERATED, UNIFORM, None))
    samples = 4 if penalty is gradient_penalties.r1r2 else 2
    assert float(value) == pytest.approx(0.5 * 9.0 * samples)
    assert float(tape.gradient(value, steepness)) == pytest.approx(3.0 * samples)
