"""What a discriminator is: a view of the clips, a way to cut it into samples, a network."""

import dataclasses
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Discriminator:
    """One judge.

    Attributes:
        view: which view it looks at, see `models.views`.
        samples: cuts a view [B, F, h, w, 3] into what is judged one by one, [N, ...] with N a multiple of B.
        network: functional model. As a file of `models.discriminators` makes it, the trunk: samples [N, ...] →
            features [N, ..., C]. As `build_discriminators` makes it: {`samples`, and `label` [N, K] where it is told}
            → {`logits` float32 [N], or [N, P] of patches, ...}, see `models/heads.py`.
        patches: whether each place of the features is judged on its own.
        weight: of its loss in the generator's.
    """

    view: str
    samples: Callable[[tf.Tensor], tf.Tensor]
    network: keras.Model
    patches: bool = False
    weight: float = 1.0

    def judge(self, samples: tf.Tensor, label: tf.Tensor | None = None, training: bool = False,
              weights: list[tf.Tensor] | None = None) -> dict[str, tf.Tensor]:
        """What the network says of samples.

        Args:
            samples: [M, ...], M a multiple of N.
            label: weights of the classes [N, K], the same for the samples i, i + N, ...; None: no class is told.
            training: whether this is a step of training.
            weights: in place of the network's trainable variables.

        Returns:
            See `models/heads.py`, [M, ...].
        """
        given = {"samples": samples}
        if "label" in self.network.input:
            if label is None:
                label = tf.zeros([1, self.network.input["label"].shape[-1]])
            given["label"] = tf.tile(label, [tf.shape(samples)[0] // tf.shape(label)[0], 1])
        if weights is None:
            return self.network(given, training=training)
        fixed = [variable.value for variable in self.network.non_trainable_variables]
        return self.network.stateless_call(weights, fixed, given, training=training)[0]

    def logits(self, samples: tf.Tensor, label: tf.Tensor | None = None, training: bool = False) -> tf.Tensor:
        """How real the network finds samples, float32 [M] or [M, P], as `judge`."""
        return self.judge(samples, label, training)["logits"]


def for_samples(of_clips: tf.Tensor, samples: tf.Tensor) -> tf.Tensor:
    """[B, ...] → [N, ...]: what is known of each clip for each of its samples."""
    return tf.repeat(of_clips, tf.shape(samples)[0] // tf.shape(of_clips)[0], axis=0)


def named_weights(discriminators: Mapping[str, Discriminator]) -> dict[str, keras.Variable]:
    """The weights of some discriminators by the name under which a checkpoint holds them."""
    return {f"discriminator/{name}/{variable.path}": variable
            for name, judge in discriminators.items() for variable in judge.network.weights}
