"""Transposed 3-D convolutions from one latent to a whole clip (VGAN, Vondrick et al., 2016, arXiv:1609.02612).

Space and time grow together, by two a layer. With `--static_background` it is the paper's two-stream network: such a
clip as foreground, where a mask says so, over one picture as background, made by 2-D convolutions.

Inputs: `content` [B, content_dim], standard normal.
Outputs: see `Generator`; clips at full resolution, so there is no renderer. With a background also `mask`
[B, T, H, W, 1], 1 where the foreground is seen.

Departures from the paper: any resolution and number of frames (layers of the size rounded up, then cropped); a linear
output instead of tanh, and no batch normalization, so that gradient penalties and several devices agree.
"""

import math

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.attention import attention
from gan_keras.layers.compositing import MaskedForeground
from gan_keras.layers.modulation import modulate
from gan_keras.layers.resampling import resolution_levels
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent

_MAX_WIDTH = 8


def dcgan3d(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the one network; it makes full resolution whatever the factor."""
    latents = {"content": Latent(model.content_dim)}
    levels = resolution_levels((clip.height, clip.width))
    frames = [clip.num_frames]
    while len(frames) < len(levels):
        frames.append(math.ceil(frames[-1] / 2))
    sizes = [(count, *level) for count, level in zip(frames, levels, strict=True)]
    content = keras.Input(latents["content"].shape(None), name="content")
    pictures = _stream(content, sizes, model, 4 if model.static_background else 3, "")
    outputs = {}
    if model.static_background:
        background = _stream(content, [(1, *level) for level in levels], model, 3, "background_")
        composited = MaskedForeground(name="composited", dtype="float32")(pictures, background)
        pictures, outputs["mask"] = composited["clip"], composited["mask"]
    pictures = layers.Activation("linear", dtype="float32", name="pictures")(pictures)
    return Generator(latents, keras.Model({"content": content}, {"pictures": pictures, **outputs}, name="backbone"))


def _stream(content: keras.KerasTensor, sizes: list[tuple[int, int, int]], model: ModelSettings, channels: int,
            prefix: str) -> keras.KerasTensor:
    """From the latent to [N, *sizes[0], channels]: layers have more channels, the smaller the size they make."""
    widths = [model.generator_width * min(2**level, _MAX_WIDTH) for level in range(len(sizes))]
    base = (*sizes[-1], widths[-1])
    x = layers.Reshape(base, name=f"{prefix}base")(blocks.dense(content, math.prod(base), f"{prefix}base_dense"))
    for level in reversed(range(len(sizes) - 1)):
        x = _transposed_convolution(x, sizes[level], widths[level] if level else channels, f"{prefix}level_{level}")
        if level and model.conditional_normalization:
            x = modulate(x, content, f"{prefix}level_{level}_modulated", normalize=True)
        x = attention(x, model.attention) if level and not prefix else x
    return x


def _transposed_convolution(x: keras.KerasTensor, size: tuple[int, int, int], channels: int, name: str
                            ) -> keras.KerasTensor:
    """[N, t, h, w, C] → [N, *size, channels], each axis doubled where its size asks for it."""
    x = blocks.leaky_relu(x, f"{name}_activation")
    strides = tuple(2 if new > old else 1 for new, old in zip(size, x.shape[1:4], strict=True))
    x = layers.Conv3DTranspose(channels, (1 if size[0] == 1 else 4, 4, 4), strides, padding="same", use_bias=False,
                               kernel_initializer="he_normal", name=name)(x)
    x = blocks.Bias(name=f"{name}_bias")(x)
    crop = [(0, old - new) for new, old in zip(size, x.shape[1:4], strict=True)]
    return layers.Cropping3D(crop, name=f"{name}_cropped")(x) if any(end for _, end in crop) else x
