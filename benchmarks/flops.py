"""Counts what a traced function costs: the floating-point operations of its convolutions and matrix products, or other
quantities by type of operation, such as the bytes that it sums over devices.

A multiply-add counts 2. Padding is counted as if it were data, which is how it is usually done and how a kernel without
special cases computes it. Everything else (activations, resampling, the optimizers) is left out: it is moved memory
rather than arithmetic. Operations of which nothing is used are not counted: TensorFlow writes down the gradients of
both inputs of a convolution and runs the one that is asked for.
"""

import math
from collections.abc import Callable, Iterable, Mapping

import tensorflow as tf

Formulas = Mapping[str, Callable[[tf.Operation], int]]
"""What an operation costs, by its type; of other types nothing."""


def count(function: tf.types.experimental.ConcreteFunction, formulas: Formulas | None = None) -> int:
    """What one call costs, nested functions included: floating-point operations, or what the formulas say.

    Of a conditional the longer branch counts. The body of a loop counts as often as the loop runs, and once where the
    graph does not say how often.

    Raises:
        ValueError: a shape is not known before it runs.
    """
    return _of_graph(function.graph, range(len(function.graph.outputs)),
                     FLOATING_POINT if formulas is None else formulas)


def _of_graph(graph: tf.Graph, outputs: Iterable[int], formulas: Formulas) -> int:
    return sum(_of_operation(operation, used, graph, formulas) for operation, used in _needed(graph, outputs))


def _needed(graph: tf.Graph, outputs: Iterable[int]) -> Iterable[tuple[tf.Operation, set[int]]]:
    """The operations that some outputs and all side effects of a function need, and which outputs of each."""
    waiting = [(graph.outputs[number].op, graph.outputs[number].value_index) for number in outputs]
    waiting += [(operation, None) for operation in graph.control_outputs]
    found = {}
    while waiting:
        operation, output = waiting.pop()
        if operation.name not in found:
            waiting += [(tensor.op, tensor.value_index) for tensor in operation.inputs]
            waiting += [(earlier, None) for earlier in operation.control_inputs]
        _, used = found.setdefault(operation.name, (operation, set()))
        used |= set() if output is None else {output}
    return found.values()


def _of_operation(operation: tf.Operation, used: set[int], graph: tf.Graph, formulas: Formulas) -> int:
    if operation.type in formulas:
        return formulas[operation.type](operation)
    nested = [graph._get_function(name).graph for name in _functions(operation)]
    if operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
        return _of_graph(nested[0], used, formulas)
    whole = [_of_graph(inner, range(len(inner.outputs)), formulas) for inner in nested]
    if operation.type in ("While", "StatelessWhile"):
        return _trips(operation) * sum(whole)
    return max(whole, default=0)  # the branches of a conditional


def _functions(operation: tf.Operation) -> list[str]:
    """Names of the functions that an operation runs."""
    values = operation.node_def.attr.values()
    return [function.name for value in values
            for function in ([value.func] if value.HasField("func") else value.list.func)]


def _trips(loop: tf.Operation) -> int:
    """How often a loop runs, from its second input, the limit that `tf.map_fn` and the like give it; else 1."""
    limit = tf.get_static_value(loop.inputs[1]) if len(loop.inputs) > 1 else None
    return int(limit) if limit is not None and limit.ndim == 0 and limit > 0 else 1


def _size(tensor: tf.Tensor) -> int:
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"The shape of {tensor.name} is not known before it runs: {tensor.shape}")
    return tensor.shape.num_elements()


def _convolution(result: Callable, kernel: Callable) -> Callable[[tf.Operation], int]:
    """Multiply-adds: each number of the result, or of its gradient, meets the kernel of one output channel."""
    return lambda operation: _size(result(operation)) * _size(kernel(operation)) // kernel(operation).shape[-1]


def _depthwise(result: Callable, kernel: Callable) -> Callable[[tf.Operation], int]:
    """As above, but each channel has its own kernel [height, width]."""
    return lambda operation: _size(result(operation)) * math.prod(kernel(operation).shape[:2])


def _product(transposed: str) -> Callable[[tf.Operation], int]:
    """Multiply-adds of a matrix product: each number of the result is a sum as long as the shared side."""
    def formula(operation: tf.Operation) -> int:
        left = operation.inputs[0].shape
        return _size(operation.outputs[0]) * left[-2 if operation.get_attr(transposed) else -1]
    return formula


def _input(number: int) -> Callable[[tf.Operation], tf.Tensor]:
    return lambda operation: operation.inputs[number]


def _output(operation: tf.Operation) -> tf.Tensor:
    return operation.outputs[0]


def _forward_and_gradients(formula: Callable, forward: str, to_input: str, to_kernel: str) -> dict[str, Callable]:
    """The three operations of a convolution, which all cost the same."""
    return {forward: formula(_output, _input(1)), to_input: formula(_input(2), _input(1)),
            to_kernel: formula(_input(2), _output)}


def _doubled(formula: Callable[[tf.Operation], int]) -> Callable[[tf.Operation], int]:
    return lambda operation: 2 * formula(operation)


_MULTIPLY_ADDS = {
    **_forward_and_gradients(_convolution, "Conv2D", "Conv2DBackpropInput", "Conv2DBackpropFilter"),
    **_forward_and_gradients(_convolution, "Conv3D", "Conv3DBackpropInputV2", "Conv3DBackpropFilterV2"),
    **_forward_and_gradients(_depthwise, "DepthwiseConv2dNative", "DepthwiseConv2dNativeBackpropInput",
                             "DepthwiseConv2dNativeBackpropFilter"),
    "MatMul": _product("transpose_a"), "BatchMatMul": _product("adj_x"), "BatchMatMulV2": _product("adj_x"),
    "BatchMatMulV3": _product("adj_x"),
}
FLOATING_POINT: Formulas = {name: _doubled(formula) for name, formula in _MULTIPLY_ADDS.items()}
SUMMED_BYTES: Formulas = dict.fromkeys(
    ("CollectiveReduceV2", "CollectiveReduceV3"),
    lambda operation: _size(operation.inputs[0]) * operation.inputs[0].dtype.size)
"""Bytes that a device gives to a sum over all devices of all processes."""


class _EveryOperation(dict[str, Callable[[tf.Operation], int]]):
    """One formula for all types but those that run functions, whose operations are counted, and those that access
    nothing."""

    _NOTHING = frozenset({"Const", "ExpandDims", "Identity", "IdentityN", "NoOp", "Placeholder", "PreventGradient",
                          "ReadVariableOp", "Reshape", "Shape", "Squeeze", "StopGradient"})
    _FUNCTIONS = frozenset({"Case", "If", "PartitionedCall", "StatefulPartitionedCall", "StatelessCase", "StatelessIf",
                            "StatelessWhile", "While"})

    def __contains__(self, name: object) -> bool:
        return name not in self._FUNCTIONS

    def __getitem__(self, name: str) -> Callable[[tf.Operation], int]:
        return (lambda _: 0) if name in self._NOTHING else _accessed


def _accessed(operation: tf.Operation) -> int:
    """Of what has no shape before it runs, the indices of some sums, nothing."""
    return sum(_size(tensor) * tensor.dtype.size for tensor in (*operation.inputs, *operation.outputs)
               if tensor.shape.is_fully_defined() and tensor.dtype.is_numpy_compatible and tensor.dtype != tf.string)


BYTES_ACCESSED: Formulas = _EveryOperation()
"""Bytes that every operation reads and writes, each by itself."""
