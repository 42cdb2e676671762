"""Layers that make features of where a pixel is, in frames of reference that move.

A network that draws from coordinates instead of from a grid of its own draws the same thing wherever the coordinates
are moved to (as the Fourier features of StyleGAN3, Karras et al., 2021, arXiv:2106.12423).
"""

import keras
import numpy as np
from keras import layers

_SLOWEST, _FASTEST = 0.5, 10.0
"""Of the waves at first, in radians for half a frame: from a twelfth of a wave in it to one and a half."""


class Coordinates(layers.Layer):
    """Waves over the plane as a moving observer sees it.

    The shorter side of a frame goes from -1 to 1, the pixel's middle counts. An observer at `shift` with `matrix` sees
    the pixel x at (1 + matrix)(x - shift). Frequencies and phases of the waves are learned. The slow ones among them
    tell where a pixel is.

    Everything is float32: half a pixel is little beside the frame's size.

    Args:
        size: (height, width) of the output.
        waves: features sin(frequency * x + phase).
        name: of the layer.
    """

    def __init__(self, size: tuple[int, int], waves: int, name: str) -> None:
        super().__init__(dtype="float32", name=name)
        self._size, self._waves = size, waves
        y, x = ((np.arange(side) + 0.5 - side / 2) * 2 / min(size) for side in size)
        rows = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), -1)
        self._places = rows.reshape(-1, 3).astype("float32")  # x, y, 1 of every pixel

    def build(self, _: tuple[int | None, ...]) -> None:
        """Makes frequencies, in all directions and spread evenly over the octaves, and phases."""
        self._frequencies = self.add_weight(shape=(2, self._waves), name="frequencies", initializer=_octaves)
        self._phases = self.add_weight(shape=(self._waves,), name="phases",
                                       initializer=keras.initializers.RandomUniform(-np.pi, np.pi))

    def call(self, pose: keras.KerasTensor) -> keras.KerasTensor:
        """Pose [N, 6], shift and then matrix row by row → [N, h, w, waves]."""
        ops = keras.ops
        matrix = ops.reshape(pose[:, 2:], (-1, 2, 2)) + ops.eye(2)
        origin = -ops.sum(matrix * pose[:, None, :2], -1)  # what is seen of (0, 0)
        # Columns for x, y and 1, by which a place is multiplied: one product of matrices, whose gradient is another.
        turning = ops.matmul(ops.transpose(matrix, (0, 2, 1)), self._frequencies)
        starting = ops.matmul(origin, self._frequencies) + self._phases
        angles = ops.matmul(self._places, ops.concatenate([turning, starting[:, None]], 1))  # [N, h * w, waves]
        return ops.reshape(ops.sin(angles), (-1, *self._size, self._waves))


def _octaves(shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
    """Frequencies [2, waves] of random size and direction."""
    ops, one_each = keras.ops, (1, shape[1])
    size = _SLOWEST * (_FASTEST / _SLOWEST) ** keras.random.uniform(one_each, dtype=dtype)
    angle = keras.random.uniform(one_each, 0.0, 2 * np.pi, dtype=dtype)
    return ops.concatenate([size * ops.cos(angle), size * ops.sin(angle)], axis=0)
