"""Each damage by hand."""

import dataclasses

import numpy as np
import pytest

from gan_keras.evaluation.damages import DAMAGES, Specimen

COUNT, FRAMES = 24, 8


def numbered(count=COUNT, frames=FRAMES, side=4):
    """Clips of plain frames, of which each has a level of its own: 8 times the clip, and the frame."""
    level = (8 * np.arange(count)[:, None] + np.arange(frames)).astype(np.uint8)
    return np.broadcast_to(level[:, :, None, None, None], (count, frames, side, side, 3)).copy()


def specimen(clips=None, labels=None):
    clips = numbered() if clips is None else clips
    labels = np.arange(len(clips)) % 4 if labels is None else labels
    return Specimen(clips, np.arange(len(clips)) // 2, labels, np.full(clips.shape[1:], 250, np.uint8))


def damage(name, given, strength, seed=0):
    return DAMAGES[name].apply(given, strength, np.random.default_rng(seed))


def times(damaged):
    """Which frame is shown when in each numbered clip, [N, T]."""
    assert (damaged.clips == damaged.clips[:, :, :1, :1, :1]).all()
    return damaged.clips[:, :, 0, 0, 0].astype(int) - 8 * np.arange(len(damaged.clips))[:, None]


def test_strengths_grow():
    for known in DAMAGES.values():
        assert len(known.strengths) == 3 and list(known.strengths) == sorted(set(known.strengths))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damage_changes_a_copy_and_is_the_same_each_time(name):
    random = np.random.default_rng(3)
    given = specimen(random.integers(0, 256, (COUNT, FRAMES, 16, 16, 3), np.uint8))
    before = {field.name: getattr(given, field.name).copy() for field in dataclasses.fields(given)}
    strength = DAMAGES[name].strengths[-1]
    damaged, again = damage(name, given, strength), damage(name, given, strength)
    for field, value in before.items():
        np.testing.assert_array_equal(getattr(given, field), value)
        np.testing.assert_array_equal(getattr(damaged, field), getattr(again, field))
    assert damaged.clips.dtype == np.uint8 and damaged.clips.shape == given.clips.shape
    assert len(damaged.sources) == COUNT and damaged.sources.dtype == given.sources.dtype
    assert (damaged.clips != given.clips).any()


@pytest.mark.parametrize("name", ["noise", "shuffle", "reverse", "jitter", "flicker", "loop", "splice", "drop",
                                  "repeat"])
def test_chance_is_that_of_the_seed(name):
    given = specimen(np.random.default_rng(3).integers(0, 256, (COUNT, FRAMES, 16, 16, 3), np.uint8))
    strength = DAMAGES[name].strengths[1]
    assert (damage(name, given, strength, 0).clips != damage(name, given, strength, 1).clips).any()


def test_blur_keeps_the_mean_and_lowers_contrast():
    clips = np.random.default_rng(0).integers(0, 256, (3, 2, 64, 64, 3), np.uint8)
    deviations = [clips.std()]
    for pixels in (0.5, 1.0, 2.0):
        blurred = damage("blur", specimen(clips), pixels).clips
        assert blurred.mean() == pytest.approx(clips.mean(), abs=1)
        deviations.append(blurred[:, :, 8:-8, 8:-8].std())  # pixels at the border count for those beyond it as well
    assert deviations == sorted(deviations, reverse=True)
    # Of white noise: 1 / (2 √π σ), where that is more than a pixel.
    assert deviations[-1] / deviations[0] == pytest.approx(1 / (2 * np.sqrt(np.pi) * 2), rel=0.1)


def test_blur_is_of_frames_and_of_each_colour():
    clips = np.zeros((1, 3, 64, 64, 3), np.uint8)
    clips[0, 1, 32, 32, 0] = 255
    blurred = damage("blur", specimen(clips), 1.0).clips[0]
    assert (blurred[[0, 2]] == 0).all() and (blurred[..., 1:] == 0).all()
    np.testing.assert_array_equal(blurred[1, 31:34, 32, 0], np.round(255 / (2 * np.pi) * np.exp([-0.5, 0, -0.5])))


def test_blur_counts_pixels_of_a_frame_of_64():
    small, large = np.zeros((1, 1, 64, 64, 3), np.uint8), np.zeros((1, 1, 128, 160, 3), np.uint8)
    small[..., 32:, :], large[..., 80:, :] = 200, 200
    blurred = [damage("blur", specimen(clips), 2.0).clips[0, 0, 20, :, 0].astype(float) for clips in (small, large)]
    # Of the integral of an edge the slope at its middle is 1 / (√(2 π) σ).
    slopes = [np.diff(values).max() / 200 for values in blurred]
    assert slopes == pytest.approx([1 / np.sqrt(2 * np.pi) / 2, 1 / np.sqrt(2 * np.pi) / 4], rel=0.05)


@pytest.mark.parametrize("deviation", DAMAGES["noise"].strengths)
def test_noise_has_the_standard_deviation_asked_for(deviation):
    grey = specimen(np.full((4, 4, 32, 32, 3), 128, np.uint8))
    difference = damage("noise", grey, deviation).clips - 128.0
    assert difference.mean() == pytest.approx(0, abs=0.05 * deviation)
    assert difference.std() == pytest.approx(deviation, rel=0.02)
    # New in each frame, pixel and colour.
    for other in (np.roll(difference, 1, axis) for axis in range(5)):
        assert abs(np.mean(difference * other)) < 0.03 * deviation**2


@pytest.mark.parametrize(("share", "expected"), [
    (0.25, [0, 1, 2, 3, 4, 5, 5, 5]), (0.5, [0, 1, 2, 3, 3, 3, 3, 3]), (1.0, [0] * 8)])
def test_freeze_shows_the_last_moving_frame_to_the_end(share, expected):
    np.testing.assert_array_equal(times(damage("freeze", specimen(), share)), [expected] * COUNT)


@pytest.mark.parametrize(("share", "most"), [(0.25, 2), (0.5, 4), (1.0, 8)])
def test_shuffle_only_changes_places_of_so_many_frames(share, most):
    shown = times(damage("shuffle", specimen(), share))
    np.testing.assert_array_equal(np.sort(shown, axis=1), [range(FRAMES)] * COUNT)
    changed = (shown != np.arange(FRAMES)).sum(axis=1)
    assert changed.max() == most and changed.mean() > 0.6 * most
    assert len({tuple(order) for order in shown}) > COUNT // 2


def test_two_frames_that_change_places_always_do():
    assert ((times(damage("shuffle", specimen(), 0.25)) != np.arange(FRAMES)).sum(axis=1) == 2).all()
    shown = times(damage("shuffle", specimen(numbered(frames=2)), 1.0))
    np.testing.assert_array_equal(shown, [[1, 0]] * COUNT)


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 6, 18), (1.0, COUNT, COUNT)])
def test_reverse_runs_so_many_clips_backwards(share, least, most):
    shown = times(damage("reverse", specimen(), share))
    backwards = (shown == np.arange(FRAMES)[::-1]).all(axis=1)
    assert (backwards | (shown == np.arange(FRAMES)).all(axis=1)).all()
    assert least <= backwards.sum() <= most


