"""Discriminator of whole clips at low resolution: all frames, and beside each its difference to the one before.

Input: samples [N, T, h, w, 2 C]: frames, about -1 to 1, and enlarged differences. Output: features [N, t, h', w', C'].

Where skies drift, pixels change from frame to frame by a thirtieth of what they vary within a picture. The slope of a
discriminator is bounded by its penalty, so that one which is shown frames alone sees pictures, and hardly their motion.
"""

import tensorflow as tf

from gan_keras.config.train import ModelSettings
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.clip import clip_trunk

VIEW = "low_resolution"
_SMALL = 1 / 64
"""About 2 levels of 255. Smaller differences are multiplied, and of larger ones it is the logarithm."""


def clip_differences(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    *sides, channels = view_shape
    return Discriminator(VIEW, frames_and_differences, clip_trunk((*sides, 2 * channels), model, "clip_differences"))


def frames_and_differences(view: tf.Tensor) -> tf.Tensor:
    """[N, T, h, w, C] → [N, T, h, w, 2 C]; the first frame has none before it, and differences of 0."""
    differences = tf.asinh((view[:, 1:] - view[:, :-1]) / _SMALL) / 2.0
    return tf.concat([view, tf.pad(differences, [[0, 0], [1, 0], [0, 0], [0, 0], [0, 0]])], -1)
