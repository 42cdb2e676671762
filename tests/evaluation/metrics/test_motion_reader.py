"""How far paths are from those of a motion."""

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics.factor_reader import read_clips
from gan_keras.evaluation.metrics.motion_reader import path_distances


@pytest.mark.parametrize("motion", moving_shapes.MOTIONS)
def test_a_drawn_path_is_nearest_to_its_own_motion(motion):
    clips = np.stack([moving_shapes.render(9, index, 16, 40, 32, (motion,))[0] for index in range(18)])
    distances = path_distances(read_clips(clips), 40, 32)
    number = moving_shapes.MOTIONS.index(motion)
    assert distances[:, number].max() < 0.02
    if motion == "sine":
        assert (distances.argmin(1) == number).all()
    if motion == "linear":
        assert (distances[:, number] < distances[:, moving_shapes.MOTIONS.index("sine")]).all()


def test_a_distance_is_that_of_the_centre_in_shorter_sides():
    clip, _ = moving_shapes.render(9, 0, 16, 32, 32, ("linear",))
    trembling = np.stack([np.roll(frame, (-1, 1)[time % 2], axis=1) for time, frame in enumerate(clip)])
    distances = path_distances(read_clips(trembling[None]), 32, 32)
    assert distances[0, moving_shapes.MOTIONS.index("linear")] == pytest.approx(1 / 32, rel=0.02)


def test_what_cannot_be_read_is_on_no_path():
    clips = np.zeros((1, 16, 32, 32, 3), np.uint8)
    assert np.isinf(path_distances(read_clips(clips), 32, 32)).all()
