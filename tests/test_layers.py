"""Layers that networks share, on inputs whose answer is known."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.gan import VideoGAN
from gan_keras.models import attention, spectral
from gan_keras.models.build import build_discriminators
from gan_keras.models.generators.dcgan3d import Masked
from gan_keras.models.heads import MinibatchStatistics
from gan_keras.models.modulation import styled
from gan_keras.objective import Due
from tests.test_gan import BATCH


def test_attention_weighs_values_by_how_well_keys_match():
    x = tf.random.stateless_normal([2, 5, 16], [1, 2])
    inputs = keras.Input((5, 16))
    layer = keras.Model(inputs, attention.self_attention(inputs, "a"))
    np.testing.assert_array_equal(layer(x), x)  # the scale is zero at first
    for i, weight in enumerate(layer.weights):
        weight.assign(np.random.default_rng(i).normal(0, 0.5, weight.shape))
    part = {name: layer.get_layer(f"a_{name}") for name in ("query", "key", "value", "output")}
    query, key, value = (x @ part[name].kernel + part[name].bias for name in ("query", "key", "value"))
    weights = tf.nn.softmax(query @ tf.transpose(key, [0, 2, 1]), axis=-1)
    answer = (weights @ value) @ part["output"].kernel + part["output"].bias
    scale = layer.get_layer("a_scale").scale
    np.testing.assert_allclose(layer(x), x + scale * answer, atol=1e-4)


def over_time(tiny):
    inputs = keras.Input((4, 3, 3, 8))
    return keras.Model(inputs, attention.attend(inputs, tiny.replace(attention=("time:3",)).model))


def test_attention_over_time_mixes_the_frames_of_a_place_and_no_places(tiny):
    layer = over_time(tiny)
    for i, weight in enumerate(layer.weights):
        weight.assign(np.random.default_rng(i).normal(0, 1, weight.shape))
    x = tf.random.stateless_normal([1, 4, 3, 3, 8], [1, 2])
    other = x.numpy()
    other[0, 2, 1, 1] += 1.0
    changed = np.abs(layer(x) - layer(other)).max(axis=-1)[0] > 1e-5
    assert changed[:, 1, 1].all() and changed.sum() == 4


def test_attention_where_no_network_has_such_a_size_is_refused(tiny):
    with pytest.raises(UserError, match="space:7"):
        VideoGAN(tiny.replace(attention=("space:7",)), tf.distribute.get_strategy())


@pytest.mark.parametrize("wrong", ["space", "space:x", "depth:8"])
def test_attention_has_to_say_over_what_and_where(tiny, wrong):
    with pytest.raises(UserError, match=f"attention={wrong}"):
        tiny.replace(attention=(wrong,))


def normalized(precision="float32"):
    inputs = keras.Input((6,))
    layer = keras.layers.Dense(5, use_bias=False, dtype=precision)
    return spectral.spectrally_normalized(keras.Model(inputs, layer(inputs)))


@pytest.mark.parametrize(("precision", "rounding"), [("float32", 1e-5), ("mixed_bfloat16", 5e-3)])
def test_spectral_normalization_divides_by_the_largest_singular_value(precision, rounding):
    network = normalized(precision)
    layer, = spectral.normalized_layers(network)
    for _ in range(100):
        layer.direction.assign(layer.next_direction())
    kernel = layer.layer.kernel.numpy()
    expected = kernel / np.linalg.svd(kernel, compute_uv=False)[0]
    answer = network(np.eye(6, dtype="float32"))
    assert answer.dtype == {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16}[precision]
    np.testing.assert_allclose(tf.cast(answer, tf.float32), expected, rtol=1e-3, atol=rounding)


def test_other_weights_than_its_own_are_normalized_too():
    """As unrolling asks: all of them are taken from the scope around, not the kernel alone."""
    inputs = keras.Input((1,))
    network = spectral.spectrally_normalized(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
    fixed = [variable.value for variable in network.non_trainable_variables]
    answer, _ = network.stateless_call([tf.constant([[-3.0]]), tf.constant([7.0])], fixed, tf.constant([[2.0]]))
    np.testing.assert_allclose(answer, [[2.0 * -1.0 + 7.0]], rtol=1e-5)


def test_the_gradient_goes_through_the_norm():
    """Along the kernel itself the normalized answer does not change."""
    network = normalized()
    layer, = spectral.normalized_layers(network)
    for _ in range(100):
        layer.direction.assign(layer.next_direction())
    with tf.GradientTape() as tape:
        answer = tf.reduce_sum(network(tf.random.stateless_normal([4, 6], [0, 1])) ** 2)
    gradient = tape.gradient(answer, layer.layer.kernel.value)
    along = tf.reduce_sum(gradient * layer.layer.kernel.value) / (tf.norm(gradient) * tf.norm(layer.layer.kernel.value))
    assert abs(float(along)) < 1e-3 and float(tf.norm(gradient)) > 1e-3


def test_a_step_moves_every_direction_on(tiny):
    config = tiny.replace(resolution="8", num_frames=2, spectral_normalization=True, penalty="none",
                          generator="dcgan3d")
    gan = VideoGAN(config, tf.distribute.get_strategy())
    layers = spectral.normalized_layers(gan.discriminators["clip"].network)
    before = [layer.direction.numpy() for layer in layers]
    assert len(layers) >= 4 and any("direction" in name for name in gan.variables)
    tf.config.run_functions_eagerly(True)
    try:
        gan.train_step(BATCH, tf.constant(0, tf.int64), Due(penalty=False, generator=True))
    finally:
        tf.config.run_functions_eagerly(False)
    for layer, old in zip(layers, before, strict=True):
        assert np.linalg.norm(layer.direction) == pytest.approx(1.0, abs=1e-3)
        assert (layer.direction.numpy() != old).any()


def test_minibatch_statistics_tell_the_spread_of_four_samples():
    x = tf.concat([tf.ones([4, 2, 2, 3]), tf.reshape([0.0, 0.0, 2.0, 2.0], [4, 1, 1, 1]) * tf.ones([4, 2, 2, 3])], 0)
    found = MinibatchStatistics()(x).numpy()
    np.testing.assert_array_equal(found[..., :3], x)
    np.testing.assert_allclose(found[:4, ..., 3], 0.0, atol=1e-3)
    np.testing.assert_allclose(found[4:, ..., 3], 1.0, atol=1e-3)


def test_a_batch_without_whole_groups_is_refused(tiny, two_devices):
    with pytest.raises(UserError, match="batch_size=4"):
        VideoGAN(tiny.replace(minibatch_statistics=True), two_devices)


def test_a_foreground_lies_over_its_background_where_the_mask_says_so():
    foreground = np.zeros([1, 2, 1, 2, 4], "float32")
    foreground[..., :3], foreground[0, :, 0, 0, 3], foreground[0, :, 0, 1, 3] = 0.5, 100.0, 0.0
    found = Masked()(foreground, np.full([1, 1, 1, 2, 3], -1.0, "float32"))
    np.testing.assert_allclose(found["mask"][0, :, 0, :, 0], [[1.0, 0.5]] * 2, atol=1e-6)
    np.testing.assert_allclose(found["clip"][0, :, 0, :, 0], [[0.5, -0.25]] * 2, atol=1e-6)


def test_conditional_normalization_forgets_scale_and_shift_of_the_features():
    x, content = keras.Input((4, 4, 3)), keras.Input((2,))
    layer = keras.Model([x, content], styled(x, content, "s", normalize=True))
    for i, weight in enumerate(layer.weights):
        weight.assign(np.random.default_rng(i).normal(0, 1, weight.shape))
    features, told = tf.random.stateless_normal([2, 4, 4, 3], [0, 1]), tf.random.stateless_normal([2, 2], [0, 2])
    found = layer([features, told])
    np.testing.assert_allclose(found, layer([5.0 * features + 3.0, told]), atol=1e-2)
    scales, shifts = layer.get_layer("s_scales"), layer.get_layer("s_shifts")
    np.testing.assert_allclose(tf.reduce_mean(found, [1, 2]), told @ shifts.kernel + shifts.bias, atol=1e-3)
    spread = tf.math.reduce_std(found, [1, 2])
    np.testing.assert_allclose(spread, tf.abs(told @ scales.kernel + scales.bias), atol=1e-2)


@pytest.fixture(scope="module")
def told(tiny):
    config = tiny.replace(classes=("a", "b", "c"), discriminators=("clip",))
    return build_discriminators(config.clips, config.model, "float32")["clip"]


def test_projection_adds_the_product_of_class_and_features(told):
    samples = tf.random.stateless_normal([3, *told.network.input["samples"].shape[1:]], [0, 1])
    label = tf.one_hot([0, 2, 1], 3)
    plain, with_class = told.judge(samples), told.judge(samples, label)
    embedding = tf.gather(told.network.get_layer("label_embedding").kernel.value, [0, 2, 1])
    product = tf.reduce_sum(plain["features"] * embedding, axis=1)
    np.testing.assert_allclose(with_class["logits"], plain["logits"] + product, atol=1e-5)


def test_labels_are_those_of_the_samples_in_every_repetition(told):
    samples = tf.random.stateless_normal([2, *told.network.input["samples"].shape[1:]], [0, 1])
    label = tf.one_hot([0, 2], 3)
    once, twice = told.logits(samples, label), told.logits(tf.concat([samples, samples], 0), label)
    np.testing.assert_allclose(twice, tf.concat([once, once], 0), atol=1e-5)
