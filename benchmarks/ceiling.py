"""What the machine can do at most: the speed of large convolutions, forward and both gradients."""

import time

import tensorflow as tf

from benchmarks import flops

CONVOLUTIONS = ((128, 32, 32, 64, 64), (64, 32, 32, 128, 128), (256, 16, 16, 128, 128), (32, 64, 64, 128, 128))
"""[N, H, W, channels in, channels out] of convolutions 3x3 that use the hardware well."""

_REPEATS = 5


def operations_per_second(dtype: str) -> float:
    """The best speed over the convolutions and their repetitions.

    Args:
        dtype: `"float32"` or `"bfloat16"`, as the training step computes.
    """
    return max(_speed(*shape, dtype) for shape in CONVOLUTIONS)


def _speed(count: int, height: int, width: int, inputs: int, outputs: int, dtype: str) -> float:
    pictures = tf.cast(tf.random.stateless_normal([count, height, width, inputs], [0, 0]), dtype)
    kernel = tf.cast(tf.random.stateless_normal([3, 3, inputs, outputs], [0, 1]), dtype)
    step = _forward_and_gradients.get_concrete_function(pictures, kernel)
    step(pictures, kernel)
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        step(pictures, kernel)[-1].numpy()
        times.append(time.perf_counter() - begun)
    return flops.count(step) / min(times)


@tf.function(autograph=False)
def _forward_and_gradients(pictures: tf.Tensor, kernel: tf.Tensor) -> list[tf.Tensor]:
    with tf.GradientTape() as tape:
        tape.watch((pictures, kernel))
        result = tf.nn.conv2d(pictures, kernel, 1, "SAME")
    return [result, *tape.gradient(result, (pictures, kernel), result)]
