"""Convolutional blocks of generators and discriminators: functional, with named layers, without normalization.

Residual blocks as in R3GAN (Huang et al., 2024, arXiv:2501.05441), with two differences made for the CPU: plain
instead of grouped convolutions, and bilinear upsampling and average pooling instead of the [1, 2, 1] filter.
The last convolution of each branch is initialized with zeros, so that a network begins as its skip path; upsampling has
to be smooth for that reason, or the first pictures are made of squares.
"""

from collections.abc import Sequence

import keras
from keras import layers

from gan_keras.layers.resampling import BilinearUpsample, SymmetricPadding

_SLOPE = 0.2

SPACE, TIME = (1, 3, 3), (3, 1, 1)
"""Kernels of convolutions over the frames of a clip, and over its time."""


def convolution(x: keras.KerasTensor, channels: int, kernel: int | tuple[int, ...], name: str,
                zeros: bool = False, padding: str = "same") -> keras.KerasTensor:
    """Convolution that keeps the size, over pictures [N, H, W, C] or over clips [N, T, H, W, C].

    Over clips it is a 2-D one all the same, over space or over time: in bfloat16 on CPUs the 3-D one is slower, loses
    much of its bias gradient, and at small sizes reads memory that was never written.

    Args:
        x: the input.
        channels: channels of the output.
        kernel: side of the kernel; for clips 1, `SPACE` or `TIME`.
        name: name of the layer.
        zeros: whether the kernel is initialized with zeros (the end of a residual branch).
        padding: what is beyond an edge. `same`: zeros; for pictures alone also `symmetric`: the picture mirrored; and
            `valid`: nothing, so that the output is smaller. Zeros are black that is not there, and leave a rim.
    """
    initializer = "zeros" if zeros else "he_normal"
    if len(x.shape) == 4:
        if padding == "symmetric":
            x, padding = SymmetricPadding(kernel // 2, name=f"{name}_padding")(x), "valid"
        return layers.Conv2D(channels, kernel, padding=padding, kernel_initializer=initializer, name=name)(x)
    time, height, width = x.shape[1:4]
    folded = (time, height * width) if kernel == TIME else (height, width)
    x = keras.ops.reshape(x, (-1, *folded, x.shape[-1]))
    x = layers.Conv2D(channels, {1: 1, SPACE: SPACE[1:], TIME: TIME[:2]}[kernel], padding="same",
                      kernel_initializer=initializer, name=name)(x)
    return keras.ops.reshape(x, (-1, time, height, width, channels))


def stem(x: keras.KerasTensor, channels: int, stride: int, name: str) -> keras.KerasTensor:
    """First convolution over pictures [N, H, W, C], which downsamples them by its stride."""
    kernel = 3 if stride == 1 else 2 * stride
    return layers.Conv2D(channels, kernel, stride, padding="same", kernel_initializer="he_normal", name=name)(x)


def leaky_relu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Leaky ReLU with slope 0.2."""
    return layers.LeakyReLU(negative_slope=_SLOPE, name=name)(x)


def dense(x: keras.KerasTensor, units: int, name: str) -> keras.KerasTensor:
    """Fully connected layer over the last axis."""
    return layers.Dense(units, name=name)(x)


class Bias(layers.Layer):
    """Adds a learned number to each channel, as a layer of its own.

    Its gradient is a plain sum. That of the bias inside a 3-D convolution is `BiasAddGrad`, which adds up in bfloat16
    on CPUs: over many positions most of it is lost.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates the bias, zeros at first."""
        self.bias = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x + bias."""
        return x + self.bias


def residual_block(x: keras.KerasTensor, channels: int, kernels: Sequence[int | tuple[int, ...]], name: str,
                   padding: str = "same") -> keras.KerasTensor:
    """x + branch(x), the branch a leaky ReLU and a convolution for each kernel, the last one initialized with zeros.

    Args:
        x: pictures [N, H, W, C] or clips [N, T, H, W, C].
        channels: of the output; where x has another number, the skip path is a 1x1 convolution.
        kernels: of the convolutions, see `convolution`.
        name: prefix of the layers' names.
        padding: `same`, or for pictures and kernels of side 3 `symmetric`, see `convolution`.
    """
    branch = x
    if padding == "symmetric":  # once for all convolutions
        branch, padding = SymmetricPadding(len(kernels), name=f"{name}_padding")(x), "valid"
    for i, kernel in enumerate(kernels):
        branch = leaky_relu(branch, f"{name}_activation_{i}")
        branch = convolution(branch, channels, kernel, f"{name}_convolution_{i}", i == len(kernels) - 1, padding)
    if x.shape[-1] != channels:
        x = convolution(x, channels, 1, f"{name}_skip")
    return layers.Add(name=f"{name}_sum")([x, branch])


def upsample_block(x: keras.KerasTensor, size: tuple[int, int], channels: int, name: str,
                   added: keras.KerasTensor | None = None) -> keras.KerasTensor:
    """Bilinear upsampling, then a residual block.

    Args:
        x: [N, h, w, C].
        size: (height, width) of the output, at most twice that of x.
        channels: of the output.
        name: prefix of the layers' names.
        added: [N, *size, channels], added before the residual block.
    """
    if x.shape[-1] != channels:
        x = convolution(x, channels, 1, f"{name}_narrow")
    x = BilinearUpsample(size, name=f"{name}_upsample")(x)
    if added is not None:
        x = layers.Add(name=f"{name}_added")([x, added])
    return residual_block(x, channels, (3, 3), name)
