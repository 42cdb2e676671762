"""Pictures of skies, and the sample files of them."""

import dataclasses
import runpy

import numpy as np
import pytest

from gan_keras.data.drawn import skies
from gan_keras.data.drawn.sky_scene import SkyScene, colours_at, render
from gan_keras.video.cuts import split_shots
from gan_keras.video.decode import read_video
from gan_keras.video.flow import dense_flow
from gan_keras.video.frames import Frame
from tests.processes import ROOT


def scene(index, size=48, frames=1, seed=1, **changes):
    """Frames of a clip whose factors are changed."""
    factors = dataclasses.replace(skies.draw_factors(seed, index, frames, size, size), **changes)
    drawn = SkyScene(factors, 10000 * index, size, size)
    return np.stack([drawn.draw(frame) for frame in range(frames)]), factors


def luminance(pixels):
    return pixels.astype(float) @ [0.299, 0.587, 0.114]


def test_a_clip_is_a_function_of_seed_and_index():
    one, same = (render(1, 5, 3, 32, 32)[0] for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert (one != render(2, 5, 3, 32, 32)[0]).mean() > 0.5 < (one != render(1, 13, 3, 32, 32)[0]).mean()


def test_a_longer_clip_begins_as_the_shorter_one():
    np.testing.assert_array_equal(render(1, 6, 9, 24, 24)[0][:4], render(1, 6, 4, 24, 24)[0])


def test_pictures_are_the_same_on_every_machine():
    # Means of quarters, because libraries of mathematics may differ in the last bit.
    expected = {
        2: [[156.5, 184.9, 217.6], [118.6, 161.0, 212.3], [111.0, 115.2, 95.2], [111.8, 116.5, 95.6]],
        5: [[42.7, 45.9, 72.4], [44.4, 47.2, 72.8], [26.1, 30.0, 47.0], [26.0, 29.8, 45.4]]}
    for index, means in expected.items():
        quarters = render(3, index, 1, 32, 32)[0][0].reshape(2, 16, 2, 16, 3).mean((1, 3))
        np.testing.assert_allclose(quarters.reshape(4, 3), means, atol=0.2)


@pytest.mark.parametrize("index", range(8))
def test_at_another_size_the_same_sky_is_seen(index):
    large = render(1, index, 1, 96, 96)[0][0].astype(float).reshape(32, 3, 32, 3, 3).mean((1, 3))
    small = render(1, index, 1, 32, 32)[0][0]
    assert np.abs(large - small).mean() < 5


@pytest.mark.parametrize(("height", "width"), [(8, 8), (16, 256), (256, 16), (17, 33)])
def test_frames_have_any_size(height, width):
    for index in (1, 6):
        clip, factors = render(1, index, 2, height, width)
        assert clip.shape == (2, height, width, 3) and clip.dtype == np.uint8 and clip.std() > 5
        assert len(factors.sun) == 2


def test_clouds_drift_with_the_wind():
    estimated, recorded = [], []
    for index in range(0, 60, 2):
        clip, factors = render(11, index, 5, 96, 96)
        if 0.3 < factors.cover[2] < 0.8:
            flow = dense_flow(clip)[:, :20, :, 0]
            estimated.append(np.median(flow) * skies.FPS)
            recorded.append(factors.drift(0.15))
    assert len(recorded) >= 10 and np.corrcoef(estimated, recorded)[0, 1] > 0.9
    assert (np.sign(estimated) == np.sign(recorded)).all()


def test_clouds_move_rigidly_and_evolve_slowly():
    # At the upper edge, with one layer of clouds, successive frames are shifted ones.
    wind = (0.3125, 0.0)  # two pixels a frame at 96
    clip, _ = scene(2, 96, 7, cover=(0.0, 0.0, 0.5), wind=wind, cloud_size=1.0, sun=np.full((7, 2), 9.0),
                    elevations=np.full(7, 30.0))
    row = luminance(clip)[:, 0]
    moved = np.abs(row[6, 12:] - row[0, :-12]).mean()
    assert moved < 0.4 * np.abs(row[6] - row[0]).mean() and moved < 15


def test_what_drifts_in_does_not_repeat():
    clip, _ = scene(2, 32, 200, seed=2, cover=(0.0, 0.0, 0.5), wind=(1.0, 0.0))
    columns = luminance(clip)[:, :12, 16]  # as time goes on, new clouds come
    columns -= columns.mean(0)
    lags = [np.corrcoef(columns[:-lag].ravel(), columns[lag:].ravel())[0, 1] for lag in range(1, 120)]
    assert lags[0] > 0.7 and max(lags[20:]) < 0.5


def test_more_cover_is_more_cloud():
    def clouds(cover):
        blueness = [scene(8 * index + 2, cover=(0.0, 0.0, cover))[0][0, :16].astype(float) for index in range(6)]
        return np.mean([pixels[..., 2] - pixels[..., 0] < 60 for pixels in blueness])

    none, some, many = (clouds(cover) for cover in (0.0, 0.4, 0.9))
    assert none < 0.35 and none + 0.1 < some < many and many > 0.75


def test_night_is_dark_and_day_is_bright():
    means = {name: np.mean([render(1, 8 * index + number, 1, 32, 32)[0].mean() for index in range(8)])
             for number, name in enumerate(skies.DAYTIMES)}
    assert means["night"] < 60 < means["dusk"] < means["day"] and means["dawn"] < means["day"] > 120


@pytest.mark.parametrize("body", ["sun", "moon"])
def test_sun_and_moon_are_where_the_factors_say(body):
    elevation = 20.0 if body == "sun" else -30.0
    places = {"sun": np.full((1, 2), 9.0), "moon": np.full((1, 2), 9.0), body: np.array([[0.3, 0.25]])}
    pixels = luminance(scene(0, 96, cover=(0.0, 0.0, 0.0), elevations=np.array([elevation]), **places)[0][0])[:50]
    y, x = np.unravel_index(pixels.argmax(), pixels.shape)
    y, x = np.argwhere(pixels >= pixels.max() - 3).mean(0)
    np.testing.assert_allclose([(x + 0.5) / 96, (y + 0.5) / 96], [0.3, 0.25], atol=0.02)


def test_a_low_sun_is_pink_or_golden():
    golden, pink = colours_at(2, 1.0)["lit"], colours_at(2, -1.0)["lit"]
    assert golden[2] < 0.75 * pink[2] and golden[1] > pink[1]
    np.testing.assert_allclose(colours_at(60, 1.0)["lit"], colours_at(60, -1.0)["lit"], atol=1e-6)
    np.testing.assert_allclose(colours_at(0, 0.0)["glow"] * 255, (255, 170, 92), atol=1e-3)


def test_far_ridges_fade_into_the_haze():
    pixels, factors = scene(2, 96, ridges=3, haze=1.0, horizon=0.5, relief=0.6)
    haze = 255 * (0.75 * colours_at(factors.elevations[0], factors.warmth)["horizon"]
                  + 0.25 * colours_at(factors.elevations[0], factors.warmth)["zenith"])
    distances = [np.abs(pixels[0, row] - haze).mean() for row in (46, 94)]
    assert distances[0] < 0.6 * distances[1]


def test_water_mirrors_the_sky():
    clip, _ = scene(6, 96, ridges=0, ripples=0.3, horizon=0.5, cover=(0.0, 0.0, 0.5))
    above, below = luminance(clip[0])[20:46][::-1], luminance(clip[0])[50:76]
    assert np.corrcoef(above.ravel(), below.ravel())[0, 1] > 0.6


def test_stars_are_seen_by_night_only():
    def points(elevation):
        pixels = luminance(scene(0, 96, cover=(0.0, 0.0, 0.0), moon=np.full((1, 2), 9.0), sun=np.full((1, 2), 9.0),
                                 elevations=np.array([elevation]))[0][0])[:40]
        around = np.median([np.roll(pixels, shift, axis) for shift in (-3, 3) for axis in (0, 1)], axis=0)
        return int((pixels - around > 15).sum())

    assert points(-30.0) > 15 and points(10.0) == 0


def test_clips_hold_no_cut_and_do_not_flicker():
    for index in range(8):
        clip = render(5, index, 45, 48, 48)[0]
        shown = [Frame(pixels, float(time)) for time, pixels in enumerate(clip)]
        assert sum(frame.starts_shot for frame in split_shots(shown, 0.35)) == 1
        assert np.abs(np.diff(clip.mean((1, 2)), 2, axis=0)).mean() < 0.25


def test_sample_files_are_the_clips_that_are_drawn():
    samples = runpy.run_path(str(ROOT / "data" / "make_samples.py"))
    files = [path for path in (ROOT / "data" / "skies").rglob("*") if path.is_file()]
    assert {samples["sky_path"](index) for index in range(samples["COUNT"])} == set(files)
    assert sum(path.stat().st_size for path in files) < 15e6
    for index in range(9, samples["COUNT"], 57):
        drawn = render(samples["SKIES_SEED"], index, samples["SKIES_FRAMES"], *2 * [samples["SKIES_SIZE"]])[0]
        read = np.stack(list(read_video(samples["sky_path"](index))))
        assert read.shape == drawn.shape and np.abs(read - drawn.astype(float)).mean() < 2.5
