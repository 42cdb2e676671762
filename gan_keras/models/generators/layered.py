"""Layers of colour drawn from coordinates that a recurrent motion moves: cheap, and appearance stays the same.

Appearance and motion are apart by construction. The motion moves the frame of reference in which pixels are drawn, so
that what is drawn in it moves as a whole; the content decides, by the scales of every layer's channels, what is drawn,
the colours of a palette, and a static background. A picture is the background, and over it each colour where its mask
is 1, as the foreground is over the background in VGAN (Vondrick et al., 2016, arXiv:1609.02612). Masks are drawn at low
resolution for all frames, from coordinates of few pixels; for a picture at full resolution they are upsampled and
corrected by what is drawn from coordinates of its own pixels, whose edges no upsampling has blurred.

Latents: `content` [B, content_dim]; `motion` [B, motion_dim], the motion of the clip as a whole; `frame_noise`
[B, T, motion_dim], the noise of each frame.
Outputs: see `Generator`; beside them what the renderer takes. The state is that of `models.recurrent_motion`, so a clip
can go on for ever. Pictures are about -1 to 1.

Masks and colours are clipped to their range, with a gradient outside it (`layers.clipping`): a sigmoid or softmax dies
as tanh does, on the first plain background, and never quite reaches the ends, so that what should be flat is not.
The position follows the oscillators; what depends on the motion code otherwise (position beside them, rotation,
deformation) learns slowly, or the noise of each frame would make everything tremble, and forms change where positions
should.
"""

import math

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.attention import attention
from gan_keras.layers.clipping import clip_with_inward_gradient
from gan_keras.layers.compositing import composite
from gan_keras.layers.fourier_features import FourierFeatures
from gan_keras.layers.modulation import modulate
from gan_keras.layers.resampling import BilinearUpsample
from gan_keras.models.frame_by_frame import divide_levels
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent
from gan_keras.models.recurrent_motion import code_dim, motion_latents, motion_networks, phases_of

_BASE_SIDE = 16
# Multiples of the generator's width.
_MAX_WIDTH, _POINT_WIDTH, _CONTENT_WIDTH, _PATH_WIDTH = 2, 4, 8, 4
_WAVES, _SHARP_WAVES = 2, 1
_SLOWNESS = 0.1
_MAX_ROTATION, _MAX_DEFORMATION = 0.1, 0.1
"""Most that the motion code changes: of the frame of reference's matrix, of the scales. Without a bound, shapes shrank
and vanished within a clip, once they were sharp and a discriminator could be fooled so."""
_INITIAL_OPACITY = 0.25
"""Of a pixel, by each colour: between nothing and all, so that none is out of the discriminators' reach."""


def layered(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the networks; the backbone's pictures are `factor` times smaller than full resolution."""
    latents = {"content": Latent(model.content_dim), **motion_latents(model.motion_dim)}
    backbone_levels, renderer_levels = divide_levels(clip, model, factor, _MAX_WIDTH, _BASE_SIDE)
    initial_state, motion = motion_networks(model, clip.num_frames)
    backbone = _backbone(model, *backbone_levels)
    renderer = _renderer(model, *renderer_levels, backbone_levels.sizes[-1]) if renderer_levels else None
    return Generator(latents, backbone, factor, renderer, motion, initial_state)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_dim,), name="content"),
              "codes": keras.Input((code_dim(model),), name="codes")}
    content = inputs["content"]
    for i in range(2):
        content = blocks.dense(content, _CONTENT_WIDTH * model.generator_width, f"content_{i}")
        content = blocks.leaky_relu(content, f"content_activation_{i}")
    slow = layers.Rescaling(_SLOWNESS, dtype="float32", name="slow_codes")(inputs["codes"])
    pose = _pose(content, phases_of(inputs["codes"], model), slow, model)
    x = FourierFeatures(levels[-1], _WAVES * model.generator_width, name="coordinates")(pose)
    for i in range(3):
        x = blocks.convolution(x, _POINT_WIDTH * model.generator_width, 1, f"point_{i}")
        x = blocks.leaky_relu(_modulate(x, content, f"point_{i}_modulated", slow), f"point_{i}_activation")
    x = blocks.convolution(x, widths[-1], 1, "base")
    x = blocks.residual_block(x, widths[-1], (3, 3), "base_block")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = blocks.upsample_block(x, levels[level], widths[level], name)
        x = attention(_modulate(x, content, f"{name}_modulated", slow), model.attention)
    masks = _masks(x, model.palette_size - 1, "masks", _INITIAL_OPACITY)
    palette = layers.Dense(model.palette_size * 3, dtype="float32", name="palette")(content)
    palette = layers.Activation(_clip_colour, dtype="float32", name="palette_colours")(palette)
    background = layers.Dense(math.prod(levels[-1]) * 3, kernel_initializer="zeros", dtype="float32",
                              name="background")
    background = layers.Reshape((*levels[-1], 3), dtype="float32", name="background_shape")(background(content))
    outputs = {"features": x, "masks": masks, "palette": palette, "background": background, "content": content,
               "pose": pose, "pictures": composite(masks, palette, background, "pictures")}
    return keras.Model(inputs, outputs, name="backbone")


