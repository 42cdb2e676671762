"""The training step: what two replicas, a NaN and each setting do to it."""

from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.models.generators import GENERATORS
from gan_keras.training.metrics import discriminator_metrics
from gan_keras.training.optimizers import learning_rate
from gan_keras.training.step_schedule import StepSchedule
from gan_keras.training.train_step import VideoGAN
from tests.conftest import operation_by_operation
from tests.training.batches import BATCH, WITHOUT_PENALTY, step_of, train, values


@pytest.fixture(scope="module")
def tiny(tiny):
    """Even smaller: nearly all the time goes into tracing, which grows with the number of layers."""
    return tiny.replace(resolution="8", num_frames=2, generator="dcgan3d")


@pytest.mark.slow
@pytest.mark.parametrize(("generator", "settings"), [("mocogan", {}), ("dcgan3d", {"feature_matching_weight": 1.0})])
def test_two_devices_equal_one(tiny, generator, settings, one_device, two_devices):
    """As a graph: a generator of frame by frame and one of whole clips, with a loss that needs sums over the devices;
    `test_flagfiles` has the others, eagerly."""
    config = tiny.replace(generator=generator, loss="relativistic", penalty="r1r2", penalty_interval=1,
                          optimizer="sgd", learning_rate=0.01, gradient_clip_norm=1.0, diffaugment=("flip", "crop"),
                          discriminators=("frame", "pair:0.5", "clip"), **settings)
    one, two = VideoGAN.create(config, one_device), VideoGAN.create(config, two_devices)
    start = values(one)
    with operation_by_operation():
        metrics = train(one, 5)
    same, moved = train(two, 5), 0.0
    for name, value in values(one).items():
        np.testing.assert_allclose(value, values(two)[name], atol=1e-5, err_msg=name)
        moved = max(moved, np.abs(value - start[name]).max() if name.startswith("generator") else 0.0)
    assert moved > 1e-3
    for name, value in metrics.items():
        assert value == pytest.approx(same[name], abs=2e-4), name


@pytest.mark.slow
def test_parts_of_a_batch_one_after_the_other_equal_the_whole(tiny, one_device, two_devices):
    config = tiny.replace(penalty_interval=1, optimizer="sgd", learning_rate=0.01, discriminators=("pair", "clip"))
    whole = VideoGAN.create(config, one_device)
    start = values(whole)
    with operation_by_operation():
        metrics = train(whole, 3)
    moved = max(np.abs(value - start[name]).max() for name, value in values(whole).items())
    assert moved > 1e-3
    for parts, devices in ((4, one_device), (2, two_devices)):
        in_parts = VideoGAN.create(config.replace(gradient_accumulation_steps=parts), devices)
        same = train(in_parts, 3)
        for name, value in values(whole).items():
            np.testing.assert_allclose(value, values(in_parts)[name], atol=1e-5, err_msg=name)
        for name, value in metrics.items():
            assert value == pytest.approx(same[name], abs=2e-4), name


def test_parts_and_a_loss_of_the_whole_batch_are_refused(tiny, undistributed):
    config = tiny.replace(feature_matching_weight=1.0, gradient_accumulation_steps=2)
    with pytest.raises(UserError, match="must be 1 with a loss of all clips of a batch together: feature_matching"):
        VideoGAN.create(config, undistributed)
    with pytest.raises(UserError, match="a multiple of 4 for each of the 1 devices, because of `gradient_accumulation"):
        VideoGAN.create(tiny.replace(batch_size=6, gradient_accumulation_steps=4), undistributed)


def test_metrics_compare_over_the_whole_batch():
    """Half of the real logits are above the mean generated one of all samples, though not within each half."""
    real, generated = tf.constant([0.0, 1.0, 4.0, 5.0]), tf.constant([-1.0, -1.0, 6.0, 6.0])
    metrics = discriminator_metrics({"clip": (real, generated)})
    assert {name: float(value) for name, value in metrics.items()} == {
        "accuracy_real/clip": 0.5, "accuracy_generated/clip": 0.5, "accuracy_pairs/clip": 0.5,
        "logit_real/clip": 2.5, "logit_generated/clip": 2.5}


