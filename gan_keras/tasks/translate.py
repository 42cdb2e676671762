"""Translation: clips of one domain as clips of another, learned without pairs (`--data=A --target_data=B`).

Two networks, there and back, and discriminators of both domains (CycleGAN, Zhu et al., 2017, arXiv:1703.10593;
DiscoGAN, Kim et al., 2017, arXiv:1703.05192): what comes back has to be what went there (`cycle`), and what is of the
domain already has to stay (`identity`, which fades out over the first half of the steps, or colours could never
change). Over time (`recycle`): what is moved on the way, by a motion of which one knows all, has to come back as it
went, moved (Wang et al., 2022, arXiv:2201.05723, with shifts; the predictors of Recycle-GAN, Bansal et al., 2018,
arXiv:1808.05174, have to be learned first). With `--translation=motion` the networks warp clips instead of adding to
them, and what is beside each other has to move alike (`smoothness`): where things are changes, and not how they look.
Signatures: those of `tasks.video_to_video` but `pairs`, from A to B.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import DomainBatch
from gan_keras.data.pixels import to_float
from gan_keras.data.warping import shifted
from gan_keras.layers.clipping import clip_with_inward_gradient
from gan_keras.losses import reconstruction
from gan_keras.losses.forward_pass import (
    DiscriminatorPass,
    Example,
    ForwardPass,
    LossTerm,
    StepNoise,
    Tensors,
)
from gan_keras.losses.terms import discriminator_terms
from gan_keras.models.build import build_discriminators, dtype_policy, view_factor
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.encoder_decoder import encoder_decoder
from gan_keras.models.generator import Generator
from gan_keras.models.views import Views, for_each_view, sampled_frames, views_of
from gan_keras.tasks.task import Draw, Networks, Render, Signature
from gan_keras.tasks.video_to_video import Shape, VideoToVideo

INVERSE = "inverse"
_SOURCE = "source_"
_RECYCLE_SHIFT = 0.25
"""Share of the sides by which the last frame is moved at most."""


class Translation(NamedTuple):
    """What is computed beside the way there.

    Attributes:
        cycle_source: A → B → A, float32 [B, T, H, W, 3].
        cycle_target: B → A → B.
        recycle: for each domain, its clips moved, and its clips sent there, moved and sent back; None without.
        identity: A by the way back, and B by the way there.
        of_source: passes through the discriminators of A, by name.
        flow: of the way back, where the networks only warp.
    """

    cycle_source: tf.Tensor
    cycle_target: tf.Tensor
    recycle: tuple[tuple[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]] | None
    identity: tuple[tf.Tensor, tf.Tensor]
    of_source: dict[str, DiscriminatorPass]
    flow: tf.Tensor | None


class Translate(VideoToVideo):
    """Clips of one domain as clips of another."""

    paired_signature, adversarial_weight = "", 1.0
    fidelity_steps = 0
    shown_conditions = {}  # noqa: RUF012 (unpaired: discriminators see the clips alone)

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.only_warps = config.given.translation == "motion"
        self._source_discriminators: dict[str, Discriminator] = {}

    # ---- networks ----

    def build_auxiliary(self, generator: Generator) -> dict[str, keras.Model]:
        """The way back, and the discriminators of A."""
        policy = next(layer.dtype_policy.name for layer in generator.backbone.layers if layer.weights)
        with dtype_policy(policy):
            back = encoder_decoder(self.config.model.generator_width, 0, masked=False, only_warps=self.only_warps).clips
        weight = self.config.given.sharpness
        self._source_discriminators = {
            name: dataclasses.replace(each, weight=weight * each.weight)
            for name, each in build_discriminators(self.config.clip, self.config.model, policy).items()}
        return {INVERSE: back, **{f"{_SOURCE}{name}": each.network
                                  for name, each in self._source_discriminators.items()}}

    # ---- training ----

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """None: nothing is corrupted."""
        return {}

    def conditions(self, given: Tensors) -> Tensors:
        """The clip."""
        return {"base": given["video"]}

    def draw_noise(self, draw: Draw, generator: Generator) -> Tensors:
        """How much of the identity loss is left, a scalar, and how far each frame is moved on the way."""
        half = max(self.config.optimization.steps / 2, 1.0)
        left = tf.maximum(1.0 - tf.cast(draw.step, tf.float32) / half, 0.0)
        if not self.config.given.recycle_weight:
            return {"identity": left}
        clip = self.config.clip
        farthest = _RECYCLE_SHIFT * tf.constant([clip.width, clip.height], tf.float32)
        velocities = farthest * (2.0 * draw.uniform("recycle", 2) - 1.0)
        along = tf.linspace(0.0, 1.0, clip.num_frames)[:, tf.newaxis]
        return {"identity": left, "shifts": tf.cast(tf.round(velocities[:, tf.newaxis] * along), tf.int32)}

    def example(self, batch: DomainBatch, noise: StepNoise) -> Example:
        """Clips of A to be translated, and clips of B, which they should look like."""
        return Example({"base": to_float(batch.clips)}, to_float(batch.target))

    def extend(self, forward: ForwardPass, networks: Networks, render: Render) -> Translation:
        """The way back, both ways one after the other, and the discriminators of A."""
        source, target = forward.example.condition["base"], forward.example.target

        def there(clips: tf.Tensor) -> tf.Tensor:
            return networks.generator.outputs({"base": clips}, training=True)["pictures"]

        def outputs_back(clips: tf.Tensor) -> Tensors:
            return networks.auxiliary[INVERSE]({"base": clips}, training=True)

        def back(clips: tf.Tensor) -> tf.Tensor:
            return outputs_back(clips)["pictures"]

        outputs = outputs_back(target)
        made = outputs["pictures"]
        frames = sampled_frames(forward.noise.frames, self.config.clip.num_frames)
        factor = view_factor(self.config.clip, self.config.model)
        real = views_of(source, frames, factor)
        generated = for_each_view(lambda view: clip_with_inward_gradient(view, -1.0, 1.0),
                                  views_of(made, frames, factor))
        of_source = {name: self._discriminate(each, real, generated)
                     for name, each in self._source_discriminators.items()}
        recycle = None
        if self.config.given.recycle_weight:
            shifts = forward.noise.task["shifts"]
            recycle = ((shifted(source, shifts), back(shifted(forward.outputs["pictures"], shifts))),
                       (shifted(target, shifts), there(shifted(made, shifts))))
        return Translation(back(forward.outputs["pictures"]), there(made), recycle, (back(source), there(target)),
                           of_source, outputs.get("flow"))

    def _discriminate(self, discriminator: Discriminator, real: Views, generated: Views) -> DiscriminatorPass:
        real, generated = (discriminator.samples(getattr(views, discriminator.view)) for views in (real, generated))
        outputs = tuple(discriminator(samples, training=True) for samples in (real, generated))
        return DiscriminatorPass(discriminator, real, generated, None, *outputs, outputs)

    def fidelity_terms(self) -> list[LossTerm]:
        """Cycles and identity, of both ways."""
        given = self.config.given

        def cycle_of_source(forward: ForwardPass) -> tf.Tensor:
            return reconstruction.l1(forward.example.condition["base"], forward.task.cycle_source)

        def cycle_of_target(forward: ForwardPass) -> tf.Tensor:
            return reconstruction.l1(forward.example.target, forward.task.cycle_target)

        def identity_of_source(forward: ForwardPass) -> tf.Tensor:
            return forward.noise.task["identity"] * reconstruction.l1(
                forward.example.condition["base"], forward.task.identity[0])

        def identity_of_target(forward: ForwardPass) -> tf.Tensor:
            return forward.noise.task["identity"] * reconstruction.l1(forward.example.target, forward.task.identity[1])

        cycles = [LossTerm(name, given.cycle_weight, network, compute) for network in ("generator", INVERSE)
                  for name, compute in (("cycle_of_source", cycle_of_source), ("cycle_of_target", cycle_of_target))]
        smoothness = [LossTerm("smoothness", given.smoothness_weight, network, compute) for network, compute in (
            ("generator", lambda forward: reconstruction.flow_smoothness(forward.outputs["flow"])),
            (INVERSE, lambda forward: reconstruction.flow_smoothness(forward.task.flow)))] if self.only_warps else []
        recycles = [LossTerm(f"recycle_of_{domain}", given.recycle_weight, network, _recycle(number))
                    for network in ("generator", INVERSE) for number, domain in enumerate(("source", "target"))]
        return [*cycles, *smoothness, *recycles,
                LossTerm("identity", given.identity_weight, "generator", identity_of_target),
                LossTerm("identity", given.identity_weight, INVERSE, identity_of_source)]

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Cycles, identity, and the adversarial losses of both domains."""
        terms = super().terms(networks)
        for name, discriminator in self._source_discriminators.items():
            for term in discriminator_terms(self.config, networks.generator, name, discriminator):
                network = f"{_SOURCE}{name}" if term.network == name else INVERSE
                terms.append(term._replace(network=network, compute=_of_source(term)))
        return [term for term in terms if term.weight]

    # ---- use ----

    def sample(self, generator: Generator, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """Given clips, translated."""
        return {"video": self._made(generator, {"video": to_float(clips)}, None), "given": clips}

    def shown(self, samples: Mapping[str, np.ndarray]) -> np.ndarray:
        """What was given and what was made of it, side by side."""
        return np.concatenate([samples["given"], samples["video"]], 3)

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """See the top of this file."""
        return {name: signature for name, signature in super().signatures(generator).items() if name != "pairs"}


def _recycle(domain: int) -> Callable[[ForwardPass], tf.Tensor]:
    """L1 distance of clips that were moved, and those that were moved on the way."""
    return lambda forward: reconstruction.l1(*forward.task.recycle[domain])


def _of_source(term: LossTerm) -> Callable[[ForwardPass], tf.Tensor]:
    """A term of discriminators that is computed from those of A."""
    return lambda forward: term.compute(forward._replace(discriminators=forward.task.of_source))
