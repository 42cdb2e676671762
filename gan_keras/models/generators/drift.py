"""Pictures in which things are carried along by a smooth motion: nothing trembles.

The input of the picture network is what stands, and what drifts. What drifts are waves over the plane (Fourier
features, as StyleGAN3's input layer, Karras et al., 2021, arXiv:2106.12423) in frames of reference that move on
steadily: what is drawn from the waves of one of them moves as it does, and comes from beyond the edge. What stands are
such waves, too, in a frame of reference at rest, and a grid of features, a function of the style, which says where
things are and is too coarse to draw them in. Clouds drift over hills that stand.

The style, a function of the content, also scales the channels of every layer (StyleGAN, Karras et al., 2019,
arXiv:1812.04948, without its normalization). The motion codes change the style: limbs move, light changes. That change
is 0 in a new network, so that a clip begins as a picture in steady motion, and whatever else it does was learned.

Convolutions see pictures mirrored beyond their edges (symmetric padding): no rim.

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

_BASE_SIDE = 16
"""Pixels of the first level. From 8, pictures of the same minutes were worse, and horizons were waves."""
# Multiples of the generator's width.
_MAX_WIDTH, _STYLE_WIDTH, _GRID_WIDTH, _WAVES = 4, 8, 2, 2
_GRID_STEP = 4
"""Pixels of the first level between points of the grid. In a grid of all pixels a network draws what should drift, too,
and then cannot move it."""
_HIGHEST = 1.25
"""Highest frequency of the waves of a new network, in radians for half a frame, for each pixel of the first level's
shorter side: four fifths of what pixels can show."""
_CODE_STRENGTH = 0.1


def drift(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the networks; the backbone's pictures are `factor` times smaller than full resolution."""
    latents = {"content": Latent(model.content_dim), **smooth_motion_latents(model.motion_dim)}
    backbone_levels, renderer_levels = divide_levels(clip, model, factor, _MAX_WIDTH, _BASE_SIDE, growth=_MAX_WIDTH)
    initial_state, motion = smooth_motion_networks(model, clip.num_frames)
    backbone = _backbone(model, *backbone_levels)
    renderer = _renderer(model, *renderer_levels) if renderer_levels else None
    return Generator(latents, backbone, factor, renderer, motion, initial_state)


def _backbone(model: ModelSettings, sizes: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_dim,), name="content"),
              "codes": keras.Input((code_dim(model),), name="codes")}
    changes, shifts = split_codes(inputs["codes"], model)
    style = _style(inputs["content"], changes, model)
    at_rest = keras.ops.zeros_like(shifts[0])
    x = layers.Concatenate(name="input")([
        _grid(style, sizes[-1], model),
        *(_waves(inputs["content"], shift, sizes[-1], model, i) for i, shift in enumerate([*shifts, at_rest]))])
    for i in range(2):
        x = blocks.convolution(x, widths[-1], 1, f"point_{i}")
        x = blocks.leaky_relu(modulate(x, style, f"point_{i}_modulated"), f"point_{i}_activation")
    x = _block(x, widths[-1], style, "base", model)
    for size, width in list(zip(sizes, widths, strict=True))[-2::-1]:
        x = _block(_upsample(x, size, width), width, style, f"level_{size[0]}", model)
    pictures = blocks.convolution(blocks.leaky_relu(x, "pictures_activation"), 3, 1, "pictures_convolution")
    pictures = layers.Activation("linear", dtype="float32", name="pictures")(pictures)
    return keras.Model(inputs, {"features": x, "pictures": pictures, "style": style}, name="backbone")


def _style(content: keras.KerasTensor, changes: keras.KerasTensor, model: ModelSettings) -> keras.KerasTensor:
    """A function of the content, and what the motion codes add to it."""
    style, width = content, _STYLE_WIDTH * model.generator_width
    for i in range(2):
        style = blocks.leaky_relu(blocks.dense(style, width, f"style_{i}"), f"style_activation_{i}")
    change = layers.Dense(width, kernel_initializer="zeros", dtype="float32", name="style_change")(changes)
    change = layers.Rescaling(_CODE_STRENGTH, dtype="float32", name="style_change_scaled")(change)
    return layers.Add(name="style")([style, change])


def _grid(style: keras.KerasTensor, size: tuple[int, int], model: ModelSettings) -> keras.KerasTensor:
    """What stands: style [N, D] → [N, h, w, C]."""
    shape = *(max(2, side // _GRID_STEP) for side in size), _GRID_WIDTH * model.generator_width
    x = blocks.dense(style, shape[0] * shape[1] * shape[2], "grid_dense")
    return BilinearUpsample(size, name="grid")(layers.Reshape(shape, name="grid_points")(x))


def _waves(content: keras.KerasTensor, shift: keras.KerasTensor, size: tuple[int, int], model: ModelSettings,
           number: int) -> keras.KerasTensor:
    """What drifts, in a frame of reference: shift [N, 2] → [N, h, w, waves]; the content stretches and turns it."""
    matrix = layers.Dense(4, kernel_initializer="zeros", dtype="float32", name=f"matrix_{number}")(content)
    pose = layers.Concatenate(dtype="float32", name=f"pose_{number}")([shift, matrix])
    return FourierFeatures(size, _WAVES * model.generator_width, _HIGHEST * min(size), name=f"waves_{number}")(pose)


def _renderer(model: ModelSettings, sizes: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"features": keras.Input((*sizes[-1], widths[-1]), name="features"),
              "pictures": keras.Input((*sizes[-1], 3), name="pictures"),
              "style": keras.Input((_STYLE_WIDTH * model.generator_width,), name="style")}
    x, rgb = inputs["features"], inputs["pictures"]
    for size, width in list(zip(sizes, widths, strict=True))[-2::-1]:
        x = _block(_upsample(x, size, width), width, inputs["style"], f"level_{size[0]}", model)
        rgb = BilinearUpsample(size, name=f"rgb_{size[0]}")(rgb)
    detail = blocks.convolution(blocks.leaky_relu(x, "detail_activation"), 3, 3, "detail", padding="symmetric")
    return keras.Model(inputs, layers.Add(name="rgb", dtype="float32")([rgb, detail]), name="renderer")


def _upsample(x: keras.KerasTensor, size: tuple[int, int], channels: int) -> keras.KerasTensor:
    if x.shape[-1] != channels:
        x = blocks.convolution(x, channels, 1, f"level_{size[0]}_narrow")
    return BilinearUpsample(size, name=f"level_{size[0]}_upsample")(x)


def _block(x: keras.KerasTensor, channels: int, style: keras.KerasTensor, name: str, model: ModelSettings
           ) -> keras.KerasTensor:
    x = blocks.residual_block(x, channels, (3, 3), name, "symmetric")
    return attention(modulate(x, style, f"{name}_modulated"), model.attention)
