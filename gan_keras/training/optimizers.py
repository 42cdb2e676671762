"""Optimizers and learning-rate schedules."""

import keras
import tensorflow as tf

from gan_keras.config.train import OptimizationSettings

_COOLDOWN = 0.25
"""Share of the steps over which the rate falls (Zhai et al., 2022, arXiv:2106.04560): about as good as a cosine, with a
large rate for longer (Hägele et al., 2024, arXiv:2405.18392)."""


def build_optimizer(settings: OptimizationSettings, name: str, variables: list[keras.Variable]
                    ) -> keras.optimizers.Optimizer:
    """The optimizer of one network, its own variables made.

    It does not clip: `VideoGAN` clips gradients after they were summed over the replicas, an optimizer would before.
    Nor has it a learning rate: the number of its updates is not that of the run's steps, see `learning_rate`.
    """
    if settings.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(_no_learning_rate, name=name)
    else:
        optimizer = keras.optimizers.Adam(_no_learning_rate, settings.beta_1, settings.beta_2, name=name)
    optimizer.build(variables)
    return optimizer


def learning_rate(settings: OptimizationSettings, network: str, step: tf.Tensor | int) -> tf.Tensor:
    """Learning rate of a network in a step, float32 scalar.

    A function of the step and not of the network's updates: where some networks begin later or are updated less often,
    all the same are at the end of their schedule together.
    """
    of_discriminators = settings.discriminator_learning_rate if network != "generator" else 0.0
    rate = of_discriminators or settings.learning_rate
    schedules = keras.optimizers.schedules
    if settings.learning_rate_schedule == "cosine":
        after = max(settings.steps - settings.warmup_steps, 1)
        if settings.warmup_steps:
            return schedules.CosineDecay(0.0, after, warmup_target=rate, warmup_steps=settings.warmup_steps)(step)
        return schedules.CosineDecay(rate, after)(step)
    if settings.warmup_steps:
        rate = schedules.PolynomialDecay(0.0, settings.warmup_steps, rate)(step)
    if settings.learning_rate_schedule == "cooldown":
        left = settings.steps - tf.cast(step, tf.float32)
        return rate * tf.minimum(left / (_COOLDOWN * settings.steps), 1.0)
    return tf.convert_to_tensor(rate)


def _no_learning_rate() -> float:
    """In place of a number, which would be a variable of the optimizer and in every checkpoint."""
    raise NotImplementedError("The learning rate of a step is `learning_rate`.")
