"""Augmentations on clips where the result is known."""

import math

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import catalog
from gan_keras.data import augment
from gan_keras.data import clips as clip_batch

CLIPS = tf.random.stateless_uniform([2, 3, 9, 9, 3], [1, 2], -1.0, 1.0)


def uniform(*numbers):
    return tf.constant([numbers, numbers], tf.float32)


def test_flip_exchanges_left_and_right_in_half_of_the_clips():
    flipped = augment.flip(CLIPS, tf.constant([[0.4, 0, 0], [0.6, 0, 0]], tf.float32))
    np.testing.assert_array_equal(flipped[0], CLIPS[0, :, :, ::-1])
    np.testing.assert_array_equal(flipped[1], CLIPS[1])


def test_brightness_moves_by_at_most_a_tenth_of_the_range():
    np.testing.assert_allclose(augment.brightness(CLIPS, uniform(0.5, 0, 0)), CLIPS)
    np.testing.assert_allclose(augment.brightness(CLIPS, uniform(0.0, 0, 0)), CLIPS - 0.2, rtol=1e-5, atol=1e-6)


def test_rotation_by_nothing_is_nothing_and_turns_about_the_middle():
    np.testing.assert_allclose(augment.rotate(CLIPS, uniform(0.5, 0, 0)), CLIPS, atol=1e-5)
    turned = augment.rotate(CLIPS, uniform(0.9, 0, 0))
    np.testing.assert_allclose(turned[:, :, 4, 4], CLIPS[:, :, 4, 4], atol=1e-5)
    ramp = tf.broadcast_to(tf.range(9.0)[None, None, None, :, None], [2, 3, 9, 9, 3])
    angle = 0.8 * math.radians(10)
    np.testing.assert_allclose(augment.rotate(ramp, uniform(0.9, 0, 0))[0, 0, 5, 4, 0], 4 - math.sin(angle), atol=1e-4)


def test_crop_keeps_the_chosen_corner_and_the_size():
    np.testing.assert_allclose(augment.crop(CLIPS, uniform(0.0, 0.3, 0.3)), CLIPS, atol=1e-5)
    cropped = augment.crop(CLIPS, uniform(0.9, 0.0, 0.0))
    np.testing.assert_allclose(cropped[:, :, 0, 0], CLIPS[:, :, 0, 0], atol=1e-5)
    ramp = tf.broadcast_to(tf.range(9.0)[None, None, None, :, None], [2, 3, 9, 9, 3])
    scale = 1 - 0.125 * 0.9
    np.testing.assert_allclose(augment.crop(ramp, uniform(0.9, 0, 0))[0, 0, 0, :, 0], scale * np.arange(9), rtol=1e-4)


@pytest.mark.parametrize("name", catalog.choices("data.augment"))
def test_every_frame_of_a_clip_is_treated_alike_and_gradients_pass(name):
    still = tf.repeat(CLIPS[:, :1], 3, axis=1)
    numbers = tf.constant([[0.1, 0.7, 0.4, 0.0], [0.8, 0.2, 0.9, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(still)
        changed = clip_batch.augment(still, (name,), numbers[:, None])
        total = tf.reduce_sum(changed)
    np.testing.assert_allclose(changed[:, 0], changed[:, 2], atol=1e-6)
    assert changed.shape == still.shape
    assert np.abs(tape.gradient(total, still)).sum() > 0


def test_bytes_survive_the_way_to_float_and_back():
    every = tf.cast(tf.reshape(tf.range(256), [1, 1, 16, 16, 1]), tf.uint8)
    np.testing.assert_array_equal(clip_batch.to_uint8(clip_batch.to_float(every)), every)
    np.testing.assert_array_equal(clip_batch.to_uint8(tf.constant([-3.0, 3.0])), [0, 255])


def test_shrink_takes_means_of_squares():
    clip = tf.reshape(tf.range(16.0), [1, 1, 4, 4, 1])
    np.testing.assert_allclose(np.ravel(clip_batch.shrink(clip, 2)), [2.5, 4.5, 10.5, 12.5])
