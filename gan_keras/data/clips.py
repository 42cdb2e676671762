"""A batch of clips as numbers: uint8 [B, T, H, W, C] at every edge, float32 in [-1, 1] inside."""

import tensorflow as tf

from gan_keras import catalog


def to_float(clips: tf.Tensor) -> tf.Tensor:
    """uint8 0 to 255 → float32 -1 to 1."""
    return tf.cast(clips, tf.float32) / 127.5 - 1.0


def to_uint8(clips: tf.Tensor) -> tf.Tensor:
    """float32 -1 to 1 → uint8 0 to 255, rounded; what lies outside is cut off."""
    return tf.cast(tf.clip_by_value(tf.round((clips + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def shrink(clips: tf.Tensor, factor: int) -> tf.Tensor:
    """[B, T, H, W, C] → [B, T, H / factor, W / factor, C], each number the mean of a square."""
    batch, frames, height, width, channels = clips.shape
    squares = tf.reshape(clips, [batch or -1, frames, height // factor, factor, width // factor, factor, channels])
    return tf.reduce_mean(squares, axis=[3, 5])


def augment(clips: tf.Tensor, names: tuple[str, ...], uniform: tf.Tensor, probability: tf.Tensor | float = 1.0
            ) -> tf.Tensor:
    """Applies augmentations in the order named.

    Args:
        clips: float32 [B, T, H, W, C].
        names: functions of `gan_keras.data.augment`.
        uniform: float32 [B, len(names), UNIFORMS + 1] in [0, 1); the last number decides whether a clip is augmented.
        probability: with which one is, each augmentation for itself.
    """
    for i, name in enumerate(names):
        changed = catalog.find("data.augment", name)(clips, uniform[:, i, :-1])
        clips = tf.where(uniform[:, i, -1, None, None, None, None] < probability, changed, clips)
    return clips
