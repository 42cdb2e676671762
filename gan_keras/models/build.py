"""From settings to networks with fresh weights."""

import dataclasses
import math

import keras
from keras import layers

from gan_keras import catalog
from gan_keras.models import blocks
from gan_keras.models.conditions import conditioned
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.generator import Generator, keras_precision
from gan_keras.models.heads import with_heads
from gan_keras.models.spectral import spectrally_normalized
from gan_keras.settings import split_weight
from gan_keras.train_settings import ClipSettings, ModelSettings

_LATENT_JUDGE_LAYERS, _LATENT_JUDGE_UNITS = 2, 8


def build_generator(clips: ClipSettings, model: ModelSettings, precision: str) -> Generator:
    """Builds the generator that the settings name.

    Args:
        clips: what a clip is.
        model: which family, how wide, what it is told.
        precision: a Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.
    """
    with keras_precision(precision):
        generator = catalog.find("models.generators", model.generator)(clips, model)
        if model.encoder:
            encoder = catalog.find("models.encoders", model.encoder)(clips, model, generator.latents)
            return dataclasses.replace(generator, encoder=encoder)
        return conditioned(generator, model)


def build_latent_judge(generator: Generator, clips: ClipSettings, model: ModelSettings) -> keras.Model:
    """A network from all latents of a clip in a row [B, D] to logits float32 [B]: are they drawn, or encoded?
    (Adversarial autoencoder, Makhzani et al., 2015, arXiv:1511.05644.)"""
    numbers = sum(math.prod(latent.shape(clips.num_frames)) for latent in generator.latents.values())
    x = row = keras.Input((numbers,), name="latents")
    for i in range(_LATENT_JUDGE_LAYERS):
        x = blocks.activation(blocks.dense(x, _LATENT_JUDGE_UNITS * model.discriminator_width, f"hidden_{i}"),
                              f"activation_{i}")
    return keras.Model(row, layers.Reshape((), name="logits")(blocks.dense(x, 1, "logit")), name="latents")


def build_discriminators(clips: ClipSettings, model: ModelSettings, precision: str) -> dict[str, Discriminator]:
    """Builds the discriminators that the settings name, by name in the order given.

    Each file of `models.discriminators` brings a *trunk*, samples → features; what the features are asked is the same
    for all of them (`models/heads.py`).
    """
    built = {}
    for item in model.discriminators:
        name, weight = split_weight(item)
        with keras_precision(precision):
            judge = catalog.find("models.discriminators", name)(clips, model)
            network = with_heads(judge.network, model, judge.patches)
            if model.spectral_normalization:
                network = spectrally_normalized(network)
        built[name] = dataclasses.replace(judge, network=network, weight=weight)
    return built
