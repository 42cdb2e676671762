"""Hard cuts."""

import numpy as np
import pytest

from gan_keras.video.cuts import split_shots
from gan_keras.video.decode import read_video
from gan_keras.video.frames import Frame
from gan_keras.video.pictures import crop_and_resize
from tests.processes import ROOT

VIDEOS = ROOT.parent / "shared" / "datasets" / "videos"


def starts(pictures, threshold=0.35, marked=()):
    frames = [Frame(pixels, float(index), index in marked) for index, pixels in enumerate(pictures)]
    shots = list(split_shots(frames, threshold))
    assert [frame.time for frame in shots] == [frame.time for frame in frames]
    np.testing.assert_array_equal(np.stack([frame.pixels for frame in shots]), np.stack(pictures))
    return [index for index, frame in enumerate(shots) if frame.starts_shot]


def scene(seed, shift=0, frames=10):
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 256, (4, 12, 3)).repeat(16, 0).repeat(16, 1).astype(np.uint8)
    return [np.roll(blocks, shift * time, axis=1)[:, :64] for time in range(frames)]


def test_a_cut_is_detected_where_it_is_and_at_the_ends():
    assert starts([*scene(0, 1), *scene(1, 1)]) == [0, 10]
    assert starts([*scene(0)[:1], *scene(1)]) == [0, 1]
    assert starts([*scene(0), *scene(1)[:1]]) == [0, 10]


def test_a_pan_a_flash_and_a_large_moving_disc_are_no_cuts():
    assert starts(scene(0, 6, 30)) == [0]
    flash = scene(0)
    flash[5] = np.full_like(flash[5], 255)
    assert starts(flash) == [0]
    y, x = np.mgrid[:64, :64]
    disc = [(((x - 10 * time + 25)**2 + (y - 32)**2 < 25**2)[..., None] * np.array([230, 40, 40])).astype(np.uint8)
            for time in range(12)]
    assert starts(disc) == [0]


def test_noise_and_a_slow_fade_are_no_cuts():
    random = np.random.default_rng(0)
    grey = [np.clip(127 + random.normal(0, 6, (48, 48, 3)), 0, 255).astype(np.uint8) for _ in range(20)]
    assert starts(grey) == [0]
    one, other = scene(0)[0].astype(float), scene(1)[0].astype(float)
    assert starts([(one + (other - one) * share).astype(np.uint8) for share in np.linspace(0, 1, 20)]) == [0]


def test_the_threshold_1_detects_no_cuts():
    assert starts([*scene(0), *scene(1)], threshold=1.0) == [0]


@pytest.mark.parametrize("threshold", [0.35, 1.0])
def test_a_shot_that_starts_behind_damage_stays_one_and_hides_no_cut_beside_it(threshold):
    assert starts(scene(0), threshold, marked=[4]) == [0, 4]
    assert starts([*scene(0), *scene(1)], threshold, marked=[9]) == ([0, 9, 10] if threshold < 1 else [0, 9])


@pytest.mark.skipif(not VIDEOS.exists(), reason="needs the shared clips")
def test_the_cuts_of_real_videos():
    def starts_of(name):
        return starts([crop_and_resize(frame, 64, 64) for frame in read_video(VIDEOS / name)])

    assert starts_of("bikes.mp4") == [0, 30, 76, 137, 187, 242]
    assert starts_of("bigbuckbunny.mp4") == [0]
    assert starts_of("carphone_distorted.mp4") == [0]
