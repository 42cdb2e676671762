"""Single frames at full size, judged one by one.

Input: samples [N, H, W, 3], about -1 to 1. Output: features [N, h, w, C].
"""

import keras
import tensorflow as tf

from gan_keras.models.discriminator import Discriminator
from gan_keras.models.pyramid import pyramid
from gan_keras.train_settings import ClipSettings, ModelSettings

_STEM_SIDE = 32
VIEW = "close"


def frame(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of single frames."""
    return Discriminator(VIEW, single_frames, picture_trunk((clips.height, clips.width, 3), model, "frame"))


def picture_trunk(shape: tuple[int, int, int], model: ModelSettings, name: str) -> keras.Model:
    """A network from pictures [N, H, W, C] to features [N, h, w, C]."""
    picture = keras.Input(shape, name="samples")
    return keras.Model(picture, pyramid(picture, model, model.discriminator_width, _STEM_SIDE), name=name)


def single_frames(view: tf.Tensor) -> tf.Tensor:
    """[B, F, H, W, 3] → [B * F, H, W, 3]."""
    shape = tf.shape(view)
    return tf.reshape(view, tf.concat([[-1], shape[2:]], 0))
