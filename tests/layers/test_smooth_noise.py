"""Noise that is smooth in time."""

import keras
import numpy as np
import pytest

from gan_keras.layers.smooth_noise import SmoothNoise

FRAMES = 8.0


def smooth(noise, state, start=True):
    """Smooth noise and the state behind it; a state of normal numbers is begun with."""
    layer = SmoothNoise(FRAMES)
    state = layer.start(keras.ops.convert_to_tensor(state)) if start else state
    return [np.array(values) for values in layer(keras.ops.convert_to_tensor(noise), state)]


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def test_it_has_variance_one_from_the_first_frame_on_and_changes_slowly():
    values, _ = smooth(draw(4000, 64, 2), draw(4000, 4))
    np.testing.assert_allclose(values.std(axis=(0, 2)), 1.0, atol=0.04)
    # Two leaky averages with time constant n: the correlation over k frames is about (1 + k / n) exp(-k / n).
    for lag in (1, 4, 8, 24):
        correlation = np.mean(values[:, lag:] * values[:, :-lag])
        assert correlation == pytest.approx((1 + lag / FRAMES) * np.exp(-lag / FRAMES), abs=0.05)


def test_it_goes_on_from_its_state():
    noise, state = draw(3, 20, 2), draw(3, 4)
    whole, end = smooth(noise, state)
    first, between = smooth(noise[:, :7], state)
    second, same_end = smooth(noise[:, 7:], between, start=False)
    np.testing.assert_allclose(np.concatenate([first, second], 1), whole, atol=1e-5)
    np.testing.assert_allclose(same_end, end, atol=1e-5)


def test_it_is_saved_with_its_settings():
    layer = SmoothNoise.from_config(SmoothNoise(5.0, name="noise").get_config())
    assert (layer.frames, layer.name) == (5.0, "noise")
