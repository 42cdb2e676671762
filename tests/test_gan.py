"""The training step: what two replicas, a NaN and each setting do to it."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import catalog
from gan_keras.gan import VideoGAN
from gan_keras.objective import Due

BATCH = {"clips": tf.cast(tf.random.stateless_uniform([4, 2, 8, 8, 3], [3, 4], 0, 256, tf.int32), tf.uint8),
         "label": tf.constant([0, 1, -1, 1], tf.int64)}


@pytest.fixture(scope="module")
def tiny(tiny):
    """Even smaller: nearly all the time goes into tracing, which grows with the number of layers."""
    return tiny.replace(resolution="8", num_frames=2, generator="dcgan3d")


def run(config, strategy, steps):
    """Trains so many steps and returns the pair and what the last step measured."""
    gan = VideoGAN(config, strategy)
    numbers = {}
    for step in range(steps):
        numbers = gan.train_step(gan.split(BATCH), tf.constant(step, tf.int64), gan.due(step))
    return gan, {name: float(value) for name, value in numbers.items()}


def values(gan):
    return {name: variable.numpy() for name, variable in gan.variables.items()}


@pytest.mark.parametrize("family", ["layered", "dcgan3d"])
def test_two_devices_equal_one(tiny, family, one_device, two_devices):
    """As a graph, one family drawn frame by frame and one at once; `test_families` has the others, step by step."""
    config = tiny.replace(generator=family, loss="relativistic", penalty="r1r2", penalty_every=1, optimizer="sgd",
                          learning_rate=0.01, gradient_norm_limit=1.0, augment_step=("flip", "crop"),
                          discriminators=("frame", "pair:0.5", "clip"))
    (one, numbers), (two, same) = run(config, one_device, 5), run(config, two_devices, 5)
    start = values(VideoGAN(config, tf.distribute.get_strategy()))
    moved = 0.0
    for name, value in values(one).items():
        np.testing.assert_allclose(value, values(two)[name], atol=1e-5, err_msg=name)
        moved = max(moved, np.abs(value - start[name]).max() if name.startswith("generator") else 0.0)
    assert moved > 1e-3
    assert numbers["loss/frame"] == pytest.approx(same["loss/frame"], abs=1e-4)


def test_a_step_that_is_not_finite_on_one_replica_is_skipped_on_both(tiny, two_devices):
    gan = VideoGAN(tiny, two_devices)
    before = values(gan)
    judge = gan.discriminators["clip"].network

    def poisoned(given, training):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        said = judge(given, training=training)
        return {**said, "logits": said["logits"] * tf.where(replica == 1, np.nan, 1.0)}

    object.__setattr__(gan.discriminators["clip"], "network", Poisoned(judge, poisoned))
    numbers = gan.train_step(gan.split(BATCH), tf.constant(0, tf.int64), Due(penalty=False, generator=True))
    assert float(numbers["skipped"]) == 1.0
    for name, value in values(gan).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


class Poisoned:
    """A network whose logits are changed on the way out."""

    def __init__(self, network, call):
        self._network, self._call = network, call

    def __call__(self, given, training):
        return self._call(given, training)

    def __getattr__(self, name):
        return getattr(self._network, name)


@pytest.fixture(scope="module")
def trained(tiny, one_device):
    return run(tiny.replace(optimizer="sgd", learning_rate=0.05), one_device, 3)


def test_the_average_follows_the_generator(trained, one_device):
    gan, _ = trained
    start = VideoGAN(gan.config, tf.distribute.get_strategy())
    expected = {name: value.numpy() for name, value in start.generator.named_weights("x").items()}
    again = VideoGAN(gan.config, one_device)
    for step in range(3):
        again.train_step(BATCH, tf.constant(step, tf.int64), again.due(step))
        decay = (1 + step) / (10 + step)
        expected = {name: decay * expected[name] + (1 - decay) * value.numpy()
                    for name, value in again.generator.named_weights("x").items()}
    for name, value in gan.average.named_weights("x").items():
        np.testing.assert_allclose(value, expected[name], atol=1e-6, err_msg=name)


def test_gradients_are_clipped_to_the_limit(tiny, one_device):
    limit = 1e-3
    config = tiny.replace(optimizer="sgd", learning_rate=1.0, gradient_norm_limit=limit)
    start, (gan, numbers) = values(VideoGAN(config, one_device)), run(config, one_device, 1)
    assert numbers["gradient_norm/generator"] > limit
    moved = [value - start[name] for name, value in values(gan).items() if name.startswith("generator")]
    assert np.sqrt(sum(np.square(part).sum() for part in moved)) == pytest.approx(limit, rel=1e-3)


@pytest.mark.parametrize("discriminators", [("clip",), ("frame",), ("pair", "clip:2")])
@pytest.mark.parametrize("family", catalog.choices("models.generators"))
def test_any_set_of_discriminators_trains_every_weight_of_the_generator(tiny, family, discriminators):
    config = tiny.replace(generator=family, discriminators=discriminators, optimizer="sgd", loss="bce",
                          learning_rate=0.05)
    tf.config.run_functions_eagerly(True)
    try:
        gan, numbers = run(config, tf.distribute.get_strategy(), 5)  # behind zeros, a layer a step
    finally:
        tf.config.run_functions_eagerly(False)
    start = values(VideoGAN(config, tf.distribute.get_strategy()))
    assert numbers["skipped"] == 0
    for name, value in values(gan).items():
        if name.startswith(("generator/", "discriminator/")):
            assert (value != start[name]).any(), name


@pytest.mark.parametrize(("family", "precision", "tolerance"), [
    ("layered", "float32", 1e-4), ("layered", "mixed_bfloat16", 0.1), ("mocogan", "mixed_bfloat16", 0.1),
    ("dcgan3d", "float32", 1e-4)])
def test_xla_computes_the_same_gradients(tiny, family, precision, tolerance):
    """On GPUs the step is compiled; XLA refuses some graphs that TensorFlow runs, so it is tried here."""
    found = {}
    for xla in (False, True):
        gan = VideoGAN(tiny.replace(generator=family, discriminators=("frame",)), tf.distribute.get_strategy(),
                       precision, xla)
        noise = {**gan.noise(tf.constant(0, tf.int64), 0), "augment_probability": tf.constant(1.0)}
        gradients, _ = gan._local_gradients(BATCH, noise, Due(penalty=True, generator=True))
        found[xla] = tf.concat([tf.reshape(gradient, [-1]) for gradient in tf.nest.flatten(gradients)], 0)
    difference = tf.norm(found[True] - found[False]) / tf.norm(found[False])
    assert difference < tolerance


def test_every_network_is_named_in_what_is_measured(trained):
    _, numbers = trained
    for name in ("pair", "clip"):
        for what in ("loss", "accuracy_real", "accuracy_generated", "gradient_norm"):
            assert np.isfinite(numbers[f"{what}/{name}"])
        assert 0 <= numbers[f"accuracy_real/{name}"] <= 1
    assert {"loss/generator", "gradient_norm/generator", "skipped"} <= set(numbers)


def test_the_penalty_is_due_every_so_many_steps(tiny):
    gan = VideoGAN(tiny.replace(penalty_every=3), tf.distribute.get_strategy())
    assert [gan.due(step).penalty for step in range(5)] == [True, False, False, True, False]
    assert not VideoGAN(tiny.replace(penalty="none"), tf.distribute.get_strategy()).due(0).penalty


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, [0.1, 0.1, 0.1]),
    ({"warmup_steps": 2}, [0.0, 0.05, 0.1]),
    ({"learning_rate_schedule": "cosine", "steps": 4}, [0.1, 0.1 * (1 + np.sqrt(0.5)) / 2, 0.05]),
    ({"learning_rate_schedule": "cosine", "steps": 6, "warmup_steps": 2}, [0.0, 0.05, 0.1])])
def test_learning_rate_schedules(tiny, settings, expected):
    gan = VideoGAN(tiny.replace(learning_rate=0.1, **settings), tf.distribute.get_strategy())
    optimizer, found = gan.optimizers["generator"], []
    for _ in expected:
        found.append(gan.learning_rate)
        optimizer.apply([tf.zeros_like(v) for v in gan.generator.trainable_variables])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_bfloat16_trains_and_keeps_float32_weights(tiny, one_device):
    tiny = tiny.replace(generator="layered")
    gan = VideoGAN(tiny, one_device, "mixed_bfloat16")
    numbers = gan.train_step(BATCH, tf.constant(0, tf.int64), Due(penalty=True, generator=True))
    assert float(numbers["skipped"]) == 0.0
    assert {variable.dtype for variable in gan.generator.weights} == {"float32"}
    reference, expected = run(tiny, one_device, 1)
    assert float(numbers["loss/pair"]) == pytest.approx(expected["loss/pair"], rel=0.05)
    assert reference.generator.backbone.get_layer("point_1").compute_dtype == "float32"
    assert gan.generator.backbone.get_layer("point_1").compute_dtype == "bfloat16"
    assert gan.average.backbone.get_layer("point_1").compute_dtype == "float32"
