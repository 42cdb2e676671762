"""Self-attention over the positions of a picture or over the frames of a clip (SAGAN, Zhang et al., 2019,
arXiv:1805.08318).

A layer stands wherever a network has features of the size that `--attention` names. Attention over space costs the
square of the number of positions; over time, the square of the number of frames, for each position.
"""

from collections.abc import Iterable

import keras
from keras import layers, ops

from gan_keras.errors import UserError
from gan_keras.layers import blocks

_KEY_SHARE = 8


def attention(x: keras.KerasTensor, sizes: tuple[str, ...]) -> keras.KerasTensor:
    """Applies the self-attention that the settings ask for at this size.

    Args:
        x: features [N, h, w, C], or of clips [N, T, h, w, C].
        sizes: `space:SIDE` and `time:SIDE`, SIDE the shorter of h and w; see `ModelSettings.attention`.

    Returns:
        Features of the same shape.
    """
    side = min(x.shape[-3:-1])
    if f"space:{side}" in sizes:
        positions = ops.reshape(x, (-1, x.shape[-3] * x.shape[-2], x.shape[-1]))
        x = ops.reshape(self_attention(positions, f"attention_space_{side}"), (-1, *x.shape[1:]))
    if f"time:{side}" in sizes and len(x.shape) == 5:
        time, height, width, channels = x.shape[1:]
        sequences = ops.transpose(ops.reshape(x, (-1, time, height * width, channels)), (0, 2, 1, 3))
        sequences = self_attention(ops.reshape(sequences, (-1, time, channels)), f"attention_time_{side}")
        sequences = ops.reshape(sequences, (-1, height * width, time, channels))
        x = ops.reshape(ops.transpose(sequences, (0, 2, 1, 3)), (-1, time, height, width, channels))
    return x


def check_attention(sizes: tuple[str, ...], networks: Iterable[keras.Model]) -> None:
    """Checks that every attention that the settings ask for is a layer of one of the networks.

    Raises:
        UserError: one is not.
    """
    names = {layer.name for network in networks for layer in network.layers}
    for item in sizes:
        axis, side = item.split(":")
        if f"attention_{axis}_{side}" not in names:
            raise UserError(f"`attention` must name sizes at which a network of this run has features, {axis} over its "
                            f"own axis. None has any over {axis} at {side} pixels. Received: attention={item}")


def self_attention(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """x + γ · o(softmax(f(x) g(x)ᵀ) h(x)), γ zero at first (SAGAN 2019, eq. 1 to 3).

    Args:
        x: [N, positions, C].
        name: of the last layer, and prefix of the others' names.
    """
    channels = x.shape[-1]
    key_channels = max(1, channels // _KEY_SHARE)
    query, key = (blocks.dense(x, key_channels, f"{name}_{role}") for role in ("query", "key"))
    value = blocks.dense(x, max(1, channels // 2), f"{name}_value")
    attended = layers.Attention(name=f"{name}_weighted")([query, value, key])
    return layers.Add(name=name)([x, LearnedScale(name=f"{name}_scale")(
        blocks.dense(attended, channels, f"{name}_output"))])


class LearnedScale(layers.Layer):
    """Multiplies by one learned number, zero at first."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the number."""
        self.scale = self.add_weight(shape=(), initializer="zeros", name="scale")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x · γ."""
        return x * self.scale
