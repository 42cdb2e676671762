"""Two frames of a clip at full size, side by side: motion from one to the next, and that what is shown stays the same.

Input: samples [N, H, W, 6], the channels of both frames side by side. Output: features [N, h, w, C].
"""

import tensorflow as tf

from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import picture_trunk
from gan_keras.train_settings import ClipSettings, ModelSettings

VIEW = "close"


def pair(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of pairs of frames."""
    return Discriminator(VIEW, _pairs, picture_trunk((clips.height, clips.width, 6), model, "pair"))


def _pairs(view: tf.Tensor) -> tf.Tensor:
    height, width = view.shape[2:4]
    pairs = tf.transpose(tf.reshape(view, [-1, 2, height, width, 3]), [0, 2, 3, 1, 4])
    return tf.reshape(pairs, [-1, height, width, 6])
