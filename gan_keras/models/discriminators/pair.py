"""Neighbouring frames at full size, judged two by two: motion from one frame to the next, sharp.

Input: samples [N, H, W, 6], the channels of both frames side by side. Output: logits [N] float32.
"""

import tensorflow as tf

from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import picture_network

VIEW = "close"


def pair(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of neighbouring frames."""
    network = picture_network((clips.height, clips.width, 6), model.discriminator_width, "pair")
    return Discriminator(VIEW, _pairs, network)


def _pairs(view: tf.Tensor) -> tf.Tensor:
    height, width = view.shape[2:4]
    pairs = tf.transpose(tf.reshape(view, [-1, 2, height, width, 3]), [0, 2, 3, 1, 4])
    return tf.reshape(pairs, [-1, height, width, 6])
