"""Degradations of clips, whose originals a generator learns to make. `data.DEGRADATIONS` lists them.

Pure functions of clips and given random numbers: float32 [B, T, H, W, 3] in [-1, 1], each clip with a strength of its
own, the same for all its frames. Ranges are those of Real-ESRGAN (Wang et al., 2021, arXiv:2107.10833).
"""

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from gan_keras.data import DEGRADATIONS
from gan_keras.data.pixels import to_float, to_uint8

RANGES = {"blur": (0.2, 3.0), "noise": (1.0, 30.0), "compress": (30.0, 95.0)}
"""Strengths from which each clip draws one: standard deviations in pixels and in levels of 255, and a quality."""

_SIDES = {"down2": 2, "down4": 4}
_BLOCK = 8
# Annex K of the JPEG standard (ITU-T T.81).
_LUMA = np.array([[16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56],
                  [14, 17, 22, 29, 51, 87, 80, 62], [18, 22, 37, 56, 68, 109, 103, 77],
                  [24, 35, 55, 64, 81, 104, 113, 92], [49, 64, 78, 87, 103, 121, 120, 101],
                  [72, 92, 95, 98, 112, 100, 103, 99]], np.float32)
_CHROMA = np.array([[17, 18, 24, 47, 99, 99, 99, 99], [18, 21, 26, 66, 99, 99, 99, 99],
                    [24, 26, 56, 99, 99, 99, 99, 99], [47, 66, 99, 99, 99, 99, 99, 99], *[[99] * 8] * 4], np.float32)
_TO_YCBCR = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)


