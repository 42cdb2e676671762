"""Discriminator of single frames at full resolution.

Input: samples [N, H, W, C], about -1 to 1. Output: features [N, h, w, C'].
"""

import keras
import tensorflow as tf

from gan_keras.config.train import ModelSettings
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.downsampling_trunk import downsampling_trunk

_STEM_SIDE = 64  # all pixels of small pictures: behind a stride of 2, details of 2 to 4 pixels are learned far later
VIEW = "full_resolution"


def frame(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    return Discriminator(VIEW, single_frames, picture_trunk(view_shape[1:], model, "frame"))


def picture_trunk(shape: tuple[int, ...], model: ModelSettings, name: str) -> keras.Model:
    """Network from pictures [N, H, W, C] to features [N, h, w, C']."""
    samples = keras.Input(shape, name="samples")
    return keras.Model(samples, downsampling_trunk(samples, model, model.discriminator_width, _STEM_SIDE), name=name)


def single_frames(view: tf.Tensor) -> tf.Tensor:
    """[B, F, H, W, C] → [B * F, H, W, C]."""
    shape = tf.shape(view)
    return tf.reshape(view, tf.concat([[-1], shape[2:]], 0))
