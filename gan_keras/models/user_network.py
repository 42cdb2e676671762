"""A frozen network that the user brings, as a `.keras` file or a SavedModel.

Loading a SavedModel runs its code: load those that you trust. A `.keras` file is loaded without code of its own.
"""

from collections.abc import Mapping
from pathlib import Path

import keras
import tensorflow as tf

from gan_keras.errors import UserError, error_text

_MODEL_FILE = "saved_model.pb"
_LOADING_ERRORS = (OSError, ValueError, LookupError, AttributeError, TypeError, RuntimeError, tf.errors.OpError)
"""A file that is cut short is an IndexError, one with a wrong byte an OpError, one of another make any of these."""


class UserNetwork:
    """A network with one input, as a function.

    Args:
        path: of a `.keras` file or the folder of a SavedModel.
        flag: name of the flag that named it, for error messages; the signature's is `FLAG_signature`, the output's
            `FLAG_layer`.
        signature: of a SavedModel.

    Attributes:
        path: see above.
        input: shape, dtype and name of the input.
        outputs: tensors or specifications of the outputs, by name.

    Raises:
        UserError: nothing there, nothing that can be loaded, no such signature, several inputs.
    """

    def __init__(self, path: str, flag: str, signature: str = "serving_default") -> None:
        self.path, self._flag, self._signature = path, flag, signature
        if path.endswith(".keras"):
            self._load_keras()
        else:
            self._load_saved_model()

    def __call__(self, values: tf.Tensor) -> Mapping[str, tf.Tensor]:
        """Outputs by name."""
        return self._function(values)

    def find_output(self, name: str) -> str:
        """The output of that name, or with an empty name the only one; it has to be of floats with a batch dimension.

        Raises:
            UserError: there is no such output, or it is something else.
        """
        requested = name
        if not name and len(self.outputs) == 1:
            name, = self.outputs
        if name not in self.outputs:
            raise UserError(f"`{self._flag}_layer` must be one of {', '.join(sorted(self.outputs))}, which signature "
                            f"{self._signature} gives. Received: {self._flag}_layer={name}")
        output = self.outputs[name]
        if not output.dtype.is_floating or output.shape.rank in (0, 1):
            raise UserError(f"`{self._flag}_layer` must be an output of floats [B, D] or [B, ..., D]; "
                            f"{name} is {shape_text(output)}. Received: {self._flag}_layer={requested}")
        return name

    def mistake(self, expected: str) -> UserError:
        """Error that says what the network must be."""
        return UserError(f"`{self._flag}` must be {expected}. Received: {self._flag}={self.path}")

    def _load_keras(self) -> None:
        try:
            network = keras.saving.load_model(self.path, compile=False)
            shape, dtype = network.input_shape, network.inputs[0].dtype
        except _LOADING_ERRORS as error:
            raise self.mistake(f"a network that can be loaded; this one cannot ({error_text(error)})") from error
        if not isinstance(shape, tuple):
            raise self.mistake("a network with one input")
        self.input = tf.TensorSpec(shape, dtype, "inputs")

        def call(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
            outputs = network(inputs, training=False)
            named = outputs if isinstance(outputs, dict) else dict(enumerate(tf.nest.flatten(outputs)))
            return {str(name): value for name, value in named.items()}

        self.outputs = tf.function(call, autograph=False).get_concrete_function(self.input).structured_outputs
        self._function = call

    def _load_saved_model(self) -> None:
        folder = Path(self.path)
        if not (folder / _MODEL_FILE).is_file():
            raise self.mistake(f"a .keras file or a SavedModel, with a {_MODEL_FILE} in it" if folder.is_dir()
                               else "a .keras file or the folder of a SavedModel that is there")
        try:
            self._loaded = tf.saved_model.load(self.path)  # its variables live as long as this does
        except _LOADING_ERRORS as error:
            raise self.mistake(f"a SavedModel that can be loaded; this one cannot ({error_text(error)})") from error
        signatures = self._loaded.signatures
        if not len(signatures):
            raise self.mistake("a SavedModel with signatures, as tf.saved_model.save(network, folder, signatures=...) "
                               "makes it; this one has none")
        if self._signature not in signatures:
            raise UserError(f"`{self._flag}_signature` must be one of {', '.join(sorted(signatures))}, which "
                            f"{self.path} has. Received: {self._flag}_signature={self._signature}")
        function = signatures[self._signature]
        inputs = function.structured_input_signature[1]
        if len(inputs) != 1:
            names = ", ".join(sorted(inputs)) or "none"
            raise UserError(f"`{self._flag}_signature` must be a signature with one input; this one has {names}. "
                            f"Received: {self._flag}_signature={self._signature}")
        (name, self.input), = inputs.items()
        self.outputs = function.structured_outputs
        self._function = lambda values: function(**{name: values})


def shape_text(tensor: tf.Tensor | tf.TensorSpec) -> str:
    """Dtype and shape, as in `float32 [?, 16, 224, 224, 3]`."""
    if tensor.shape.rank is None:
        return f"{tensor.dtype.name} of unknown shape"
    return f"{tensor.dtype.name} [{', '.join('?' if side is None else str(side) for side in tensor.shape)}]"
