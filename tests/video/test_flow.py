"""Dense flow against clips whose motion is known."""

import numpy as np
import pytest

from gan_keras.data.drawn.moving_shapes import Factors, render
from gan_keras.video.flow import SIDE, dense_flow


def mean_flow(flow, factors):
    """Mean flow well inside of the shape, [T - 1, 2]."""
    height, width = flow.shape[1:3]
    side = min(height, width)
    y, x = (np.arange(size) + 0.5 for size in (height, width))
    means = []
    for field, (centre_x, centre_y) in zip(flow, factors.positions * side, strict=False):
        inside = np.hypot(x - centre_x, y[:, None] - centre_y) < 0.6 * factors.radius * side
        means.append(field[inside].mean(axis=0))
    return np.array(means)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (48, 48), (48, 72), (128, 128), (144, 96)])
def test_flow_inside_of_a_shape_is_its_velocity(height, width):
    for index in range(6):
        clip, factors = render(3, index, 5, height, width, ("linear",))
        flow = dense_flow(clip)
        assert np.abs(factors.velocities).max() > 0.01
        np.testing.assert_allclose(mean_flow(flow, factors), factors.velocities, atol=0.004)


def test_larger_frames_are_shrunk_and_smaller_ones_are_not():
    sizes = {(16, 24): (16, 24), (64, 96): (64, 96), (128, 192): (SIDE, 96), (200, 100): (128, SIDE)}
    for (height, width), expected in sizes.items():
        flow = dense_flow(render(0, 1, 3, height, width)[0])
        assert flow.shape == (2, *expected, 2) and flow.dtype == np.float32


def test_larger_frames_give_the_same_flow():
    for index in range(3):
        small, factors = render(1, index, 4, 64, 64, ("linear",))
        large, same = render(1, index, 4, 192, 192, ("linear",))
        np.testing.assert_array_equal(factors.positions, same.positions)
        small, large = dense_flow(small), dense_flow(large)
        np.testing.assert_allclose(mean_flow(large, factors), mean_flow(small, factors), atol=0.002)
        assert np.abs(large - small).mean() < 0.2 * np.abs(small).mean()


def test_flow_of_a_clip_that_runs_backwards_is_opposite():
    clip, factors = render(3, 4, 5, 64, 64, ("linear",))
    backwards = dense_flow(clip[::-1])[::-1]
    # Frame t + 1 is where the motion back to frame t begins.
    later = Factors(factors.shape, factors.colour, factors.radius, factors.motion, factors.positions[1:])
    np.testing.assert_allclose(mean_flow(backwards, later), -factors.velocities, atol=0.004)


def test_a_still_clip_has_no_flow():
    for index in range(3):
        still = np.repeat(render(0, index, 1, 64, 64)[0], 3, axis=0)
        assert np.abs(dense_flow(still)).max() < 0.001
    assert (dense_flow(np.full((3, 32, 32, 3), 90, np.uint8)) == 0).all()
