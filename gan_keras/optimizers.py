"""Optimizers and learning-rate schedules."""

import keras

from gan_keras.config import OptimizationSettings


def build_optimizer(settings: OptimizationSettings, name: str, variables: list[keras.Variable]
                    ) -> keras.optimizers.Optimizer:
    """The optimizer of one network, its own variables made.

    It does not clip: `VideoGAN` clips gradients after they were summed over the replicas, an optimizer would before.
    """
    if settings.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(_schedule(settings), name=name)
    else:
        optimizer = keras.optimizers.Adam(_schedule(settings), settings.beta_1, settings.beta_2, name=name)
    optimizer.build(variables)
    return optimizer


def _schedule(settings: OptimizationSettings) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate as a function of the updates done."""
    schedules = keras.optimizers.schedules
    if settings.learning_rate_schedule == "cosine":
        after = max(settings.steps - settings.warmup_steps, 1)
        if settings.warmup_steps:
            return schedules.CosineDecay(0.0, after, warmup_target=settings.learning_rate,
                                         warmup_steps=settings.warmup_steps)
        return schedules.CosineDecay(settings.learning_rate, after)
    if settings.warmup_steps:
        return schedules.PolynomialDecay(0.0, settings.warmup_steps, settings.learning_rate)
    return settings.learning_rate
