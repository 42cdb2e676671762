"""What a step's losses are made of, where it shows: conditions, steps ahead, frozen weights, adaptive augmentation."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data.clips import augment
from gan_keras.errors import UserError
from gan_keras.gan import VideoGAN
from gan_keras.models import views
from gan_keras.models.build import build_generator
from gan_keras.models.discriminator import Discriminator
from gan_keras.objective import Objective
from gan_keras.sampling import draw_latents
from tests.test_gan import BATCH


@pytest.fixture(scope="module")
def tiny(tiny):
    return tiny.replace(resolution="8", num_frames=2, generator="dcgan3d", discriminators=("clip",), optimizer="sgd",
                        learning_rate=0.05)


@pytest.fixture(autouse=True)
def eager():
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def trained(config, steps=2):
    gan = VideoGAN(config, tf.distribute.get_strategy())
    start = {name: variable.numpy() for name, variable in gan.variables.items()}
    numbers = [gan.train_step(BATCH, tf.constant(step, tf.int64), gan.due(step)) for step in range(steps)]
    moved = {name for name, variable in gan.variables.items() if (variable.numpy() != start[name]).any()}
    return gan, moved, numbers


def test_the_generator_is_trained_in_every_nth_step_only(tiny):
    gan, moved, numbers = trained(tiny.replace(discriminator_steps=3))
    assert not any(name.startswith(("generator/", "average/")) for name in moved) and len(numbers[0]) > 0
    assert any(name.startswith("discriminator/") for name in moved)
    assert [gan.due(step).generator for step in range(6)] == [False, False, True] * 2
    assert "loss/generator" not in numbers[0] and "gradient_norm/generator" not in numbers[0]


def test_frozen_weights_stay_as_they_are(tiny):
    _, moved, _ = trained(tiny.replace(freeze=("generator/backbone/level_*", "discriminator/clip/stem/*")))
    frozen = "generator/backbone/level_", "discriminator/clip/stem"
    assert moved and not any(name.startswith(frozen) for name in moved)
    assert "generator/backbone/base_dense/kernel" in moved


def test_to_freeze_what_is_not_there_is_refused(tiny):
    with pytest.raises(UserError, match=r"freeze=generator/nothing/\*"):
        VideoGAN(tiny.replace(freeze=("generator/nothing/*",)), tf.distribute.get_strategy())


def test_augmentation_adapts_towards_its_target(tiny):
    settings = {"augment_step": ("brightness",), "augment_clips": 40}
    gan, _, numbers = trained(tiny.replace(augment_target=1.0, **settings), steps=3)
    assert float(gan.variables["augment_probability"]) == 0.0  # never known so well
    gan, _, numbers = trained(tiny.replace(augment_target=1e-6, learning_rate=1e-9, **settings), steps=3)
    sign = [np.sign(2 * float(number["accuracy_pairs/clip"]) - 1 - 1e-6) for number in numbers]
    expected = 0.0
    for each in sign:
        expected = min(max(expected + 0.1 * each, 0.0), 1.0)
    assert float(gan.variables["augment_probability"]) == pytest.approx(expected, abs=1e-6)


def test_augmentation_is_applied_with_its_probability():
    clips, uniform = tf.zeros([3, 1, 2, 2, 3]), np.full([3, 1, 4], 0.9, "float32")
    uniform[:, 0, 3] = 0.2, 0.5, 0.8
    changed = augment(clips, ("brightness",), tf.constant(uniform), probability=0.5).numpy()
    assert [bool(clip.any()) for clip in changed] == [True, False, False]


def test_a_generated_clip_is_of_the_class_of_the_real_one_beside_it(tiny, monkeypatch):
    config = tiny.replace(classes=("a", "b"))
    gan, told = VideoGAN(config, tf.distribute.get_strategy()), []
    outputs = type(gan.generator).outputs
    monkeypatch.setattr(type(gan.generator), "outputs",
                        lambda self, latents, **rest: told.append(latents["label"]) or outputs(self, latents, **rest))
    gan.train_step(BATCH, tf.constant(0, tf.int64), gan.due(0))
    np.testing.assert_array_equal(told[0], [[1, 0], [0, 1], [0, 0], [0, 1]])


@pytest.mark.parametrize(("settings", "name"), [
    ({"classes": ("a", "b")}, "label"), ({"categories": 3}, "category"), ({"codes": 2}, "code")])
def test_what_a_generator_is_told_changes_what_it_makes(tiny, settings, name):
    config = tiny.replace(generator="mocogan", **settings)
    generator = build_generator(config.clips, config.model, "float32")
    latents = draw_latents(generator.latents, tf.constant([3, 4], tf.int64), 2)
    other = {**latents, name: -latents[name] if name == "code" else tf.roll(latents[name], 1, 1)}
    assert np.abs(generator.clips(latents) - generator.clips(other)).max() > 1e-3
    assert np.abs(generator.first_state(latents) - generator.first_state(other)).max() > 1e-3


def test_a_mixture_of_classes_lies_between_them(tiny):
    config = tiny.replace(classes=("a", "b"))
    generator = build_generator(config.clips, config.model, "float32")
    latents = draw_latents(generator.latents, tf.constant([3], tf.int64), 2)
    moved = [generator.mapping({"content": latents["content"], "label": tf.constant([weights])})["content"]
             for weights in ([1.0, 0.0], [0.0, 1.0], [0.25, 0.75])]
    np.testing.assert_allclose(moved[2], 0.25 * moved[0] + 0.75 * moved[1], atol=1e-5)


class Line:
    """A discriminator D(x) = w x of samples of one number, in place of a network."""

    def __init__(self):
        self.w = keras.Variable(2.0)
        self.trainable_variables, self.input = [self.w], {"samples": None}
        self.non_trainable_variables = []

    def __call__(self, given, training):
        return {"logits": self.w * given["samples"][:, 0]}

    def stateless_call(self, weights, fixed, given, training):
        return {"logits": weights[0] * given["samples"][:, 0]}, fixed


def test_unrolling_takes_gradient_steps_and_looks_through_them(tiny):
    """With D(x) = w x and the Wasserstein loss each step adds rate * (mean real - mean fake) to w, so that the
    generator minimizes -(w + k rate (r - f)) f, whose derivative is -(w + k rate (r - f)) + k rate f."""
    config = tiny.replace(loss="wasserstein", unroll_steps=2)
    line, rate = Line(), config.optimization.learning_rate
    judge = Discriminator("small", lambda view: view, line)
    objective = Objective(config, SimpleNamespace(encoder=None), {"line": judge}, None, 1)
    real, fake = tf.constant([[3.0], [1.0]]), tf.Variable([[1.0], [0.0]])
    with tf.GradientTape() as tape:
        said = SimpleNamespace(judge=judge, real=real, fake=tf.convert_to_tensor(fake), label=None)
        _, of_fake = objective._unrolled(said)
        loss = -tf.reduce_mean(of_fake["logits"])
    r, f = 2.0, 0.5
    w = 2.0 + 2 * rate * (r - f)
    assert float(loss) == pytest.approx(-w * f)
    np.testing.assert_allclose(tape.gradient(loss, fake), [[(-w + 2 * rate * f) / 2]] * 2, rtol=1e-5)
    assert float(line.w) == 2.0


def test_half_of_the_pairs_are_neighbours_and_the_others_any_two_frames():
    uniform = tf.random.stateless_uniform([4000, 1, views.UNIFORMS], [1, 2])
    pairs = views.judged_frames(uniform, 5).numpy()
    assert pairs.min() == 0 and pairs.max() == 4 and (pairs[:, 0] < pairs[:, 1]).all()
    far = pairs[:, 1] - pairs[:, 0] > 1
    assert 0.25 < far.mean() < 0.35  # half, of which 4 in 10 are neighbours too
    assert len(np.unique(pairs, axis=0)) == 10
    np.testing.assert_array_equal(views.judged_frames(uniform[:3], 1), [[0]] * 3)


def test_the_encoder_needs_no_conditions(tiny):
    with pytest.raises(UserError, match="encoder=clip"):
        tiny.replace(encoder="clip", classes=("a", "b"))
