"""What a generator can be told beside its own latents: the class of a clip, and codes that are found without labels.

Each is one more latent, a row of numbers for a clip: of a class a one among zeros (or weights of several classes, which
mixes them), of a code numbers from -1 to 1. A small network in front, the *mapping*, moves the generator's latents of
the clip by them, so that every family can be conditioned and none knows of it.

| latent     | numbers         | setting        |                                                   |
|------------|-----------------|----------------|---------------------------------------------------|
| `label`    | one for a class | `--classes`    | conditional GAN (Mirza and Osindero, 2014, arXiv:1411.1784) |
| `category` | one of k        | `--categories` | InfoGAN (Chen et al., 2016, arXiv:1606.03657)     |
| `code`     | -1 to 1         | `--codes`      | InfoGAN                                           |
"""

import dataclasses

import keras
from keras import layers

from gan_keras.models.generator import Generator
from gan_keras.sampling import Latent
from gan_keras.train_settings import ModelSettings


def conditions(model: ModelSettings) -> dict[str, Latent]:
    """What the settings have a generator told."""
    told = {"label": Latent(len(model.classes), kind="category"), "category": Latent(model.categories, kind="category"),
            "code": Latent(model.codes, kind="uniform")}
    return {name: latent for name, latent in told.items() if latent.size}


def conditioned(generator: Generator, model: ModelSettings) -> Generator:
    """The generator with the conditions of the settings among its latents."""
    told = conditions(model)
    return dataclasses.replace(generator, latents={**generator.latents, **told},
                               mapping=_mapping(generator.latents, told)) if told else generator


def _mapping(latents: dict[str, Latent], told: dict[str, Latent]) -> keras.Model:
    """{latents of the clip and conditions, [B, size]} → {the same latents, [B, size]}, float32."""
    moved = {name: latent for name, latent in latents.items() if not latent.per_frame}
    inputs = {name: keras.Input((latent.size,), name=name) for name, latent in {**moved, **told}.items()}
    said = layers.Concatenate(dtype="float32", name="conditions")([inputs[name] for name in told])
    outputs = {}
    for name, latent in moved.items():
        # As far from each other as draws of the latent are.
        shift = layers.Dense(latent.size, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(0.0, 1.0),
                             dtype="float32", name=f"{name}_by_conditions")(said)
        outputs[name] = layers.Add(dtype="float32", name=f"{name}_conditioned")([inputs[name], shift])
    return keras.Model(inputs, outputs, name="mapping")
