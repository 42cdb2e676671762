"""From settings to networks with new weights."""

import contextlib
import dataclasses
import importlib
import math
import random
from collections.abc import Callable, Iterator

import keras
import numpy as np
from keras import layers

from gan_keras.config.settings import split_weight
from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.spectral_normalization import spectrally_normalized
from gan_keras.models.conditioning import conditioned
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.generator import Generator
from gan_keras.models.heads import with_heads
from gan_keras.models.views import Views, low_resolution_factor, view_shapes

_LATENT_LAYERS, _LATENT_WIDTH = 2, 8


def build_generator(clip: ClipSettings, model: ModelSettings, precision: str) -> Generator:
    """Builds the generator that the settings name, conditioned as they say.

    Args:
        clip: shape of a clip.
        model: architecture, width, conditions.
        precision: Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.
    """
    with dtype_policy(precision):
        build = _function("gan_keras.models.generators", model.generator)
        return conditioned(build(clip, model, low_resolution_factor(clip, model)), model)


def build_autoencoder(clip: ClipSettings, model: ModelSettings, precision: str) -> Generator:
    """Builds the generator that the settings name, with the encoder that they name."""
    with dtype_policy(precision):
        generator = _function("gan_keras.models.generators", model.generator)(clip, model,
                                                                              low_resolution_factor(clip, model))
        encoder = _function("gan_keras.models.encoders", model.encoder)(clip, model, generator.latents)
        return dataclasses.replace(generator, encoder=encoder)


def build_discriminators(clip: ClipSettings, model: ModelSettings, precision: str, channels: int = 3
                         ) -> dict[str, Discriminator]:
    """Builds the discriminators that the settings name, by name in the order given.

    Each file of `models.discriminators` makes a trunk, samples → features; the heads are the same for all of them
    (`models.heads`).

    Args:
        clip: shape of a clip.
        model: names, width, heads.
        precision: Keras dtype policy.
        channels: of a frame as discriminators see it: 3, and those of conditions that are shown to them.
    """
    shapes = discriminator_view_shapes(clip, model, channels)
    discriminators = {}
    for item in model.discriminators:
        name, weight = split_weight(item)
        module = importlib.import_module(f"gan_keras.models.discriminators.{name}")
        with dtype_policy(precision):
            discriminator = getattr(module, name)(getattr(shapes, module.VIEW), model)
            network = with_heads(discriminator.network, model, discriminator.patches)
            if model.spectral_normalization:
                network = spectrally_normalized(network)
        discriminators[name] = dataclasses.replace(discriminator, network=network, weight=weight)
    return discriminators


def discriminator_view_shapes(clip: ClipSettings, model: ModelSettings, channels: int = 3) -> Views:
    """Shapes of the views that the discriminators of the settings see, without the batch dimension."""
    return view_shapes(clip, model, view_factor(clip, model), channels)


def view_factor(clip: ClipSettings, model: ModelSettings) -> int:
    """Downsampling factor of the low-resolution view.

    It is 1 where no discriminator sees full resolution otherwise: one has to.
    """
    names = (split_weight(item)[0] for item in model.discriminators)
    seen = {importlib.import_module(f"gan_keras.models.discriminators.{name}").VIEW for name in names}
    return low_resolution_factor(clip, model) if "full_resolution" in seen else 1


def build_latent_discriminator(generator: Generator, clip: ClipSettings, model: ModelSettings) -> keras.Model:
    """Builds a discriminator of latents: all latents of a clip in a row [B, D] → logits float32 [B], whether they were
    drawn or encoded (adversarial autoencoder, Makhzani et al., 2015, arXiv:1511.05644)."""
    dim = sum(math.prod(latent.shape(clip.num_frames)) for latent in generator.latents.values())
    x = row = keras.Input((dim,), name="latents")
    for i in range(_LATENT_LAYERS):
        x = blocks.leaky_relu(blocks.dense(x, _LATENT_WIDTH * model.discriminator_width, f"hidden_{i}"),
                              f"activation_{i}")
    logits = layers.Reshape((), name="logits")(blocks.dense(x, 1, "logit"))
    return keras.Model(row, logits, name="latent_discriminator")


@contextlib.contextmanager
def seeded_initializers(seed: int) -> Iterator[None]:
    """Context in which weights are initialized by a seed; Python's and NumPy's random states are restored after it."""
    states = random.getstate(), np.random.get_state()  # noqa: NPY002 (Keras draws its seeds from Python's state)
    keras.utils.set_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002


@contextlib.contextmanager
def dtype_policy(policy: str) -> Iterator[None]:
    """Context in which new layers have the given dtype policy; the one before is restored."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _function(package: str, name: str) -> Callable:
    return getattr(importlib.import_module(f"{package}.{name}"), name)
