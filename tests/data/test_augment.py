"""Augmentations on clips where the result is known."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data import AUGMENTATIONS, augment

CLIPS = tf.random.stateless_uniform([2, 3, 9, 9, 3], [1, 2], -1.0, 1.0)
RAMP = tf.broadcast_to(tf.range(9.0)[None, None, None, :, None], [2, 3, 9, 9, 3])  # each pixel is its x


def uniform(*values):
    return tf.constant([values, values], tf.float32)


def test_the_augmentations_that_settings_list_are_those_there_are():
    assert list(AUGMENTATIONS) == list(augment.FUNCTIONS)


def test_flip_exchanges_left_and_right_in_half_of_the_clips():
    flipped = augment.flip(CLIPS, tf.constant([[0.4, 0, 0], [0.6, 0, 0]], tf.float32))
    np.testing.assert_array_equal(flipped[0], CLIPS[0, :, :, ::-1])
    np.testing.assert_array_equal(flipped[1], CLIPS[1])


def test_brightness_changes_by_at_most_a_tenth_of_the_range():
    np.testing.assert_allclose(augment.brightness(CLIPS, uniform(0.5, 0, 0)), CLIPS)
    np.testing.assert_allclose(augment.brightness(CLIPS, uniform(0.0, 0, 0)), CLIPS - 0.2, rtol=1e-5, atol=1e-6)


def test_rotation_is_about_the_centre_and_by_no_angle_changes_nothing():
    np.testing.assert_allclose(augment.rotate(CLIPS, uniform(0.5, 0, 0)), CLIPS, atol=1e-5)
    rotated = augment.rotate(CLIPS, uniform(0.9, 0, 0))
    np.testing.assert_allclose(rotated[:, :, 4, 4], CLIPS[:, :, 4, 4], atol=1e-5)
    angle = 0.8 * math.radians(10)
    np.testing.assert_allclose(augment.rotate(RAMP, uniform(0.9, 0, 0))[0, 0, 5, 4, 0], 4 - math.sin(angle), atol=1e-4)


def test_crop_scales_the_window_at_the_chosen_corner():
    np.testing.assert_allclose(augment.crop(CLIPS, uniform(0.0, 0.3, 0.3)), CLIPS, atol=1e-5)
    cropped = augment.crop(CLIPS, uniform(0.9, 0.0, 0.0))
    np.testing.assert_allclose(cropped[:, :, 0, 0], CLIPS[:, :, 0, 0], atol=1e-5)
    scale = 1 - 0.125 * 0.9
    np.testing.assert_allclose(augment.crop(RAMP, uniform(0.9, 0, 0))[0, 0, 0, :, 0], scale * np.arange(9), rtol=1e-4)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_every_frame_of_a_clip_is_augmented_alike_and_gradients_flow(name):
    still = tf.repeat(CLIPS[:, :1], 3, axis=1)
    values = tf.constant([[0.1, 0.7, 0.4, 0.0], [0.8, 0.2, 0.9, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(still)
        augmented = augment.augment(still, (name,), values[:, None])
        total = tf.reduce_sum(augmented)
    np.testing.assert_allclose(augmented[:, 0], augmented[:, 2], atol=1e-6)
    assert augmented.shape == still.shape
    assert np.abs(tape.gradient(total, still)).sum() > 0


def test_a_clip_is_augmented_with_the_given_probability():
    values = tf.constant([[[0.0, 0.0, 0.0, 0.6]], [[0.0, 0.0, 0.0, 0.4]]])
    augmented = augment.augment(CLIPS, ("flip",), values, probability=0.5)
    np.testing.assert_array_equal(augmented[0], CLIPS[0])
    np.testing.assert_array_equal(augmented[1], CLIPS[1, :, :, ::-1])
