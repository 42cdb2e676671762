"""Holes and what fills them without a network."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data import HOLES, filling, holes

SHAPE = (8, 32, 48)


def masks(kind, count=64, seed=0):
    random = np.random.default_rng(seed)
    uniform = random.random((count, holes.UNIFORMS + 1)).astype(np.float32)
    return holes.holes([kind], SHAPE, uniform, random.random((count, *holes.BITS)).astype(np.float32)).numpy()[..., 0]


def test_names_are_functions():
    assert list(holes.FUNCTIONS) == list(HOLES)


@pytest.mark.parametrize("kind", HOLES)
def test_every_kind_covers_a_part_of_every_clip(kind):
    mask = masks(kind)
    covered = mask.mean((1, 2, 3))
    assert mask.shape == (64, *SHAPE) and set(np.unique(mask)) == {0, 1}
    assert 0 < covered.mean() < 0.4 and covered.max() < 0.9 and (covered > 0).mean() > 0.9
    assert len(np.unique(covered)) > 2  # clips differ


def test_boxes_move_but_some_stand_and_text_always_does():
    box = masks("box")
    stands = (box == box[:, :1]).all((1, 2, 3))
    assert 0.1 < stands.mean() < 0.6
    assert (masks("text") == masks("text")[:, :1]).all()


@pytest.mark.parametrize("kind", ["box", "blob"])
def test_few_holes_are_large(kind):
    large = masks(kind, count=256).any(1).mean((1, 2))
    assert np.median(large) < 0.25 and 0.02 < (large > 0.5).mean() < 0.2


def test_missing_frames_are_whole_and_lie_within_the_clip():
    missing = masks("frames")
    whole = missing.mean((2, 3))
    assert set(np.unique(whole)) == {0, 1} and (whole[:, 0] == 0).all() and (whole[:, -1] == 0).all()
    assert set(whole.sum(1)) == {1, 2, 3}


def test_scratches_are_thin_and_tremble():
    scratches = masks("scratch")
    assert (scratches.max(2) == scratches.min(2)).all()  # from top to bottom
    assert 0 < scratches.mean() < 0.15 and (np.diff(scratches, axis=1) != 0).any((1, 2, 3)).all()


def test_kinds_are_mixed_evenly():
    uniform = np.zeros((200, holes.UNIFORMS + 1), np.float32)
    uniform[:, -1] = np.arange(200) / 200
    mask = holes.holes(["frames", "text"], SHAPE, uniform, np.zeros((200, *holes.BITS), np.float32)).numpy()
    assert (mask[:100].mean((2, 3)).max(1) == 1).all() and (mask[100:].mean((2, 3)).max(1) < 1).all()


# ---- filling ----

def clip_of(values):
    """A clip of one grey value a frame, [1, T, 4, 4, 3]."""
    return tf.reshape(tf.constant(values, tf.float32), [1, -1, 1, 1, 1]) * tf.ones([1, 1, 4, 4, 3])


def mask_of(values):
    return clip_of(values)[..., :1]


def test_a_hole_goes_over_from_the_frame_before_to_the_one_after():
    clip, mask = clip_of([0.1, 0.2, 9, 9, 9, 0.6]), mask_of([0, 0, 1, 1, 1, 0])
    filled, beside = filling.fill(clip, mask)
    np.testing.assert_allclose(filled[0, :, 0, 0, 0], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6], rtol=1e-6)
    np.testing.assert_allclose(beside[0, 3, 0, 0], [0.2] * 3 + [0.6] * 3 + [2 / 9, 2 / 9], rtol=1e-6)
    # Also where nothing is missing: what moves around a hole says what moves in it.
    np.testing.assert_allclose(beside[0, 1, 0, 0], [0.1] * 3 + [0.6] * 3 + [1 / 9, 4 / 9], rtol=1e-6)
    np.testing.assert_allclose(filling.nearest(clip, mask)[0, :, 0, 0, 0], [0.1, 0.2, 0.2, 0.2, 0.6, 0.6], rtol=1e-6)


def test_a_hole_at_the_end_shows_the_last_frame_and_says_that_none_follows():
    filled, beside = filling.fill(clip_of([0.1, 0.2, 9]), mask_of([0, 0, 1]))
    np.testing.assert_allclose(filled[0, :, 0, 0, 0], [0.1, 0.2, 0.2], rtol=1e-6)
    np.testing.assert_allclose(beside[0, 2, 0, 0, -2:], [1 / 9, 1], rtol=1e-6)


def test_no_frame_is_looked_for_beyond_the_reach():
    frames = filling.TIME_REACH + 2
    clip, mask = clip_of([0.5] + [9] * (frames - 1)), mask_of([0] + [1] * (frames - 1))
    filled, beside = filling.fill(clip, mask)
    np.testing.assert_allclose(beside[0, :, 0, 0, -2], [1, *np.arange(1, 9) / 9, 1])
    np.testing.assert_allclose(filled[0, :, 0, 0, 0], [0.5] * (frames - 1) + [0])  # nothing is known of the last one


@pytest.mark.parametrize("size", [(32, 32), (31, 45)])
def test_a_hole_that_stands_takes_the_colour_around_it(size):
    clip = tf.concat([tf.fill([1, 3, size[0], size[1] // 2, 3], 0.25),
                      tf.fill([1, 3, size[0], size[1] - size[1] // 2, 3], -0.5)], 3)
    mask = np.zeros((1, 3, *size, 1), np.float32)
    mask[:, :, 8:20, 4:12] = 1
    filled, beside = filling.fill(tf.where(mask > 0, 7.0, clip), mask)
    np.testing.assert_allclose(filled.numpy()[:, :, 8:20, 4:8], 0.25, atol=0.1)
    np.testing.assert_array_equal(filled * (1 - mask), clip * (1 - mask))
    assert not (beside.numpy()[..., :6] * mask).any()


def test_what_changes_evenly_goes_on_evenly_in_a_hole():
    ramp = np.broadcast_to(np.linspace(-1, 1, 64, dtype=np.float32)[:, None], (1, 1, 64, 64, 3))
    known = np.ones((1, 1, 64, 64, 1), np.float32)
    known[:, :, 20:32, 30:50] = 0
    np.testing.assert_allclose(filling.harmonic(ramp * known, known), ramp, atol=0.02)


def test_a_large_hole_has_the_colour_around_it_to_its_middle():
    known = np.ones((1, 1, 300, 400, 1), np.float32)
    known[:, :, 20:260, 40:360] = 0
    np.testing.assert_allclose(filling.harmonic(0.7 * known * np.ones(3, np.float32), known), 0.7, rtol=1e-5)


def test_nothing_reaches_a_hole_from_farther_than_the_reach():
    side = 2 * filling.SPATIAL_REACH
    known = np.zeros((1, 1, 64, side, 1), np.float32)
    known[:, :, :, ::200] = 1
    known[:, :, :, 1:] *= np.random.default_rng(0).random((1, 1, 64, side - 1, 1)) < 0.02
    colours = known * np.float32([0.1, 0.2, 0.3])
    changed = colours.copy()
    changed[:, :, :, 0] = 0.9
    difference = np.abs(filling.harmonic(changed, known) - filling.harmonic(colours, known))[..., 0].max((0, 1, 2))
    assert 64 < np.flatnonzero(difference).max() <= filling.SPATIAL_REACH


def test_frames_beside_are_looked_at_and_not_filled():
    clip = tf.random.stateless_uniform([1, 20, 4, 4, 3], [1, 2])
    mask = tf.cast(tf.random.stateless_uniform([1, 20, 4, 4, 1], [3, 4]) < 0.7, tf.float32)
    whole = filling.fill(clip, mask)
    for begin, end in ((0, 20), (3, 9), (9, 20), (8, 8), (12, 13)):
        before, after = min(begin, filling.TIME_REACH), min(20 - end, filling.TIME_REACH)
        window = slice(begin - before, end + after)
        for part, values in zip(filling.fill(clip[:, window], mask[:, window], before, after), whole, strict=True):
            np.testing.assert_array_equal(part, values[:, begin:end])
