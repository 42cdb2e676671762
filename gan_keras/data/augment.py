"""Augmentations of clips, the same for every frame of a clip. `data.AUGMENTATIONS` lists them.

Pure, differentiable functions of clips and given random numbers, so that the same code serves the input pipeline
(`--augment`: real clips only, the generator learns the result) and the training step (`--diffaugment`: real and
generated clips alike, the generator does not learn it; Zhao et al., DiffAugment, 2020, arXiv:2006.10738).

Each takes clips float32 [B, T, H, W, C] in [-1, 1] and uniform numbers float32 [B, 3] in [0, 1).
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from gan_keras.data.warping import warp

UNIFORMS = 3
"""Random numbers that one augmentation of one clip takes."""

_MAX_CROP = 0.125
_MAX_ANGLE = math.radians(10.0)
_MAX_BRIGHTNESS = 0.2


def augment(clips: tf.Tensor, names: Sequence[str], uniform: tf.Tensor, probability: tf.Tensor | float = 1.0
            ) -> tf.Tensor:
    """Applies augmentations in the order named.

    Args:
        clips: float32 [B, T, H, W, C].
        names: of `data.AUGMENTATIONS`.
        uniform: float32 [B, len(names), UNIFORMS + 1] in [0, 1); the last number decides whether a clip is augmented.
        probability: of each augmentation of each clip.
    """
    for i, name in enumerate(names):
        augmented = FUNCTIONS[name](clips, uniform[:, i, :-1])
        clips = tf.where(uniform[:, i, -1, None, None, None, None] < probability, augmented, clips)
    return clips


def crop(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """A random window of 87.5 to 100 % of the frame, resized to the frame."""
    scale = 1.0 - _MAX_CROP * uniform[:, 0]
    zeros = tf.zeros_like(scale)
    height, width = tf.cast(tf.shape(clips)[2], tf.float32), tf.cast(tf.shape(clips)[3], tf.float32)
    left, top = uniform[:, 1] * (1.0 - scale) * (width - 1.0), uniform[:, 2] * (1.0 - scale) * (height - 1.0)
    return warp(clips, tf.stack([scale, zeros, left, zeros, scale, top, zeros, zeros], axis=1))


def flip(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Horizontal flip of half of the clips."""
    mirrored = tf.reverse(clips, [3])  # a slice with a step of -1 takes three times as long
    return tf.where(uniform[:, 0, None, None, None, None] < 0.5, mirrored, clips)


def rotate(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """A rotation by at most 10 degrees about the centre."""
    angle = (2.0 * uniform[:, 0] - 1.0) * _MAX_ANGLE
    cos, sin, zeros = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    x = (tf.cast(tf.shape(clips)[3], tf.float32) - 1.0) / 2.0
    y = (tf.cast(tf.shape(clips)[2], tf.float32) - 1.0) / 2.0
    rows = [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, zeros, zeros]
    return warp(clips, tf.stack(rows, axis=1))


def brightness(clips: tf.Tensor, uniform: tf.Tensor) -> tf.Tensor:
    """Brighter or darker by at most a tenth of the range."""
    return clips + (2.0 * uniform[:, 0, None, None, None, None] - 1.0) * _MAX_BRIGHTNESS


FUNCTIONS = {function.__name__: function for function in (crop, flip, rotate, brightness)}
"""The augmentations by name."""
