"""Auxiliary losses, beside the adversarial one: a pure function each, and its entry in `auxiliary_terms`.

References:
    1. Odena et al., Conditional image synthesis with auxiliary classifier GANs, 2017 (arXiv:1610.09585), eq. 3.
    2. Chen et al., InfoGAN, 2016 (arXiv:1606.03657), eq. 5.
    3. Salimans et al., Improved techniques for training GANs, 2016 (arXiv:1606.03498), section 3.1.
    4. Vondrick et al., Generating videos with scene dynamics, 2016 (arXiv:1609.02612), section 3.2.
"""

import tensorflow as tf

from gan_keras.config.train import ObjectiveSettings
from gan_keras.losses.forward_pass import (
    DiscriminatorPass,
    ForwardPass,
    LossTerm,
    mean_over_batch,
    mean_per_clip,
    same_for_clips,
)
from gan_keras.models.discriminator import Discriminator, repeat_for_samples
from gan_keras.models.generator import Generator


def auxiliary_terms(settings: ObjectiveSettings, generator: Generator, name: str, discriminator: Discriminator
                    ) -> list[LossTerm]:
    """Auxiliary losses of one discriminator, and of the generator through it.

    Args:
        settings: their weights.
        generator: its latents say which conditions there are.
        name: of the discriminator.
        discriminator: its heads say which outputs there are; its weight scales the generator's terms.
    """
    terms = []
    if "classes" in discriminator.network.output:
        weight = settings.classification_weight
        terms += [
            LossTerm("classification_real", weight, name, lambda forward: mean_per_clip(classification(
                forward.discriminators[name].real_outputs.classes, forward.discriminators[name].label), forward)),
            LossTerm("classification_generated", weight, name, lambda forward: _generated_class(forward, name)),
            LossTerm(f"classification/{name}", discriminator.weight * weight, "generator",
                     lambda forward: _generated_class(forward, name))]
    if {"category", "code"} & set(discriminator.network.output):
        weight = settings.mutual_information_weight
        terms += [
            LossTerm("mutual_information", weight, name, lambda forward: _mutual_information(forward, name)),
            LossTerm(f"mutual_information/{name}", discriminator.weight * weight, "generator",
                     lambda forward: _mutual_information(forward, name))]
    if settings.feature_matching_weight:
        terms.append(LossTerm(
            f"feature_matching/{name}", discriminator.weight * settings.feature_matching_weight, "generator",
            lambda forward: _feature_matching(forward, forward.discriminators[name]), crosses_replicas=True))
    return terms


def output_terms(settings: ObjectiveSettings, generator: Generator) -> list[LossTerm]:
    """Auxiliary losses of the generator's outputs, without any discriminator."""
    if "mask" not in generator.backbone.output:
        return []
    return [LossTerm("mask_sparsity", settings.mask_sparsity_weight, "generator",
                     lambda forward: sparsity(forward.outputs["mask"]))]


def classification(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the class (Odena 2017), [N]; 0 where no class is known.

    Args:
        logits: [N, K].
        label: weights of the classes [N, K]; zeros where none is known.
    """
    return -tf.reduce_sum(label * tf.nn.log_softmax(logits), axis=-1)


def code_likelihood(estimates: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """Negative log-likelihood of codes from -1 to 1 under normal densities of variance 1, without its constant, [N].

    With the entropy of the codes, which is fixed, it bounds the information that clips carry about them (Chen 2016).

    Args:
        estimates: [N, c].
        codes: [N, c].
    """
    return 0.5 * tf.reduce_sum(tf.square(codes - estimates), axis=-1)


def feature_matching(real: tf.Tensor, generated: tf.Tensor) -> tf.Tensor:
    """Squared distance of mean features (Salimans 2016), a scalar; no gradient goes to the real ones.

    Args:
        real: mean of the features of real samples, [C].
        generated: mean of those of generated samples, [C].
    """
    return tf.reduce_sum(tf.square(tf.stop_gradient(real) - generated))


def sparsity(mask: tf.Tensor) -> tf.Tensor:
    """Mean of a mask from 0 to 1, what a foreground covers (Vondrick 2016, λ|m|), [N].

    Args:
        mask: [N, ...].
    """
    return tf.reduce_mean(tf.abs(mask), axis=list(range(1, mask.shape.rank)))


def _generated_class(forward: ForwardPass, name: str) -> tf.Tensor:
    through = forward.discriminators[name]
    return mean_per_clip(classification(through.generated_outputs.classes, through.label), forward)


def _mutual_information(forward: ForwardPass, name: str) -> tf.Tensor:
    """Bound on the mutual information of generated clips and their codes, without its constant."""
    through, total = forward.discriminators[name], 0.0
    if through.generated_outputs.category is not None:
        category = repeat_for_samples(forward.inputs["category"], through.generated)
        total += classification(through.generated_outputs.category, category)
    if through.generated_outputs.code is not None:
        code = repeat_for_samples(forward.inputs["code"], through.generated)
        total += code_likelihood(through.generated_outputs.code, code)
    return mean_per_clip(total, forward)


def _feature_matching(forward: ForwardPass, through: DiscriminatorPass) -> tf.Tensor:
    real, generated = (mean_over_batch(outputs.features) for outputs in through.seen_by_generator)
    return same_for_clips(feature_matching(real, generated), forward)
