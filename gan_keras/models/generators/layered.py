"""Layers of colour drawn from coordinates that the motion moves: cheap, and what is shown stays what it is.

What a clip shows and how it moves are apart by construction. The motion moves the frame of reference from which pixels
are seen, so that what is drawn in it moves as a whole; the content decides, by the scales of every layer's channels,
what is drawn, the colours of a palette, and a ground that stands still. A picture is the ground, and over it each
colour where its mask is 1, as the foreground is over the background in VGAN (Vondrick et al., 2016,
arXiv:1609.02612). Masks are drawn small for all frames, from coordinates of few pixels; for a full-size picture they
are grown and corrected by what is drawn from coordinates of its own pixels, whose edges no growth has blurred.

Latents: `content` [B, content_size]; `motion` [B, motion_size], how the clip as a whole moves; `innovation`
[B, T, motion_size], what is new in each frame.
Outputs: see `Generator`; beside them what a full-size picture is made of. The state is that of the GRU
(`models/motion.py`), so a clip can go on for ever. Pictures are about -1 to 1.

Masks and colours are cut to their range, with a gradient outside it (`blocks.cut`): a sigmoid or softmax dies as tanh
does, on the first plain background, and never quite reaches the ends, so that what should be flat is not.
The place follows the code's hands; what depends on the code otherwise (the place beside them, turning, deforming)
learns slowly, or what is new in each frame would make everything tremble, and forms change where places should.
"""

import math

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.coordinates import Coordinates
from gan_keras.models.generator import Generator
from gan_keras.models.modulation import styled
from gan_keras.models.motion import CODE, STEADY, motion_latents, motion_networks
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_WAVES, _SHARP_WAVES = 32, 16
_COLOURS = 4
_BASE_SIDE = 16
_POINT_WIDTH, _WIDEST = 4, 2  # multiples of the generator's width: of the layers over points, and of the others
_CONTENT_UNITS, _PATH_UNITS = 128, 64
_SLOWNESS = 0.1
_TURNING, _DEFORMING = 0.1, 0.1
"""The most that the code changes: of the frame of reference's matrix, of the scales. Without a bound, shapes shrank and
vanished within a clip, once they were sharp and a discriminator could be fooled so."""
_COVERED_AT_FIRST = 0.25
"""Of a pixel, by each colour: in the middle of nothing and all, so that none is out of the discriminators' reach."""


