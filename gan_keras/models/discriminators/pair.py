"""Discriminator of pairs of frames at full resolution: motion from one to the next, and that appearance stays the same.

Input: samples [N, H, W, 2 C], the channels of both frames side by side. Output: features [N, h, w, C'].
"""

import tensorflow as tf

from gan_keras.config.train import ModelSettings
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import picture_trunk

VIEW = "full_resolution"


def pair(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    _, height, width, channels = view_shape
    return Discriminator(VIEW, _pairs, picture_trunk((height, width, 2 * channels), model, "pair"))


def _pairs(view: tf.Tensor) -> tf.Tensor:
    height, width, channels = view.shape[2:]
    pairs = tf.transpose(tf.reshape(view, [-1, 2, height, width, channels]), [0, 2, 3, 1, 4])
    return tf.reshape(pairs, [-1, height, width, 2 * channels])
