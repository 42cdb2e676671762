"""Optimizers and learning-rate schedules."""

from collections.abc import Callable

import keras

from gan_keras.config.train import OptimizationSettings


def build_optimizer(settings: OptimizationSettings, name: str, variables: list[keras.Variable]
                    ) -> keras.optimizers.Optimizer:
    """The optimizer of one network, its own variables made.

    It does not clip: `VideoGAN` clips gradients after they were summed over the replicas, an optimizer would before.
    """
    of_discriminators = settings.discriminator_learning_rate if name != "generator" else 0.0
    schedule = _schedule(settings, of_discriminators or settings.learning_rate)
    if settings.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(schedule, name=name)
    else:
        optimizer = keras.optimizers.Adam(schedule, settings.beta_1, settings.beta_2, name=name)
    optimizer.build(variables)
    return optimizer


def _schedule(settings: OptimizationSettings, rate: float
              ) -> Callable[[], float] | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate, `rate` after the warm-up, as a function of the updates done.

    Never a number, which would be a variable of the optimizer: where a run goes on with another learning rate, its
    checkpoint would bring the old one back.
    """
    schedules = keras.optimizers.schedules
    if settings.learning_rate_schedule == "cosine":
        after = max(settings.steps - settings.warmup_steps, 1)
        if settings.warmup_steps:
            return schedules.CosineDecay(0.0, after, warmup_target=rate, warmup_steps=settings.warmup_steps)
        return schedules.CosineDecay(rate, after)
    if settings.warmup_steps:
        return schedules.PolynomialDecay(0.0, settings.warmup_steps, rate)
    return lambda: rate


def current_learning_rate(optimizer: keras.optimizers.Optimizer) -> float:
    """Learning rate of the next step."""
    return float(keras.ops.convert_to_tensor(optimizer.learning_rate))
