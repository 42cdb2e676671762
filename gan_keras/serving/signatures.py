"""A generator as plain TensorFlow, with the signatures of its task, ready to be saved as a SavedModel.

Dimension 0 is the batch of every input and output, so a server may batch requests together.

Rows of a batch are computed one at a time. A batch then needs the memory of one clip's features and no more, and a row
is the same to the last bit whatever is asked for beside it: a matrix product rounds differently for another number of
rows. At 64x64x16 on a CPU this costs no time, one clip keeps all cores busy.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from gan_keras.losses.forward_pass import Tensors
from gan_keras.models.generator import Generator
from gan_keras.tasks.task import Signature, Task


class ServedGenerator(tf.Module):
    """Functions for `tf.saved_model.save(served, path, signatures=served.signatures)`.

    It holds the bare `tf.Variable`s and no Keras object: with one, the SavedModel would load in Python and fail in TF
    Serving's loader, or hold every weight twice.

    Args:
        task: whose signatures are traced.
        generator: in any precision; inputs and outputs are float32 all the same.

    Attributes:
        parameters: the generator's variables.
        inputs: names of the inputs of each signature.
    """

    def __init__(self, task: Task, generator: Generator) -> None:
        super().__init__(name="served_generator")
        self.parameters = [weight.value for weight in generator.weights]
        self._functions = {name: _trace(signature) for name, signature in task.signatures(generator).items()}

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """See the class."""
        return {name: tuple(function.structured_input_signature[1]) for name, function in self._functions.items()}

    @property
    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The functions by signature name."""
        return dict(self._functions)

    def __call__(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a signature by name, as a server gives them."""
        outputs = self._functions[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}


def signature_specs(signatures: Mapping[str, tf.types.experimental.ConcreteFunction]) -> dict[str, dict]:
    """The signatures as plain data: name → `inputs` and `outputs` → name → `dtype` and `shape` (None: the batch)."""
    return {name: {"inputs": _specs(function.structured_input_signature[1]),
                   "outputs": _specs(function.structured_outputs)} for name, function in signatures.items()}


def _specs(tensors: Mapping[str, tf.TensorSpec | tf.Tensor]) -> dict[str, dict]:
    return {name: {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}
            for name, tensor in sorted(tensors.items())}


def _trace(signature: Signature) -> tf.types.experimental.ConcreteFunction:
    def one_row(row: Tensors) -> Tensors:
        outputs = signature.function({name: value[tf.newaxis] for name, value in row.items()})
        return {name: tf.ensure_shape(outputs[name][0], spec.shape) for name, spec in signature.outputs.items()}

    def serve(**inputs: tf.Tensor) -> Tensors:
        return tf.map_fn(one_row, inputs, parallel_iterations=1, fn_output_signature=dict(signature.outputs))

    # Never compiled: TF Serving is built without XLA for CPUs.
    return tf.function(serve, autograph=False).get_concrete_function(**signature.inputs)
