"""Transposed 3-D convolutions from one latent to a whole clip (VGAN, Vondrick et al., 2016, arXiv:1609.02612).

Space and time grow together, by two a layer. With `--still_background` it is the paper's two-stream network: such a
clip in front, where a mask says so, of one picture that stands still, drawn by 2-D convolutions.

Inputs: `content` [B, content_size], standard normal.
Outputs: see `Generator`; the features are the pictures, so nothing is left to render. With a background also `mask`
[B, T, H, W, 1], 1 where the foreground is seen.

Departures from the paper: any resolution and number of frames (layers of the size rounded up, then cut); a linear
output instead of tanh, and no batch normalization, so that gradient penalties and several devices agree.
"""

import math

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.generator import Generator
from gan_keras.models.modulation import styled
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8


def dcgan3d(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the one network."""
    latents = {"content": Latent(model.content_size)}
    levels = blocks.halvings((clips.height, clips.width))
    frames = [clips.num_frames]
    while len(frames) < len(levels):
        frames.append(math.ceil(frames[-1] / 2))
    sizes = [(count, *level) for count, level in zip(frames, levels, strict=True)]
    content = keras.Input(latents["content"].shape(None), name="content")
    clip = _stream(content, sizes, model, 4 if model.still_background else 3, "")
    outputs = {}
    if model.still_background:
        background = _stream(content, [(1, *level) for level in levels], model, 3, "background_")
        masked = Masked(name="masked", dtype="float32")(clip, background)
        clip, outputs["mask"] = masked["clip"], masked["mask"]
    clip = layers.Activation("linear", dtype="float32", name="clip")(clip)
    scale = small_scale(clips, model)
    small = layers.AveragePooling3D((1, scale, scale), dtype="float32", name="small_clip")(clip)
    backbone = keras.Model({"content": content}, {"features": clip, "small": small, **outputs}, name="backbone")
    return Generator(latents, backbone, None)


def _stream(content: keras.KerasTensor, sizes: list[tuple[int, int, int]], model: ModelSettings, channels: int,
            name: str) -> keras.KerasTensor:
    """From the latent to [N, *sizes[0], channels]: the layer that reaches each size has more channels, the smaller."""
    widths = [model.generator_width * min(2**level, _WIDEST) for level in range(len(sizes))]
    base = (*sizes[-1], widths[-1])
    x = layers.Reshape(base, name=f"{name}base")(blocks.dense(content, math.prod(base), f"{name}base_dense"))
    for level in reversed(range(len(sizes) - 1)):
        x = _grow(x, sizes[level], widths[level] if level else channels, f"{name}level_{level}")
        if level and model.conditional_normalization:
            x = styled(x, content, f"{name}level_{level}_style", True)
        x = attend(x, model) if level and not name else x
    return x


class Masked(layers.Layer):
    """A moving foreground where its mask is 1, over a background that stands still (VGAN 2016, eq. 3)."""

    def call(self, foreground: keras.KerasTensor, background: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Foreground with its mask before the sigmoid [N, T, H, W, 4], background [N, 1, H, W, 3] → clip and mask."""
        mask = keras.ops.sigmoid(foreground[..., 3:])
        return {"clip": mask * foreground[..., :3] + (1.0 - mask) * background, "mask": mask}


def _grow(x: keras.KerasTensor, size: tuple[int, int, int], channels: int, name: str) -> keras.KerasTensor:
    """[N, t, h, w, C] → [N, *size, channels], each axis doubled where its size asks for it."""
    x = blocks.activation(x, f"{name}_activation")
    strides = tuple(2 if new > old else 1 for new, old in zip(size, x.shape[1:4], strict=True))
    x = layers.Conv3DTranspose(channels, (1 if size[0] == 1 else 4, 4, 4), strides, padding="same", use_bias=False,
                               kernel_initializer="he_normal", name=name)(x)
    x = blocks.Bias(name=f"{name}_bias")(x)
    extra = [(0, old - new) for new, old in zip(size, x.shape[1:4], strict=True)]
    return layers.Cropping3D(extra, name=f"{name}_cut")(x) if any(cut for _, cut in extra) else x
