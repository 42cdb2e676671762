"""Each corruption, on clips whose corrupted values are known."""

import dataclasses

import numpy as np
import pytest

from gan_keras.evaluation.metric_validation.corruptions import CORRUPTIONS, CleanClips

COUNT, FRAMES = 24, 8


def numbered(count=COUNT, frames=FRAMES, side=4):
    """Clips of plain frames, each with a level of its own: 8 times the clip plus the frame."""
    level = (8 * np.arange(count)[:, None] + np.arange(frames)).astype(np.uint8)
    return np.broadcast_to(level[:, :, None, None, None], (count, frames, side, side, 3)).copy()


def make_clean(clips=None, labels=None):
    clips = numbered() if clips is None else clips
    labels = np.arange(len(clips)) % 4 if labels is None else labels
    return CleanClips(clips, np.arange(len(clips)) // 2, labels, np.full(clips.shape[1:], 250, np.uint8))


def corrupt(name, clean, strength, seed=0):
    return CORRUPTIONS[name].apply(clean, strength, np.random.default_rng(seed))


def times(corrupted):
    """The frame that is shown at each time of numbered clips, [N, T]."""
    assert (corrupted.clips == corrupted.clips[:, :, :1, :1, :1]).all()
    return corrupted.clips[:, :, 0, 0, 0].astype(int) - 8 * np.arange(len(corrupted.clips))[:, None]


def test_strengths_grow():
    for corruption in CORRUPTIONS.values():
        assert len(corruption.strengths) == 3
        assert list(corruption.strengths) == sorted(set(corruption.strengths))


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corruption_changes_a_copy_and_is_deterministic(name):
    random = np.random.default_rng(3)
    clean = make_clean(random.integers(0, 256, (COUNT, FRAMES, 16, 16, 3), np.uint8))
    before = {field.name: getattr(clean, field.name).copy() for field in dataclasses.fields(clean)}
    strength = CORRUPTIONS[name].strengths[-1]
    corrupted, again = corrupt(name, clean, strength), corrupt(name, clean, strength)
    for field, value in before.items():
        np.testing.assert_array_equal(getattr(clean, field), value)
        np.testing.assert_array_equal(getattr(corrupted, field), getattr(again, field))
    assert corrupted.clips.dtype == np.uint8 and corrupted.clips.shape == clean.clips.shape
    assert len(corrupted.video_ids) == COUNT and corrupted.video_ids.dtype == clean.video_ids.dtype
    assert (corrupted.clips != clean.clips).any()


@pytest.mark.parametrize("name", ["noise", "shuffle", "reverse", "jitter", "flicker", "loop", "splice", "drop",
                                  "repeat"])
def test_random_corruptions_depend_on_the_seed(name):
    clean = make_clean(np.random.default_rng(3).integers(0, 256, (COUNT, FRAMES, 16, 16, 3), np.uint8))
    strength = CORRUPTIONS[name].strengths[1]
    assert (corrupt(name, clean, strength, 0).clips != corrupt(name, clean, strength, 1).clips).any()


def test_blur_keeps_the_mean_and_lowers_contrast():
    clips = np.random.default_rng(0).integers(0, 256, (3, 2, 64, 64, 3), np.uint8)
    deviations = [clips.std()]
    for pixels in (0.5, 1.0, 2.0):
        blurred = corrupt("blur", make_clean(clips), pixels).clips
        assert blurred.mean() == pytest.approx(clips.mean(), abs=1)
        deviations.append(blurred[:, :, 8:-8, 8:-8].std())  # pixels at the border stand for those beyond it, too
    assert deviations == sorted(deviations, reverse=True)
    # Of white noise: 1 / (2 √π σ), where that is more than a pixel.
    assert deviations[-1] / deviations[0] == pytest.approx(1 / (2 * np.sqrt(np.pi) * 2), rel=0.1)


def test_blur_is_of_frames_and_of_each_colour():
    clips = np.zeros((1, 3, 64, 64, 3), np.uint8)
    clips[0, 1, 32, 32, 0] = 255
    blurred = corrupt("blur", make_clean(clips), 1.0).clips[0]
    assert (blurred[[0, 2]] == 0).all() and (blurred[..., 1:] == 0).all()
    np.testing.assert_array_equal(blurred[1, 31:34, 32, 0], np.round(255 / (2 * np.pi) * np.exp([-0.5, 0, -0.5])))


def test_blur_counts_pixels_of_a_frame_of_64():
    small, large = np.zeros((1, 1, 64, 64, 3), np.uint8), np.zeros((1, 1, 128, 160, 3), np.uint8)
    small[..., 32:, :], large[..., 80:, :] = 200, 200
    blurred = [corrupt("blur", make_clean(clips), 2.0).clips[0, 0, 20, :, 0].astype(float) for clips in (small, large)]
    # Of the integral of an edge the slope at its middle is 1 / (√(2 π) σ).
    slopes = [np.diff(values).max() / 200 for values in blurred]
    assert slopes == pytest.approx([1 / np.sqrt(2 * np.pi) / 2, 1 / np.sqrt(2 * np.pi) / 4], rel=0.05)


def test_sharpen_is_the_reverse_of_a_small_blur():
    clips = np.zeros((1, 3, 64, 64, 3), np.uint8)
    clips[0] = 100
    clips[0, 1, 32, 32, 0] = 200
    plain, sharpened = corrupt("sharpen", make_clean(clips), 1.0).clips[0][[0, 1]]
    assert (plain == 100).all() and (sharpened[..., 1:] == 100).all()
    # A Gaussian's weight at 0 is 1 / (2 π), at 1 it is that times exp(-1 / 2).
    np.testing.assert_array_equal(sharpened[32, 31:34, 0], np.round([100 - 100 / (2 * np.pi) * np.exp(-0.5), 255,
                                                                     100 - 100 / (2 * np.pi) * np.exp(-0.5)]))


@pytest.mark.parametrize("deviation", CORRUPTIONS["noise"].strengths)
def test_noise_has_the_standard_deviation_of_its_strength(deviation):
    grey = make_clean(np.full((4, 4, 32, 32, 3), 128, np.uint8))
    difference = corrupt("noise", grey, deviation).clips - 128.0
    assert difference.mean() == pytest.approx(0, abs=0.05 * deviation)
    assert difference.std() == pytest.approx(deviation, rel=0.02)
    # Independent in each clip, frame, pixel and colour.
    for other in (np.roll(difference, 1, axis) for axis in range(5)):
        assert abs(np.mean(difference * other)) < 0.03 * deviation**2


@pytest.mark.parametrize(("share", "expected"), [
    (0.25, [0, 1, 2, 3, 4, 5, 5, 5]), (0.5, [0, 1, 2, 3, 3, 3, 3, 3]), (1.0, [0] * 8)])
def test_freeze_shows_the_last_moving_frame_to_the_end(share, expected):
    np.testing.assert_array_equal(times(corrupt("freeze", make_clean(), share)), [expected] * COUNT)


@pytest.mark.parametrize(("share", "most"), [(0.25, 2), (0.5, 4), (1.0, 8)])
def test_shuffle_permutes_a_share_of_the_frames(share, most):
    shown = times(corrupt("shuffle", make_clean(), share))
    np.testing.assert_array_equal(np.sort(shown, axis=1), [range(FRAMES)] * COUNT)
    changed = (shown != np.arange(FRAMES)).sum(axis=1)
    assert changed.max() == most and changed.mean() > 0.6 * most
    assert len({tuple(order) for order in shown}) > COUNT // 2


def test_shuffle_always_swaps_two_frames():
    assert ((times(corrupt("shuffle", make_clean(), 0.25)) != np.arange(FRAMES)).sum(axis=1) == 2).all()
    shown = times(corrupt("shuffle", make_clean(numbered(frames=2)), 1.0))
    np.testing.assert_array_equal(shown, [[1, 0]] * COUNT)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 6, 18), (1.0, COUNT, COUNT)])
