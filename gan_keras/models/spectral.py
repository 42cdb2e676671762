"""Spectral normalization of any network (Miyato et al., 2018, arXiv:1802.05957): every layer's matrix has norm 1.

Keras' layer of that name is not used: it writes the divided weights back in every forward pass, several times a step
and on each replica, and no gradient goes through the norm. Here the weights stay as they are, the network computes with
W / σ(W), the gradient goes through both, and the direction from which σ is found moves on once a step.
"""

import keras
from keras import layers, ops

_TINY = 1e-12


class SpectrallyNormalized(layers.Wrapper):
    """A Dense or convolution layer that computes with its kernel divided by the kernel's largest singular value.

    σ = vᵀ W u, with W as a matrix [inputs, channels], u and v from one power iteration (Miyato 2018, algorithm 1).
    """

    def __init__(self, layer: layers.Layer) -> None:
        super().__init__(layer, name=layer.name, dtype="float32", autocast=False)

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Builds the layer and draws a first direction."""
        self.layer.build(shape)
        self.direction = self.add_weight(
            shape=(self.layer.kernel.shape[-1],), name="direction", trainable=False, autocast=False,
            initializer=keras.initializers.RandomNormal(0.0, 1.0, seed=self.layer.kernel.shape[-1]))

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As the layer's."""
        return self.layer.compute_output_shape(shape)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """The layer's answer."""
        given, direction = self._iterated()
        norm = ops.sum(given * ops.matmul(self._matrix(), direction[:, None])[:, 0])
        # All its variables: those that are not named here would not be the ones of a scope around this (unrolling).
        values = [(variable, variable.value / norm if variable is self.layer.kernel else variable.value)
                  for variable in self.layer.trainable_variables]
        with keras.StatelessScope(values):
            return self.layer(x)

    def next_direction(self) -> keras.KerasTensor:
        """The direction one power iteration further, for `direction`."""
        return self._iterated()[1]

    def _matrix(self) -> keras.KerasTensor:
        return ops.reshape(self.layer.kernel.value, (-1, self.layer.kernel.shape[-1]))

    def _iterated(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Left and right singular vector, as far as one iteration finds them; no gradient goes through them."""
        matrix = ops.stop_gradient(self._matrix())
        left = _unit(ops.matmul(matrix, self.direction.value[:, None])[:, 0])
        return left, _unit(ops.matmul(left[None], matrix)[0])


def spectrally_normalized(network: keras.Model) -> keras.Model:
    """A functional network again, every Dense and convolution layer in it normalized; fresh weights."""
    return keras.models.clone_model(network, clone_function=_normalized)


def normalized_layers(network: keras.Model) -> list[SpectrallyNormalized]:
    """The normalized layers of a network, whose direction moves on once a step."""
    return [layer for layer in network.layers if isinstance(layer, SpectrallyNormalized)]


def _normalized(layer: layers.Layer) -> layers.Layer:
    again = layer.__class__.from_config(layer.get_config())
    if not isinstance(layer, layers.Dense | layers.Conv2D):
        return again
    if isinstance(again.kernel_initializer, keras.initializers.Zeros):  # what is zero has no norm to divide by
        again.kernel_initializer = keras.initializers.HeNormal()
    return SpectrallyNormalized(again)


def _unit(x: keras.KerasTensor) -> keras.KerasTensor:
    return x / (ops.norm(x) + _TINY)