def test_gradients_are_summed_over_the_devices_once(tiny, two_devices):
    """Of all collective sums in the traced step: as many values as there are gradients and metrics, on each device."""
    gan = VideoGAN.create(tiny.replace(discriminators=("clip",)), two_devices)
    step = gan.train_step.get_concrete_function(gan.distribution.split(BATCH), tf.constant(0, tf.int64),
                                                WITHOUT_PENALTY)
    metrics = [name for name in step.structured_outputs if not name.startswith(("gradient_norm/", "skipped"))]
    variables = (*gan.generator.trainable_variables, *gan.discriminators["clip"].network.trainable_variables)
    expected = len(metrics) + sum(int(tf.size(variable)) for variable in variables)
    sums = [operation for operation in step.graph.get_operations() if operation.type.startswith("CollectiveReduce")]
    by_device = {device: sum(operation.inputs[0].shape.num_elements() for operation in sums
                             if operation.device == device) for device in {operation.device for operation in sums}}
    assert list(by_device.values()) == [expected, expected]
    functions = step.graph.as_graph_def().library.function
    assert functions and not [node for function in functions for node in function.node_def
                              if node.op.startswith("Collective")]


def test_a_step_that_is_not_finite_on_one_replica_is_skipped_on_both(tiny, two_devices, eagerly):
    gan = VideoGAN.create(tiny, two_devices)
    before = values(gan)
    network = gan.discriminators["clip"].network

    def poisoned(inputs, training):
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        outputs = network(inputs, training=training)
        return {**outputs, "logits": outputs["logits"] * tf.where(replica == 1, np.nan, 1.0)}

    object.__setattr__(gan.discriminators["clip"], "network", Poisoned(network, poisoned))
    assert float(step_of(gan, 0, schedule=WITHOUT_PENALTY)["skipped"]) == 1.0
    for name, value in values(gan).items():
        np.testing.assert_array_equal(value, before[name], err_msg=name)


class Poisoned:
    """A network whose logits are changed on the way out."""

    def __init__(self, network, call):
        self._network, self._call = network, call

    def __call__(self, inputs, training):
        return self._call(inputs, training)

    def __getattr__(self, name):
        return getattr(self._network, name)


@pytest.fixture(scope="module")
def trained(tiny, one_device):
    gan = VideoGAN.create(tiny.replace(optimizer="sgd", learning_rate=0.05), one_device)
    return gan, train(gan, 3)


def test_the_moving_average_follows_the_generator(trained, one_device, undistributed):
    gan, _ = trained
    start = VideoGAN.create(gan.config, undistributed)
    expected = {name: value.numpy() for name, value in start.generator.named_weights("x").items()}
    again = VideoGAN.create(gan.config, one_device)
    for step in range(3):
        step_of(again, step)
        decay = (1 + step) / (10 + step)
        expected = {name: decay * expected[name] + (1 - decay) * value.numpy()
                    for name, value in again.generator.named_weights("x").items()}
    for name, value in gan.ema.named_weights("x").items():
        np.testing.assert_allclose(value, expected[name], atol=1e-6, err_msg=name)


