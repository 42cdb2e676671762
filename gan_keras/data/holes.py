"""Holes in clips, which a generator learns to fill. `data.HOLES` lists them.

Pure functions of given random numbers: masks float32 [B, T, H, W, 1], 1 where something is missing and 0 elsewhere.
Sizes are shares of the frame, so that small frames have small holes. They move, but some stand.
"""

import math
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

UNIFORMS = 12
"""Random numbers that a hole takes; one more decides what kind a clip has."""
BITS = (7, 32)
"""Random numbers that text takes: rows and columns of its letters."""

_STATIC = 0.3
_SPEED = 0.06
"""Share of the frame that a hole moves by at most, from frame to frame."""
_SCRATCHES = 3
_MAX_FRAMES = 3
_LETTER = 4
"""Columns of a letter; the last one is empty."""


def holes(kinds: Sequence[str], shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """Masks of one kind of hole for each clip.

    Args:
        kinds: of `data.HOLES`, all equally likely.
        shape: (T, H, W) of a clip.
        uniform: float32 [B, UNIFORMS + 1] in [0, 1).
        bits: float32 [B, *BITS] in [0, 1).

    Returns:
        float32 [B, T, H, W, 1].
    """
    kind = tf.cast(uniform[:, -1] * len(kinds), tf.int32)
    masks = tf.zeros([tf.shape(uniform)[0], *shape], tf.bool)
    for i, name in enumerate(kinds):
        of_this_kind = tf.equal(kind, i)[:, tf.newaxis, tf.newaxis, tf.newaxis]
        masks = tf.where(of_this_kind, FUNCTIONS[name](shape, uniform[:, :-1], bits), masks)
    return tf.cast(masks, tf.float32)[..., tf.newaxis]


def box(shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """A rectangle of 0.15 to 0.9 of the sides on average, seldom a large one, up to twice as high as wide or the
    opposite; what is beyond the frame is cut off."""
    y, x, rows, columns = _moving(shape, uniform)
    size, elongation = 0.075 + 0.375 * _seldom_large(uniform, 4), 2.0 ** (_column(uniform, 5) - 0.5)
    high, wide = size * elongation, size / elongation
    return tf.logical_and(tf.abs(rows - y) < high, tf.abs(columns - x) < wide)


def blob(shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """A round form whose radius, 0.1 to 0.45 of the sides, seldom a large one, changes with direction and time."""
    y, x, rows, columns = _moving(shape, uniform)
    time = tf.range(shape[0], dtype=tf.float32)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    direction = tf.atan2(rows - y, columns - x)
    wave = tf.sin(3.0 * direction + 2.0 * math.pi * _column(uniform, 6) + 0.6 * _column(uniform, 7) * time)
    radius = (0.1 + 0.35 * _seldom_large(uniform, 4)) * (1.0 + 0.3 * wave)
    return tf.square(rows - y) + tf.square(columns - x) < tf.square(radius)


def scratch(shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """One to three upright lines, 1 to 3 of 64 columns wide, that tremble and are not there in every frame."""
    frames, _, width = shape
    columns = tf.range(width, dtype=tf.float32)[tf.newaxis, tf.newaxis, tf.newaxis, :]
    mask = tf.zeros([tf.shape(uniform)[0], *shape], tf.bool)
    noise = tf.reshape(bits, [tf.shape(bits)[0], -1])
    for i in range(_SCRATCHES):
        jump = tf.gather(noise, (tf.range(frames) * _SCRATCHES + i) % noise.shape[1], axis=1)[..., tf.newaxis,
                                                                                             tf.newaxis]
        x = _column(uniform, i) * width + 2.0 * (jump - 0.5) * width / 64.0
        wide = (1.0 + 2.0 * _column(uniform, 3 + i)) * width / 64.0
        line = tf.logical_and(tf.abs(columns - x) <= tf.maximum(wide / 2.0, 0.5), jump > 0.15)
        there = _column(uniform, 6 + i) > (0.0 if i == 0 else 0.5)
        mask = tf.logical_or(mask, tf.logical_and(line, there))
    return mask


def frames(shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """One to three whole frames, one after the other, neither the first nor the last of the clip where it can be."""
    count = 1.0 + tf.floor(min(_MAX_FRAMES, max(shape[0] - 2, 1)) * _column(uniform, 0))
    first = 1.0 + tf.floor(tf.maximum(shape[0] - 1.0 - count, 0.0) * _column(uniform, 1))
    time = tf.range(shape[0], dtype=tf.float32)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    missing = tf.logical_and(time >= first, time < first + count)
    return tf.broadcast_to(missing, [tf.shape(uniform)[0], *shape])


def text(shape: tuple[int, int, int], uniform: tf.Tensor, bits: tf.Tensor) -> tf.Tensor:
    """A line of letters of random strokes; it stands."""
    frames, height, width = shape
    size = tf.floor((1.0 + _column(uniform, 0)) * max(min(height, width) / 64.0, 1.0))  # pixels of a stroke
    rows, columns = (tf.range(side, dtype=tf.float32) for side in (height, width))
    row = tf.floor((rows[tf.newaxis, tf.newaxis, :, tf.newaxis] - _column(uniform, 1) * height * 0.8) / size)
    column = tf.floor((columns[tf.newaxis, tf.newaxis, tf.newaxis, :] - _column(uniform, 2) * width * 0.5) / size)
    within = tf.logical_and(tf.logical_and(row >= 0, row < BITS[0]),
                            tf.logical_and(column >= 0, column < BITS[1]))
    gap = tf.equal(column % _LETTER, _LETTER - 1)
    row, column = (tf.cast(tf.clip_by_value(value, 0, side - 1), tf.int32)[:, 0]
                   for value, side in zip((row, column), BITS, strict=True))
    index = row * BITS[1] + column  # [B, H, W]
    stroke = tf.gather(tf.reshape(bits, [-1, BITS[0] * BITS[1]]), index, batch_dims=1) < 0.55
    mask = tf.logical_and(tf.logical_and(within, tf.logical_not(gap))[:, 0], stroke)
    return tf.repeat(mask[:, tf.newaxis], frames, axis=1)


FUNCTIONS: Mapping[str, Callable[[tuple[int, int, int], tf.Tensor, tf.Tensor], tf.Tensor]] = {
    function.__name__: function for function in (box, blob, scratch, frames, text)}
"""The kinds by name: functions of (T, H, W), uniform numbers and bits → bool [B, T, H, W]."""


def _column(uniform: tf.Tensor, index: int) -> tf.Tensor:
    return uniform[:, index, tf.newaxis, tf.newaxis, tf.newaxis]


def _seldom_large(uniform: tf.Tensor, index: int) -> tf.Tensor:
    """From 0 to 1, below 0.13 half of the time. Films have holes of which a network does not see the edges: without
    such ones in training it fills them with patterns."""
    return _column(uniform, index) ** 3


def _moving(shape: tuple[int, int, int], uniform: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor]:
    """Centre of a hole (y, x) in each frame, and rows and columns of the frame, all from 0 to 1.

    A hole that comes to an edge turns back.
    """
    time = tf.range(shape[0], dtype=tf.float32)[tf.newaxis, :, tf.newaxis, tf.newaxis]
    speed = tf.where(_column(uniform, 8) < _STATIC, 0.0, _SPEED)
    centres = []
    for place, velocity in ((0, 2), (1, 3)):
        position = _column(uniform, place) + speed * (2.0 * _column(uniform, velocity) - 1.0) * time
        centres.append(1.0 - tf.abs(1.0 - tf.math.floormod(position, 2.0)))
    rows, columns = ((tf.range(side, dtype=tf.float32) + 0.5) / side for side in shape[1:])
    return *centres, rows[tf.newaxis, tf.newaxis, :, tf.newaxis], columns[tf.newaxis, tf.newaxis, tf.newaxis, :]
