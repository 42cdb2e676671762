"""Building blocks of generators and discriminators: functional, named, without normalization.

Residual blocks as in R3GAN (Huang et al., 2024, arXiv:2501.05441), with two differences made for the CPU: plain
instead of grouped convolutions, and bilinear growth and average pooling instead of the [1, 2, 1] filter.
The last convolution of each branch starts at zero, so that a network begins as its skip path; growth has to be smooth
for that reason, or the first pictures are made of squares.
"""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers

_SLOPE = 0.2


SPACE, TIME = (1, 3, 3), (3, 1, 1)
"""Kernels over the frames of a clip and over its time."""


def convolution(x: keras.KerasTensor, channels: int, kernel: int | tuple[int, ...], name: str,
                zero: bool = False) -> keras.KerasTensor:
    """A convolution that keeps the size, over pictures [N, H, W, C] or over clips [N, T, H, W, C].

    Over clips it is 2-D all the same, over space or over time: in bfloat16 on CPUs the 3-D one is slower, loses much
    of its bias gradient, and at small sizes reads memory that was never written.

    Args:
        x: the input.
        channels: channels of the output.
        kernel: side; for clips 1, `SPACE` or `TIME`.
        name: name of the layer.
        zero: start at zero (the end of a residual branch).
    """
    start = "zeros" if zero else "he_normal"
    if len(x.shape) == 4:
        return layers.Conv2D(channels, kernel, padding="same", kernel_initializer=start, name=name)(x)
    time, height, width = x.shape[1:4]
    over_time = kernel == TIME
    folded = (time, height * width) if over_time else (height, width)
    x = keras.ops.reshape(x, (-1, *folded, x.shape[-1]))
    x = layers.Conv2D(channels, {1: 1, SPACE: SPACE[1:], TIME: TIME[:2]}[kernel], padding="same",
                      kernel_initializer=start, name=name)(x)
    return keras.ops.reshape(x, (-1, time, height, width, channels))


def stem(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    """The first convolution over pictures [N, H, W, C], which makes them `stride` times smaller."""
    kernel = 3 if stride == 1 else 2 * stride
    return layers.Conv2D(channels, kernel, stride, padding="same", kernel_initializer="he_normal", name=name)(x)


def activation(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Leaky ReLU."""
    return layers.LeakyReLU(negative_slope=_SLOPE, name=name)(x)


def cut(x: keras.KerasTensor, low: float, high: float) -> keras.KerasTensor:
    """x cut to low..high. Outside, the gradient goes through as if it was not, but half the range away only inwards.

    With no gradient outside, what was cut once would stay so for ever; with all of it, it would run away; with inward
    gradients alone, it would come to rest nowhere but at the edge, where noise shows.
    """
    margin = (high - low) / 2

    @keras.ops.custom_gradient
    def cut_x(x: keras.KerasTensor) -> tuple[keras.KerasTensor, Callable]:
        def gradient(upstream: keras.KerasTensor) -> keras.KerasTensor:
            # Descent goes against the gradient: a positive one makes x less.
            passed = ((x >= low - margin) | (upstream < 0)) & ((x <= high + margin) | (upstream > 0))
            return upstream * keras.ops.cast(passed, upstream.dtype)

        return keras.ops.clip(x, low, high), gradient

    return cut_x(x)


class Bias(layers.Layer):
    """Adds a learned number to each channel, as a layer of its own.

    The gradient is then a plain sum. That of the bias inside a 3-D convolution is `BiasAddGrad`, which adds up in
    bfloat16 on CPUs: over many positions most of it is lost.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Makes the bias, zero at first."""
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x + bias."""
        return x + self.bias


def dense(x: keras.KerasTensor, units: int, name: str) -> keras.KerasTensor:
    """A fully connected layer over the last axis."""
    return layers.Dense(units, name=name)(x)


def residual(x: keras.KerasTensor, channels: int, kernels: Sequence[int | tuple[int, ...]], name: str
             ) -> keras.KerasTensor:
    """x + branch(x), the branch an activation and a convolution for each kernel, the last one starting at zero."""
    branch = x
    for i, kernel in enumerate(kernels):
        branch = activation(branch, f"{name}_activation_{i}")
        branch = convolution(branch, channels, kernel, f"{name}_convolution_{i}", zero=i == len(kernels) - 1)
    if x.shape[-1] != channels:
        x = convolution(x, channels, 1, f"{name}_skip")
    return layers.Add(name=f"{name}_sum")([x, branch])


class Grow(layers.Layer):
    """Bilinear growth [N, h, w, C] → [N, *size, C], as products with one matrix over rows and one over columns.

    The same numbers as `tf.image.resize`, which computes in float32 and takes four times as long.
    """

    def __init__(self, size: tuple[int, int], name: str) -> None:
        super().__init__(name=name)
        self._size = size

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x at the size."""
        reshape, (height, width, channels) = keras.ops.reshape, x.shape[1:]
        rows, columns = (keras.ops.convert_to_tensor(_bilinear(*sides), x.dtype)
                         for sides in zip((height, width), self._size, strict=True))
        x = keras.ops.matmul(rows, reshape(x, (-1, height, width * channels)))
        x = keras.ops.matmul(columns, reshape(x, (-1, width, channels)))
        return reshape(x, (-1, *self._size, channels))


def _bilinear(before: int, after: int) -> np.ndarray:
    """What each of `after` pixels takes of each of `before`, [after, before]; the middles of pixels count."""
    middles = (np.arange(after) + 0.5) * before / after - 0.5
    return np.maximum(0, 1 - np.abs(np.clip(middles, 0, before - 1)[:, None] - np.arange(before)))


def grow_block(x: keras.KerasTensor, size: tuple[int, int], channels: int, name: str,
               added: keras.KerasTensor | None = None) -> keras.KerasTensor:
    """A residual block at `size`, at most twice the size of x, with its number of channels; `added` goes in first."""
    if x.shape[-1] != channels:
        x = convolution(x, channels, 1, f"{name}_narrow")
    x = Grow(size, f"{name}_grow")(x)
    if added is not None:
        x = layers.Add(name=f"{name}_added")([x, added])
    return residual(x, channels, (3, 3), name)


def shrink(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Halves space, and the time of clips longer than 2, by averages; what does not fill a window is averaged alone."""
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


def halvings(size: tuple[int, int], smallest: int = 4) -> list[tuple[int, int]]:
    """The sizes from `size` down to the last whose shorter side is at least `smallest`, each half of the one before.

    Halves are rounded up, so that any size has a pyramid: (40, 56) → (20, 28), (10, 14), (5, 7).
    """
    sizes = [size]
    while math.ceil(min(sizes[-1]) / 2) >= smallest:
        sizes.append((math.ceil(sizes[-1][0] / 2), math.ceil(sizes[-1][1] / 2)))
    return sizes


def first_within(levels: list[tuple[int, int]], side: int) -> int:
    """Which of the sizes is the first whose shorter side is at most `side`; the last one where none is."""
    return next((level for level, size in enumerate(levels) if min(size) <= side), len(levels) - 1)
