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
    samples = keras.Input(view_shape, name="samples")
    frames = keras.ops.reshape(samples, (-1, *view_shape[1:]))
    x = downsampling_trunk(frames, model, 2 * model.discriminator_width, _STEM_SIDE, view_shape[0])
    return Discriminator(VIEW, lambda view: view, keras.Model(samples, x, name="clip"))
