"""The objective of a step: schedule, conditions, frozen weights, adaptive augmentation, conditions that are shown."""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float
from gan_keras.errors import UserError
from gan_keras.losses.forward_pass import Example, LossTerm
from gan_keras.models import views
from gan_keras.models.build import build_generator
from gan_keras.models.latents import draw_latents
from gan_keras.tasks.generate import Generate
from gan_keras.tasks.task import Networks
from gan_keras.training.objective import Objective
from gan_keras.training.step_schedule import StepSchedule
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import BATCH, step_of, values


@pytest.fixture(scope="module")
def tiny(tiny):
    return tiny.replace(resolution="8", num_frames=2, generator="dcgan3d", discriminators=("clip",), optimizer="sgd",
                        learning_rate=0.05)


@pytest.fixture
def trained(undistributed, eagerly):
    def train(config, steps=2):
        """The networks, the names of variables that were moved, and the metrics of each step."""
        gan = VideoGAN.create(config, undistributed)
        start = values(gan)
        metrics = [step_of(gan, step) for step in range(steps)]
        return gan, {name for name, value in values(gan).items() if (value != start[name]).any()}, metrics

    return train


def test_the_generator_is_trained_in_every_nth_step_only(tiny, trained):
    gan, moved, metrics = trained(tiny.replace(discriminator_steps=3))
    assert not any(name.startswith(("generator/", "ema/")) for name in moved) and len(metrics[0]) > 0
    assert any(name.startswith("discriminator/") for name in moved)
    assert [gan.objective.schedule(step).generator for step in range(6)] == [False, False, True] * 2
    assert "loss/generator" not in metrics[0] and "gradient_norm/generator" not in metrics[0]


def test_the_gradient_penalty_is_due_every_so_many_steps(tiny, undistributed):
    objective = VideoGAN.create(tiny.replace(penalty_interval=3), undistributed).objective
    assert [objective.schedule(step).intervals for step in range(4)] == [(1, 3), (1,), (1,), (1, 3)]
    without = VideoGAN.create(tiny.replace(penalty="none"), undistributed).objective
    assert without.schedule(0) == StepSchedule(generator=True, intervals=(1,))


def test_a_lazy_penalty_counts_as_many_times_as_its_interval(tiny, trained):
    """The loss of the discriminator is its adversarial term and 4 times the penalty with its weight."""
    _, _, metrics = trained(tiny.replace(penalty_interval=4, penalty_weight=2.0), steps=1)
    terms = {name.removeprefix("terms/clip/"): float(value) for name, value in metrics[0].items()
             if name.startswith("terms/clip/")}
    assert set(terms) == {"adversarial", "gradient_penalty"} and terms["gradient_penalty"] > 0
    weight = 4 * 2.0 * (2 * 8 * 8 * 3) / (64 * 64 * 3)
    expected = terms["adversarial"] + weight * terms["gradient_penalty"]
    assert float(metrics[0]["loss/clip"]) == pytest.approx(expected, rel=1e-5)


def test_an_objective_sums_its_terms_and_knows_none_by_name(tiny, undistributed, eagerly):
    """Terms of a task that exists here alone: losses are weighted sums of the means over the batch."""
    class Constants(Generate):
        def terms(self, networks):
            return [LossTerm("a", 3.0, "generator", lambda forward: tf.constant([1.0, 2.0, 3.0, 6.0])),
                    LossTerm("b", 0.5, "generator", lambda forward: tf.constant([4.0] * 4), interval=2),
                    LossTerm("c", 1.0, "clip",
                             lambda forward: tf.reduce_mean(forward.real.low_resolution, [1, 2, 3, 4])),
                    LossTerm("unused", 0.0, "clip", lambda forward: pytest.fail("has no weight"))]

    task = Constants(tiny)
    networks = Networks(task.build_generator("float32"), task.build_discriminators("float32"), {})
    noise = VideoGAN.create(tiny, undistributed).noise(tf.constant(0, tf.int64), 0)
    losses, metrics, _ = Objective(task, networks, 1).losses(BATCH, noise, StepSchedule(True, (1, 2)))
    assert float(losses["generator"]) == pytest.approx(3.0 * 3.0 + 0.5 * 2 * 4.0)
    assert float(losses["clip"]) == pytest.approx(float(tf.reduce_mean(to_float(BATCH.clips))), abs=1e-6)
    assert float(metrics["terms/generator/a"]) == pytest.approx(3.0)
    losses, metrics, _ = Objective(task, networks, 2).losses(BATCH, noise, StepSchedule(False, (1,)))
    assert set(losses) == {"clip"} and "terms/generator/b" not in metrics
    assert float(losses["clip"]) == pytest.approx(float(tf.reduce_mean(to_float(BATCH.clips))) / 2, abs=1e-6)


