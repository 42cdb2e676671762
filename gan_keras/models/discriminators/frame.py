"""Single frames at full size, judged one by one.

Input: samples [N, H, W, 3], about -1 to 1. Output: features [N, h, w, C].
A residual pyramid without normalization, as R3GAN's (arXiv:2501.05441) with plain convolutions. Pictures of more than
32 pixels are brought to that by the first convolution's stride: layers of few channels over many pixels take as long as
the rest together, and are least of what the machine can do.
"""

import keras
import tensorflow as tf

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.discriminator import Discriminator
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8
_STEM_SIDE = 32
VIEW = "close"


def frame(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of single frames."""
    return Discriminator(VIEW, single_frames, picture_trunk((clips.height, clips.width, 3), model, "frame"))


def picture_trunk(shape: tuple[int, int, int], model: ModelSettings, name: str) -> keras.Model:
    """A network from pictures [N, H, W, C] to features [N, h, w, C]."""
    picture, width = keras.Input(shape, name="samples"), model.discriminator_width
    levels = blocks.halvings(shape[:2])
    first = blocks.first_within(levels, _STEM_SIDE)
    x = blocks.stem(picture, width * min(2**first, _WIDEST), 2**first, "stem")
    for level in range(1 + first, len(levels)):
        x = blocks.residual(x, x.shape[-1], (3, 3), f"level_{level}")
        x = blocks.shrink(attend(x, model), f"level_{level}_shrink")
        x = blocks.convolution(x, width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    x = blocks.residual(x, x.shape[-1], (3, 3), "top")
    return keras.Model(picture, attend(x, model), name=name)


def single_frames(view: tf.Tensor) -> tf.Tensor:
    """[B, F, H, W, 3] → [B * F, H, W, 3]."""
    shape = tf.shape(view)
    return tf.reshape(view, tf.concat([[-1], shape[2:]], 0))