def test_reverse_plays_a_share_of_the_clips_backwards(share, least, most):
    shown = times(corrupt("reverse", make_clean(), share))
    backwards = (shown == np.arange(FRAMES)[::-1]).all(axis=1)
    assert (backwards | (shown == np.arange(FRAMES)).all(axis=1)).all()
    assert least <= backwards.sum() <= most


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_jitter_shows_frames_within_reach(reach):
    shown = times(corrupt("jitter", make_clean(), float(reach)))
    shift = shown - np.arange(FRAMES)
    assert shown.min() == 0 and shown.max() == FRAMES - 1
    assert shift.min() == -reach and shift.max() == reach
    # In the middle of a clip all shifts occur.
    middle = shift[:, reach:FRAMES - reach] if reach < 4 else shift[:, :0]
    assert set(middle.ravel()) in (set(range(-reach, reach + 1)), set())


@pytest.mark.parametrize(("share", "expected"), [
    (0.0, [0, 10, 20, 30, 40]), (0.25, [0, 8, 15, 22, 30]), (0.5, [0, 5, 10, 15, 20]), (1.0, [0] * 5)])
def test_slow_blends_the_frames_in_between(share, expected):
    levels = np.arange(0, 50, 10, dtype=np.uint8)
    clips = np.broadcast_to(levels[:, None, None, None], (2, 5, 4, 4, 3))
    slowed = corrupt("slow", make_clean(clips), share).clips
    assert (slowed == slowed[:1, :, :1, :1, :1]).all()
    np.testing.assert_array_equal(slowed[0, :, 0, 0, 0], expected)  # 7.5 and 22.5 are rounded to even