def _renderer(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int],
              background_size: tuple[int, int]) -> keras.Model:
    inputs = {"features": keras.Input((*levels[-1], widths[-1]), name="features"),
              "masks": keras.Input((*levels[-1], model.palette_size - 1), name="masks"),
              "palette": keras.Input((model.palette_size * 3,), name="palette"),
              "background": keras.Input((*background_size, 3), name="background"),
              "content": keras.Input((_CONTENT_WIDTH * model.generator_width,), name="content"),
              "pose": keras.Input((6,), name="pose")}
    x, masks = inputs["features"], inputs["masks"]
    for level in reversed(range(len(levels) - 1)):
        sharp = _sharp(inputs["pose"], inputs["content"], levels[0], widths[0], model) if level == 0 else None
        x = attention(blocks.upsample_block(x, levels[level], widths[level], f"level_{levels[level][0]}", sharp),
                      model.attention)
        masks = BilinearUpsample(levels[level], name=f"masks_{levels[level][0]}")(masks)
    masks = layers.Add(dtype="float32", name="masks_sum")([masks, _masks(x, model.palette_size - 1, "detail", 0.0)])
    return keras.Model(inputs, composite(masks, inputs["palette"], inputs["background"], "rgb"), name="renderer")


def _sharp(pose: keras.KerasTensor, content: keras.KerasTensor, size: tuple[int, int], channels: int,
           model: ModelSettings) -> keras.KerasTensor:
    """Features drawn at full resolution from the coordinates: edges that no upsampling has blurred."""
    x = FourierFeatures(size, _SHARP_WAVES * model.generator_width, name="sharp_coordinates")(pose)
    for i in range(2):
        x = blocks.convolution(x, channels, 1, f"sharp_{i}")
        x = blocks.leaky_relu(modulate(x, content, f"sharp_{i}_modulated"), f"sharp_{i}_activation")
    return blocks.convolution(x, channels, 1, "sharp")


def _pose(content: keras.KerasTensor, phases: keras.KerasTensor, slow: keras.KerasTensor, model: ModelSettings
          ) -> keras.KerasTensor:
    """Frame of reference [N, 6]: the motion code shifts and rotates it, the content decides its scale."""
    path = layers.Concatenate(dtype="float32", name="path_input")([phases, slow])
    for i in range(2):  # what bounces is no sum of circles, but a function of them
        path = layers.Dense(_PATH_WIDTH * model.generator_width, "leaky_relu", dtype="float32", name=f"path_{i}")(path)
    shift = layers.Dense(2, dtype="float32", name="shift")(path)
    scale = layers.Dense(4, kernel_initializer="zeros", dtype="float32", name="scale")(content)
    rotation = _bounded(slow, 4, _MAX_ROTATION, "rotation", "float32")
    return layers.Concatenate(dtype="float32", name="pose")([shift, rotation + scale])


def _modulate(x: keras.KerasTensor, content: keras.KerasTensor, name: str, slow: keras.KerasTensor
              ) -> keras.KerasTensor:
    """Scales each channel, by the content and a little by the motion code."""
    deformation = _bounded(slow, x.shape[-1], _MAX_DEFORMATION, f"{name}_deformation")
    return modulate(x, content, name, scale_offset=deformation)


def _bounded(slow: keras.KerasTensor, units: int, bound: float, name: str, dtype: str | None = None
             ) -> keras.KerasTensor:
    """Function of the motion code within ±bound: zero at first, and slow to change."""
    x = layers.Dense(units, "tanh", kernel_initializer="zeros", dtype=dtype, name=name)(slow)
    return layers.Rescaling(bound, dtype=dtype, name=f"{name}_bounded")(x)


def _masks(x: keras.KerasTensor, count: int, name: str, initial_opacity: float) -> keras.KerasTensor:
    """Opacity of each colour but the first, not clipped to 0..1 yet."""
    x = blocks.leaky_relu(x, f"{name}_activation")
    return layers.Conv2D(count, 3, padding="same", name=f"{name}_convolution",
                         kernel_initializer="he_normal" if initial_opacity else "zeros",
                         bias_initializer=keras.initializers.Constant(initial_opacity))(x)


def _clip_colour(palette: keras.KerasTensor) -> keras.KerasTensor:
    return clip_with_inward_gradient(palette, -1.0, 1.0)
