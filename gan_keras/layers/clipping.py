"""Clipping of values to a range with a gradient that can bring them back."""

from collections.abc import Callable

import keras


def clip_with_inward_gradient(x: keras.KerasTensor, low: float, high: float) -> keras.KerasTensor:
    """x clipped to low..high, with the gradient of the identity, but only inwards from half the range outside on.

    With no gradient outside, what was clipped once would stay so for ever; with all of it, values run away; with inward
    gradients alone, they come to rest nowhere but at the edge, where noise shows.
    """
    margin = (high - low) / 2

    @keras.ops.custom_gradient
    def clip(x: keras.KerasTensor) -> tuple[keras.KerasTensor, Callable]:
        def gradient(upstream: keras.KerasTensor) -> keras.KerasTensor:
            # Descent goes against the gradient: a positive one makes x less.
            passed = ((x >= low - margin) | (upstream < 0)) & ((x <= high + margin) | (upstream > 0))
            return upstream * keras.ops.cast(passed, upstream.dtype)

        return keras.ops.clip(x, low, high), gradient

    return clip(x)
