"""What the features of a discriminator are asked, the same for every one of them.

| output     | shape         | what                                                               | where             |
|------------|---------------|--------------------------------------------------------------------|-------------------|
| `logits`   | [N] or [N, P] | real or generated; of patches, for each place                      | always            |
| `features` | [N, C]        | the features, their mean over all places                           | always            |
| `classes`  | [N, K]        | logits of the class (AC-GAN, Odena et al., 2017, arXiv:1610.09585) | asked to classify |
| `category` | [N, k]        | logits of the category that the generator was told (InfoGAN)       | `categories`      |
| `code`     | [N, c]        | guess of the code that the generator was told (InfoGAN)            | `codes`           |

Where `class_judge` is `projection`, the class is an input, `label` [N, K], and the logit grows by the product of its
embedding with the features (Miyato and Koyama, 2018, arXiv:1802.05637, eq. 3). All outputs are float32.
"""

import keras
import tensorflow as tf
from keras import layers

from gan_keras.models import blocks
from gan_keras.train_settings import ModelSettings

STATISTICS_GROUP = 4
"""Samples in a row whose spread is told to each of them."""


def with_heads(trunk: keras.Model, model: ModelSettings, patches: bool) -> keras.Model:
    """From samples to all that is asked of them.

    Args:
        trunk: samples [N, ...] → features [N, ..., C].
        model: which heads there are.
        patches: each place of the features gets a logit of its own.
    """
    inputs, x = {"samples": trunk.input}, trunk.output
    if model.minibatch_statistics:
        x = MinibatchStatistics(name="statistics")(x)
        x = layers.Dense(trunk.output.shape[-1], name="statistics_dense")(x)
    x = blocks.activation(x, "head_activation")
    features = _pooled(x)
    logits = _patch_logits(x) if patches else _logit(x)
    outputs = {"features": features}
    if model.classes and model.class_judge == "projection":
        inputs["label"] = keras.Input((len(model.classes),), name="label")
        logits = _projected(logits, features, inputs["label"])
    elif model.classes:
        outputs["classes"] = _dense(features, len(model.classes), "classes")
    for name, size in (("category", model.categories), ("code", model.codes)):
        if size:
            hidden = blocks.activation(_dense(features, features.shape[-1], f"{name}_hidden"), f"{name}_activation")
            outputs[name] = _dense(hidden, size, name)
    return keras.Model(inputs, {"logits": logits, **outputs}, name=trunk.name)


class MinibatchStatistics(layers.Layer):
    """Tells each sample how unlike it and its neighbours in the batch are: a channel more, [N, ..., C + 1].

    The standard deviation over groups of 4 samples, its mean over places and channels (Karras et al., 2018,
    arXiv:1710.10196, section 3). Where N is no multiple of 4, the last sample is counted for those that are missing.
    """

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """x and the channel."""
        count = tf.shape(x)[0]
        whole = tf.concat([x, tf.repeat(x[-1:], -count % STATISTICS_GROUP, axis=0)], 0)
        groups = tf.reshape(tf.cast(whole, tf.float32), [-1, STATISTICS_GROUP, *x.shape[1:]])
        spread = tf.sqrt(tf.math.reduce_variance(groups, axis=1) + 1e-8)
        spread = tf.reduce_mean(spread, axis=list(range(1, len(x.shape))))
        spread = tf.repeat(spread, STATISTICS_GROUP)[:count]
        spread = tf.reshape(spread, [-1] + [1] * (len(x.shape) - 1))
        return tf.concat([x, tf.cast(tf.broadcast_to(spread, [*tf.unstack(tf.shape(x))[:-1], 1]), x.dtype)], -1)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """One channel more."""
        return (*shape[:-1], shape[-1] + 1)


def _pooled(x: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Reshape((-1, x.shape[-1]), dtype="float32", name="places")(x)
    return layers.GlobalAveragePooling1D(dtype="float32", name="features")(x)


def _logit(x: keras.KerasTensor) -> keras.KerasTensor:
    x = _dense(layers.Flatten(name="flat")(x), 1, "logit")
    return layers.Reshape((), dtype="float32", name="logits")(x)


def _patch_logits(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.Reshape((-1,), dtype="float32", name="logits")(_dense(x, 1, "logit"))


def _projected(logits: keras.KerasTensor, features: keras.KerasTensor, label: keras.KerasTensor) -> keras.KerasTensor:
    embedding = layers.Dense(features.shape[-1], use_bias=False, dtype="float32", name="label_embedding")(label)
    product = layers.Dot(1, dtype="float32", name="projection")([features, embedding])
    if len(logits.shape) == 1:
        product = layers.Reshape((), dtype="float32", name="projection_shape")(product)
    return layers.Add(dtype="float32", name="logits_projected")([logits, product])


def _dense(x: keras.KerasTensor, units: int, name: str) -> keras.KerasTensor:
    return layers.Dense(units, dtype="float32", name=name)(x)
