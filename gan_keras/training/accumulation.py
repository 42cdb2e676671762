"""Gradient accumulation: a batch goes through a computation in parts, one after the other, in the memory of one part.

Keras' own `gradient_accumulation_steps` raises under a distribution strategy, and sums after clipping.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import tensorflow as tf

Batch = TypeVar("Batch")
Sums, Rows = Any, Any
"""Nested structures of tensors."""


def accumulate_gradients(batch: Batch, parts: int, compute: Callable[[Batch, tf.Tensor | int], tuple[Sums, Sums, Rows]]
                         ) -> tuple[Sums, Sums, Rows]:
    """Computes gradients and metrics of a batch in parts.

    Args:
        batch: structure of tensors [N, ...], N a multiple of `parts`.
        parts: how many.
        compute: of a part [N / parts, ...] and its number → gradients and metrics, which are summed, and values by
            row, [n, ...], which are joined.

    Returns:
        What `compute` gives, of all parts.
    """
    if parts == 1:
        return compute(batch, 0)
    split = tf.nest.map_structure(lambda values: tf.reshape(values, [parts, -1, *values.shape[1:]]), batch)

    def of_part(number: tf.Tensor | int) -> tuple[Sums, Sums, Rows]:
        size = next(iter(tf.nest.flatten(batch))).shape[0] // parts
        return compute(tf.nest.map_structure(lambda values: tf.ensure_shape(values[number], [size, *values.shape[2:]]),
                                             split), number)

    # The first part says what there is; the others wait for the sums before them, so that only one is in memory.
    *sums, rows = of_part(0)
    arrays = [tf.TensorArray(values.dtype, parts, element_shape=values.shape).write(0, values)
              for values in tf.nest.flatten(rows)]

    def add(number: tf.Tensor, sums: list[Sums], arrays: list[tf.TensorArray]) -> tuple:
        with tf.control_dependencies(tf.nest.flatten(sums)):
            number = tf.identity(number)
        *more, of_rows = of_part(number)
        summed = tf.nest.map_structure(lambda total, value: total + value, sums, more)
        written = [array.write(number, values)
                   for array, values in zip(arrays, tf.nest.flatten(of_rows), strict=True)]
        return number + 1, summed, written

    _, sums, arrays = tf.while_loop(lambda *_: True, add, (tf.constant(1), list(sums), arrays), parallel_iterations=1,
                                    maximum_iterations=parts - 1)
    return *sums, tf.nest.pack_sequence_as(rows, [array.concat() for array in arrays])
