"""Discriminator of whole clips, frame by frame: convolutions over each low-resolution frame, then a recurrent layer.

Input: samples [N, T, h, w, C], about -1 to 1. Output: features [N, C'], the last outputs of both directions: the
layer is bidirectional, or the first frames would be seen through all the others.
"""

import keras

from gan_keras.config.train import ModelSettings
from gan_keras.layers.recurrent import bidirectional
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.downsampling_trunk import downsampling_trunk

_STEM_SIDE = 8
_RECURRENT_WIDTH = 4
VIEW = "low_resolution"


def recurrent(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    samples = keras.Input(view_shape, name="samples")
    frames = keras.ops.reshape(samples, (-1, *view_shape[1:]))
    x = downsampling_trunk(frames, model, 2 * model.discriminator_width, _STEM_SIDE)
    _, last = bidirectional(x, model.recurrence, _RECURRENT_WIDTH * model.discriminator_width, view_shape[0])
    return Discriminator(VIEW, lambda view: view, keras.Model(samples, last, name="recurrent"))
