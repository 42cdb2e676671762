"""Reconstruction of clips through latents, beside generation: VAE-GAN (Larsen et al., 2016, arXiv:1512.09300) and
adversarial autoencoders (Makhzani et al., 2015, arXiv:1511.05644).

An encoder maps real clips to distributions of latents; clips made from samples of these are compared with the real
ones, by pixels and by features of the discriminators. What keeps the encoded latents close to their prior is their KL
divergence, or a discriminator of latents (`--encoder_prior`). Drawn latents are trained adversarially as in `generate`.

Signatures: those of `generate`, and

| signature     | inputs                        | outputs                                                   |
|---------------|-------------------------------|-----------------------------------------------------------|
| `encode`      | `video` uint8 [B, T, H, W, 3] | means of the latents by name, for `latents`               |
| `reconstruct` | `video` uint8 [B, T, H, W, 3] | `video` uint8 [B, T, H, W, 3], made from these means      |
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gan_keras.config.settings import split_weight
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.losses import reconstruction
from gan_keras.losses.adversarial import bce
from gan_keras.losses.forward_pass import ForwardPass, LossTerm, Tensors
from gan_keras.losses.perceptual import PerceptualFeatures, perceptual_distance
from gan_keras.models.build import build_autoencoder, build_latent_discriminator
from gan_keras.models.generator import Generator
from gan_keras.models.views import Views
from gan_keras.tasks.generate import Generate
from gan_keras.tasks.task import Draw, Networks, Render, Signature, Task

LATENT_DISCRIMINATOR = "latent_discriminator"


class Reconstruction(NamedTuple):
    """What is computed of real clips through their latents.

    Attributes:
        posterior: mean and log-variance of each latent, by name.
        latents: sampled from these, by name.
        views: of the clips made from the samples.
        drawn_logits: of the latent discriminator for drawn latents, [B]; None without one.
        encoded_logits: of the latent discriminator for `latents`.
    """

    posterior: Mapping[str, tuple[tf.Tensor, tf.Tensor]]
    latents: Tensors
    views: Views
    drawn_logits: tf.Tensor | None
    encoded_logits: tf.Tensor | None


class Reconstruct(Generate):
    """Clips from noise, and from given clips through an encoder."""

    paired_signature = "reconstruct"
    conditioned = False  # an encoder does not infer them
    pictures_first = False  # the encoder sees whole clips

    def build_generator(self, precision: str) -> Generator:
        """Builds the generator of the settings with their encoder."""
        return build_autoencoder(self.config.clip, self.config.model, precision)

    def build_auxiliary(self, generator: Generator) -> dict[str, keras.Model]:
        """The latent discriminator, where the prior is adversarial."""
        if self.config.model.encoder_prior != "adversarial":
            return {}
        return {LATENT_DISCRIMINATOR: build_latent_discriminator(generator, self.config.clip, self.config.model)}

    def draw_noise(self, draw: Draw, generator: Generator) -> Tensors:
        """Standard normal numbers like the latents, to sample from their posterior."""
        return draw.latents("posterior", generator.latents)

    def extend(self, forward: ForwardPass, networks: Networks, render: Render) -> Reconstruction:
        """Encodes the target, samples latents and makes clips of them."""
        posterior = networks.generator.encode(forward.example.target, training=True)
        latents = {name: mean + tf.exp(0.5 * log_variance) * forward.noise.task[name]
                   for name, (mean, log_variance) in posterior.items()}
        views = render(latents, forward.noise)
        discriminator = networks.auxiliary.get(LATENT_DISCRIMINATOR)
        drawn, encoded = (discriminator(_concatenate(values), training=True) if discriminator else None
                          for values in (forward.noise.latents, latents))
        return Reconstruction(posterior, latents, views, drawn, encoded)

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Losses of drawn clips, then of reconstructions and of the prior."""
        objective = self.config.objective
        terms = Task.terms(self, networks)
        for item in objective.reconstruction:
            name, weight = split_weight(item)
            compare = self._compare_features if name == "features" else self._compare_pixels(name)
            terms.append(LossTerm(f"reconstruction/{name}", weight, "generator", _bind(compare, networks)))
        if objective.perceptual_network:
            features = PerceptualFeatures(objective.perceptual_network)
            terms.append(LossTerm("perceptual", objective.perceptual_weight, "generator", lambda forward:
                                  perceptual_distance(features, forward.real, forward.task.views, forward)))
        return terms + self._prior_terms(networks)

    def _prior_terms(self, networks: Networks) -> list[LossTerm]:
        objective = self.config.objective
        if LATENT_DISCRIMINATOR not in networks.auxiliary:
            return [LossTerm("kl_divergence", objective.kl_weight, "generator", lambda forward: sum(
                reconstruction.kl_divergence(*distribution) for distribution in forward.task.posterior.values()))]
        # Binary cross-entropy whatever the loss of clips is: the paper's.
        return [LossTerm("adversarial", 1.0, LATENT_DISCRIMINATOR,
                         lambda forward: bce(forward.task.drawn_logits, forward.task.encoded_logits)[0]),
                LossTerm(f"adversarial/{LATENT_DISCRIMINATOR}", objective.latent_adversarial_weight, "generator",
                         lambda forward: bce(forward.task.drawn_logits, forward.task.encoded_logits)[1])]

    def _compare_pixels(self, name: str) -> Callable[[ForwardPass, Networks], tf.Tensor]:
        loss = reconstruction.FUNCTIONS[name]

        def compare(forward: ForwardPass, networks: Networks) -> tf.Tensor:
            views = dict.fromkeys(discriminator.view for discriminator in networks.discriminators.values())
            return sum(loss(getattr(forward.real, view), getattr(forward.task.views, view))
                       for view in views) / len(views)

        return compare

    def _compare_features(self, forward: ForwardPass, networks: Networks) -> tf.Tensor:
        """Mean over all samples of all discriminators."""
        distances = []
        for discriminator in networks.discriminators.values():
            target, made = (discriminator(discriminator.samples(getattr(views, discriminator.view)),
                                          training=True).features for views in (forward.real, forward.task.views))
            distance = reconstruction.l2(tf.stop_gradient(target), made)
            distances.append(tf.reshape(distance, [tf.shape(forward.example.target)[0], -1]))
        return tf.reduce_mean(tf.concat(distances, axis=1), axis=1)

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """See the top of this file."""
        clip, signatures = self.config.clip, super().signatures(generator)
        serve = signatures["serving_default"]
        request = {"video": tf.TensorSpec([None, *clip.shape], tf.uint8, "video")}

        def example() -> Mapping[str, np.ndarray]:
            seeds = {name: tf.constant(value) for name, value in serve.example().items()}
            return {"video": serve.function(seeds)["video"].numpy()}

        means = {name: tf.TensorSpec(latent.shape(clip.num_frames), tf.float32)
                 for name, latent in generator.latents.items()}
        return signatures | {
            "encode": Signature(request, means, lambda inputs: _means(generator, inputs["video"]), example),
            "reconstruct": Signature(request, {"video": tf.TensorSpec(clip.shape, tf.uint8)}, lambda inputs: {
                "video": to_uint8(generator.clips(_means(generator, inputs["video"])))}, example)}


def _means(generator: Generator, clips: tf.Tensor) -> dict[str, tf.Tensor]:
    return {name: mean for name, (mean, _) in generator.encode(to_float(clips)).items()}


def _bind(compare: Callable[[ForwardPass, Networks], tf.Tensor], networks: Networks
          ) -> Callable[[ForwardPass], tf.Tensor]:
    return lambda forward: compare(forward, networks)


def _concatenate(latents: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """All latents of each clip in a row, [B, D]."""
    return tf.concat([tf.reshape(values, [tf.shape(values)[0], math.prod(values.shape[1:])])
                      for values in latents.values()], axis=1)