def layered(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the four networks."""
    latents = {"content": Latent(model.content_size), **motion_latents(model.motion_size)}
    levels = blocks.halvings((clips.height, clips.width))
    split = small_scale(clips, model).bit_length() - 1
    base = max(split, blocks.first_within(levels, _BASE_SIDE))
    widths = [model.generator_width * min(2**level, _WIDEST) for level in range(len(levels))]
    start, motion = motion_networks(model, clips.num_frames)
    backbone = _backbone(model, levels[split:base + 1], widths[split:base + 1])
    if split == 0:  # the small pictures are the pictures
        outputs = {**backbone.output, "features": backbone.output["small"]}
        return Generator(latents, keras.Model(backbone.input, outputs), None, motion, start)
    renderer = _renderer(model, levels[:split + 1], widths[:split + 1], levels[base])
    return Generator(latents, backbone, renderer, motion, start)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_size,), name="content"),
              "codes": keras.Input((CODE,), name="codes")}
    content = inputs["content"]
    for i in range(2):
        content = blocks.activation(blocks.dense(content, _CONTENT_UNITS, f"content_{i}"), f"content_activation_{i}")
    slow = layers.Rescaling(_SLOWNESS, dtype="float32", name="slow_codes")(inputs["codes"])
    pose = _pose(content, inputs["codes"], slow)
    x = Coordinates(levels[-1], _WAVES, "coordinates")(pose)
    for i in range(3):
        x = blocks.convolution(x, _POINT_WIDTH * model.generator_width, 1, f"point_{i}")
        x = blocks.activation(_modulate(x, content, f"point_{i}_styled", slow), f"point_{i}_activation")
    x = blocks.convolution(x, widths[-1], 1, "base")
    x = blocks.residual(x, widths[-1], (3, 3), "base_block")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = blocks.grow_block(x, levels[level], widths[level], name)
        x = attend(_modulate(x, content, f"{name}_styled", slow), model)
    masks = _masks(x, "small_masks", _COVERED_AT_FIRST)
    palette = layers.Dense(_COLOURS * 3, dtype="float32", name="palette")(content)
    palette = layers.Activation(_coloured, dtype="float32", name="palette_colours")(palette)
    ground = layers.Dense(math.prod(levels[-1]) * 3, kernel_initializer="zeros", dtype="float32", name="ground")
    ground = layers.Reshape((*levels[-1], 3), dtype="float32", name="ground_shape")(ground(content))
    outputs = {"features": x, "masks": masks, "palette": palette, "ground": ground, "style": content, "pose": pose,
               "small": paint(masks, palette, ground, "small_picture")}
    return keras.Model(inputs, outputs, name="backbone")


def _renderer(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int], ground_size: tuple[int, int]
              ) -> keras.Model:
    inputs = {"features": keras.Input((*levels[-1], widths[-1]), name="features"),
              "masks": keras.Input((*levels[-1], _COLOURS - 1), name="masks"),
              "palette": keras.Input((_COLOURS * 3,), name="palette"),
              "ground": keras.Input((*ground_size, 3), name="ground"),
              "style": keras.Input((_CONTENT_UNITS,), name="style"), "pose": keras.Input((6,), name="pose")}
    x, masks = inputs["features"], inputs["masks"]
    for level in reversed(range(len(levels) - 1)):
        sharp = _sharp(inputs["pose"], inputs["style"], levels[0], widths[0]) if level == 0 else None
        x = attend(blocks.grow_block(x, levels[level], widths[level], f"level_{levels[level][0]}", sharp), model)
        masks = blocks.Grow(levels[level], f"masks_{levels[level][0]}")(masks)
    masks = layers.Add(dtype="float32", name="masks_sum")([masks, _masks(x, "detail", 0.0)])
    return keras.Model(inputs, paint(masks, inputs["palette"], inputs["ground"], "picture"), name="renderer")


def _sharp(pose: keras.KerasTensor, style: keras.KerasTensor, size: tuple[int, int], channels: int
           ) -> keras.KerasTensor:
    """What is drawn at full size from the coordinates: edges that no growth has blurred."""
    x = Coordinates(size, _SHARP_WAVES, "sharp_coordinates")(pose)
    for i in range(2):
        x = blocks.convolution(x, channels, 1, f"sharp_{i}")
        x = blocks.activation(styled(x, style, f"sharp_{i}_styled"), f"sharp_{i}_activation")
    return blocks.convolution(x, channels, 1, "sharp")


def _pose(content: keras.KerasTensor, codes: keras.KerasTensor, slow: keras.KerasTensor) -> keras.KerasTensor:
    """The frame of reference, [N, 6]: the codes shift and turn it, the content decides how large things are in it."""
    path = layers.Concatenate(dtype="float32", name="steady_codes")([codes[:, STEADY], slow])
    for i in range(2):  # what bounces is no sum of circles, but a function of them
        path = layers.Dense(_PATH_UNITS, "leaky_relu", dtype="float32", name=f"path_{i}")(path)
    shift = layers.Dense(2, dtype="float32", name="shift")(path)
    zoom = layers.Dense(4, kernel_initializer="zeros", dtype="float32", name="zoom")(content)
    turn = _little(slow, 4, _TURNING, "turn", "float32")
    return layers.Concatenate(dtype="float32", name="pose")([shift, turn + zoom])


def _modulate(x: keras.KerasTensor, content: keras.KerasTensor, name: str, slow: keras.KerasTensor
              ) -> keras.KerasTensor:
    """Scales each channel, by the content and a little by the code."""
    return styled(x, content, name, more=_little(slow, x.shape[-1], _DEFORMING, f"{name}_by_code"))


def _little(slow: keras.KerasTensor, units: int, most: float, name: str, dtype: str | None = None
            ) -> keras.KerasTensor:
    """What the code changes beside the place, within ±most: nothing at first, and slowly."""
    x = layers.Dense(units, "tanh", kernel_initializer="zeros", dtype=dtype, name=name)(slow)
    return layers.Rescaling(most, dtype=dtype, name=f"{name}_little")(x)


def _masks(x: keras.KerasTensor, name: str, covered_at_first: float) -> keras.KerasTensor:
    """What each colour but the first covers of a pixel, not cut to 0..1 yet."""
    x = blocks.activation(x, f"{name}_activation")
    return layers.Conv2D(_COLOURS - 1, 3, padding="same", name=f"{name}_convolution",
                         kernel_initializer="he_normal" if covered_at_first else "zeros",
                         bias_initializer=keras.initializers.Constant(covered_at_first))(x)


def paint(masks: keras.KerasTensor, palette: keras.KerasTensor, ground: keras.KerasTensor, name: str
          ) -> keras.KerasTensor:
    """Lays colours over each other.

    Args:
        masks: what each colour but the first covers, [N, h, w, colours - 1].
        palette: the colours, [N, colours * 3].
        ground: what is seen of the first one beside it, [N, h', w', 3]; grown to the size of the masks.
        name: of the result.

    Returns:
        Pictures [N, h, w, 3] float32.
    """
    ops, size = keras.ops, masks.shape[1:3]
    covers = layers.Activation(_covered, dtype="float32", name=f"{name}_covers")(masks)
    shown, uncovered = [], 1.0
    for cover in reversed(ops.split(covers, _COLOURS - 1, -1)):
        shown.insert(0, cover * uncovered)
        uncovered = uncovered * (1.0 - cover)
    shown = ops.reshape(ops.concatenate([uncovered, *shown], -1), (-1, size[0] * size[1], _COLOURS))
    picture = ops.reshape(ops.matmul(shown, ops.reshape(palette, (-1, _COLOURS, 3))), (-1, *size, 3))
    if ground.shape[1:3] != size:
        ground = blocks.Grow(size, f"{name}_ground")(ground)
    return layers.Activation("linear", dtype="float32", name=name)(picture + uncovered * ground)


def _covered(masks: keras.KerasTensor) -> keras.KerasTensor:
    return blocks.cut(masks, 0.0, 1.0)


def _coloured(palette: keras.KerasTensor) -> keras.KerasTensor:
    return blocks.cut(palette, -1.0, 1.0)