@pytest.mark.parametrize("reach", [1, 2, 4])
def test_jitter_chooses_frames_within_reach(reach):
    shown = times(damage("jitter", specimen(), float(reach)))
    shift = shown - np.arange(FRAMES)
    assert shown.min() == 0 and shown.max() == FRAMES - 1
    assert shift.min() == -reach and shift.max() == reach
    # Of all that are in the middle of a clip, so many ways are equally likely.
    middle = shift[:, reach:FRAMES - reach] if reach < 4 else shift[:, :0]
    assert set(middle.ravel()) in (set(range(-reach, reach + 1)), set())


def test_drop_leaves_no_clip_of_half_of_the_classes():
    given = specimen()
    dropped = damage("drop", given, 1.0)
    doomed = given.labels >= 2
    clip = dropped.clips[:, 0, 0, 0, 0] // 8  # which clip is there now
    np.testing.assert_array_equal(clip[~doomed], np.flatnonzero(~doomed))
    assert (given.labels[clip] < 2).all() and len(set(clip[doomed])) > 3
    np.testing.assert_array_equal(dropped.sources, given.sources[clip])


def test_drop_takes_such_a_share_and_the_smaller_half_of_an_odd_number_of_classes():
    given = specimen(labels=np.repeat([0, 1, 2], 8))
    gone = (damage("drop", given, 0.5).clips != given.clips).any(axis=(1, 2, 3, 4))
    assert not gone[:16].any() and 1 <= gone.sum() <= 7


def test_classes_can_be_dropped_where_there_are_two():
    assert specimen().has_classes
    assert not specimen(labels=np.full(COUNT, -1)).has_classes and not specimen(labels=np.full(COUNT, 3)).has_classes


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5])
def test_repeat_puts_one_clip_that_is_of_none_of_the_videos(share):
    given = specimen()
    repeated = damage("repeat", given, share)
    gone = (repeated.clips == 250).all(axis=(1, 2, 3, 4))
    assert gone.sum() == round(share * COUNT)
    np.testing.assert_array_equal(repeated.clips[~gone], given.clips[~gone])
    np.testing.assert_array_equal(repeated.sources[~gone], given.sources[~gone])
    assert (repeated.sources[gone] < 0).all() and len(set(repeated.sources[gone])) == gone.sum()


def test_flicker_scales_whole_frames_each_by_another_factor_within_reach():
    given = specimen(np.full((4, FRAMES, 8, 8, 3), 100, np.uint8))
    damaged = damage("flicker", given, 0.2).clips
    assert (damaged == damaged[:, :, :1, :1, :1]).all()
    levels = damaged[:, :, 0, 0, 0]
    assert 80 <= levels.min() < 90 and 110 < levels.max() <= 120
    assert all(len(set(clip)) > FRAMES / 2 for clip in levels.tolist())


def test_fade_takes_brightness_evenly():
    given = specimen(np.full((2, 6, 8, 8, 3), 200, np.uint8))
    assert damage("fade", given, 0.5).clips[:, :, 0, 0, 0].tolist() == [[200, 180, 160, 140, 120, 100]] * 2


def test_loop_shows_the_first_third_over_and_over_in_so_many_clips():
    given = specimen(numbered(frames=9)[:24])
    shown = damage("loop", given, 1.0).clips[:, :, 0, 0, 0].astype(int) - 8 * np.arange(24)[:, None]
    assert (shown == [0, 1, 2] * 3).all()
    looped = [clip == [0, 1, 2] * 3 for clip in (damage("loop", given, 0.5).clips[:, :, 0, 0, 0].astype(int)
                                                 - 8 * np.arange(24)[:, None]).tolist()]
    assert 4 < sum(looped) < 20


def test_splice_goes_on_with_another_clip_from_the_middle_on():
    given = specimen()
    damaged = damage("splice", given, 1.0).clips
    np.testing.assert_array_equal(damaged[:, :4], given.clips[:, :4])
    np.testing.assert_array_equal(damaged[1:, 4:], given.clips[:-1, 4:])
    spliced = (damage("splice", given, 0.5).clips != given.clips).any(axis=(1, 2, 3, 4))
    assert 4 < spliced.sum() < 20
