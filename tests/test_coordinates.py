"""Coordinates that move: known features at known places."""

import keras
import numpy as np
import pytest

from gan_keras.models.coordinates import Coordinates

WAVES = 6
AT_REST = [0.0] * 4


@pytest.fixture
def layer():
    """Sees, as sines of small angles: a tenth of x, a tenth of y four waves."""
    keras.utils.set_random_seed(1)
    layer = Coordinates((4, 8), WAVES, "coordinates")
    layer.build((None, 6))
    frequencies, phases = (weight.numpy() for weight in layer.weights)
    frequencies[:, :2], phases[:2] = 0.1 * np.eye(2), 0
    layer.set_weights([frequencies, phases])
    return layer


def waves(layer, shift, matrix):
    return layer(np.array([shift + matrix], "float32")).numpy()[0]


def places(layer, shift, matrix):
    """x and y as seen, [h, w, 2]."""
    return 10 * np.arcsin(waves(layer, shift, matrix)[..., :2])


def test_an_observer_at_rest_sees_pixel_middles_of_a_frame_whose_shorter_side_is_two_long(layer):
    seen = places(layer, [0.0, 0.0], AT_REST)
    np.testing.assert_allclose(seen[0, :, 0], np.linspace(-1.75, 1.75, 8), atol=1e-5)
    np.testing.assert_allclose(seen[:, 3, 1], [-0.75, -0.25, 0.25, 0.75], atol=1e-5)


def test_waves_are_sines_of_the_places_seen(layer):
    pose = [0.1, -0.2], [0.1, 0.2, 0.0, -0.1]
    frequencies, phases = (weight.numpy() for weight in layer.weights)
    np.testing.assert_allclose(waves(layer, *pose), np.sin(places(layer, *pose) @ frequencies + phases), atol=1e-4)


def test_waves_begin_in_all_octaves(layer):
    size = np.linalg.norm(layer.weights[0].numpy()[:, 2:], axis=0)
    assert (size > 0.49).all() and (size < 10.01).all()


def test_what_is_shifted_by_a_pixel_is_seen_in_the_next_pixel(layer):
    still, moved = (waves(layer, [shift, 0.0], [0.3, 0.1, 0.0, -0.2]) for shift in (0.0, 0.5))
    np.testing.assert_allclose(moved[:, 1:], still[:, :-1], atol=1e-5)


def test_a_matrix_turns_about_where_the_observer_is(layer):
    quarter_turn = [-1.0, -1.0, 1.0, -1.0]  # added to the identity: (x, y) → (-y, x)
    seen = places(layer, [0.25, 0.75], quarter_turn)
    np.testing.assert_allclose(seen[3, 4], [0.0, 0.0], atol=1e-5)  # the pixel at (0.25, 0.75)
    np.testing.assert_allclose(seen[3, 5], [0.0, 0.5], atol=1e-5)  # its right neighbour
