"""Served generators of classes, and served autoencoders."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.commands import GenerateSettings
from gan_keras.data.pixels import to_uint8
from gan_keras.errors import UserError
from gan_keras.models.latents import draw_latents
from gan_keras.serving.export import export
from gan_keras.serving.generate import generate, reconstruct_or_interpolate
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.tasks.generate import LABEL_BY_SEED
from gan_keras.video.encode import write_clip
from tests.conftest import make_run

pytestmark = pytest.mark.slow

SEEDS = [5, 2**40, 17]


@pytest.fixture(scope="module")
def conditional(tmp_path_factory, tiny):
    """The generator of a run with classes, and the model exported from it."""
    config = tiny.replace(resolution="8", generator="mocogan", discriminators=("clip",),
                          classes=("run", "walk", "wave"))
    run, gan = make_run(tmp_path_factory.mktemp("conditional") / "run", config)
    export(run, run.exports)
    return gan.ema, SavedGenerator(run.exports)


def expected(generator, label):
    latents = draw_latents(generator.latents, tf.constant(SEEDS, tf.int64), 4)
    return to_uint8(generator.clips(latents if label is None else {**latents, "label": label})).numpy().astype(int)


def test_a_class_is_what_the_generator_makes_of_it(conditional):
    generator, model = conditional
    for number, name in enumerate(("run", "walk", "wave")):
        found = model.clips(SEEDS, {name: 1.0})
        assert np.abs(found - expected(generator, tf.one_hot([number] * 3, 3))).max() <= 1
    assert np.abs(model.clips(SEEDS) - expected(generator, None)).max() <= 1  # the classes that the seeds draw


def test_rows_may_be_of_different_classes(conditional):
    generator, model = conditional
    serve = tf.saved_model.load(str(model.path)).signatures["serving_default"]
    found = serve(seed=tf.constant(SEEDS, tf.int64), label=tf.constant([2, LABEL_BY_SEED, 0], tf.int64))["video"]
    drawn = draw_latents(generator.latents, tf.constant(SEEDS, tf.int64), 4)["label"][1]
    label = tf.stack([[0.0, 0.0, 1.0], drawn, [1.0, 0.0, 0.0]])
    assert np.abs(found.numpy() - expected(generator, label)).max() <= 1


def test_a_mixture_is_what_the_generator_makes_of_the_weights(conditional):
    generator, model = conditional
    found = model.clips(SEEDS, {"wave": 0.25, "run": 0.75})
    assert np.abs(found - expected(generator, tf.constant([[0.75, 0.0, 0.25]] * 3))).max() <= 1


def test_a_sequence_stays_of_its_class(conditional):
    _, model = conditional
    first, second = model.segments(SEEDS, 8, {"walk": 1.0})
    np.testing.assert_array_equal(first, model.clips(SEEDS, {"walk": 1.0}))
    other = list(model.segments(SEEDS, 8, {"wave": 1.0}))[1]
    assert (second != other).any()


def test_the_model_lists_its_classes(conditional):
    _, model = conditional
    assert model.description.classes == ["run", "walk", "wave"]
    card = (model.path / "model_card.md").read_text()
    assert '"seed": [0], "label": [0]' in card
    code, = [block for block in card.split("```") if block.startswith("python")]
    names = {}
    exec(code.removeprefix("python").replace("VERSION_FOLDER", str(model.path)), names)  # as a reader would
    assert names["video"].shape == (2, 4, 8, 8, 3)
    assert "0 `run`, 1 `walk`, 2 `wave`" in card and "`label` int64 [B]" in card and "`mix_classes`" in card


def test_a_label_that_is_no_class_is_refused(conditional, tmp_path):
    with pytest.raises(UserError, match="`label` must be one of run, walk, wave"):
        generate(GenerateSettings(model=str(conditional[1].path), label="fly", out=str(tmp_path / "x.npz")))


def test_a_model_without_classes_or_encoder_takes_neither(exported, tmp_path):
    for settings, message in (({"label": "walk"}, "was trained without"),
                              ({"input": str(tmp_path)}, "makes nothing of clips")):
        with pytest.raises(UserError, match=message):
            generate(GenerateSettings(model=str(exported), out=str(tmp_path / "x.npz"), **settings))


@pytest.fixture(scope="module")
def autoencoder(tmp_path_factory, tiny):
    """The generator of a run with --task=reconstruct, and the model exported from it."""
    config = tiny.replace(resolution="8", generator="dcgan3d", discriminators=("clip",), task="reconstruct",
                          encoder="clip")
    run, gan = make_run(tmp_path_factory.mktemp("autoencoder") / "run", config)
    export(run, run.exports)
    return gan.ema, SavedGenerator(run.exports)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    clips = np.random.default_rng(0).integers(0, 256, (3, 4, 8, 8, 3), np.uint8)
    path = tmp_path_factory.mktemp("real") / "real.npz"
    write_clip(path, clips, 10.0)
    return clips, str(path)


def test_clips_are_encoded_as_the_encoder_does(autoencoder, real):
    generator, model = autoencoder
    (mean, _), = generator.encode(tf.cast(real[0], tf.float32) / 127.5 - 1).values()
    np.testing.assert_allclose(model.encode(real[0])["content"], mean, atol=1e-4)


def test_what_is_reconstructed_is_what_the_latents_make(autoencoder, real):
    _, model = autoencoder
    found = reconstruct_or_interpolate(model, real[1], 0)
    np.testing.assert_array_equal(found, model.clips_of(real[0], [0, 1, 2]))
    assert np.abs(found.astype(int) - model.decode(model.encode(real[0]))).max() <= 1
    assert found.std() > 5


def test_between_two_clips_latents_change_evenly(autoencoder, real):
    _, model = autoencoder
    found = reconstruct_or_interpolate(model, real[1], 3)
    assert found.shape == (9, 4, 8, 8, 3)
    latents = model.encode(real[0])["content"]
    for place, weights in ((1, (0.75, 0.25, 0)), (3, (0.25, 0.75, 0)), (4, (0, 1, 0)), (8, (0, 0, 1))):
        wanted = model.decode({"content": np.asarray(weights, "float32")[None] @ latents})[0]
        assert np.abs(found[place].astype(int) - wanted).max() <= 1


@pytest.mark.parametrize(("count", "steps", "message"), [
    (1, 2, "two clips or more"), (0, 0, "`input` must have clips of 4 frames")])
def test_input_of_too_few_clips_is_refused(autoencoder, tmp_path, count, steps, message):
    frames = 4 if count else 2
    write_clip(tmp_path / "few.npz", np.zeros([1, frames, 8, 8, 3], np.uint8), 10.0)
    with pytest.raises(UserError, match=message):
        reconstruct_or_interpolate(autoencoder[1], str(tmp_path / "few.npz"), steps)
