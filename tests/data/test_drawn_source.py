"""The source `shapes:`."""

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data import moving_shapes as shapes
from gan_keras.data.sources import list_source
from gan_keras.errors import UserError

CLIP = ClipSettings(resolution="16", num_frames=4)


def test_drawn_clips_have_the_size_of_the_settings_and_their_shape_as_class():
    source = list_source("shapes:7", CLIP)
    assert [video.label for video in source.videos[:4]] == ["circle", "square", "triangle", "circle"]
    opened = source.videos[6].open((16, 16))
    np.testing.assert_array_equal([frame.pixels for frame in opened.frames], shapes.render(0, 6, 8, 16, 16)[0])
    assert (opened.rate, len(source.videos)) == (shapes.FPS, 7)
    opened = list_source("shapes:count=2,seed=3,frames=5,motion=sine", CLIP).videos[1].open((16, 16))
    np.testing.assert_array_equal([frame.pixels for frame in opened.frames],
                                  shapes.render(3, 1, 5, 16, 16, ("sine",))[0])


@pytest.mark.parametrize(("label", "names"), [
    ("shape", ["circle", "square", "triangle", "circle"]), ("colour", ["red", "red", "red", "green"]),
    ("motion", ["bounce"] * 4)])
def test_drawn_clips_are_labelled_by_the_factor_named(label, names):
    videos = list_source(f"shapes:count=4,label={label}", CLIP).videos
    assert [video.label for video in videos] == names
    assert shapes.draw_factors(0, 3, 4, 16, 16).colour == "green"


def test_a_label_that_is_no_factor_is_refused():
    with pytest.raises(UserError, match="label: shape, colour, motion"):
        list_source("shapes:count=4,label=size", CLIP)


def test_drawn_clips_of_one_combination_and_of_all_but_one():
    def combinations(name):
        factors = [shapes.draw_factors(0, video.index, 4, 16, 16) for video in list_source(name, CLIP).videos]
        return {(entry.shape, entry.colour) for entry in factors}

    assert combinations("shapes:count=20,shape=triangle,colour=blue") == {("triangle", "blue")}
    others = combinations("shapes:count=40,without=triangle-blue")
    assert len(others) == 17 and ("triangle", "blue") not in others
    assert len(list_source("shapes:count=20,shape=square", CLIP).videos) == 20
    with pytest.raises(UserError, match="cannot be without the only combination"):
        list_source("shapes:shape=square,colour=red,without=square-red", CLIP)
