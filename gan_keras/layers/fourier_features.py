"""Fourier features of pixel coordinates in a moving frame of reference.

A network that draws from coordinates instead of from a learned grid draws the same thing wherever the coordinates are
moved to (as the Fourier features of StyleGAN3, Karras et al., 2021, arXiv:2106.12423).
"""

from typing import Any

import keras
import numpy as np
from keras import layers

_LOWEST = 0.5
"""Lowest frequency of the waves of a new layer, in radians for half a frame: a twelfth of a period in it."""


class FourierFeatures(layers.Layer):
    """Waves over the plane in a frame of reference that is shifted and transformed.

    The shorter side of a frame goes from -1 to 1, by the pixels' centres. In a frame of reference with `shift` and
    `matrix` the pixel x is at (1 + matrix)(x - shift). Frequencies and phases of the waves are learned. Waves of low
    frequency tell where a pixel is.

    Everything is float32: half a pixel is little beside the frame's size.

    Args:
        size: (height, width) of the output.
        waves: number of features sin(frequency · x + phase).
        highest: highest frequency of the waves of a new layer, in radians for half the shorter side of a frame. Pixels
            can show pi / 2 for each of them along that side.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, size: tuple[int, int], waves: int, highest: float = 10.0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.size, self.waves, self.highest = tuple(size), waves, highest
        y, x = ((np.arange(side) + 0.5 - side / 2) * 2 / min(size) for side in size)
        rows = np.stack(np.broadcast_arrays(x[None, :], y[:, None], 1.0), -1)
        self._positions = rows.reshape(-1, 3).astype("float32")  # x, y, 1 of every pixel

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates frequencies, in all directions and spread evenly over the octaves, and phases."""
        self._frequencies = self.add_weight(shape=(2, self.waves), name="frequencies", initializer=self._octaves)
        self._phases = self.add_weight(shape=(self.waves,), name="phases",
                                       initializer=keras.initializers.RandomUniform(-np.pi, np.pi))

    def call(self, pose: keras.KerasTensor) -> keras.KerasTensor:
        """Pose [N, 6], shift and then matrix row by row → [N, h, w, waves]."""
        ops = keras.ops
        matrix = ops.reshape(pose[:, 2:], (-1, 2, 2)) + ops.eye(2)
        origin = -ops.sum(matrix * pose[:, None, :2], -1)  # where (0, 0) is in the frame of reference
        # Columns for x, y and 1, by which a position is multiplied: one product of matrices, whose gradient is another.
        per_pixel = ops.matmul(ops.transpose(matrix, (0, 2, 1)), self._frequencies)
        constant = ops.matmul(origin, self._frequencies) + self._phases
        angles = ops.matmul(self._positions, ops.concatenate([per_pixel, constant[:, None]], 1))  # [N, h * w, waves]
        return ops.reshape(ops.sin(angles), (-1, *self.size, self.waves))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "size": self.size, "waves": self.waves, "highest": self.highest}

    def _octaves(self, shape: tuple[int, ...], dtype: str | None = None) -> keras.KerasTensor:
        """Frequencies [2, waves] of random size and direction."""
        ops, one_each = keras.ops, (1, shape[1])
        size = _LOWEST * (self.highest / _LOWEST) ** keras.random.uniform(one_each, dtype=dtype)
        angle = keras.random.uniform(one_each, 0.0, 2 * np.pi, dtype=dtype)
        return ops.concatenate([size * ops.cos(angle), size * ops.sin(angle)], axis=0)
