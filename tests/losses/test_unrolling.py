"""Unrolled discriminators on one whose gradient is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.losses.adversarial import wasserstein
from gan_keras.losses.unrolling import unrolled_outputs
from gan_keras.models.discriminator import Discriminator

RATE = 0.05


class Line:
    """A discriminator D(x) = w x of samples of one value, in place of a network."""

    def __init__(self):
        self.w = keras.Variable(2.0)
        self.trainable_variables, self.input = [self.w], {"samples": None}
        self.non_trainable_variables = []

    def stateless_call(self, weights, fixed, inputs, training):
        logits = weights[0] * inputs["samples"][:, 0]
        return {"logits": logits, "features": inputs["samples"]}, fixed


def test_unrolling_takes_gradient_steps_and_the_gradient_goes_through_them():
    """With D(x) = w x and the Wasserstein loss each step adds rate * (mean real - mean generated) to w, so that the
    generator minimizes -(w + k rate (r - g)) g, whose derivative is -(w + k rate (r - g)) + k rate g."""
    line, real, generated = Line(), tf.constant([[3.0], [1.0]]), tf.Variable([[1.0], [0.0]])
    discriminator = Discriminator("low_resolution", lambda view: view, line)
    with tf.GradientTape() as tape:
        _, outputs = unrolled_outputs(discriminator, wasserstein, real, tf.convert_to_tensor(generated), None, 2, RATE)
        loss = -tf.reduce_mean(outputs.logits)
    r, g = 2.0, 0.5
    w = 2.0 + 2 * RATE * (r - g)
    assert float(loss) == pytest.approx(-w * g)
    np.testing.assert_allclose(tape.gradient(loss, generated), [[(-w + 2 * RATE * g) / 2]] * 2, rtol=1e-5)
    assert float(line.w) == 2.0
