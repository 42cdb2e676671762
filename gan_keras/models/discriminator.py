"""What a discriminator is: a view of the clips, a way to cut it into samples, a network."""

import dataclasses
from collections.abc import Callable, Mapping

import keras
import tensorflow as tf

from gan_keras import catalog
from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.models.generator import keras_precision
from gan_keras.settings import split_weight


@dataclasses.dataclass(frozen=True)
class Discriminator:
    """One judge.

    Attributes:
        view: which view it looks at, see `models.views`.
        samples: cuts a view [B, F, h, w, 3] into what is judged one by one, [N, ...] with N a multiple of B.
        network: functional model, samples [N, ...] → logits float32 [N].
        weight: of its loss in the generator's.
    """

    view: str
    samples: Callable[[tf.Tensor], tf.Tensor]
    network: keras.Model
    weight: float = 1.0


def named_weights(discriminators: Mapping[str, Discriminator]) -> dict[str, keras.Variable]:
    """The weights of some discriminators by the name under which a checkpoint holds them."""
    return {f"discriminator/{name}/{variable.path}": variable
            for name, judge in discriminators.items() for variable in judge.network.weights}


def build_discriminators(clips: ClipSettings, model: ModelSettings, precision: str) -> dict[str, Discriminator]:
    """Builds the discriminators that the settings name, with fresh weights, by name in the order given."""
    built = {}
    for item in model.discriminators:
        name, weight = split_weight(item)
        with keras_precision(precision):
            discriminator = catalog.find("models.discriminators", name)(clips, model)
        built[name] = dataclasses.replace(discriminator, weight=weight)
    return built
