"""A task: what a training example is, which networks and losses there are, how samples are asked for.

A task is a file of this folder with a class of its name in camel case. The training step, the loop, checkpoints,
evaluation and export take what a task gives and do not know which one they run.
"""

import dataclasses
import fnmatch
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import keras
import numpy as np
import tensorflow as tf

from gan_keras.config.settings import format_value
from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float
from gan_keras.errors import UserError
from gan_keras.losses.auxiliary import output_terms
from gan_keras.losses.forward_pass import Example, ForwardPass, LossTerm, StepNoise, Tensors
from gan_keras.losses.terms import discriminator_terms
from gan_keras.models.build import build_discriminators
from gan_keras.models.discriminator import Discriminator, named_weights
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent
from gan_keras.models.views import Views


@dataclasses.dataclass(frozen=True)
class Networks:
    """Networks that are trained.

    Attributes:
        generator: the generator; the exponential moving average of its weights is what is used.
        discriminators: by name.
        auxiliary: further networks, each with an optimizer of its own, by name.
    """

    generator: Generator
    discriminators: Mapping[str, Discriminator]
    auxiliary: Mapping[str, keras.Model]

    @property
    def weights(self) -> dict[str, keras.Variable]:
        """Weights of all networks by their names in a checkpoint."""
        auxiliary = {f"{name}/{variable.path}": variable
                     for name, network in self.auxiliary.items() for variable in network.weights}
        return self.generator.named_weights("generator") | named_weights(self.discriminators) | auxiliary

    def trained_variables(self, freeze: Sequence[str]) -> dict[str, list[keras.Variable]]:
        """Variables that training changes, by network: `generator`, discriminators and auxiliary networks.

        Args:
            freeze: patterns of names in a checkpoint; weights with such names are left out.

        Raises:
            UserError: a pattern that is the name of no weight.
        """
        trainable = {"generator": self.generator.trainable_variables,
                     **{name: each.network.trainable_variables for name, each in self.discriminators.items()},
                     **{name: network.trainable_variables for name, network in self.auxiliary.items()}}
        names, frozen = {id(variable): name for name, variable in self.weights.items()}, set()
        for pattern in freeze:
            matches = set(fnmatch.filter(names.values(), pattern))
            if not matches:
                raise UserError(f"`freeze` names no weights of these networks, whose names are as "
                                f"{next(iter(names.values()))}. Received: freeze={pattern}")
            frozen |= matches
        trained = {network: [variable for variable in variables if names[id(variable)] not in frozen]
                   for network, variables in trainable.items()}
        return {network: variables for network, variables in trained.items() if variables}


class Draw(Protocol):
    """Random numbers of a replica in a training step; `stream` names their use.

    Attributes:
        step: int64 scalar.
    """

    step: tf.Tensor

    def uniform(self, stream: str, *shape: int) -> tf.Tensor:
        """Uniform numbers in [0, 1), float32 [B, *shape]."""

    def normal(self, stream: str, *shape: int) -> tf.Tensor:
        """Standard normal numbers, float32 [B, *shape]."""

    def latents(self, stream: str, latents: Mapping[str, Latent]) -> Tensors:
        """Latents of B clips, by name."""


class Render(Protocol):
    """From inputs of the generator to views of its clips, as discriminators see them; for `Task.extend`."""

    def __call__(self, inputs: Tensors, noise: StepNoise) -> Views:
        """Views of the clips."""


class Signature(NamedTuple):
    """A function that a SavedModel offers.

    Attributes:
        inputs: by name, [B, ...]; dimension 0 is the batch.
        outputs: by name, without the batch dimension.
        function: inputs by name → outputs by name, each [B, ...]; rows do not depend on each other.
        example: inputs of a small batch, for checks of the SavedModel.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: Mapping[str, tf.TensorSpec]
    function: Callable[[Tensors], Tensors]
    example: Callable[[], Mapping[str, np.ndarray]]


class Task:
    """Base of all tasks: adversarial training of a generator against discriminators of its clips.

    Args:
        config: the settings.

    Raises:
        UserError: settings that the task has no place for.

    Attributes:
        config: the settings.
        shown_conditions: channels of each condition that is shown to the discriminators beside the clips, by name; such
            a condition is of the shape [B, T, H, W, channels].
        given_clips: whether samples are made of given clips, one of each; else of seeds alone.
        conditioned: whether the generator takes the classes, categories and codes of the settings.
        paired_signature: the signature that makes of a clip one that should equal it; empty: there is none.
        pictures_first: whether all networks of the generator can be trained on single frames before whole clips.
        factor: how many times larger a frame is than the one that it is made of.
        fidelity_steps: steps at the start of a run in which no discriminator sees anything.
    """

    shown_conditions: Mapping[str, int] = {}
    given_clips: bool = False
    conditioned: bool = False
    paired_signature: str = ""
    pictures_first: bool = True
    factor: int = 1
    fidelity_steps: int = 0

    def __init__(self, config: Config) -> None:
        self.config, model = config, config.model
        if not self.conditioned and (model.classes or model.categories or model.codes):
            raise UserError(f"--task={config.objective.task} cannot be combined with classes, categories or codes. "
                            f"Received: classes={format_value(model.classes)}, categories={model.categories}, "
                            f"codes={model.codes}")

    # ---- networks ----

    def build_generator(self, precision: str) -> Generator:
        """Builds the generator with new weights.

        Args:
            precision: Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.
        """
        raise NotImplementedError

    def build_discriminators(self, precision: str) -> dict[str, Discriminator]:
        """Builds the discriminators with new weights, by name."""
        channels = 3 + sum(self.shown_conditions.values())
        return build_discriminators(self.config.clip, self.config.model, precision, channels)

    def build_auxiliary(self, generator: Generator) -> dict[str, keras.Model]:
        """Builds further networks that are trained, by name, in float32."""
        return {}

    # ---- training ----

    def draw_noise(self, draw: Draw, generator: Generator) -> Tensors:
        """Random numbers that the task takes in a step, by name, for `StepNoise.task`."""
        return {}

    def example(self, batch: Batch, noise: StepNoise) -> Example:
        """Makes the training examples of a batch of clips."""
        return Example({}, to_float(batch.clips))

    def extend(self, forward: ForwardPass, networks: Networks, render: Render) -> Any:
        """Computes what the task's losses need beside the forward pass, for `ForwardPass.task`."""
        return None

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Terms of the objective: those of the generator's outputs, then those of each discriminator."""
        return output_terms(self.config.objective, networks.generator) + [
            term for name, discriminator in networks.discriminators.items()
            for term in discriminator_terms(self.config, networks.generator, name, discriminator)]

    # ---- use ----

    def sample(self, generator: Generator, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """Samples of the generator.

        Args:
            generator: the generator.
            seeds: int64 [B].
            clips: real clips uint8 [B, T, H, W, 3], where `given_clips`; else not looked at.

        Returns:
            `video` uint8 [B, T, H, W, 3]; where it should equal something but the clips, that as `target`; and what
            else the `paired_signature` gives.
        """
        raise NotImplementedError

    def shown(self, samples: Mapping[str, np.ndarray]) -> np.ndarray:
        """Samples as people are shown them, uint8 [B, T, H, W', 3]."""
        return samples["video"]

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """Functions that a SavedModel of the generator offers, by name; `serving_default` is one."""
        raise NotImplementedError

