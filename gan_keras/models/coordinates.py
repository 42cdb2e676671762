"""Layers that make features of where a pixel is, in frames of reference that move.

A network that draws from coordinates instead of from a grid of its own draws the same thing wherever the coordinates
are moved to (as the Fourier features of StyleGAN3, Karras et al., 2021, arXiv:2106.12423).
"""

import keras
import numpy as np
from keras import layers

_SLOWEST, _FASTEST = 1.0, 10.0
"""Of the waves at first, in radians for half a frame: from a sixth of a wave in it to one and a half."""


class Coordinates(layers.Layer):
    """Coordinates of every pixel as several moving observers see them, and waves over them.

    The shorter side of a frame goes from -1 to 1, the pixel's middle counts. An observer at `shift` with `matrix` sees
    the pixel x at (1 + matrix)(x - shift). Frequencies and phases of the waves are learned.

    Everything is float32: half a pixel is little beside the frame's size.

    Args:
        size: (height, width) of the output.
        observers: how many there are.
        waves: features sin(frequency * x + phase) for each of them, beside its two coordinates.
        name: of the layer.
    """

    def __init__(self, size: tuple[int, int], observers: int, waves: int, name: str) -> None:
        super().__init__(dtype="float32", name=name)
        self._size, self._observers, self._waves = size, observers, waves
        y, x = ((np.arange(side) + 0.5 - side / 2) * 2 / min(size) for side in size)
        rows = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), -1)
        self._places = rows.reshape(-1, 3).astype("float32")  # x, y, 1 of every pixel

    def build(self, _: tuple[int | None, ...]) -> None:
        """Makes frequencies, in all directions and spread evenly over the octaves, and phases."""
        self._frequencies = self.add_weight(shape=(self._observers, 2, self._waves), name="frequencies",
                                            initializer=_octaves)
        self._phases = self.add_weight(shape=(self._observers, self._waves), name="phases",
                                       initializer=keras.initializers.RandomUniform(-np.pi, np.pi))

    def call(self, shift: keras.KerasTensor, matrix: keras.KerasTensor) -> keras.KerasTensor:
        """Shift [N, observers * 2] and matrix [N, observers * 4] → [N, h, w, observers * (waves + 2)]."""
        ops = keras.ops
        shift = ops.reshape(shift, (-1, self._observers, 1, 2))
        matrix = ops.reshape(matrix, (-1, self._observers, 2, 2)) + ops.eye(2)
        origin = -ops.sum(matrix * shift, -1, keepdims=True)  # [N, observers, 2, 1]: what is seen of (0, 0)
        # Columns for x, y and 1, by which a place is multiplied: one matrix product over all frames. Its gradients are
        # products again, where those of broadcast sums would add up over every pixel.
        seen = ops.transpose(ops.concatenate([matrix, origin], -1), (1, 0, 3, 2))  # [observers, N, 3, 2]
        features = [self._columns(seen[i], i) for i in range(self._observers)]
        columns = ops.concatenate(features, -1)  # [N, 3, P]
        found = ops.matmul(self._places, ops.reshape(ops.transpose(columns, (1, 0, 2)), (3, -1)))
        found = ops.transpose(ops.reshape(found, (*self._size, -1, columns.shape[-1])), (2, 0, 1, 3))
        found = ops.reshape(found, (-1, *self._size, self._observers, self._waves + 2))
        waves, plain = ops.sin(found[..., :self._waves] + self._phases), found[..., self._waves:]
        return ops.reshape(ops.concatenate([waves, plain], -1), (-1, *self._size, found.shape[3] * found.shape[4]))

    def _columns(self, seen: keras.KerasTensor, observer: int) -> keras.KerasTensor:
        """What one observer's waves and plain coordinates take of x, y and 1, [N, 3, waves + 2]."""
        directions = keras.ops.concatenate([self._frequencies[observer], keras.ops.eye(2)], 1)
        return keras.ops.reshape(keras.ops.matmul(keras.ops.reshape(seen, (-1, 2)), directions),
                                 (-1, 3, self._waves + 2))


def _octaves(shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
    """Frequencies [observers, 2, waves] of random size and direction."""
    ops, one_each = keras.ops, (shape[0], 1, shape[2])
    size = _SLOWEST * (_FASTEST / _SLOWEST) ** keras.random.uniform(one_each, dtype=dtype)
    angle = keras.random.uniform(one_each, 0.0, 2 * np.pi, dtype=dtype)
    return ops.concatenate([size * ops.cos(angle), size * ops.sin(angle)], axis=1)


class StillPicture(layers.Layer):
    """Adds a learned picture, zero at first: what does not move."""

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the picture."""
        self._picture = self.add_weight(shape=tuple(shape[1:]), initializer="zeros", name="picture")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x + picture, [N, h, w, C]."""
        return x + keras.ops.cast(self._picture, x.dtype)
