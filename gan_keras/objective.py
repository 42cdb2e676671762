"""What every network is to make small in a step, computed by one replica from its rows.

`Objective.losses` looks at the same views of real and generated clips with every discriminator, and gives the loss of
each network as this replica's share of the mean over the global batch, so that a sum over the replicas is that mean.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import keras
import tensorflow as tf

from gan_keras import catalog, penalties, terms
from gan_keras import losses as adversarial_losses
from gan_keras.config import Config
from gan_keras.data import clips as clip_batch
from gan_keras.models import blocks
from gan_keras.models.discriminator import Discriminator, for_samples
from gan_keras.models.generator import Generator
from gan_keras.models.perceptual import FrozenFeatures
from gan_keras.models.views import close_view, judged_frames, small_scale, small_view
from gan_keras.settings import split_weight
from gan_keras.step_noise import Noise, Tensors

_REFERENCE_VALUES = 64 * 64 * 3
"""Numbers in a sample for which `penalty_weight` is R3GAN's gamma. The squared gradient norm of an equally steep
discriminator falls as a sample has more numbers, so the weight grows with them."""


class Due(NamedTuple):
    """What a step does beside training the discriminators; each kind of step is traced once."""

    penalty: bool
    generator: bool


class Objective:
    """The losses of a generator and its discriminators.

    Args:
        config: the settings.
        generator: the one that is trained.
        discriminators: by name.
        latent_judge: of drawn and encoded latents, where the encoder has one.
        replicas: over how many devices a batch is split.
    """

    def __init__(self, config: Config, generator: Generator, discriminators: Mapping[str, Discriminator],
                 latent_judge: keras.Model | None, replicas: int) -> None:
        self._config = config
        self._generator = generator
        self._discriminators = discriminators
        self._latent_judge = latent_judge
        self._replicas = replicas
        self._adversarial = catalog.find("losses", config.objective.loss)
        self._scale = small_scale(config.clips, config.model)
        self._perceptual = FrozenFeatures(config.objective.perceptual) if config.objective.perceptual else None

    @property
    def crosses_replicas(self) -> bool:
        """Whether a loss needs numbers of all replicas before it is done; such a step cannot be compiled by XLA."""
        objective = self._config.objective
        of_means = objective.feature_matching or (objective.perceptual and not self._generator.encoder)
        return self._replicas > 1 and bool(objective.unroll_steps or of_means)

    def due(self, step: int) -> Due:
        """What is part of a step."""
        objective = self._config.objective
        return Due(penalty=objective.penalty != "none" and step % objective.penalty_every == 0,
                   generator=(step + 1) % objective.discriminator_steps == 0)

    # ---- losses ----

    def losses(self, batch: Tensors, noise: Noise, due: Due) -> tuple[Tensors, Tensors]:
        """The loss of each network that is due, and what was measured, by name: shares of the global means.

        Args:
            batch: `clips` uint8 [B, T, H, W, 3]; `label` int64 [B], -1 where there is none.
            noise: of this replica.
            due: what is part of this step.
        """
        latents = self._told(batch, noise)
        real, outputs = self._real_views(batch["clips"], noise), self._generator.outputs(latents, training=True)
        fake = self._fake_views(outputs, noise)
        losses, numbers = {}, {}
        if due.generator:
            losses["generator"] = self._of_outputs(outputs, numbers)
            if self._perceptual and not self._generator.encoder:
                numbers["perceptual"] = self._distance_of_means(*(self._perceptual(views[self._perceptual.view])
                                                                  for views in (real, fake)))
                losses["generator"] += self._config.objective.perceptual_weight * numbers["perceptual"]
        for name, judge in self._discriminators.items():
            said = _Said(judge, judge.samples(real[judge.view]), judge.samples(fake[judge.view]), latents)
            losses[name], measured = self._of_discriminator(said, noise, due)
            if due.generator:
                losses["generator"] += judge.weight * self._of_generator(said, measured)
            numbers |= {f"{what}/{name}": value for what, value in measured.items()}
        if self._generator.encoder and due.generator:
            losses |= self._of_encoder(batch, real, noise, losses, numbers)
        if due.generator:
            numbers["loss/generator"] = losses["generator"]
        return losses, numbers

    def _told(self, batch: Tensors, noise: Noise) -> Tensors:
        """The latents of the generated clips; each is of the class of the real clip that it is judged beside."""
        latents = noise["latents"]
        classes = len(self._config.model.classes)
        return {**latents, "label": tf.one_hot(batch["label"], classes)} if classes else latents

    def _of_outputs(self, outputs: Tensors, numbers: Tensors) -> tf.Tensor:
        """What the generator is told of its outputs without any discriminator."""
        if "mask" not in outputs:
            return tf.constant(0.0)
        numbers["mask"] = self._mean(terms.sparsity(outputs["mask"]))
        return self._config.objective.mask_sparsity * numbers["mask"]

    def _of_discriminator(self, said: "_Said", noise: Noise, due: Due) -> tuple[tf.Tensor, Tensors]:
        real, fake = said.of_real["logits"], said.of_fake["logits"]
        objective = self._config.objective
        total = self._mean(self._adversarial(real, fake)[0])
        measured = {"loss": total,
                    "accuracy_real": self._mean(tf.cast(real > tf.reduce_mean(fake), tf.float32)),
                    "accuracy_generated": self._mean(tf.cast(fake < tf.reduce_mean(real), tf.float32)),
                    "accuracy_pairs": self._mean(tf.cast(real > fake, tf.float32)),
                    "logit_real": self._mean(real), "logit_generated": self._mean(fake)}
        if due.penalty:
            measured["penalty"] = objective.penalty_every * self._penalty(said, noise)
            total += measured["penalty"]
        if "classes" in said.of_real:
            measured["classification"] = self._mean(terms.classification(said.of_real["classes"], said.label))
            total += objective.class_weight * (measured["classification"] + self._misclassified(said))
        if said.codes:
            measured["information"] = self._misguessed(said)
            total += objective.information_weight * measured["information"]
        return total, measured

    def _of_generator(self, said: "_Said", measured: Tensors) -> tf.Tensor:
        objective = self._config.objective
        real, fake = self._unrolled(said) if objective.unroll_steps else (said.of_real, said.of_fake)
        total = self._mean(self._adversarial(real["logits"], fake["logits"])[1])
        if "classes" in fake:
            total += objective.class_weight * self._misclassified(said)
        if said.codes:
            total += objective.information_weight * measured["information"]
        if objective.feature_matching:
            measured["feature_matching"] = self._distance_of_means(real["features"], fake["features"])
            total += objective.feature_matching * measured["feature_matching"]
        return total

    def _of_encoder(self, batch: Tensors, real: Tensors, noise: Noise, losses: Tensors, numbers: Tensors) -> Tensors:
        """What real clips become, encoded and made again: the generator's loss with that, and the latent judge's."""
        objective, model = self._config.objective, self._config.model
        encoded = self._generator.encode(clip_batch.to_float(batch["clips"]), training=True)
        latents = {name: mean + tf.exp(0.5 * log_variance) * noise["encoded"][name]
                   for name, (mean, log_variance) in encoded.items()}
        made = self._fake_views(self._generator.outputs(latents, training=True), noise)
        losses = {"generator": losses["generator"]}
        for item in objective.reconstruction:
            name, weight = split_weight(item)
            found = [self._feature_difference(judge, real, made) for judge in self._discriminators.values()] \
                if name == "features" else [getattr(terms, name)(real[view], made[view]) for view in self._seen]
            numbers[f"reconstruction/{name}"] = self._mean(tf.concat(found, 0))
            losses["generator"] += weight * numbers[f"reconstruction/{name}"]
        if self._perceptual:
            of_real, of_made = (self._perceptual(views[self._perceptual.view]) for views in (real, made))
            numbers["perceptual"] = self._mean(terms.l2(of_real, of_made))
            losses["generator"] += objective.perceptual_weight * numbers["perceptual"]
        if model.encoder_prior == "kl":
            numbers["prior"] = self._mean(sum(terms.divergence(*distribution) for distribution in encoded.values()))
        else:
            # Binary cross-entropy whatever the loss of clips is: the paper's.
            drawn, found = (self._latent_judge(_row(values), training=True) for values in (noise["latents"], latents))
            losses["latents"], numbers["prior"] = (self._mean(loss) for loss in adversarial_losses.bce(drawn, found))
            numbers["loss/latents"] = losses["latents"]
        losses["generator"] += objective.prior_weight * numbers["prior"]
        return losses

    @property
    def _seen(self) -> set[str]:
        """The views that some discriminator looks at."""
        return {judge.view for judge in self._discriminators.values()}

    def _feature_difference(self, judge: Discriminator, real: Tensors, made: Tensors) -> tf.Tensor:
        """[N]: how far a discriminator's features of clips are from those of what was made of them."""
        of_real, of_made = (judge.judge(judge.samples(views[judge.view]), training=True)["features"]
                            for views in (real, made))
        return terms.l2(tf.stop_gradient(of_real), of_made)

    def _penalty(self, said: "_Said", noise: Noise) -> tf.Tensor:
        objective, judge, real = self._config.objective, said.judge, said.real
        disturbance = judge.samples(noise["disturbance"][judge.view]) if "disturbance" in noise else None
        of_samples = catalog.find("penalties", objective.penalty)(
            lambda samples: _each(judge.logits(samples, said.label, training=True)), real, tf.stop_gradient(said.fake),
            for_samples(noise["penalty"][judge.view], real)[:, 0], disturbance)
        sized = objective.penalty in penalties.TOWARDS_ZERO
        weight = objective.penalty_weight * (math.prod(real.shape[1:]) / _REFERENCE_VALUES if sized else 1.0)
        return weight * self._mean(of_samples)

    def _misclassified(self, said: "_Said") -> tf.Tensor:
        return self._mean(terms.classification(said.of_fake["classes"], said.label))

    def _misguessed(self, said: "_Said") -> tf.Tensor:
        of_samples = 0.0
        if "category" in said.codes:
            of_samples += terms.classification(said.of_fake["category"], said.codes["category"])
        if "code" in said.codes:
            of_samples += terms.information(said.of_fake["code"], said.codes["code"])
        return self._mean(of_samples)

    def _unrolled(self, said: "_Said") -> tuple[Tensors, Tensors]:
        """What the discriminator would say after some steps more against this generator (Metz et al., 2017,
        arXiv:1611.02163, eq. 10 and 11); the generator's gradient goes through these steps too."""
        judge, optimization = said.judge, self._config.optimization
        rate = optimization.discriminator_learning_rate or optimization.learning_rate
        weights = [tf.convert_to_tensor(variable.value) for variable in judge.network.trainable_variables]

        def ask(samples: tf.Tensor) -> Tensors:
            return judge.judge(samples, said.label, training=True, weights=weights)

        for _ in range(self._config.objective.unroll_steps):
            with tf.GradientTape() as tape:
                tape.watch(weights)
                loss = self._mean(self._adversarial(ask(said.real)["logits"], ask(said.fake)["logits"])[0])
            gradients = tape.gradient(loss, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            weights = [weight - rate * gradient
                       for weight, gradient in zip(weights, self._over_replicas(gradients), strict=True)]
        return ask(said.real), ask(said.fake)

    def _distance_of_means(self, real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
        """Of features [N, C], over the global batch; a share, as `_mean`."""
        means = [self._over_replicas(tf.reduce_mean(features, axis=0) / self._replicas) for features in (real, fake)]
        return terms.feature_matching(*means) / self._replicas

    def _mean(self, values: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch."""
        return tf.reduce_mean(values) / self._replicas

    def _over_replicas(self, values: tf.Tensor | list[tf.Tensor]) -> tf.Tensor | list[tf.Tensor]:
        """The sum over the replicas, known to each."""
        if self._replicas == 1:
            return values
        return tf.distribute.get_replica_context().all_reduce("sum", values)

    # ---- views ----

    def _real_views(self, clips: tf.Tensor, noise: Noise) -> Tensors:
        close = close_view(clips, self._judged_frames(noise))
        return self._augmented({"small": small_view(clip_batch.to_float(clips), self._scale),
                                "close": clip_batch.to_float(close)}, noise)

    def _fake_views(self, outputs: Tensors, noise: Noise) -> Tensors:
        """Small pictures of all frames, and full-size ones of those that will be looked at."""
        views = {"small": outputs["small"], "close": self._generator.render(outputs, self._judged_frames(noise))}
        return self._augmented({view: blocks.cut(clips, -1.0, 1.0) for view, clips in views.items()}, noise)

    def _judged_frames(self, noise: Noise) -> tf.Tensor:
        return judged_frames(noise["frames"], self._config.clips.num_frames)

    def _augmented(self, views: Tensors, noise: Noise) -> Tensors:
        objective = self._config.objective
        if objective.augment_step:
            views = {view: clip_batch.augment(clips, objective.augment_step, noise["augment"][view],
                                              noise["augment_probability"]) for view, clips in views.items()}
        if objective.instance_noise:
            views = {view: clips + objective.instance_noise * noise["instance"][view]
                     for view, clips in views.items()}
        return views


class _Said:
    """A discriminator, what it looks at, and what it says of it."""

    def __init__(self, judge: Discriminator, real: tf.Tensor, fake: tf.Tensor, latents: Tensors) -> None:
        self.judge, self.real, self.fake = judge, real, fake
        self.label = for_samples(latents["label"], real) if "label" in latents else None
        self.codes = {name: for_samples(latents[name], fake) for name in ("category", "code") if name in latents}
        self.of_real, self.of_fake = (judge.judge(samples, self.label, training=True) for samples in (real, fake))


def _row(latents: Tensors) -> tf.Tensor:
    """All latents of each clip side by side, [B, D]."""
    return tf.concat([tf.reshape(values, [tf.shape(values)[0], math.prod(values.shape[1:])])
                      for values in latents.values()], axis=1)


def _each(logits: tf.Tensor) -> tf.Tensor:
    """[N] or [N, P] → [N]: of patches the mean."""
    return tf.reduce_mean(tf.reshape(logits, [tf.shape(logits)[0], -1]), axis=1)
