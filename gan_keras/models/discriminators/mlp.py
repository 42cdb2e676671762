"""Discriminator of whole clips at low resolution, fully connected layers (Goodfellow et al., 2014, arXiv:1406.2661).

Input: samples [N, T, h, w, C], about -1 to 1. Output: features [N, C'].
Leaky ReLU instead of the paper's maxout and dropout.
"""

import keras
from keras import layers

from gan_keras.config.train import ModelSettings
from gan_keras.layers import blocks
from gan_keras.models.discriminator import Discriminator

_HIDDEN_WIDTH = 16
VIEW = "low_resolution"


def mlp(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    samples = keras.Input(view_shape, name="samples")
    x, units = layers.Flatten(name="flat_samples")(samples), _HIDDEN_WIDTH * model.discriminator_width
    for i in range(2):
        x = blocks.leaky_relu(blocks.dense(x, units, f"hidden_{i}"), f"activation_{i}")
    x = blocks.dense(x, units, "hidden_2")
    return Discriminator(VIEW, lambda view: view, keras.Model(samples, x, name="mlp"))
