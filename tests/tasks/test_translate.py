"""Translation without pairs: both ways, both domains, and the identity that fades."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import DomainBatch
from gan_keras.data.pixels import to_float
from gan_keras.tasks.translate import INVERSE
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import step_of

CLIPS = [tf.constant(np.random.default_rng(seed).integers(0, 256, (2, 4, 16, 16, 3), np.uint8)) for seed in range(2)]
BATCH = DomainBatch(CLIPS[0], tf.constant([-1, -1], tf.int64), CLIPS[1])


SETTINGS = {"task": "translate", "target_data": "shapes:9", "resolution": "16", "num_frames": 4, "batch_size": 2,
            "generator_width": 4, "discriminator_width": 4, "precision": "float32", "steps": 10}


@pytest.fixture
def gan(undistributed):
    return VideoGAN.create(Config().replace(**SETTINGS), undistributed)


def forward_of(gan, step):
    return gan.objective.forward(BATCH, gan.noise(tf.constant(step, tf.int64), 0), gan.objective.schedule(step))


def test_new_networks_change_nothing_so_cycles_and_identity_are_zero(gan, eagerly):
    forward = forward_of(gan, 0)
    np.testing.assert_array_equal(forward.outputs["pictures"], to_float(CLIPS[0]))
    np.testing.assert_array_equal(forward.task.cycle_source, to_float(CLIPS[0]))
    np.testing.assert_array_equal(forward.task.cycle_target, to_float(CLIPS[1]))
    metrics = step_of(gan, 0, BATCH)
    for network in ("generator", INVERSE):
        assert float(metrics[f"terms/{network}/cycle_of_source"]) == 0
        assert float(metrics[f"terms/{network}/identity"]) == 0


def test_each_way_is_trained_with_the_discriminators_of_where_it_leads(gan, eagerly):
    forward = forward_of(gan, 0)
    # The discriminators of A see clips of A as real, and clips of B on the way back as generated.
    through = forward.task.of_source["clip_differences"]
    target = forward.discriminators["clip_differences"]
    np.testing.assert_allclose(through.real, target.generated, atol=1e-6)  # new networks change nothing
    np.testing.assert_allclose(through.generated, target.real, atol=1e-6)
    before = {name: variable.numpy() for name, variable in gan.weights.items()}
    step_of(gan, 0, BATCH)
    moved = {name.split("/")[0] for name, value in gan.weights.items() if (value.numpy() != before[name]).any()}
    assert moved == {"generator", "ema", "discriminator", INVERSE, "source_pair", "source_clip_differences"}


def test_the_identity_fades_out_over_the_first_half(gan, eagerly):
    left = [float(forward_of(gan, step).noise.task["identity"]) for step in (0, 2, 5, 9)]
    assert left == pytest.approx([1.0, 0.6, 0.0, 0.0])


def test_a_loss_is_the_sum_of_its_weighted_terms(gan, eagerly):
    for step in range(2):
        metrics = step_of(gan, step, BATCH)
    weights = {"cycle_of_source": 10, "cycle_of_target": 10, "identity": 5, "adversarial/pair": 1,
               "adversarial/clip_differences": 1}
    for network in ("generator", INVERSE):
        expected = sum(weight * float(metrics[f"terms/{network}/{name}"]) for name, weight in weights.items())
        assert float(metrics[f"loss/{network}"]) == pytest.approx(expected, rel=1e-5)
    assert float(metrics["terms/inverse/cycle_of_source"]) > 0


def test_samples_are_translated_clips_beside_the_given_ones(gan, eagerly):
    samples = {name: value.numpy() for name, value in gan.sample(tf.constant([0, 1], tf.int64), CLIPS[0]).items()}
    np.testing.assert_array_equal(samples["video"], CLIPS[0])
    assert gan.task.shown(samples).shape == (2, 4, 16, 32, 3)
    np.testing.assert_array_equal(samples["given"], CLIPS[0])
    signatures = set(gan.task.signatures(gan.ema))
    assert {"serving_default", "next_segment"} <= signatures and "pairs" not in signatures


def test_what_is_moved_on_the_way_comes_back_moved(undistributed, eagerly):
    gan = VideoGAN.create(Config().replace(**SETTINGS, recycle_weight=10.0), undistributed)
    forward = forward_of(gan, 0)
    shifts = forward.noise.task["shifts"].numpy()
    assert shifts.shape == (2, 4, 2) and (shifts[:, 0] == 0).all() and 0 < np.abs(shifts).max() <= 4
    for moved, returned in forward.task.recycle:  # new networks change nothing
        np.testing.assert_array_equal(moved, returned)
    moved = forward.task.recycle[0][0].numpy()
    dx, dy = shifts[0, 3]
    inner = (slice(max(dy, 0), 16 + min(dy, 0)), slice(max(dx, 0), 16 + min(dx, 0)))
    np.testing.assert_array_equal(moved[0, 3][inner], np.roll(to_float(CLIPS[0])[0, 3], (dy, dx), (0, 1))[inner])
    for step in range(2):
        metrics = step_of(gan, step, BATCH)
    assert float(metrics["terms/inverse/recycle_of_source"]) > 0


def test_translated_motions_are_clips_warped_by_smooth_flows(undistributed, eagerly):
    gan = VideoGAN.create(Config().replace(**SETTINGS, translation="motion", smoothness_weight=3.0), undistributed)
    forward = forward_of(gan, 0)
    np.testing.assert_array_equal(forward.outputs["pictures"], to_float(CLIPS[0]))
    assert forward.outputs["flow"].shape == forward.task.flow.shape == (2, 4, 4, 4, 2)
    for step in range(2):
        metrics = step_of(gan, step, BATCH)
    weights = {"cycle_of_source": 10, "cycle_of_target": 10, "identity": 5, "smoothness": 3, "adversarial/pair": 1,
               "adversarial/clip_differences": 1}
    for network in ("generator", INVERSE):
        expected = sum(weight * float(metrics[f"terms/{network}/{name}"]) for name, weight in weights.items())
        assert float(metrics[f"loss/{network}"]) == pytest.approx(expected, rel=1e-5)
        assert float(metrics[f"terms/{network}/smoothness"]) > 0
