"""Content and recurrent motion, drawn frame by frame (MoCoGAN, Tulyakov et al., CVPR 2018, arXiv:1707.04993).

A content latent stays the same over the clip; a GRU (or LSTM, `--recurrence`) makes a motion code of each frame; a
picture network draws each frame from both. The network is causal over time.

Latents: `content` [B, content_dim]; `motion` [B, motion_dim], the motion of the clip as a whole; `frame_noise`
[B, T, motion_dim], the noise of each frame.
Outputs: see `Generator`; the state is that of `models.recurrent_motion`, so a clip can go on for ever. Pictures are
about -1 to 1; no tanh, which dies on plain backgrounds.

Departures from the paper: residual blocks without batch normalization; the recurrent layer gets a latent of the clip,
not noise alone, so that steady motion need not be found in noise; the content also scales the channels of the picture
network, which keeps appearance apart from motion; split into a backbone that draws low-resolution pictures of all
frames and a renderer that adds what full resolution needs.
"""

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.attention import attention
from gan_keras.layers.modulation import modulate
from gan_keras.layers.resampling import BilinearUpsample
from gan_keras.models.frame_by_frame import divide_levels
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent
from gan_keras.models.recurrent_motion import code_dim, motion_latents, motion_networks

_MAX_WIDTH = 8


def mocogan(clip: ClipSettings, model: ModelSettings, factor: int) -> Generator:
    """Builds the networks; the backbone's pictures are `factor` times smaller than full resolution."""
    latents = {"content": Latent(model.content_dim), **motion_latents(model.motion_dim)}
    backbone_levels, renderer_levels = divide_levels(clip, model, factor, _MAX_WIDTH)
    initial_state, motion = motion_networks(model, clip.num_frames)
    backbone = _backbone(model, *backbone_levels)
    renderer = _renderer(model, *renderer_levels) if renderer_levels else None
    return Generator(latents, backbone, factor, renderer, motion, initial_state)


def _backbone(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    inputs = {"content": keras.Input((model.content_dim,), name="content"),
              "codes": keras.Input((code_dim(model),), name="codes")}
    x = layers.Concatenate(name="content_and_code")(list(inputs.values()))
    x = blocks.leaky_relu(blocks.dense(x, 2 * widths[-1], "code_dense"), "code_activation")
    x = blocks.dense(x, levels[-1][0] * levels[-1][1] * widths[-1], "base")
    x = keras.ops.reshape(x, (-1, *levels[-1], widths[-1]))
    x = blocks.residual_block(x, widths[-1], (3, 3), "base_block")
    for level in reversed(range(len(levels) - 1)):
        name = f"level_{levels[level][0]}"
        x = blocks.upsample_block(x, levels[level], widths[level], name)
        x = modulate(x, inputs["content"], f"{name}_modulated", model.conditional_normalization)
        x = attention(x, model.attention)
    return keras.Model(inputs, {"features": x, "pictures": _to_rgb(x, "pictures")}, name="backbone")


def _renderer(model: ModelSettings, levels: list[tuple[int, int]], widths: list[int]) -> keras.Model:
    features = keras.Input((*levels[-1], widths[-1]), name="features")
    pictures = keras.Input((*levels[-1], 3), name="pictures")
    x, rgb = features, pictures
    for level in reversed(range(len(levels) - 1)):
        x = attention(blocks.upsample_block(x, levels[level], widths[level], f"level_{levels[level][0]}"),
                      model.attention)
        rgb = BilinearUpsample(levels[level], name=f"rgb_{levels[level][0]}")(rgb)
    rgb = layers.Add(name="rgb", dtype="float32")([rgb, _to_rgb(x, "detail")])
    return keras.Model({"features": features, "pictures": pictures}, rgb, name="renderer")


def _to_rgb(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = blocks.convolution(blocks.leaky_relu(x, f"{name}_activation"), 3, 3, f"{name}_convolution")
    return layers.Activation("linear", dtype="float32", name=name)(x)
