"""Clips turned, scaled and shifted: affine maps of every frame."""

import tensorflow as tf


def warp(clips: tf.Tensor, transforms: tf.Tensor, size: tuple[int, int] | tf.Tensor | None = None,
         fill_mode: str = "REFLECT") -> tf.Tensor:
    """Resamples every frame of clip i by the projective transform i, bilinearly.

    Args:
        clips: float32 [B, T, H, W, C].
        transforms: [B, 8], from coordinates of the output to those of the input, (x, y) ↦
            ((a0 x + a1 y + a2) / k, (a3 x + a4 y + a5) / k), k = a6 x + a7 y + 1.
        size: (height, width) of the output; None: that of the clips.
        fill_mode: what is beyond an edge: `REFLECT`, `NEAREST`, or `CONSTANT` for 0.
    """
    shape = tf.shape(clips)
    output = shape[2:4] if size is None else tf.convert_to_tensor(size, tf.int32)
    frames = tf.reshape(clips, tf.concat([[-1], shape[2:]], 0))
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=frames, transforms=tf.repeat(transforms, shape[1], axis=0), output_shape=output,
        fill_value=0.0, interpolation="BILINEAR", fill_mode=fill_mode)
    moved = tf.reshape(moved, tf.concat([shape[:2], output, shape[4:]], 0))
    static = tf.get_static_value(output)
    return tf.ensure_shape(moved, [*clips.shape[:2], *([None, None] if static is None else static), clips.shape[4]])


def reorientation(size: tuple[tf.Tensor | int, tf.Tensor | int], new_size: tuple[tf.Tensor | int, tf.Tensor | int],
                  angle: tf.Tensor, zoom: tf.Tensor, shift: tf.Tensor) -> tf.Tensor:
    """The transform that turns a picture about its centre, enlarges it, shifts it and puts it on another size.

    Args:
        size: (height, width) before.
        new_size: (height, width) after.
        angle: degrees, clockwise as one sees it, [B].
        zoom: above 1 enlarges, [B].
        shift: of the centre, in pixels to the right and down, [B, 2].

    Returns:
        [B, 8], for `warp`.
    """
    radians = angle * (3.141592653589793 / 180.0)
    cos, sin = tf.cos(radians) / zoom, tf.sin(radians) / zoom
    (y, x), (new_y, new_x) = (((tf.cast(height, tf.float32) - 1.0) / 2.0, (tf.cast(width, tf.float32) - 1.0) / 2.0)
                              for height, width in (size, new_size))
    right, down = new_x + shift[:, 0], new_y + shift[:, 1]
    zeros = tf.zeros_like(cos)
    return tf.stack([cos, sin, x - cos * right - sin * down, -sin, cos, y + sin * right - cos * down, zeros, zeros], 1)
