"""Fourier features of coordinates that move: known features at known positions."""

import keras
import numpy as np
import pytest

from gan_keras.layers.fourier_features import FourierFeatures

WAVES = 6
AT_REST = [0.0] * 4


@pytest.fixture
def layer():
    """Its first two waves are sines of small angles: a tenth of x, a tenth of y; then four others."""
    keras.utils.set_random_seed(1)
    layer = FourierFeatures((4, 8), WAVES)
    layer.build((None, 6))
    frequencies, phases = (weight.numpy() for weight in layer.weights)
    frequencies[:, :2], phases[:2] = 0.1 * np.eye(2), 0
    layer.set_weights([frequencies, phases])
    return layer


def waves(layer, shift, matrix):
    return layer(np.array([shift + matrix], "float32")).numpy()[0]


def positions(layer, shift, matrix):
    """x and y in the frame of reference, [h, w, 2]."""
    return 10 * np.arcsin(waves(layer, shift, matrix)[..., :2])


def test_at_rest_positions_are_pixel_centres_of_a_frame_whose_shorter_side_is_two_long(layer):
    position = positions(layer, [0.0, 0.0], AT_REST)
    np.testing.assert_allclose(position[0, :, 0], np.linspace(-1.75, 1.75, 8), atol=1e-5)
    np.testing.assert_allclose(position[:, 3, 1], [-0.75, -0.25, 0.25, 0.75], atol=1e-5)


def test_waves_are_sines_of_the_positions(layer):
    pose = [0.1, -0.2], [0.1, 0.2, 0.0, -0.1]
    frequencies, phases = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(waves(layer, *pose), np.sin(positions(layer, *pose) @ frequencies + phases), atol=1e-4)


@pytest.mark.parametrize("highest", [10.0, 40.0])
def test_waves_begin_in_all_octaves(highest):
    keras.utils.set_random_seed(1)
    layer = FourierFeatures((4, 8), 200, highest)
    layer.build((None, 6))
    octaves = np.log2(np.linalg.norm(layer.weights[0].numpy(), axis=0) / 0.5)
    assert octaves.min() >= -1e-4 and octaves.max() <= np.log2(highest / 0.5) + 1e-4
    assert (np.bincount(octaves.astype(int))[:int(np.log2(highest / 0.5))] >= 15).all()  # of about 32 and 46 in each


def test_a_shift_by_a_pixel_moves_the_waves_by_a_pixel(layer):
    still, moved = (waves(layer, [shift, 0.0], [0.3, 0.1, 0.0, -0.2]) for shift in (0.0, 0.5))
    np.testing.assert_allclose(moved[:, 1:], still[:, :-1], atol=1e-5)


def test_a_matrix_turns_about_the_shifted_origin(layer):
    quarter_turn = [-1.0, -1.0, 1.0, -1.0]  # added to the identity: (x, y) → (-y, x)
    position = positions(layer, [0.25, 0.75], quarter_turn)
    np.testing.assert_allclose(position[3, 4], [0.0, 0.0], atol=1e-5)  # the pixel at (0.25, 0.75)
    np.testing.assert_allclose(position[3, 5], [0.0, 0.5], atol=1e-5)  # its right neighbour
