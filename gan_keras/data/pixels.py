"""Pixels of a batch of clips: uint8 [B, T, H, W, C] at every edge, float32 in [-1, 1] inside."""

import tensorflow as tf


def to_float(clips: tf.Tensor) -> tf.Tensor:
    """uint8 0 to 255 → float32 -1 to 1."""
    return tf.cast(clips, tf.float32) / 127.5 - 1.0


def to_uint8(clips: tf.Tensor) -> tf.Tensor:
    """float32 -1 to 1 → uint8 0 to 255, rounded; values outside are clipped."""
    return tf.cast(tf.clip_by_value(tf.round((clips + 1.0) * 127.5), 0.0, 255.0), tf.uint8)


def downsample(clips: tf.Tensor, factor: int) -> tf.Tensor:
    """Block average over space, [B, T, H, W, C] → [B, T, H / factor, W / factor, C]."""
    if factor == 1:
        return clips
    batch, frames, height, width, channels = clips.shape
    blocks = tf.reshape(clips, [batch or -1, frames, height // factor, factor, width // factor, factor, channels])
    return tf.reduce_mean(blocks, axis=[3, 5])
