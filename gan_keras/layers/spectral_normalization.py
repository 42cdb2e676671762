"""Spectral normalization of any network (Miyato et al., 2018, arXiv:1802.05957): every layer's matrix has norm 1.

Keras' layer of that name is not used: it writes the normalized kernel back in every forward pass, several times a step
and on each replica, and no gradient goes through the norm. Here the kernel stays as it is, the network computes with
W / σ(W), the gradient goes through both, and the power iteration advances once a step.
"""

from typing import Any, Self

import keras
from keras import layers, ops

_TINY = 1e-12


class SpectralNormalization(layers.Wrapper):
    """A Dense or convolution layer that computes with its kernel divided by the kernel's largest singular value.

    σ = vᵀ W u, with W as a matrix [inputs, channels], u and v from one power iteration (Miyato 2018, algorithm 1).

    Args:
        layer: the layer, not built yet. It is called in its own precision.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, layer: layers.Layer, **kwargs: Any) -> None:
        super().__init__(layer, **{"name": layer.name, "dtype": "float32", "autocast": False, **kwargs})

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Builds the layer and draws the first right singular vector."""
        if not self.layer.built:  # one that was deserialized is
            self.layer.build(input_shape)
        channels = self.layer.kernel.shape[-1]
        self.singular_vector = self.add_weight(
            shape=(channels,), name="singular_vector", trainable=False, autocast=False,
            initializer=keras.initializers.RandomNormal(0.0, 1.0, seed=channels))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """That of the layer."""
        return self.layer.compute_output_shape(input_shape)

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Output of the layer."""
        left, right = self._iterate()
        norm = ops.sum(left * ops.matmul(self._matrix(), right[:, None])[:, 0])
        # All its variables: those that are not named here would not be the ones of a scope around this (unrolling).
        values = [(variable, variable.value / norm if variable is self.layer.kernel else variable.value)
                  for variable in self.layer.trainable_variables]
        with keras.StatelessScope(values):
            return self.layer(x)

    def next_singular_vector(self) -> keras.KerasTensor:
        """The right singular vector after one more power iteration, for `singular_vector`."""
        return self._iterate()[1]

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "layer": keras.saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, type] | None = None) -> Self:
        """A new layer of the same kind around a new one of the layer's kind."""
        config = {name: value for name, value in config.items() if name != "autocast"}
        layer = keras.saving.deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)

    def _matrix(self) -> keras.KerasTensor:
        return ops.reshape(self.layer.kernel.value, (-1, self.layer.kernel.shape[-1]))

    def _iterate(self) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Left and right singular vector after one power iteration; no gradient goes through them."""
        matrix = ops.stop_gradient(self._matrix())
        left = _normalize(ops.matmul(matrix, self.singular_vector.value[:, None])[:, 0])
        return left, _normalize(ops.matmul(left[None], matrix)[0])


def spectrally_normalized(network: keras.Model) -> keras.Model:
    """Clone of a functional network with new weights, in which every Dense and convolution layer is normalized."""
    return keras.models.clone_model(network, clone_function=_clone_layer)


def normalized_layers(network: keras.Model) -> list[SpectralNormalization]:
    """The normalized layers of a network, whose singular vector advances once a step."""
    return [layer for layer in network.layers if isinstance(layer, SpectralNormalization)]


def _clone_layer(layer: layers.Layer) -> layers.Layer:
    clone = layer.__class__.from_config(layer.get_config())
    if not isinstance(layer, layers.Dense | layers.Conv2D):
        return clone
    if isinstance(clone.kernel_initializer, keras.initializers.Zeros):  # a zero kernel has no norm to divide by
        clone.kernel_initializer = keras.initializers.HeNormal()
    return SpectralNormalization(clone)


def _normalize(x: keras.KerasTensor) -> keras.KerasTensor:
    return x / (ops.norm(x) + _TINY)
