"""Clips in NumPy files."""

import numpy as np
import pytest

from gan_keras.data.drawn.moving_shapes import render
from gan_keras.video.arrays import write_array
from gan_keras.video.encode import write_clip


def clip(index=0):
    return render(7, index, 6, 16, 24)[0]


def test_an_array_keeps_clips_apart_and_every_value(tmp_path):
    clips = np.stack([clip(0), clip(1)])
    write_clip(tmp_path / "deep" / "clips.npz", clips, 10)
    with np.load(tmp_path / "deep" / "clips.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["videos"], clips)


def test_an_array_written_by_segments_must_have_the_declared_shape(tmp_path):
    frames = clip()[None]
    write_array(tmp_path / "good.npz", frames.shape, [frames[:, :3], frames[:, 3:]])
    np.testing.assert_array_equal(np.load(tmp_path / "good.npz")["videos"], frames)
    with pytest.raises(OSError, match="was written with shape"):
        write_array(tmp_path / "short.npz", frames.shape, [frames[:, :3]])
