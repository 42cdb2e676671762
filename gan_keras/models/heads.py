"""Heads of a discriminator, the same for all architectures: what is computed from its features.

Where `class_conditioning` is `projection`, the class is an input, `label` [N, K], and the logit grows by the product of
its embedding with the features (Miyato and Koyama, 2018, arXiv:1802.05637, eq. 3). All outputs are float32.
"""

import keras
from keras import layers

from gan_keras.config.train import ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.minibatch_stddev import MinibatchStddev


def with_heads(trunk: keras.Model, model: ModelSettings, patches: bool) -> keras.Model:
    """Network from samples to `DiscriminatorOutputs`.

    Args:
        trunk: samples [N, ...] → features [N, ..., C].
        model: which heads there are.
        patches: whether each position of the features has a logit of its own.
    """
    inputs, x = {"samples": trunk.input}, trunk.output
    if model.minibatch_stddev:
        x = MinibatchStddev(name="minibatch_stddev")(x)
        x = layers.Dense(trunk.output.shape[-1], name="minibatch_stddev_dense")(x)
    x = blocks.leaky_relu(x, "head_activation")
    features = _global_average(x)
    logits = _patch_logits(x) if patches else _logit(x)
    outputs = {"features": features}
    if model.classes and model.class_conditioning == "projection":
        inputs["label"] = keras.Input((len(model.classes),), name="label")
        logits = _add_projection(logits, features, inputs["label"])
    elif model.classes:
        outputs["classes"] = _dense(features, len(model.classes), "classes")
    for name, size in (("category", model.categories), ("code", model.codes)):
        if size:
            hidden = blocks.leaky_relu(_dense(features, features.shape[-1], f"{name}_hidden"), f"{name}_activation")
            outputs[name] = _dense(hidden, size, name)
    return keras.Model(inputs, {"logits": logits, **outputs}, name=trunk.name)


def _global_average(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Reshape((-1, x.shape[-1]), dtype="float32", name="positions")(x)
    return layers.GlobalAveragePooling1D(dtype="float32", name="features")(x)


def _logit(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _dense(layers.Flatten(name="flat")(x), 1, "logit")
    return layers.Reshape((), dtype="float32", name="logits")(x)


def _patch_logits(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Reshape((-1,), dtype="float32", name="logits")(_dense(x, 1, "logit"))


def _add_projection(logits: keras.KerasTensor, features: keras.KerasTensor, label: keras.KerasTensor
                    ) -> keras.KerasTensor:
    embedding = layers.Dense(features.shape[-1], use_bias=False, dtype="float32", name="label_embedding")(label)
    product = layers.Dot(1, dtype="float32", name="projection")([features, embedding])
    if len(logits.shape) == 1:
        product = layers.Reshape((), dtype="float32", name="projection_shape")(product)
    return layers.Add(dtype="float32", name="logits_projected")([logits, product])


def _dense(x: keras.KerasTensor, units: int, name: str) -> keras.KerasTensor:
    return layers.Dense(units, dtype="float32", name=name)(x)
