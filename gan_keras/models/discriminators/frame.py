"""Single frames at full size, judged one by one.

Input: samples [N, H, W, 3], about -1 to 1. Output: logits [N] float32.
A residual pyramid without normalization, as R3GAN's (arXiv:2501.05441) with plain convolutions. Pictures of more than
32 pixels are brought to that by the first convolution's stride: layers of few channels over many pixels take as long as
the rest together, and are least of what the machine can do.
"""

import keras
import tensorflow as tf
from keras import layers

from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.models import blocks
from gan_keras.models.discriminator import Discriminator

_WIDEST = 8
_STEM_SIDE = 32
VIEW = "close"


def frame(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of single frames."""
    network = picture_network((clips.height, clips.width, 3), model.discriminator_width, "frame")
    return Discriminator(VIEW, _frames, network)


def picture_network(shape: tuple[int, int, int], width: int, name: str) -> keras.Model:
    """A network from pictures [N, H, W, C] to logits [N]."""
    picture = keras.Input(shape, name="picture")
    levels = blocks.halvings(shape[:2])
    first = blocks.first_within(levels, _STEM_SIDE)
    x = blocks.stem(picture, width * min(2**first, _WIDEST), 2**first, "stem")
    for level in range(1 + first, len(levels)):
        x = blocks.residual(x, x.shape[-1], (3, 3), f"level_{level}")
        x = blocks.shrink(x, f"level_{level}_shrink")
        x = blocks.convolution(x, width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    x = blocks.residual(x, x.shape[-1], (3, 3), "top")
    return keras.Model(picture, logits(x), name=name)


def logits(x: keras.KerasTensor) -> keras.KerasTensor:
    """The head: features [N, ...] → logits [N] float32."""
    x = layers.Flatten(name="flat")(blocks.activation(x, "head_activation"))
    x = layers.Dense(1, dtype="float32", name="logit")(x)
    return layers.Reshape((), dtype="float32", name="logits")(x)


def _frames(view: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(view)
    return tf.reshape(view, tf.concat([[-1], shape[2:]], 0))
