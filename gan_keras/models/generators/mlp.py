"""Fully connected layers from one latent to a whole clip (Goodfellow et al., 2014, arXiv:1406.2661).

Inputs: `content` [B, content_size], standard normal.
Outputs: see `Generator`; the features are the pictures. Every pixel of every frame is an output of the last layer, so
its weights grow with the clip: for small clips.

Departure from the paper: leaky ReLU instead of ReLU and sigmoid, a linear output.
"""

import math

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.generator import Generator
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_HIDDEN = (8, 16, 32)


def mlp(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the one network."""
    content = keras.Input((model.content_size,), name="content")
    x = content
    for i, times in enumerate(_HIDDEN):
        x = blocks.activation(blocks.dense(x, times * model.generator_width, f"hidden_{i}"), f"activation_{i}")
    x = layers.Reshape(clips.shape, name="clip_shape")(blocks.dense(x, math.prod(clips.shape), "pixels"))
    clip = layers.Activation("linear", dtype="float32", name="clip")(x)
    scale = small_scale(clips, model)
    small = layers.AveragePooling3D((1, scale, scale), dtype="float32", name="small_clip")(clip)
    backbone = keras.Model({"content": content}, {"features": clip, "small": small}, name="backbone")
    return Generator({"content": Latent(model.content_size)}, backbone, None)
