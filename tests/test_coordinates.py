"""Coordinates that move: known features at known places."""

import keras
import numpy as np
import pytest

from gan_keras.models.coordinates import Coordinates, StillPicture

OBSERVERS, WAVES = 2, 3


def features(layer, shift, matrix):
    found = layer(np.array([shift], "float32"), np.array([matrix], "float32"))
    return found.numpy()[0].reshape(*found.shape[1:3], OBSERVERS, WAVES + 2)


@pytest.fixture
def layer():
    keras.utils.set_random_seed(1)
    return Coordinates((4, 8), OBSERVERS, WAVES, "coordinates")


def test_an_observer_at_rest_sees_pixel_middles_of_a_frame_whose_shorter_side_is_two_long(layer):
    seen = features(layer, [0.0] * 4, [0.0] * 8)
    np.testing.assert_allclose(seen[0, :, 0, WAVES], np.linspace(-1.75, 1.75, 8), atol=1e-6)
    np.testing.assert_allclose(seen[:, 3, 1, WAVES + 1], [-0.75, -0.25, 0.25, 0.75], atol=1e-6)


def test_waves_are_sines_of_the_coordinates_seen(layer):
    seen = features(layer, [0.1, -0.2, 0.0, 0.3], [0.1, 0.2, 0.0, -0.1, 0.0, 0.0, 0.5, 0.0])
    frequencies, phases = (weight.numpy() for weight in layer.weights)
    expected = np.sin(np.einsum("hwoc,ocf->hwof", seen[..., WAVES:], frequencies) + phases)
    np.testing.assert_allclose(seen[..., :WAVES], expected, atol=1e-5)
    size = np.linalg.norm(frequencies, axis=1)
    assert (size > 0.99).all() and (size < 10.01).all()


def test_what_is_shifted_by_a_pixel_is_seen_in_the_next_pixel(layer):
    still, moved = (features(layer, shift, [0.3, 0.1, 0.0, -0.2] * 2) for shift in ([0.0] * 4, [0.5, 0.0, 0.5, 0.0]))
    np.testing.assert_allclose(moved[:, 1:], still[:, :-1], atol=1e-5)


def test_a_matrix_turns_about_where_the_observer_is(layer):
    quarter_turn = [-1.0, -1.0, 1.0, -1.0]  # added to the identity: (x, y) → (-y, x)
    seen = features(layer, [0.25, 0.75, 0.0, 0.0], quarter_turn + [0.0] * 4)
    np.testing.assert_allclose(seen[3, 4, 0, WAVES:], [0.0, 0.0], atol=1e-6)  # the pixel at (0.25, 0.75)
    np.testing.assert_allclose(seen[3, 5, 0, WAVES:], [0.0, 0.5], atol=1e-6)  # its right neighbour


def test_a_still_picture_is_added_to_every_frame():
    layer = StillPicture()
    x = np.arange(24, dtype="float32").reshape(2, 2, 2, 3)
    np.testing.assert_array_equal(layer(x), x)
    picture = np.ones((2, 2, 3), "float32")
    layer.weights[0].assign(picture)
    np.testing.assert_array_equal(layer(x), x + picture)
