"""Layers of colour drawn from coordinates that the motion moves: cheap, and what is shown stays what it is.

What a clip shows and how it moves are apart by construction. The motion moves the frames of reference from which
pixels are seen, so that what is drawn in them moves as a whole; the content decides, by the scales of every layer's
channels, what is drawn, and a palette. A picture is the palette's first colour and over it each other colour
where its mask is 1, as the foreground is over the background in VGAN (Vondrick et al., 2016, arXiv:1609.02612).

Latents: `content` [B, content_size]; `motion` [B, motion_size], how the clip as a whole moves; `innovation`
[B, T, motion_size], what is new in each frame.
Outputs: see `Generator`; beside them `masks` and `palette`. The state is that of the GRU (`models/motion.py`), so a
clip can go on for ever. Pictures are about -1 to 1.

Masks are cut to 0..1 by a function that leaks: a sigmoid or softmax dies as tanh does, on the first plain background.
What depends on the code beside the place (turning, deforming) starts at nothing and learns slowly, or it would be used
for what the place should do.
"""

import keras
from keras import layers

from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.models import blocks
from gan_keras.models.coordinates import Coordinates, StillPicture
from gan_keras.models.generator import Generator
from gan_keras.models.motion import UNITS, motion_latents, motion_networks
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent

_OBSERVERS, _WAVES = 1, 32
_COLOURS = 4
_BASE_SIDE = 16
_POINT_WIDTH, _WIDEST = 4, 2  # multiples of the generator's width: of the layers over points, and of the others
_CONTENT_UNITS = 128
_SLOWNESS = 0.1
_LEAK = 0.1
_COVERED_AT_FIRST = 0.25


def layered(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the four networks."""
    latents = {"content": Latent(model.content_size), **motion_latents(model.motion_size)}
    levels = blocks.halvings((clips.height, clips.width))
    split = small_scale(clips, model).bit_length() - 1
    base = max(split, next(i for i, size in enumerate(levels) if min(size) <= _BASE_SIDE or size == levels[-1]))
    widths = [model.generator_width * min(2**level, _WIDEST) for level in range(len(levels))]
    start, motion = motion_networks(model.motion_size, clips.num_frames)
    backbone = _backbone(model, levels[split:base + 1], widths[split:base + 1])
    if split == 0:  # the small pictures are the pictures
        outputs = {**backbone.output, "features": backbone.output["small"]}
        return Generator(latents, keras.Model(backbone.input, outputs), None, motion, start)
    return Generator(latents, backbone, _renderer(levels[:split + 1], widths[:split + 1]), motion, start)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_size,), name="content"),
              "codes": keras.Input((UNITS,), name="codes")}
    content = inputs["content"]
    for i in range(2):
        content = blocks.activation(blocks.dense(content, _CONTENT_UNITS, f"content_{i}"), f"content_activation_{i}")
    slow = layers.Rescaling(_SLOWNESS, dtype="float32", name="slow_codes")(inputs["codes"])
    x = _seen(content, inputs["codes"], slow, levels[-1])
    for i in range(3):
        x = blocks.convolution(x, _POINT_WIDTH * model.generator_width, 1, f"point_{i}")
        x = StillPicture(name="still")(x) if i == 0 else x
        x = blocks.activation(_modulate(x, content, slow, f"point_{i}"), f"point_{i}_activation")
    x = blocks.convolution(x, widths[-1], 1, "base")
    x = blocks.residual(x, widths[-1], (3, 3), "base_block")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = _modulate(blocks.grow_block(x, levels[level], widths[level], name), content, slow, name)
    masks = _masks(x, "small_masks")
    palette = layers.Dense(_COLOURS * 3, dtype="float32", name="palette")(content)
    outputs = {"features": x, "masks": masks, "palette": palette, "small": _paint(masks, palette, "small_picture")}
    return keras.Model(inputs, outputs, name="backbone")


def _renderer(levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"features": keras.Input((*levels[-1], widths[-1]), name="features"),
              "masks": keras.Input((*levels[-1], _COLOURS - 1), name="masks"),
              "palette": keras.Input((_COLOURS * 3,), name="palette")}
    x, masks = inputs["features"], inputs["masks"]
    for level in reversed(range(len(levels) - 1)):
        x = blocks.grow_block(x, levels[level], widths[level], f"level_{levels[level][0]}")
        masks = blocks.grow(masks, levels[level], f"masks_{levels[level][0]}")
    masks = layers.Add(dtype="float32", name="masks_sum")([masks, _masks(x, "detail", zero=True)])
    return keras.Model(inputs, _paint(masks, inputs["palette"], "picture"), name="renderer")


def _seen(content: keras.KerasTensor, codes: keras.KerasTensor, slow: keras.KerasTensor, size: tuple[int, int]
          ) -> keras.KerasTensor:
    """Coordinates in frames of reference that the codes shift and turn; the content decides how large things are."""
    shift = layers.Dense(2 * _OBSERVERS, dtype="float32", name="shift")(codes)
    turn, zoom = (layers.Dense(4 * _OBSERVERS, kernel_initializer="zeros", dtype="float32", name=name)(x)
                  for name, x in (("turn", slow), ("zoom", content)))
    return Coordinates(size, _OBSERVERS, _WAVES, "coordinates")(shift, turn + zoom)


def _modulate(x: keras.KerasTensor, content: keras.KerasTensor, slow: keras.KerasTensor, name: str
              ) -> keras.KerasTensor:
    """Scales each channel, by the content and a little by the code."""
    by_content = layers.Dense(x.shape[-1], bias_initializer="ones", name=f"{name}_by_content")(content)
    by_code = layers.Dense(x.shape[-1], kernel_initializer="zeros", name=f"{name}_by_code")(slow)
    scales = layers.Add(name=f"{name}_scales")([by_content, by_code])
    scales = layers.Reshape((1, 1, x.shape[-1]), name=f"{name}_shape")(scales)
    return layers.Multiply(name=f"{name}_scaled")([x, scales])


def _masks(x: keras.KerasTensor, name: str, zero: bool = False) -> keras.KerasTensor:
    """One for each colour but the first, not cut to 0..1 yet; `zero` at first, where they are a detail of others."""
    x = blocks.activation(x, f"{name}_activation")
    return blocks.convolution(x, _COLOURS - 1, 3, f"{name}_convolution", zero)


def _paint(masks: keras.KerasTensor, palette: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Masks [N, h, w, colours - 1] and palette [N, colours * 3] → pictures [N, h, w, 3] float32."""
    covers = layers.Activation(_leaky_cut, dtype="float32", name=f"{name}_covers")(masks)
    colours = keras.ops.reshape(palette, (-1, 1, 1, _COLOURS, 3))
    picture = colours[..., 0, :]
    for i in range(1, _COLOURS):
        picture = picture + covers[..., i - 1:i] * (colours[..., i, :] - picture)
    return layers.Activation("linear", dtype="float32", name=name)(picture)


def _leaky_cut(x: keras.KerasTensor) -> keras.KerasTensor:
    x = x + _COVERED_AT_FIRST
    inside = keras.ops.clip(x, 0.0, 1.0)
    return inside + _LEAK * (x - inside)
