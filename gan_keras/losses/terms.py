"""Terms that every adversarial objective has: adversarial losses, gradient penalties, auxiliary losses."""

import math

import tensorflow as tf

from gan_keras.config.train import Config, ObjectiveSettings
from gan_keras.losses import adversarial, gradient_penalties
from gan_keras.losses.auxiliary import auxiliary_terms
from gan_keras.losses.forward_pass import ForwardPass, LossTerm, mean_per_clip
from gan_keras.models.discriminator import Discriminator, repeat_for_samples
from gan_keras.models.generator import Generator

_REFERENCE_VALUES = 64 * 64 * 3
"""Values of a sample for which `penalty_weight` is R3GAN's gamma. The squared gradient norm of an equally steep
discriminator falls as a sample has more values, so the weight grows with them."""


def discriminator_terms(config: Config, generator: Generator, name: str, discriminator: Discriminator
                        ) -> list[LossTerm]:
    """Losses of one discriminator, and those of the generator through it.

    Args:
        config: the settings.
        generator: see `auxiliary_terms`.
        name: of the discriminator.
        discriminator: the discriminator.
    """
    loss = adversarial.FUNCTIONS[config.objective.loss]

    def of_discriminator(forward: ForwardPass) -> tf.Tensor:
        through = forward.discriminators[name]
        return mean_per_clip(loss(through.real_outputs.logits, through.generated_outputs.logits)[0], forward)

    def of_generator(forward: ForwardPass) -> tf.Tensor:
        real, generated = forward.discriminators[name].seen_by_generator
        return mean_per_clip(loss(real.logits, generated.logits)[1], forward)

    unrolled = config.objective.unroll_steps > 0
    terms = [
        LossTerm("adversarial", 1.0, name, of_discriminator),
        *_penalty_terms(config.objective, name, discriminator),
        LossTerm(f"adversarial/{name}", discriminator.weight, "generator", of_generator, crosses_replicas=unrolled),
        *auxiliary_terms(config.objective, generator, name, discriminator)]
    return [term._replace(view=discriminator.view) for term in terms]


def _penalty_terms(settings: ObjectiveSettings, name: str, discriminator: Discriminator) -> list[LossTerm]:
    if settings.penalty == "none":
        return []
    penalty, view, weight = gradient_penalties.FUNCTIONS[settings.penalty], discriminator.view, settings.penalty_weight
    if settings.penalty in gradient_penalties.ZERO_CENTERED:
        weight *= math.prod(discriminator.network.input["samples"].shape[1:]) / _REFERENCE_VALUES

    def compute(forward: ForwardPass) -> tf.Tensor:
        through, noise = forward.discriminators[name], forward.noise
        perturbation = discriminator.samples(getattr(noise.perturbation, view)) if noise.perturbation else None
        uniform = repeat_for_samples(getattr(noise.penalty, view), through.real)[:, 0]
        return mean_per_clip(penalty(
            lambda samples: _mean_logit(discriminator(samples, through.label, training=True).logits),
            through.real, tf.stop_gradient(through.generated), uniform, perturbation), forward)

    return [LossTerm("gradient_penalty", weight, name, compute, interval=settings.penalty_interval)]


def _mean_logit(logits: tf.Tensor) -> tf.Tensor:
    """[N] or [N, P] → [N]: of patches the mean."""
    return tf.reduce_mean(tf.reshape(logits, [tf.shape(logits)[0], -1]), axis=1)
