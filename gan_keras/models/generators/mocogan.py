"""Content and recurrent motion, drawn frame by frame (MoCoGAN, Tulyakov et al., CVPR 2018, arXiv:1707.04993).

A content latent stays the same over the clip; a GRU (or LSTM, `--recurrence`) makes a motion code of each frame; a
picture network draws each frame from both. The network is causal over time.

Latents: `content` [B, content_size]; `motion` [B, motion_size], how the clip as a whole moves; `innovation`
[B, T, motion_size], what is new in each frame.
Outputs: see `Generator`; the state is that of the GRU (`models/motion.py`), so a clip can go on for ever. Pictures are
about -1 to 1; no tanh, which dies on plain backgrounds.

Departures from the paper: residual blocks without batch normalization; the GRU starts from and is told a latent of the
clip, not noise alone, so that steady motion need not be found in noise; the content also scales the channels of the
picture network, which keeps appearance apart from motion; split into a backbone that draws small pictures of all frames
and a renderer that adds what full size needs.
"""

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.generator import Generator
from gan_keras.models.modulation import styled
from gan_keras.models.motion import CODE, motion_latents, motion_networks
from gan_keras.models.views import small_scale
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8


def mocogan(clips: ClipSettings, model: ModelSettings) -> Generator:
    """Builds the three networks."""
    latents = {"content": Latent(model.content_size), **motion_latents(model.motion_size)}
    levels = blocks.halvings((clips.height, clips.width))
    split = small_scale(clips, model).bit_length() - 1
    widths = [model.generator_width * min(2**level, _WIDEST) for level in range(len(levels))]
    start, motion = motion_networks(model, clips.num_frames)
    backbone = _backbone(model, levels[split:], widths[split:])
    if split == 0:  # the small pictures are the pictures
        outputs = {**backbone.output, "features": backbone.output["small"]}
        return Generator(latents, keras.Model(backbone.input, outputs), None, motion, start)
    return Generator(latents, backbone, _renderer(model, levels[:split + 1], widths[:split + 1]), motion, start)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_size,), name="content"),
              "codes": keras.Input((CODE,), name="codes")}
    x = layers.Concatenate(name="code")(list(inputs.values()))
    x = blocks.activation(blocks.dense(x, 2 * widths[-1], "code_dense"), "code_activation")
    x = blocks.dense(x, levels[-1][0] * levels[-1][1] * widths[-1], "base")
    x = keras.ops.reshape(x, (-1, *levels[-1], widths[-1]))
    x = blocks.residual(x, widths[-1], (3, 3), "base_block")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = blocks.grow_block(x, levels[level], widths[level], name)
        x = styled(x, inputs["content"], f"{name}_style", model.conditional_normalization)
        x = attend(x, model)
    return keras.Model(inputs, {"features": x, "small": _picture(x, "small_picture")}, name="backbone")


def _renderer(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    features = keras.Input((*levels[-1], widths[-1]), name="features")
    small = keras.Input((*levels[-1], 3), name="small")
    x, picture = features, small
    for level in reversed(range(len(levels) - 1)):
        x = attend(blocks.grow_block(x, levels[level], widths[level], f"level_{levels[level][0]}"), model)
        picture = blocks.Grow(levels[level], f"picture_{levels[level][0]}")(picture)
    detail = _picture(x, "detail")
    picture = layers.Add(name="picture", dtype="float32")([picture, detail])
    return keras.Model({"features": features, "small": small}, picture, name="renderer")


def _picture(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = blocks.convolution(blocks.activation(x, f"{name}_activation"), 3, 3, f"{name}_convolution")
    return layers.Activation("linear", dtype="float32", name=name)(x)
