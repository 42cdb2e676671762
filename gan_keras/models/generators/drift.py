"""Pictures drawn from coordinates that a smooth motion moves: what is shown is carried along, and nothing trembles.

The input of the picture network are waves over the plane (Fourier features, as StyleGAN3's input layer, Karras et al.,
2021, arXiv:2106.12423) in several frames of reference: one at rest, the others drifting. What is drawn from the waves
of one of them moves as it does: clouds drift over hills that stand. The content, through a mapping network, scales the
channels of every layer (StyleGAN, Karras et al., 2019, arXiv:1812.04948, without its normalization); the motion codes
change these scales a little. All feature maps are drawn with a margin that is cut off at the end, because what
convolutions see beyond an edge is not there, and leaves a rim.

Latents: `content` [B, content_dim]; those of `models.smooth_motion`.
Outputs: see `Generator`. Pictures are about -1 to 1; no tanh, which dies on plain backgrounds.
"""

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.attention import attention
from gan_keras.layers.fourier_features import FourierFeatures
from gan_keras.layers.modulation import modulate
from gan_keras.layers.resampling import BilinearUpsample
from gan_keras.models.frame_by_frame import divide_levels
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent
from gan_keras.models.smooth_motion import code_dim, smooth_motion_latents, smooth_motion_networks, split_codes

_BASE_SIDE = 8
_MARGIN = 2
"""Pixels beyond each edge at every level: as many as two convolutions reach."""
# Multiples of the generator's width.
_MAX_WIDTH, _CONTENT_WIDTH, _WAVES = 8, 8, 2
_CODE_STRENGTH = 0.1


def drift(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the networks; the backbone's pictures are `factor` times smaller than full resolution."""
    latents = {"content": Latent(model.content_dim), **smooth_motion_latents(model.motion_dim)}
    backbone_levels, renderer_levels = divide_levels(clip, model, factor, _MAX_WIDTH, _BASE_SIDE)
    initial_state, motion = smooth_motion_networks(model, clip.num_frames)
    backbone = _backbone(model, *backbone_levels)
    renderer = _renderer(model, *renderer_levels) if renderer_levels else None
    return Generator(latents, backbone, factor, renderer, motion, initial_state)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_dim,), name="content"),
              "codes": keras.Input((code_dim(model),), name="codes")}
    style = _style(inputs, model)
    _, shifts = split_codes(inputs["codes"], model)
    still = layers.Dense(2, kernel_initializer="zeros", dtype="float32", name="still")(style)
    waves = []
    for i, shift in enumerate([still, *shifts]):
        matrix = layers.Dense(4, kernel_initializer="zeros", dtype="float32", name=f"matrix_{i}")(inputs["content"])
        pose = layers.Concatenate(dtype="float32", name=f"pose_{i}")([shift, matrix])
        waves.append(FourierFeatures(levels[-1], _WAVES * model.generator_width, _MARGIN, name=f"waves_{i}")(pose))
    x = layers.Concatenate(name="waves")(waves)
    for i in range(2):
        x = blocks.convolution(x, widths[-1], 1, f"point_{i}")
        x = blocks.leaky_relu(modulate(x, style, f"point_{i}_modulated"), f"point_{i}_activation")
    x = blocks.residual_block(x, widths[-1], (3, 3), "base_block")
    x = modulate(x, style, "base_modulated")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = _upsample_block(x, levels[level], widths[level], name)
        x = attention(modulate(x, style, f"{name}_modulated"), model.attention)
    pictures = _crop(_to_rgb(x, "pictures_with_margin"), levels[0], "pictures")
    return keras.Model(inputs, {"features": x, "pictures": pictures, "style": style}, name="backbone")


def _style(inputs: dict[str, keras.KerasTensor], model: ModelSettings) -> keras.KerasTensor:
    """What scales the channels: a function of the content, and a little of the motion codes."""
    changes, _ = split_codes(inputs["codes"], model)
    style = inputs["content"]
    for i in range(2):
        style = blocks.leaky_relu(blocks.dense(style, _CONTENT_WIDTH * model.generator_width, f"style_{i}"),
                                  f"style_activation_{i}")
    change = layers.Dense(_CONTENT_WIDTH * model.generator_width, dtype="float32", name="style_change")(changes)
    change = layers.Rescaling(_CODE_STRENGTH, dtype="float32", name="style_change_scaled")(change)
    return layers.Add(name="style")([style, change])


def _renderer(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    (height, width), margin = levels[-1], 2 * _MARGIN
    inputs = {"features": keras.Input((height + margin, width + margin, widths[-1]), name="features"),
              "pictures": keras.Input((height, width, 3), name="pictures"),
              "style": keras.Input((_CONTENT_WIDTH * model.generator_width,), name="style")}
    x, rgb = inputs["features"], inputs["pictures"]
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = _upsample_block(x, levels[level], widths[level], name)
        x = attention(modulate(x, inputs["style"], f"{name}_modulated"), model.attention)
        rgb = BilinearUpsample(levels[level], name=f"rgb_{levels[level][0]}")(rgb)
    detail = _crop(_to_rgb(x, "detail_with_margin"), levels[0], "detail")
    return keras.Model(inputs, layers.Add(name="rgb", dtype="float32")([rgb, detail]), name="renderer")


def _upsample_block(x: keras.KerasTensor, size: tuple[int, int], channels: int, name: str) -> keras.KerasTensor:
    """Bilinear upsampling by 2 and a residual block; of the margin as much is left as before."""
    if x.shape[-1] != channels:
        x = blocks.convolution(x, channels, 1, f"{name}_narrow")
    x = BilinearUpsample((2 * x.shape[1], 2 * x.shape[2]), name=f"{name}_upsample")(x)
    x = _crop(x, tuple(side + 2 * _MARGIN for side in size), f"{name}_crop")
    return blocks.residual_block(x, channels, (3, 3), name)


def _crop(x: keras.KerasTensor, size: tuple[int, int], name: str) -> keras.KerasTensor:
    """The middle of feature maps."""
    rows, columns = (x.shape[axis + 1] - size[axis] for axis in (0, 1))
    return layers.Cropping2D(((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)), name=name,
                             dtype=x.dtype)(x)


def _to_rgb(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = blocks.convolution(blocks.leaky_relu(x, f"{name}_activation"), 3, 3, f"{name}_convolution")
    return layers.Activation("linear", dtype="float32", name=name)(x)
