"""Discriminator of whole clips, all frames at low resolution.

Input: samples [N, T, h, w, C], about -1 to 1. Output: features [N, t, h', w', C'].
"""

import keras

from gan_keras.config.train import ModelSettings
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.downsampling_trunk import downsampling_trunk

_STEM_SIDE = 8
VIEW = "low_resolution"


def clip(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    return Discriminator(VIEW, lambda view: view, clip_trunk(view_shape, model, "clip"))


def clip_trunk(shape: tuple[int, ...], model: ModelSettings, name: str) -> keras.Model:
    """Network from clips [N, T, h, w, C] to features [N, t, h', w', C']."""
    samples = keras.Input(shape, name="samples")
    frames = keras.ops.reshape(samples, (-1, *shape[1:]))
    x = downsampling_trunk(frames, model, 2 * model.discriminator_width, _STEM_SIDE, shape[0])
    return keras.Model(samples, x, name=name)
