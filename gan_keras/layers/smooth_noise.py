"""Noise that is smooth in time: a low-pass filter of the noise of each frame, that goes on for ever."""

from typing import Any

import keras
import numpy as np
from keras import layers


class SmoothNoise(layers.Layer):
    """Filters normal noise so that it changes slowly and stays of variance 1.

    Two leaky averages, one after the other: of a frame's noise only what changes over about `frames` frames is left,
    and the result has a velocity. As the trajectories of latents in LongVideoGAN (Brooks et al., 2022,
    arXiv:2206.03429) and StyleGAN-V (Skorokhodov et al., 2022, arXiv:2112.14683) it is smooth by construction; the
    filter has a state of two numbers a channel and goes on from any frame.

    Args:
        frames: over which the noise forgets, the time constant of each average.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, frames: float, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.frames = frames
        keep = np.exp(-1 / frames)
        step = np.array([[keep, 0.0], [(1 - keep) * keep, keep]])  # of the two averages, from a frame to the next
        drive = np.array([1 - keep, (1 - keep) ** 2])
        # Variance of the state where the filter has run for ever: S = A S A' + b b'.
        equation = np.eye(4) - np.kron(step, step)
        stationary = np.linalg.solve(equation, np.outer(drive, drive).ravel()).reshape(2, 2)
        scale = 1 / np.sqrt(stationary[1, 1])
        self._step, self._drive = step, drive * scale
        self._start = np.linalg.cholesky(stationary * scale**2)  # of normal numbers: a state as after a long time

    def build(self, noise_shape: tuple[int | None, ...], state_shape: tuple[int | None, ...]) -> None:
        """Computes the response of the frames to the state and to the noise of each frame before them."""
        count = noise_shape[1]
        powers = [np.eye(2)]
        for _ in range(count):
            powers.append(self._step @ powers[-1])
        self._from_state = np.stack(powers[1:])  # [T, 2, 2]
        lag = np.subtract.outer(np.arange(count), np.arange(count))
        response = np.stack(powers[:-1]) @ self._drive  # [T, 2], to the noise of so many frames before
        self._from_noise = np.where(lag[..., None] >= 0, response[np.maximum(lag, 0)], 0.0)  # [T, T, 2]

    def call(self, noise: keras.KerasTensor, state: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Smooth noise of each frame, and the state after the last one.

        Args:
            noise: normal, [B, T, D].
            state: before the first frame, [B, 2 * D]; of normal numbers, by `start`.
        """
        ops = keras.ops
        before = ops.reshape(state, (-1, 2, noise.shape[2]))
        averages = (ops.einsum("tij,bjd->btid", ops.convert_to_tensor(self._from_state, "float32"), before)
                    + ops.einsum("tsi,bsd->btid", ops.convert_to_tensor(self._from_noise, "float32"), noise))
        return averages[:, :, 1], ops.reshape(averages[:, -1], (-1, 2 * noise.shape[2]))

    def start(self, normal: keras.KerasTensor) -> keras.KerasTensor:
        """Normal numbers [B, 2 * D] → a state [B, 2 * D] as after a long time."""
        ops = keras.ops
        pairs = ops.reshape(normal, (-1, 2, normal.shape[1] // 2))
        mixed = ops.einsum("ij,bjd->bid", ops.convert_to_tensor(self._start, "float32"), pairs)
        return ops.reshape(mixed, (-1, normal.shape[1]))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "frames": self.frames}
