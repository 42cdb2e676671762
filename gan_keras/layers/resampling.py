"""Upsampling, downsampling and padding of feature maps, and the resolutions that they go through."""

import math
from typing import Any

import keras
import numpy as np
from keras import layers


class BilinearUpsample(layers.Layer):
    """Bilinear upsampling [N, h, w, C] → [N, *size, C], as products with one matrix over rows and one over columns.

    The same numbers as `tf.image.resize`, which computes in float32 and takes four times as long on a CPU.

    Args:
        size: (height, width) of the output.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, size: tuple[int, int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = tuple(size)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x at `size`."""
        return _product(x, *map(_bilinear_matrix, x.shape[1:3], self.size))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "size": self.size}


class SymmetricPadding(layers.Layer):
    """Pictures [N, h, w, C] with themselves, mirrored, beyond each edge → [N, h + 2 pixels, w + 2 pixels, C].

    The same numbers as `tf.pad`, which with its gradient takes twice as long and more in a training step on a CPU.

    Args:
        pixels: at each edge, at most as many as a side has.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, pixels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pixels = pixels

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x with its edges."""
        return _product(x, *(np.pad(np.eye(side), ((self.pixels, self.pixels), (0, 0)), "symmetric")
                             for side in x.shape[1:3]))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "pixels": self.pixels}


def _product(x: keras.KerasTensor, rows: np.ndarray, columns: np.ndarray) -> keras.KerasTensor:
    """What is linear in rows and in columns: x [N, h, w, C], rows [H, h], columns [W, w] → [N, H, W, C]."""
    reshape, (height, width, channels) = keras.ops.reshape, x.shape[1:]
    rows, columns = (keras.ops.convert_to_tensor(matrix, x.dtype) for matrix in (rows, columns))
    x = keras.ops.matmul(rows, reshape(x, (-1, height, width * channels)))
    x = keras.ops.matmul(columns, reshape(x, (-1, width, channels)))
    return reshape(x, (-1, rows.shape[0], columns.shape[0], channels))


def _bilinear_matrix(before: int, after: int) -> np.ndarray:
    """Weight of each of `before` pixels in each of `after` pixels, [after, before], by the pixels' centres."""
    centres = (np.arange(after) + 0.5) * before / after - 0.5
    return np.maximum(0, 1 - np.abs(np.clip(centres, 0, before - 1)[:, None] - np.arange(before)))


def downsample(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Average pooling by 2 over space, and over the time of clips longer than 2; incomplete windows are averaged alone.

    Args:
        x: pictures [N, H, W, C] or clips [N, T, H, W, C].
        name: of the layer; that over time is called `NAME_time`.
    """
    if len(x.shape) == 4:
        return layers.AveragePooling2D(2, padding="same", name=name)(x)
    time, height, width, channels = x.shape[1:]
    x = layers.AveragePooling2D(2, padding="same", name=name)(keras.ops.reshape(x, (-1, height, width, channels)))
    height, width = x.shape[1:3]
    if time > 2:
        x = keras.ops.reshape(x, (-1, time, height * width, channels))
        x = layers.AveragePooling2D((2, 1), padding="same", name=f"{name}_time")(x)
        time = x.shape[1]
    return keras.ops.reshape(x, (-1, time, height, width, channels))


def resolution_levels(size: tuple[int, int], smallest: int = 4) -> list[tuple[int, int]]:
    """Sizes from `size` down to the last whose shorter side is at least `smallest`, each half of the one before.

    Halves are rounded up, so that any size has levels: (40, 56) → (20, 28), (10, 14), (5, 7).
    """
    levels = [size]
    while math.ceil(min(levels[-1]) / 2) >= smallest:
        levels.append((math.ceil(levels[-1][0] / 2), math.ceil(levels[-1][1] / 2)))
    return levels


def level_for(levels: list[tuple[int, int]], side: int) -> int:
    """Index of the first size whose shorter side is at most `side`; of the last one where none is."""
    return next((level for level, size in enumerate(levels) if min(size) <= side), len(levels) - 1)