def parse(items: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Degradations by name with the range of their strengths, in the order in which they are applied.

    Args:
        items: `NAME`, or `NAME:STRENGTH` for always the same.
    """
    named = dict(item.partition(":")[::2] for item in items)
    return {name: (float(named[name]),) * 2 if named[name] else RANGES.get(name, (1.0, 1.0))
            for name in DEGRADATIONS if name in named}


def downscaling(items: Sequence[str]) -> int:
    """How many times smaller a degraded frame is."""
    return math.prod(_SIDES.get(name, 1) for name in parse(items))


def degrade(clips: tf.Tensor, items: Sequence[str], uniform: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """Degrades clips, in bytes as a file has them.

    Args:
        clips: float32 [B, T, H, W, 3].
        items: see `parse`.
        uniform: float32 [B, len(DEGRADATIONS)] in [0, 1): strengths.
        normal: float32 [B, T, H / downscaling, W / downscaling, 3]: noise.

    Returns:
        float32 [B, T, H / downscaling, W / downscaling, 3].
    """
    for name, (low, high) in parse(items).items():
        strength = low + (high - low) * uniform[:, list(DEGRADATIONS).index(name)]
        clips = FUNCTIONS[name](clips, strength, normal)
    return to_float(to_uint8(clips))


def blur(clips: tf.Tensor, strength: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """Gaussian blur by a standard deviation of each clip [B], in pixels."""
    def kernel(side: int) -> tf.Tensor:  # [B, side, side]; weights beyond an edge go to what is within
        distance = tf.constant(np.subtract.outer(np.arange(side), np.arange(side)) ** 2, tf.float32)
        weights = tf.exp(-distance / (2.0 * tf.square(strength)[:, tf.newaxis, tf.newaxis]))
        return weights / tf.reduce_sum(weights, -1, keepdims=True)

    clips = tf.einsum("bij,btjwc->btiwc", kernel(clips.shape[2]), clips)
    return tf.einsum("bij,bthjc->bthic", kernel(clips.shape[3]), clips)


def down2(clips: tf.Tensor, strength: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """Half the size."""
    return _smaller(clips, 2)


def down4(clips: tf.Tensor, strength: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """A quarter of the size."""
    return _smaller(clips, 4)


def noise(clips: tf.Tensor, strength: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """Gaussian noise of a standard deviation of each clip [B], in levels of 255, new in each value."""
    return clips + strength[:, tf.newaxis, tf.newaxis, tf.newaxis, tf.newaxis] / 127.5 * normal


def compress(clips: tf.Tensor, strength: tf.Tensor, normal: tf.Tensor) -> tf.Tensor:
    """What JPEG loses at a quality of each clip [B], 1 to 100: coefficients of blocks are rounded, colours halved."""
    levels = tf.clip_by_value((clips + 1.0) * 127.5, 0.0, 255.0)
    planes = tf.einsum("bthwc,kc->kbthw", levels, _TO_YCBCR)
    luma = _rounded_blocks(planes[0] - 128.0, _LUMA, strength) + 128.0
    halves = [_rounded_blocks(_mean_of_squares(plane), _CHROMA, strength) for plane in (planes[1], planes[2])]
    colours = [tf.repeat(tf.repeat(half, 2, -2), 2, -1)[..., :clips.shape[2], :clips.shape[3]] for half in halves]
    planes = tf.stack([luma, *colours])
    return tf.einsum("kbthw,ck->bthwc", planes, np.linalg.inv(_TO_YCBCR).astype(np.float32)) / 127.5 - 1.0


FUNCTIONS: Mapping[str, Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]] = {
    function.__name__: function for function in (blur, down2, down4, noise, compress)}
"""The degradations by name: functions of clips, of a strength of each, and of normal numbers."""


# ---- sizes ----

def enlarge(clips: tf.Tensor, factor: int) -> tf.Tensor:
    """Bicubic enlargement (Keys, 1981, a = -0.5) of clips of any size, [B, T, H, W, C] → [B, T, f H, f W, C].

    A convolution that makes all pixels of an enlarged one at once, so that a tile equals the same part of the whole.
    """
    if factor == 1:
        return clips
    shape, channels = tf.shape(clips), clips.shape[-1]
    frames = tf.reshape(clips, tf.concat([[-1], shape[2:]], 0))
    for axis in (1, 2):
        taps = _enlarging_taps(factor)  # [factor, 5]
        kernel = np.zeros((5, channels, channels * factor), np.float32)
        for channel in range(channels):
            kernel[:, channel, channel::channels] = taps.T
        kernel = kernel[:, None] if axis == 1 else kernel[None]
        size = tf.shape(frames)
        reach = tf.clip_by_value(tf.range(-2, size[axis] + 2), 0, size[axis] - 1)  # edges are repeated
        made = tf.nn.conv2d(tf.gather(frames, reach, axis=axis), kernel, 1, "VALID")
        made = tf.reshape(made, [size[0], size[1], size[2], factor, channels])
        if axis == 1:
            made = tf.transpose(made, [0, 1, 3, 2, 4])
        frames = tf.reshape(made, [size[0], size[1] * (factor if axis == 1 else 1),
                                   size[2] * (factor if axis == 2 else 1), channels])
    sides = [side and side * factor for side in clips.shape[2:4]]
    return tf.ensure_shape(tf.reshape(frames, [shape[0], shape[1], factor * shape[2], factor * shape[3], channels]),
                           [*clips.shape[:2], *sides, channels])


def cubic(distance: np.ndarray) -> np.ndarray:
    """Weight of a pixel at a distance (Keys, 1981, a = -0.5)."""
    x = np.abs(distance)
    return np.where(x <= 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))


def _enlarging_taps(factor: int) -> np.ndarray:
    centres = (np.arange(factor) + 0.5) / factor - 0.5
    return cubic(centres[:, None] - np.arange(-2, 3))


def _smaller(clips: tf.Tensor, factor: int) -> tf.Tensor:
    """Bicubic reduction, the kernel as much wider as pixels become (so nothing is aliased)."""
    rows, columns = (tf.constant(_reducing_matrix(side, factor)) for side in clips.shape[2:4])
    clips = tf.einsum("ij,btjwc->btiwc", rows, clips)
    return tf.einsum("ij,bthjc->bthic", columns, clips)


def _reducing_matrix(side: int, factor: int) -> np.ndarray:
    centres = (np.arange(side // factor) + 0.5) * factor - 0.5
    reach = np.arange(-2 * factor, side + 2 * factor)
    weights = cubic((centres[:, None] - reach) / factor)
    matrix = np.zeros((len(centres), side))
    for column, weight in zip(np.clip(reach, 0, side - 1), weights.T, strict=True):  # edges are repeated
        matrix[:, column] += weight
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


# ---- compression ----

def _rounded_blocks(planes: tf.Tensor, table: np.ndarray, quality: tf.Tensor) -> tf.Tensor:
    """Cosine transform of 8 x 8 blocks, divided by the table, rounded, and back; planes [B, T, H, W]."""
    height, width = planes.shape[-2:]
    rows, columns = (np.minimum(np.arange(math.ceil(side / _BLOCK) * _BLOCK), side - 1) for side in (height, width))
    padded = tf.gather(tf.gather(planes, rows, axis=-2), columns, axis=-1)
    lead = [side if side is not None else -1 for side in padded.shape[:-2]]
    blocks = tf.reshape(padded, [*lead, len(rows) // _BLOCK, _BLOCK, len(columns) // _BLOCK, _BLOCK])
    scale = tf.where(quality < 50.0, 5000.0 / quality, 200.0 - 2.0 * quality) / 100.0
    steps = tf.maximum(1.0, tf.floor(scale[:, tf.newaxis, tf.newaxis] * table + 0.5))  # [B, 8, 8]
    steps = steps[:, tf.newaxis, tf.newaxis, :, tf.newaxis, :]
    turn = tf.constant(_cosines())
    coefficients = tf.einsum("ui,...aibj,vj->...aubv", turn, blocks, turn)
    rounded = tf.round(coefficients / steps) * steps
    back = tf.einsum("ui,...aubv,vj->...aibj", turn, rounded, turn)
    return tf.reshape(back, [*lead, len(rows), len(columns)])[..., :height, :width]


def _cosines() -> np.ndarray:
    """Orthonormal cosine transform of 8 numbers, [8, 8]."""
    k, n = np.mgrid[:_BLOCK, :_BLOCK]
    matrix = np.sqrt(2 / _BLOCK) * np.cos(np.pi * (2 * n + 1) * k / (2 * _BLOCK))
    matrix[0] /= np.sqrt(2)
    return matrix.astype(np.float32)


def _mean_of_squares(planes: tf.Tensor) -> tf.Tensor:
    """Mean of 2 x 2 pixels, [B, T, H, W] → [B, T, ceil(H / 2), ceil(W / 2)]; edges are repeated."""
    height, width = planes.shape[-2:]
    rows, columns = (np.minimum(np.arange(side + side % 2), side - 1) for side in (height, width))
    even = tf.gather(tf.gather(planes, rows, axis=-2), columns, axis=-1)
    return (even[..., ::2, ::2] + even[..., 1::2, ::2] + even[..., ::2, 1::2] + even[..., 1::2, 1::2]) / 4.0