def test_pictures_come_first_and_discriminators_of_clips_after_them(tiny, trained):
    config = tiny.replace(discriminators=("pair", "clip"), picture_steps=2)
    _, moved, metrics = trained(config, steps=2)
    assert all(any(name.startswith(owner) for name in moved) for owner in ("generator/", "discriminator/pair/"))
    assert not any(name.startswith(("discriminator/clip/", "optimizer/clip/")) for name in moved)
    assert not any("clip" in name for each in metrics for name in each)
    _, moved, metrics = trained(config, steps=3)
    assert any(name.startswith("discriminator/clip/") for name in moved)
    assert {"terms/generator/adversarial/clip", "loss/clip", "accuracy_pairs/clip"} <= set(metrics[2])


@pytest.mark.parametrize("settings", [
    {"task": "reconstruct"}, {"discriminators": ("clip",)}, {"num_frames": 1, "discriminators": ("frame",)}])
def test_pictures_do_not_come_first_where_networks_need_clips_or_nothing_follows(tiny, undistributed, settings):
    gan = VideoGAN.create(tiny.replace(picture_steps=2, **settings), undistributed)
    assert not gan.objective.schedule(0).pictures_only


@pytest.mark.parametrize("settings", [
    {"classes": ("a", "b"), "class_conditioning": "classifier"}, {"categories": 3, "codes": 2},
    {"feature_matching_weight": 1.0, "unroll_steps": 1, "loss": "bce"},
    {"diffaugment": ("brightness",), "ada_target": 0.6, "instance_noise": 0.1}, {"generator": "mlp"}])
def test_pictures_come_first_in_any_kind_of_objective(tiny, trained, settings):
    _, moved, metrics = trained(tiny.replace(discriminators=("pair", "clip"), picture_steps=1, **settings), steps=2)
    assert "loss/clip" not in metrics[0] and "loss/clip" in metrics[1]
    assert any(name.startswith("generator/backbone/") for name in moved)


def test_frozen_weights_stay_as_they_are(tiny, trained):
    _, moved, _ = trained(tiny.replace(freeze=("generator/backbone/level_*", "discriminator/clip/stem/*")))
    frozen = "generator/backbone/level_", "discriminator/clip/stem"
    assert moved and not any(name.startswith(frozen) for name in moved)
    assert "generator/backbone/base_dense/kernel" in moved


def test_to_freeze_what_is_not_there_is_refused(tiny, undistributed):
    with pytest.raises(UserError, match=r"freeze=generator/nothing/\*"):
        VideoGAN.create(tiny.replace(freeze=("generator/nothing/*",)), undistributed)


def test_augmentation_adapts_towards_its_target(tiny, trained):
    settings = {"diffaugment": ("brightness",), "ada_clips": 40}
    gan, _, metrics = trained(tiny.replace(ada_target=1.0, **settings), steps=3)
    assert float(gan.variables["augment_probability"]) == 0.0  # no overfitting is as strong as that
    gan, _, metrics = trained(tiny.replace(ada_target=1e-6, learning_rate=1e-9, **settings), steps=3)
    expected = 0.0
    for each in metrics:
        sign = np.sign(2 * float(each["accuracy_pairs/clip"]) - 1 - 1e-6)
        expected = min(max(expected + 0.1 * sign, 0.0), 1.0)
    assert float(gan.variables["augment_probability"]) == pytest.approx(expected, abs=1e-6)


def test_a_generated_clip_is_of_the_class_of_the_real_one_beside_it(tiny, undistributed):
    gan = VideoGAN.create(tiny.replace(classes=("a", "b")), undistributed)
    forward = gan.objective.forward(BATCH, gan.noise(tf.constant(0, tf.int64), 0), gan.objective.schedule(0))
    np.testing.assert_array_equal(forward.inputs["label"], [[1, 0], [0, 1], [0, 0], [0, 1]])


@pytest.mark.parametrize(("settings", "name"), [
    ({"classes": ("a", "b")}, "label"), ({"categories": 3}, "category"), ({"codes": 2}, "code")])
def test_conditions_change_what_a_generator_makes(tiny, settings, name):
    config = tiny.replace(generator="mocogan", **settings)
    generator = build_generator(config.clip, config.model, "float32")
    latents = draw_latents(generator.latents, tf.constant([3, 4], tf.int64), 2)
    other = {**latents, name: -latents[name] if name == "code" else tf.roll(latents[name], 1, 1)}
    assert np.abs(generator.clips(latents) - generator.clips(other)).max() > 1e-3
    assert np.abs(generator.state_before(latents) - generator.state_before(other)).max() > 1e-3


def test_a_mixture_of_classes_lies_between_them(tiny):
    config = tiny.replace(classes=("a", "b"))
    generator = build_generator(config.clip, config.model, "float32")
    latents = draw_latents(generator.latents, tf.constant([3], tf.int64), 2)
    shifted = [generator.mapping({"content": latents["content"], "label": tf.constant([weights])})["content"]
               for weights in ([1.0, 0.0], [0.0, 1.0], [0.25, 0.75])]
    np.testing.assert_allclose(shifted[2], 0.25 * shifted[0] + 0.75 * shifted[1], atol=1e-5)


