"""Conditions of a generator beside its own latents: the class of a clip, and codes that are found without labels.

Each is one more latent, a vector for a clip: of a class one-hot (or weights of several classes, which mixes them), of a
code numbers from -1 to 1. A small network in front, the *mapping*, shifts the generator's latents of the clip by them,
so that every architecture can be conditioned and none knows of it.

| latent     | values           | setting        |                                                             |
|------------|------------------|----------------|-------------------------------------------------------------|
| `label`    | one of K classes | `--classes`    | conditional GAN (Mirza and Osindero, 2014, arXiv:1411.1784) |
| `category` | one of k         | `--categories` | InfoGAN (Chen et al., 2016, arXiv:1606.03657)               |
| `code`     | -1 to 1          | `--codes`      | InfoGAN                                                     |
"""

import dataclasses
from collections.abc import Mapping

import keras
from keras import layers

from gan_keras.config.train import ModelSettings
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent

CONDITIONS = ("label", "category", "code")


def condition_latents(model: ModelSettings) -> dict[str, Latent]:
    """The conditions that the settings ask for."""
    latents = {"label": Latent(len(model.classes), distribution="category"),
               "category": Latent(model.categories, distribution="category"),
               "code": Latent(model.codes, distribution="uniform")}
    return {name: latent for name, latent in latents.items() if latent.dim}


def conditioned(generator: Generator, model: ModelSettings) -> Generator:
    """The generator with the conditions of the settings among its latents."""
    conditions = condition_latents(model)
    return dataclasses.replace(generator, latents={**generator.latents, **conditions},
                               mapping=_mapping(generator.latents, conditions)) if conditions else generator


def _mapping(latents: Mapping[str, Latent], conditions: Mapping[str, Latent]) -> keras.Model:
    """{latents of the clip and conditions, [B, dim]} → {the same latents, [B, dim]}, float32."""
    shifted = {name: latent for name, latent in latents.items() if not latent.per_frame}
    inputs = {name: keras.Input((latent.dim,), name=name) for name, latent in {**shifted, **conditions}.items()}
    condition = layers.Concatenate(dtype="float32", name="conditions")([inputs[name] for name in conditions])
    outputs = {}
    for name, latent in shifted.items():
        # As far from each other as draws of the latent are.
        shift = layers.Dense(latent.dim, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(0.0, 1.0),
                             dtype="float32", name=f"{name}_shift")(condition)
        outputs[name] = layers.Add(dtype="float32", name=f"{name}_conditioned")([inputs[name], shift])
    return keras.Model(inputs, outputs, name="mapping")
