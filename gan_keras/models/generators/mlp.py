"""Fully connected layers from one latent to a whole clip (Goodfellow et al., 2014, arXiv:1406.2661).

Inputs: `content` [B, content_dim], standard normal.
Outputs: see `Generator`; clips at full resolution. Every pixel of every frame is an output of the last layer, so its
weights grow with the clip: for small clips.

Departure from the paper: leaky ReLU instead of ReLU and sigmoid, a linear output.
"""

import math

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent

_HIDDEN_WIDTHS = (8, 16, 32)


def mlp(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the one network; it makes full resolution whatever the factor."""
    content = keras.Input((model.content_dim,), name="content")
    x = content
    for i, width in enumerate(_HIDDEN_WIDTHS):
        x = blocks.leaky_relu(blocks.dense(x, width * model.generator_width, f"hidden_{i}"), f"activation_{i}")
    x = layers.Reshape(clip.shape, name="clip_shape")(blocks.dense(x, math.prod(clip.shape), "pixels"))
    pictures = layers.Activation("linear", dtype="float32", name="pictures")(x)
    backbone = keras.Model({"content": content}, {"pictures": pictures}, name="backbone")
    return Generator({"content": Latent(model.content_dim)}, backbone)
