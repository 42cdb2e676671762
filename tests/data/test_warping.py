import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data.warping import extrapolated, reorientation, shifted, warp

SIZE = (9, 15)


def turned(clip, angle=0.0, zoom=1.0, shift=(0.0, 0.0), size=SIZE, fill="CONSTANT"):
    transform = reorientation(SIZE, size, tf.constant([angle]), tf.constant([zoom]), tf.constant([shift]))
    return warp(clip, transform, size, fill).numpy()[0, 0, :, :, 0]


@pytest.fixture
def clip():
    return tf.random.stateless_uniform([1, 1, *SIZE, 1], [1, 2])


def test_nothing_asked_changes_nothing(clip):
    np.testing.assert_allclose(turned(clip), clip[0, 0, :, :, 0], atol=1e-6)


def test_half_a_turn_and_a_quarter_clockwise(clip):
    picture = clip[0, 0, :, :, 0].numpy()
    np.testing.assert_allclose(turned(clip, 180.0), picture[::-1, ::-1], atol=1e-4)
    np.testing.assert_allclose(turned(clip, 90.0, size=(15, 9)), np.rot90(picture, -1), atol=1e-4)


def test_a_shift_moves_to_the_right_and_down(clip):
    picture = clip[0, 0, :, :, 0].numpy()
    moved = turned(clip, shift=(3.0, 2.0))
    np.testing.assert_allclose(moved[2:, 3:], picture[:-2, :-3], atol=1e-5)
    assert not moved[:2].any() and not moved[:, :3].any()


def test_a_larger_size_has_the_clip_in_its_middle_and_zoom_enlarges(clip):
    picture = clip[0, 0, :, :, 0].numpy()
    np.testing.assert_allclose(turned(clip, size=(13, 19))[2:-2, 2:-2], picture, atol=1e-6)
    np.testing.assert_allclose(turned(clip, zoom=2.0)[4, 1::2], picture[4, 4:11], atol=1e-5)


# ---- beyond an inner picture ----

def test_beyond_an_inner_picture_its_edges_go_on_or_it_is_mirrored():
    """As `warp` shows a picture of its own beyond its edges."""
    inner = tf.random.stateless_uniform([1, 2, *SIZE, 3], [1, 2])
    moved = reorientation(SIZE, SIZE, tf.constant([0.0]), tf.constant([1.0]), tf.constant([[3.0, 2.0]]))
    # Of what lies beyond, the clips hold something else: it must not be seen.
    there = warp(tf.ones_like(inner), moved, SIZE, "CONSTANT") > 0.99
    target = tf.where(there, warp(inner, moved, SIZE, "CONSTANT"), 9.0)
    is_inner, replicated, reflected = extrapolated(target, moved)
    np.testing.assert_array_equal(is_inner[0, 0, :, :, 0], (np.asarray(target)[0, 0, :, :, 0] < 9))
    np.testing.assert_allclose(replicated, warp(inner, moved, SIZE, "NEAREST"), atol=1e-5)
    np.testing.assert_allclose(reflected, warp(inner, moved, SIZE, "REFLECT"), atol=1e-5)


def test_an_inner_picture_that_is_turned_is_seen_as_it_is():
    clips = tf.random.stateless_uniform([2, 2, *SIZE, 3], [1, 2])
    turn = reorientation(SIZE, SIZE, tf.constant([10.0, -4.0]), tf.constant([1.2, 0.9]),
                         tf.constant([[0.5, 1], [0, 0]]))
    is_inner, replicated, reflected = extrapolated(clips, turn)
    for beyond in (replicated, reflected):
        np.testing.assert_allclose(beyond * is_inner, clips * is_inner, atol=1e-4)


def test_each_frame_is_shifted_by_itself_and_mirrored_at_the_edges():
    row = tf.reshape(tf.range(4.0), [1, 1, 1, 4, 1])
    clips = tf.repeat(row, 3, axis=1)
    moved = shifted(clips, tf.constant([[[0, 0], [1, 5], [-2, 0]]]))[0, :, 0, :, 0]
    np.testing.assert_array_equal(moved, [[0, 1, 2, 3], [0, 0, 1, 2], [2, 3, 3, 2]])
    tall = tf.transpose(clips, [0, 1, 3, 2, 4])
    np.testing.assert_array_equal(shifted(tall, tf.constant([[[0, 0], [9, 1], [0, -2]]]))[0, :, :, 0, 0], moved)
