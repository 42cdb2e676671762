"""Self-attention over the places of a picture or over the frames of a clip (SAGAN, Zhang et al., 2019,
arXiv:1805.08318).

A layer stands wherever a network has features of the size that `--attention` names. Attention over space costs the
square of the number of places; over time, the square of the number of frames, for each place.
"""

from collections.abc import Iterable

import keras
from keras import layers, ops

from gan_keras.errors import UserError
from gan_keras.models import blocks
from gan_keras.train_settings import ModelSettings

_KEY_SHARE = 8


def attend(x: keras.KerasTensor, model: ModelSettings) -> keras.KerasTensor:
    """Adds the attention that the settings ask for at this size.

    Args:
        x: features [N, h, w, C], or of clips [N, T, h, w, C].
        model: `attention` has `space:SIDE` and `time:SIDE`, SIDE the shorter of h and w.

    Returns:
        Features of the same shape.
    """
    side = min(x.shape[-3:-1])
    if f"space:{side}" in model.attention:
        x = _over(x, (-1, x.shape[-3] * x.shape[-2], x.shape[-1]), f"attention_space_{side}")
    if f"time:{side}" in model.attention and len(x.shape) == 5:
        time, height, width, channels = x.shape[1:]
        turned = ops.transpose(ops.reshape(x, (-1, time, height * width, channels)), (0, 2, 1, 3))
        turned = ops.reshape(turned, (-1, time, channels))
        turned = ops.reshape(self_attention(turned, f"attention_time_{side}"), (-1, height * width, time, channels))
        x = ops.reshape(ops.transpose(turned, (0, 2, 1, 3)), (-1, time, height, width, channels))
    return x


def check_attention(model: ModelSettings, networks: Iterable[keras.Model]) -> None:
    """Every attention that the settings ask for has a place in one of the networks.

    Raises:
        UserError: one has none.
    """
    names = {layer.name for network in networks for layer in network.layers}
    for item in model.attention:
        over, side = item.split(":")
        if f"attention_{over}_{side}" not in names:
            raise UserError(f"`attention` must name sizes at which a network of this run has features, {over} over its "
                            f"own axis. None has any over {over} at {side} pixels. Received: attention={item}")


def self_attention(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """x + γ · o(softmax(f(x) g(x)ᵀ) h(x)), γ zero at first (SAGAN 2019, eq. 1 to 3).

    Args:
        x: [N, places, C].
        name: of the layers.
    """
    channels = x.shape[-1]
    few = max(1, channels // _KEY_SHARE)
    query, key = blocks.dense(x, few, f"{name}_query"), blocks.dense(x, few, f"{name}_key")
    value = blocks.dense(x, max(1, channels // 2), f"{name}_value")
    found = layers.Attention(name=f"{name}_weighted")([query, value, key])
    return layers.Add(name=name)([x, Scale(name=f"{name}_scale")(blocks.dense(found, channels, f"{name}_output"))])


class Scale(layers.Layer):
    """Multiplies by one learned number, zero at first."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the number."""
        self.scale = self.add_weight(shape=(), initializer="zeros", name="scale")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x · γ."""
        return x * self.scale


def _over(x: keras.KerasTensor, places: tuple[int, ...], name: str) -> keras.KerasTensor:
    return ops.reshape(self_attention(ops.reshape(x, places), name), (-1, *x.shape[1:]))
