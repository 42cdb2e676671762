"""Phase oscillators: unit vectors that rotate from frame to frame."""

from typing import Any

import keras
from keras import layers

_TINY = 1e-6


class PhaseOscillators(layers.Layer):
    """Rotates unit vectors by an angle each frame.

    Args:
        max_angular_velocity: radians by which an oscillator turns in a frame at velocity 1.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, max_angular_velocity: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_angular_velocity = max_angular_velocity

    def call(self, velocities: keras.KerasTensor, phases: keras.KerasTensor) -> keras.KerasTensor:
        """Phases in each frame.

        Args:
            velocities: angular velocities up to each frame, [B, T, K], as a share of the maximum, -1 to 1.
            phases: vectors before the first frame, [B, K * 2], of any length; normalized here.

        Returns:
            Unit vectors (x, y) after each frame, [B, T, K * 2].
        """
        ops, (frames, count) = keras.ops, velocities.shape[1:]
        angle = self.max_angular_velocity * ops.cumsum(velocities, axis=1)
        cos, sin = ops.cos(angle), ops.sin(angle)
        phases = ops.reshape(phases, (-1, 1, count, 2))
        # Not a sum with something tiny: phases that are of length one already have to stay as they are.
        phases = phases / ops.maximum(ops.norm(phases, axis=-1, keepdims=True), _TINY)
        x, y = phases[..., 0], phases[..., 1]
        return ops.reshape(ops.stack([x * cos - y * sin, x * sin + y * cos], -1), (-1, frames, 2 * count))

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "max_angular_velocity": self.max_angular_velocity}
