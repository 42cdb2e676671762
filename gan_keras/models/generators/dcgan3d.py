"""Transposed 3-D convolutions from one latent to a whole clip (VGAN, Vondrick et al., 2016, arXiv:1609.02612).

The one-stream network of the paper: space and time grow together, by two a layer.

Inputs: `content` [B, content_size], standard normal.
Outputs: see `Generator`; the features are the pictures, so nothing is left to render.

Departures from the paper: any resolution and number of frames (layers of the size rounded up, then cut); a linear
output instead of tanh, and no batch normalization, so that gradient penalties and several devices agree.
"""

import math

import keras
from keras import layers

from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.models import blocks
from gan_keras.models.generator import Generator
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent

_WIDEST = 8


def dcgan3d(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the one network."""
    latents = {"content": Latent(model.content_size)}
    levels = blocks.halvings((clips.height, clips.width))
    frames = [clips.num_frames]
    while len(frames) < len(levels):
        frames.append(math.ceil(frames[-1] / 2))
    widths = [model.generator_width * min(2**level, _WIDEST) for level in range(len(levels))]
    content = keras.Input(latents["content"].shape(None), name="content")
    base = (frames[-1], *levels[-1], widths[-1])
    x = layers.Reshape(base, name="base")(blocks.dense(content, math.prod(base), "base_dense"))
    for level in reversed(range(len(levels) - 1)):
        size = (frames[level], *levels[level])
        x = _grow(x, size, widths[level] if level else 3, f"level_{level}")
    clip = layers.Activation("linear", dtype="float32", name="clip")(x)
    scale = small_scale(clips, model)
    small = layers.AveragePooling3D((1, scale, scale), dtype="float32", name="small_clip")(clip)
    backbone = keras.Model({"content": content}, {"features": clip, "small": small}, name="backbone")
    return Generator(latents, backbone, None)


def _grow(x: keras.KerasTensor, size: tuple[int, int, int], channels: int, name: str) -> keras.KerasTensor:
    """[N, t, h, w, C] → [N, *size, channels], each axis doubled where its size asks for it."""
    x = blocks.activation(x, f"{name}_activation")
    strides = tuple(2 if new > old else 1 for new, old in zip(size, x.shape[1:4], strict=True))
    x = layers.Conv3DTranspose(channels, 4, strides, padding="same", use_bias=False, kernel_initializer="he_normal",
                               name=name)(x)
    x = blocks.Bias(name=f"{name}_bias")(x)
    extra = [(0, old - new) for new, old in zip(size, x.shape[1:4], strict=True)]
    return layers.Cropping3D(extra, name=f"{name}_cut")(x) if any(cut for _, cut in extra) else x