class Masked(Generate):
    """A task whose condition is the clip with its right half hidden, and where that is; both are shown."""

    shown_conditions: ClassVar = {"video": 3, "mask": 1}

    def example(self, batch, noise):
        target = to_float(batch.clips)
        mask = tf.concat([tf.zeros([*target.shape[:3], 4, 1]), tf.ones([*target.shape[:3], 4, 1])], axis=3)
        return Example({"video": target * (1 - mask), "mask": mask}, target)


@pytest.mark.parametrize("discriminators", [("clip",), ("frame", "pair", "clip", "recurrent", "patch", "mlp")])
def test_discriminators_see_conditions_that_are_clips_and_masks(tiny, undistributed, discriminators):
    """Beside the real and the generated clip, in the same frames and at the same resolution."""
    task = Masked(tiny.replace(discriminators=discriminators))
    networks = Networks(task.build_generator("float32"), task.build_discriminators("float32"), {})
    gan = VideoGAN(task, networks, task.build_generator("float32"), undistributed, xla=False)
    forward = gan.objective.forward(BATCH, gan.noise(tf.constant(0, tf.int64), 0), gan.objective.schedule(0))
    for real, generated in zip(forward.real, forward.generated, strict=True):
        assert real.shape[-1] == generated.shape[-1] == 7
        np.testing.assert_array_equal(real[..., 3:], generated[..., 3:])
        left, right = tf.split(real, 2, axis=3)
        np.testing.assert_array_equal(left[..., 3:6], left[..., :3])
        assert not right[..., 3:6].numpy().any() and (right[..., 6] == 1).numpy().all()
    assert set(forward.discriminators) == set(discriminators)


def test_half_of_the_pairs_are_neighbours_and_the_others_any_two_frames():
    uniform = tf.random.stateless_uniform([4000, 1, views.UNIFORMS], [1, 2])
    pairs = views.sampled_frames(uniform, 5).numpy()
    assert pairs.min() == 0 and pairs.max() == 4 and (pairs[:, 0] < pairs[:, 1]).all()
    far = pairs[:, 1] - pairs[:, 0] > 1
    assert 0.25 < far.mean() < 0.35  # half, of which 4 in 10 are neighbours too
    assert len(np.unique(pairs, axis=0)) == 10
    np.testing.assert_array_equal(views.sampled_frames(uniform[:3], 1), [[0]] * 3)


def test_reconstruction_and_conditions_cannot_be_combined(tiny, undistributed):
    with pytest.raises(UserError, match="--task=reconstruct cannot be combined with classes"):
        VideoGAN.create(tiny.replace(task="reconstruct", classes=("a", "b")), undistributed)


def test_student_forcing_trains_on_what_the_sequence_of_a_clip_goes_on_to(tiny, undistributed, eagerly):
    """A clip that comes after c others has the noise and the state to which its sequence has come after them."""
    config = tiny.replace(generator="drift", student_forcing=2, num_frames=3, batch_size=8)
    gan = VideoGAN.create(config, undistributed)
    noise = gan.noise(tf.constant(5, tf.int64), 0)
    count, inputs = noise.earlier.counts.numpy(), noise.latents
    assert set(count) == {0, 1, 2}
    assert noise.earlier.noise["frame_noise"].shape == (8, 2, 3, config.model.motion_dim)
    with tf.GradientTape(persistent=True) as tape:
        state = gan.generator.state_after(inputs, noise.earlier.noise, noise.earlier.counts)
        first, later = (tf.reduce_sum(tf.boolean_mask(state, rows)**2) for rows in (count == 0, count > 0))
    sequence, expected = {**inputs}, [gan.generator.state_before(inputs)]
    for clip in range(2):
        sequence["frame_noise"] = noise.earlier.noise["frame_noise"][:, clip]
        np.testing.assert_array_equal(inputs["frame_noise"][count == clip], sequence["frame_noise"][count == clip])
        expected.append(gan.generator.outputs(sequence, state=expected[-1])["state"])
    for row, number in enumerate(count):
        np.testing.assert_allclose(state[row], expected[number][row], atol=1e-6)
    kernel = gan.generator.initial_state.trainable_variables[0]
    assert tf.reduce_any(tape.gradient(first, kernel) != 0) and not tf.reduce_any(tape.gradient(later, kernel) != 0)
    batch = Batch(tf.zeros([8, 3, 8, 8, 3], tf.uint8), tf.zeros([8], tf.int64))
    after = gan.objective.forward(batch, noise, StepSchedule(True, (1,))).outputs["state"]
    np.testing.assert_allclose(after, gan.generator.outputs(inputs, state=state)["state"], atol=1e-6)
