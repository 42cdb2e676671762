"""Clips turned, scaled and shifted: affine maps of every frame, and what is beyond an edge."""

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


def extrapolated(clips: tf.Tensor, transforms: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """What a picture shows beyond the edges of an inner one: the inner one's edges, and it mirrored.

    Args:
        clips: float32 [B, T, H, W, C].
        transforms: affine, [B, 8], from coordinates of the clips to those of the inner picture, which is as large.

    Returns:
        Where a pixel is of the inner picture, 1 or 0, [B, 1, H, W, 1]; the clips with each pixel beyond replaced by the
        nearest of the inner picture, as `NEAREST` does in `warp`; and by its mirror image there, as `REFLECT` does.
    """
    height, width = clips.shape[2:4]
    a = tf.reshape(transforms, [-1, 8, 1, 1])
    columns, rows = (tf.range(side, dtype=tf.float32) for side in (width, height))
    x = a[:, 0] * columns + a[:, 1] * rows[:, tf.newaxis] + a[:, 2]
    y = a[:, 3] * columns + a[:, 4] * rows[:, tf.newaxis] + a[:, 5]
    inner = tf.logical_and(tf.logical_and(x >= 0, x <= width - 1.0), tf.logical_and(y >= 0, y <= height - 1.0))
    determinant = a[:, 0] * a[:, 4] - a[:, 1] * a[:, 3]

    def taken_from(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
        """The clips at coordinates of the inner picture."""
        x, y = x - a[:, 2], y - a[:, 5]
        return _sampled(clips, (a[:, 4] * x - a[:, 1] * y) / determinant, (a[:, 0] * y - a[:, 3] * x) / determinant)

    replicated = taken_from(tf.clip_by_value(x, 0.0, width - 1.0), tf.clip_by_value(y, 0.0, height - 1.0))
    reflected = taken_from(_reflected(x, width), _reflected(y, height))
    return tf.cast(inner, tf.float32)[:, tf.newaxis, :, :, tf.newaxis], replicated, reflected


def shifted(clips: tf.Tensor, shifts: tf.Tensor) -> tf.Tensor:
    """Every frame shifted by pixels of its own, mirrored at the edges.

    Args:
        clips: [B, T, H, W, C].
        shifts: int32 [B, T, 2], to the right and down.
    """
    for axis, of_frame in ((2, shifts[..., 1]), (3, shifts[..., 0])):
        side = clips.shape[axis]
        place = tf.math.floormod(tf.range(side) - of_frame[..., tf.newaxis], 2 * side)
        clips = tf.gather(clips, tf.minimum(place, 2 * side - 1 - place), axis=axis, batch_dims=2)
    return clips


def _reflected(position: tf.Tensor, side: int) -> tf.Tensor:
    """Positions from -0.5 to side - 0.5, mirrored at both, pixels at the edges twice."""
    period = tf.math.floormod(position + 0.5, 2.0 * side)
    return side - tf.abs(side - period) - 0.5


def _sampled(clips: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Clips [B, T, H, W, C] at positions [B, h, w] of every frame, bilinearly; [B, T, h, w, C]."""
    frames, (height, width, channels) = tf.shape(clips)[1], clips.shape[2:]
    pixels = tf.reshape(tf.transpose(clips, [0, 2, 3, 1, 4]), [-1, height * width, frames * channels])
    x, y = tf.clip_by_value(x, 0.0, width - 1.0), tf.clip_by_value(y, 0.0, height - 1.0)
    left, top = (tf.minimum(tf.floor(value), side - 2.0) for value, side in ((x, width), (y, height)))
    total = 0.0
    for right in (0, 1):
        for down in (0, 1):
            index = tf.cast((top + down) * width + left + right, tf.int32)
            weight = tf.abs(1.0 - right - (x - left)) * tf.abs(1.0 - down - (y - top))
            corner = tf.gather(pixels, tf.reshape(index, [tf.shape(index)[0], -1]), batch_dims=1)
            total += tf.reshape(weight, [tf.shape(index)[0], -1, 1]) * corner
    size = x.shape[1:]
    return tf.transpose(tf.reshape(total, [-1, *size, frames, channels]), [0, 3, 1, 2, 4])
