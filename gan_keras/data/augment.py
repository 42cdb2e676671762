"""Augmentation, the same for every frame of a clip. Every public function is a name for `--augment`.

Pure, differentiable functions of clips and given random numbers, so that the same code serves the input pipeline
(`--augment`: real clips only, the generator learns the result) and the training step (`--augment_step`: real and
generated alike, the generator does not learn it; Zhao et al., DiffAugment, 2020, arXiv:2006.10738).

Each takes clips float32 [B, T, H, W, C] in [-1, 1] and uniform numbers float32 [B, 3] in [0, 1).
"""

import math

import tensorflow as tf

UNIFORMS = 3
"""Random numbers that one augmentation of one clip takes."""

_LARGEST_CROP = 0.125
_LARGEST_ANGLE = math.radians(10.0)
_LARGEST_BRIGHTNESS = 0.2


def crop(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """A random window of 87.5 to 100 % of the frame, brought back to its size."""
    scale = 1.0 - _LARGEST_CROP * uniform[:, 0]
    zeros = tf.zeros_like(scale)
    height, width = tf.cast(tf.shape(clips)[2], tf.float32), tf.cast(tf.shape(clips)[3], tf.float32)
    left, top = uniform[:, 1] * (1.0 - scale) * (width - 1.0), uniform[:, 2] * (1.0 - scale) * (height - 1.0)
    return _transform(clips, tf.stack([scale, zeros, left, zeros, scale, top, zeros, zeros], axis=1))


def flip(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Left and right exchanged, in half of the clips."""
    return tf.where(uniform[:, 0, None, None, None, None] < 0.5, clips[:, :, :, ::-1], clips)


def rotate(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """A rotation by at most 10 degrees about the middle."""
    angle = (2.0 * uniform[:, 0] - 1.0) * _LARGEST_ANGLE
    cos, sin, zeros = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    x = (tf.cast(tf.shape(clips)[3], tf.float32) - 1.0) / 2.0
    y = (tf.cast(tf.shape(clips)[2], tf.float32) - 1.0) / 2.0
    rows = [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, zeros, zeros]
    return _transform(clips, tf.stack(rows, axis=1))


def brightness(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Brighter or darker by at most a tenth of the range."""
    return clips + (2.0 * uniform[:, 0, None, None, None, None] - 1.0) * _LARGEST_BRIGHTNESS


def _transform(clips: tf.Tensor, transforms: tf.Tensor) -> tf.Tensor:
    """Resamples every frame of clip i by the projective transform i ([B, 8], output to input coordinates)."""
    shape = tf.shape(clips)
    frames = tf.reshape(clips, [-1, shape[2], shape[3], clips.shape[4]])
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=frames, transforms=tf.repeat(transforms, shape[1], axis=0), output_shape=shape[2:4],
        fill_value=0.0, interpolation="BILINEAR", fill_mode="REFLECT")
    return tf.ensure_shape(tf.reshape(moved, shape), clips.shape)
