"""Clips with known factors."""

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes as shapes
from gan_keras.video.cuts import split_shots
from gan_keras.video.frames import Frame


def centre_and_area(frame):
    weight = frame.max(axis=-1).astype(float)
    weight /= weight.max()
    y, x = np.indices(weight.shape) + 0.5
    return np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum(), weight.sum()


@pytest.mark.parametrize("motion", shapes.MOTIONS)
def test_centre_size_and_colour_are_those_of_the_factors(motion):
    for index in range(18):
        frames, factors = shapes.render(3, index, 12, 48, 64, (motion,))
        for frame, position in zip(frames, factors.positions, strict=True):
            centre, area = centre_and_area(frame)
            np.testing.assert_allclose(centre, position * 48, atol=0.15)
            assert np.sqrt(area / np.pi) / 48 == pytest.approx(factors.radius, rel=0.03)
            brightest = frame.reshape(-1, 3)[frame.sum(-1).argmax()]
            assert tuple(brightest) == shapes.COLOURS[factors.colour]


def test_a_clip_is_a_function_of_seed_and_index():
    one, same = (shapes.render(1, 5, 8, 32, 32)[0] for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert (shapes.render(2, 5, 8, 32, 32)[0] != one).any()


def test_every_shape_and_colour_appears_equally_often():
    pairs = [(factors.shape, factors.colour)
             for factors in (shapes.draw_factors(0, index, 4, 32, 32) for index in range(36))]
    assert len(set(pairs)) == 18 and all(pairs.count(pair) == 2 for pair in pairs)
    assert [shapes.factors_of(index, ("bounce",)) for index in (0, 35)] == [
        {"shape": "circle", "colour": "red", "motion": "bounce"},
        {"shape": "triangle", "colour": "cyan", "motion": "bounce"}]


def test_a_shape_never_leaves_the_frame_and_always_moves():
    for index in range(60):
        frames, factors = shapes.render(4, index, 40, 64, 64, shapes.MOTIONS)
        speed = np.linalg.norm(factors.velocities, axis=1)
        assert speed.max() > 0.01
        areas = [centre_and_area(frame)[1] for frame in frames]
        assert max(areas) - min(areas) < 0.03 * max(areas) + 1


def test_drawn_clips_hold_no_cut():
    for index in range(18):
        frames = shapes.render(5, index, 32, 64, 64)[0]
        shown = [Frame(pixels, float(time)) for time, pixels in enumerate(frames)]
        assert sum(frame.starts_shot for frame in split_shots(shown, 0.35)) == 1
