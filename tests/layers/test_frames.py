"""Layers over the frames of clips, on small inputs whose answer is plain."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.layers.frames import (
    Delay,
    DepthToSpace,
    ForEachFrame,
    SpaceToDepth,
    StreamingShift,
    TemporalShift,
    ToClips,
    ToPictures,
    Upsample,
    Warp,
    WithinFilm,
)

CLIPS = tf.reshape(tf.range(2 * 3 * 4, dtype=tf.float32), [2, 3, 1, 1, 4])  # two clips of three frames, four channels


def frames(values):
    return np.asarray(values)[:, 0, 0]


def test_frames_become_pictures_and_clips_again():
    pictures = ToPictures()(CLIPS)
    assert pictures.shape == (6, 1, 1, 4)
    np.testing.assert_array_equal(ToClips()(pictures, CLIPS), CLIPS)
    np.testing.assert_array_equal(ForEachFrame()(tf.constant([[1.0], [2.0]]), CLIPS)[:, 0], [1, 1, 1, 2, 2, 2])


def test_shifted_channels_come_from_the_frames_beside_within_a_clip():
    shifted = frames(TemporalShift(0.25)(ToPictures()(CLIPS), CLIPS))
    # Channel 0 from the frame before, channel 1 from the one after, zeros beyond the clip.
    np.testing.assert_array_equal(shifted[:3], [[0, 5, 2, 3], [0, 9, 6, 7], [4, 0, 10, 11]])
    np.testing.assert_array_equal(shifted[3:], [[0, 17, 14, 15], [12, 21, 18, 19], [16, 0, 22, 23]])


def test_a_causal_shift_takes_nothing_from_later_frames():
    shifted = frames(TemporalShift(0.25, causal=True)(ToPictures()(CLIPS), CLIPS))
    np.testing.assert_array_equal(shifted[:3], [[0, 1, 2, 3], [0, 5, 6, 7], [4, 9, 10, 11]])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("pieces", [[4], [1, 1, 1, 1], [3, 1], [1, 2, 1]])
def test_a_stream_is_shifted_as_the_whole_clip_is_but_later(causal, pieces):
    pictures, late = ToPictures()(CLIPS[:1]), 0 if causal else 1
    layer, whole = StreamingShift(0.25, causal), TemporalShift(0.25, causal)(pictures, CLIPS[:1])
    coming = tf.concat([pictures, tf.zeros([1, 1, 1, 4])], 0)
    buffer, shifted, plain = tf.zeros([layer.buffered_frames, 1, 1, 4]), [], []
    for piece in tf.split(coming, pieces):
        outputs, there, buffer = layer(piece, buffer)
        shifted.append(outputs)
        plain.append(there)
    np.testing.assert_array_equal(tf.concat(shifted, 0)[late:late + 3], whole)
    np.testing.assert_array_equal(tf.concat(plain, 0)[late:late + 3], pictures)


def test_a_delay_gives_the_frames_before():
    pictures = ToPictures()(CLIPS)
    late, buffer = Delay()(pictures, tf.zeros([2, 1, 1, 4]))
    np.testing.assert_array_equal(late, tf.concat([tf.zeros([2, 1, 1, 4]), pictures[:4]], 0))
    np.testing.assert_array_equal(buffer, pictures[4:])


def test_what_lies_before_or_after_a_film_is_zero():
    pictures, time = tf.ones([5, 1, 1, 1]), tf.range(5, dtype=tf.int64)
    there = WithinFilm(delay=2)(pictures, time, tf.fill([5], tf.constant(1, tf.int64)))
    np.testing.assert_array_equal(there[:, 0, 0, 0], [0, 0, 1, 1, 0])


def test_squares_of_pixels_become_channels_and_come_back():
    pictures = tf.random.stateless_normal([2, 4, 6, 3], [1, 2])
    squares = SpaceToDepth()(pictures)
    assert squares.shape == (2, 2, 3, 12)
    np.testing.assert_array_equal(squares[:, 0, 0], tf.reshape(pictures[:, :2, :2], [2, 12]))
    np.testing.assert_array_equal(DepthToSpace()(squares), pictures)


def test_pictures_of_any_size_are_upsampled_between_their_pixels_centres():
    upsample = tf.function(Upsample(4), input_signature=[tf.TensorSpec([None, None, None, 1])])
    larger = upsample(np.float32([0, 8]).reshape(1, 1, 2, 1))
    np.testing.assert_allclose(larger[0, :, :, 0], [[0, 0, 1, 3, 5, 7, 8, 8]] * 4)


@pytest.mark.parametrize(("layer", "shapes"), [
    (ToPictures(name="layer"), [(None, 4, 6, 3)]), (SpaceToDepth(name="layer"), [(4, 6, 3)]),
    (DepthToSpace(name="layer"), [(4, 6, 8)]), (TemporalShift(0.5, True, name="layer"), [(4, 6, 8), (None, 4, 6, 3)]),
    (Upsample(4, name="layer"), [(4, 6, 8)]), (Warp(8, name="layer"), [(4, 6, 3), (4, 6, 2)]),
    (WithinFilm(3, name="layer"), [(4, 6, 8), (), ()])], ids=lambda value: type(value).__name__)
def test_layers_survive_their_config_and_know_their_shapes(layer, shapes):
    inputs = [keras.Input(shape) for shape in shapes]
    copy = type(layer).from_config(layer.get_config())
    assert copy.get_config() == layer.get_config()
    values = [tf.ones([6 if len(shape) == 3 else 2, *(side or 3 for side in shape)]) for shape in shapes]
    if len(shapes) == 3:
        values = [values[0], tf.range(6, dtype=tf.int64), tf.range(6, dtype=tf.int64)]
    assert copy(*values).shape[1:] == layer(*inputs).shape[1:]
