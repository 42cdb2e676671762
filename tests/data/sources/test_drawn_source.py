"""The sources of drawn clips."""

from dataclasses import replace

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn import moving_shapes as shapes
from gan_keras.data.drawn import skies, sky_scene
from gan_keras.data.sources.listing import list_source
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


def test_skies_have_the_size_of_the_settings_and_their_daytime_as_class():
    source = list_source("skies:9", CLIP)
    assert [video.label for video in source.videos[:5]] == ["night", "dawn", "day", "dusk", "night"]
    opened = source.videos[6].open((16, 16))
    np.testing.assert_array_equal([frame.pixels for frame in opened.frames], sky_scene.render(0, 6, 8, 16, 16)[0])
    assert (opened.rate, opened.frame_count, len(source.videos)) == (skies.FPS, 8, 9)
    second = list_source("skies:count=2,seed=3,frames=5,label=ground", CLIP).videos[1]
    assert (second.id, second.label) == ("skies-3/0000001", "hills")
    np.testing.assert_array_equal([frame.pixels for frame in second.open((16, 16)).frames],
                                  sky_scene.render(3, 1, 5, 16, 16)[0])


def test_skies_of_one_kind_and_of_all_but_one():
    def kinds(name):
        return {tuple(skies.factors_of(video.index).values()) for video in list_source(name, CLIP).videos}

    assert kinds("skies:count=6,daytime=dusk") == {("dusk", "hills"), ("dusk", "water")}
    assert kinds("skies:count=6,ground=water,daytime=day") == {("day", "water")}
    assert len(kinds("skies:count=20,without=night-water")) == 7
    with pytest.raises(UserError, match="`skies:` cannot be without the only combination"):
        list_source("skies:daytime=day,ground=hills,without=day-hills", CLIP)


@pytest.mark.parametrize(("name", "message"), [
    ("skies:motion=bounce", r"takes count, seed, frames, label, daytime, ground, without, .*Received: motion=bounce"),
    ("skies:daytime=noon", "daytime: night, dawn, day, dusk, any"), ("skies:label=hour", "label: daytime, ground"),
    ("skies:without=day", "without: DAYTIME-GROUND"), ("skies:0", "`skies:` needs a count from 1")])
def test_parameters_that_skies_do_not_have_are_refused(name, message):
    with pytest.raises(UserError, match=message):
        list_source(name, CLIP)


@pytest.mark.parametrize("name", ["shapes", "skies"])
def test_the_key_of_a_drawn_clip_changes_with_what_is_drawn(name):
    def key(parameters, clip=CLIP):
        return list_source(f"{name}:{parameters}", clip).videos[0].key

    keys = [key("4"), key("count=4,seed=1"), key("count=4,frames=9"), key("4", replace(CLIP, resolution="24"))]
    assert len(set(keys)) == 4 and key("5") == keys[0]