def test_gradients_are_clipped_to_the_norm(tiny, one_device):
    norm = 1e-3
    gan = VideoGAN.create(tiny.replace(optimizer="sgd", learning_rate=1.0, gradient_clip_norm=norm), one_device)
    start, metrics = values(gan), train(gan, 1)
    assert metrics["gradient_norm/generator"] > norm
    moved = [value - start[name] for name, value in values(gan).items() if name.startswith("generator")]
    assert np.sqrt(sum(np.square(part).sum() for part in moved)) == pytest.approx(norm, rel=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("discriminators", [("clip",), ("frame",), ("pair", "clip:2")])
@pytest.mark.parametrize("generator", GENERATORS)
def test_any_set_of_discriminators_trains_every_weight_of_the_generator(tiny, generator, discriminators, undistributed,
                                                                        eagerly):
    gan = VideoGAN.create(tiny.replace(generator=generator, discriminators=discriminators, optimizer="sgd", loss="bce",
                                       learning_rate=0.05), undistributed)
    start = values(gan)
    assert train(gan, 5)["skipped"] == 0  # behind zeros, a layer a step
    for name, value in values(gan).items():
        if name.startswith(("generator/", "discriminator/")):
            assert (value != start[name]).any(), name


@pytest.mark.parametrize(("generator", "precision", "tolerance"), [
    pytest.param("layered", "float32", 1e-4, marks=pytest.mark.slow),
    pytest.param("mocogan", "mixed_bfloat16", 0.1, marks=pytest.mark.slow), ("dcgan3d", "float32", 1e-4)])
def test_xla_computes_the_same_gradients(tiny, generator, precision, tolerance, undistributed):
    """On GPUs the step is compiled; XLA refuses some graphs that TensorFlow runs, so it is tried here."""
    flat = {}
    for xla in (False, True):
        gan = VideoGAN.create(tiny.replace(generator=generator, discriminators=("frame",)), undistributed, precision,
                              xla)
        with nullcontext() if xla else operation_by_operation():
            gradients, _, _ = gan.local_gradients(BATCH, gan.noise(tf.constant(0, tf.int64), 0),
                                                  gan.objective.schedule(0))
        flat[xla] = tf.concat([tf.reshape(gradient, [-1]) for gradient in tf.nest.flatten(gradients)], 0)
    assert tf.norm(flat[True] - flat[False]) / tf.norm(flat[False]) < tolerance


def test_every_network_has_metrics(trained):
    _, metrics = trained
    for name in ("pair", "clip"):
        for kind in ("loss", "accuracy_real", "accuracy_generated", "gradient_norm"):
            assert np.isfinite(metrics[f"{kind}/{name}"])
        assert 0 <= metrics[f"accuracy_real/{name}"] <= 1
        assert np.isfinite(metrics[f"terms/{name}/adversarial"])
        assert np.isfinite(metrics[f"terms/generator/adversarial/{name}"])
    assert {"loss/generator", "gradient_norm/generator", "skipped"} <= set(metrics)


@pytest.mark.parametrize(("settings", "expected"), [
    ({}, [0.1, 0.1, 0.1]),
    ({"warmup_steps": 2}, [0.0, 0.05, 0.1]),
    ({"learning_rate_schedule": "cosine", "steps": 4}, [0.1, 0.1 * (1 + np.sqrt(0.5)) / 2, 0.05]),
    ({"learning_rate_schedule": "cosine", "steps": 6, "warmup_steps": 2}, [0.0, 0.05, 0.1]),
    ({"learning_rate_schedule": "cooldown", "steps": 8, "warmup_steps": 2},
     [0.0, 0.05, 0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.0])])
def test_learning_rate_schedules(tiny, settings, expected):
    optimization = tiny.replace(learning_rate=0.1, discriminator_learning_rate=0.2, **settings).optimization
    for network, factor in (("generator", 1), ("clip", 2)):
        rates = [float(learning_rate(optimization, network, step)) for step in range(len(expected))]
        np.testing.assert_allclose(rates, factor * np.array(expected), atol=1e-6)


def test_a_first_update_takes_the_learning_rate_of_its_step(tiny, undistributed, eagerly):
    gan = VideoGAN.create(tiny.replace(learning_rate=0.1, learning_rate_schedule="cosine", steps=10), undistributed)
    kernels = [weight for weight in gan.discriminators["clip"].network.trainable_variables if weight.name == "kernel"]
    before = [kernel.numpy() for kernel in kernels]
    step_of(gan, 5, schedule=WITHOUT_PENALTY)
    moved = max(np.abs(kernel.numpy() - start).max() for kernel, start in zip(kernels, before, strict=True))
    assert moved == pytest.approx(0.05, rel=1e-3)  # Adam's first update is the learning rate, whatever the gradient


@pytest.mark.slow
def test_bfloat16_trains_and_keeps_float32_weights(tiny, one_device, eagerly):
    config, schedule = tiny.replace(generator="mocogan"), StepSchedule(generator=True, intervals=(1, 8))
    gan, reference = VideoGAN.create(config, one_device, "mixed_bfloat16"), VideoGAN.create(config, one_device)
    metrics, expected = step_of(gan, 0, schedule=schedule), step_of(reference, 0, schedule=schedule)
    assert float(metrics["skipped"]) == 0.0
    assert {variable.dtype for variable in gan.generator.weights} == {"float32"}
    assert float(metrics["loss/pair"]) == pytest.approx(float(expected["loss/pair"]), rel=0.05)
    assert reference.generator.backbone.get_layer("base_block_convolution_0").compute_dtype == "float32"
    assert gan.generator.backbone.get_layer("base_block_convolution_0").compute_dtype == "bfloat16"
    assert gan.ema.backbone.get_layer("base_block_convolution_0").compute_dtype == "float32"


def test_initial_weights_are_a_function_of_the_seed_and_leave_other_random_numbers_alone(tiny, undistributed):
    import random

    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = random.random(), np.random.random()  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    first, again, other = (values(VideoGAN.create(tiny.replace(seed=seed), undistributed)) for seed in (1, 1, 2))
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002
    for name, value in first.items():
        np.testing.assert_array_equal(value, again[name], err_msg=name)
    assert any((value != other[name]).any() for name, value in first.items())