def test_smooth_is_a_blur_over_time_of_each_pixel():
    clips = np.zeros((1, 17, 4, 4, 3), np.uint8)
    clips[0, 8, 1, 2, 0] = 250
    smoothed = corrupt("smooth", make_clean(clips), 1.0).clips[0]
    expected = np.round(250 / np.sqrt(2 * np.pi) * np.exp(-np.arange(-3, 4)**2 / 2))
    np.testing.assert_allclose(smoothed[5:12, 1, 2, 0], expected, atol=1)
    smoothed[:, 1, 2, 0] = 0
    assert not smoothed.any()


def test_drop_leaves_no_clip_of_half_of_the_classes():
    clean = make_clean()
    dropped = corrupt("drop", clean, 1.0)
    replaced = clean.labels >= 2
    clip = dropped.clips[:, 0, 0, 0, 0] // 8  # index of the clip that is there now
    np.testing.assert_array_equal(clip[~replaced], np.flatnonzero(~replaced))
    assert (clean.labels[clip] < 2).all() and len(set(clip[replaced])) > 3
    np.testing.assert_array_equal(dropped.video_ids, clean.video_ids[clip])


def test_drop_replaces_a_share_of_the_smaller_half_of_an_odd_number_of_classes():
    clean = make_clean(labels=np.repeat([0, 1, 2], 8))
    replaced = (corrupt("drop", clean, 0.5).clips != clean.clips).any(axis=(1, 2, 3, 4))
    assert not replaced[:16].any() and 1 <= replaced.sum() <= 7


def test_clips_have_classes_where_there_are_two():
    assert make_clean().has_classes
    assert not make_clean(labels=np.full(COUNT, -1)).has_classes
    assert not make_clean(labels=np.full(COUNT, 3)).has_classes


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_repeat_inserts_one_clip_of_no_video(share):
    clean = make_clean()
    repeated = corrupt("repeat", clean, share)
    replaced = (repeated.clips == 250).all(axis=(1, 2, 3, 4))
    assert replaced.sum() == round(share * COUNT)
    np.testing.assert_array_equal(repeated.clips[~replaced], clean.clips[~replaced])
    np.testing.assert_array_equal(repeated.video_ids[~replaced], clean.video_ids[~replaced])
    assert (repeated.video_ids[replaced] < 0).all() and len(set(repeated.video_ids[replaced])) == replaced.sum()


def test_flicker_scales_each_frame_by_another_factor_within_its_strength():
    clean = make_clean(np.full((4, FRAMES, 8, 8, 3), 100, np.uint8))
    corrupted = corrupt("flicker", clean, 0.2).clips
    assert (corrupted == corrupted[:, :, :1, :1, :1]).all()
    levels = corrupted[:, :, 0, 0, 0]
    assert 80 <= levels.min() < 90 and 110 < levels.max() <= 120
    assert all(len(set(clip)) > FRAMES / 2 for clip in levels.tolist())


def test_fade_darkens_evenly():
    clean = make_clean(np.full((2, 6, 8, 8, 3), 200, np.uint8))
    assert corrupt("fade", clean, 0.5).clips[:, :, 0, 0, 0].tolist() == [[200, 180, 160, 140, 120, 100]] * 2


def test_loop_repeats_the_first_third_of_a_share_of_the_clips():
    clean = make_clean(numbered(frames=9)[:24])
    shown = corrupt("loop", clean, 1.0).clips[:, :, 0, 0, 0].astype(int) - 8 * np.arange(24)[:, None]
    assert (shown == [0, 1, 2] * 3).all()
    looped = [clip == [0, 1, 2] * 3 for clip in (corrupt("loop", clean, 0.5).clips[:, :, 0, 0, 0].astype(int)
                                                 - 8 * np.arange(24)[:, None]).tolist()]
    assert 4 < sum(looped) < 20


def test_splice_continues_with_another_clip_from_the_middle_on():
    clean = make_clean()
    corrupted = corrupt("splice", clean, 1.0).clips
    np.testing.assert_array_equal(corrupted[:, :4], clean.clips[:, :4])
    np.testing.assert_array_equal(corrupted[1:, 4:], clean.clips[:-1, 4:])
    spliced = (corrupt("splice", clean, 0.5).clips != clean.clips).any(axis=(1, 2, 3, 4))
    assert 4 < spliced.sum() < 20
