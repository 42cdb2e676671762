"""A discriminator: a view of the clips, a way to cut it into samples, a network, a weight."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from gan_keras.models.views import View


class DiscriminatorOutputs(NamedTuple):
    """Outputs of a discriminator, all float32; None for those that it does not have.

    Attributes:
        logits: how real each sample is, [N]; of patches [N, P].
        features: mean of its features over all positions, [N, C].
        classes: logits of the class (AC-GAN, Odena et al., 2017, arXiv:1610.09585), [N, K].
        category: logits of the category that the generator was given (InfoGAN), [N, k].
        code: estimate of the code that the generator was given (InfoGAN), [N, c].
    """

    logits: tf.Tensor
    features: tf.Tensor
    classes: tf.Tensor | None = None
    category: tf.Tensor | None = None
    code: tf.Tensor | None = None


@dataclasses.dataclass(frozen=True)
class Discriminator:
    """Discriminator of clips.

    Attributes:
        view: the view that it sees, see `models.views`.
        samples: splits that view [B, F, h, w, C] into samples [N, ...] with outputs of their own, N a multiple of B.
        network: functional model. A file of `models.discriminators` makes its trunk, samples [N, ...] → features
            [N, ..., C]; `build_discriminators` adds the heads, {`samples`, and `label` [N, K] where it is conditioned}
            → {names of `DiscriminatorOutputs`}.
        patches: whether each position of the features has a logit of its own.
        weight: of its loss in the generator's.
    """

    view: View
    samples: Callable[[tf.Tensor], tf.Tensor]
    network: keras.Model
    patches: bool = False
    weight: float = 1.0

    def __call__(self, samples: tf.Tensor, label: tf.Tensor | None = None, training: bool = False,
                 weights: list[tf.Tensor] | None = None) -> DiscriminatorOutputs:
        """Outputs for samples.

        Args:
            samples: [M, ...], M a multiple of N.
            label: weights of the classes [N, K], the same for the samples i, i + N, ...; None: no class is known.
            training: whether this is a training step.
            weights: used in place of the network's trainable variables.
        """
        inputs = {"samples": samples}
        if "label" in self.network.input:
            if label is None:
                label = tf.zeros([1, self.network.input["label"].shape[-1]])
            inputs["label"] = tf.tile(label, [tf.shape(samples)[0] // tf.shape(label)[0], 1])
        if weights is None:
            return DiscriminatorOutputs(**self.network(inputs, training=training))
        fixed = [variable.value for variable in self.network.non_trainable_variables]
        return DiscriminatorOutputs(**self.network.stateless_call(weights, fixed, inputs, training=training)[0])


def repeat_for_samples(values: tf.Tensor, samples: tf.Tensor) -> tf.Tensor:
    """Values of clips [B, ...] repeated for each of their samples, [N, ...]."""
    return tf.repeat(values, tf.shape(samples)[0] // tf.shape(values)[0], axis=0)


def named_weights(discriminators: Mapping[str, Discriminator]) -> dict[str, keras.Variable]:
    """Weights of discriminators by their names in a checkpoint, `discriminator/NAME/PATH`."""
    return {f"discriminator/{name}/{variable.path}": variable
            for name, discriminator in discriminators.items() for variable in discriminator.network.weights}
