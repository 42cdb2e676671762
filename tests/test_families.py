"""Every flagfile of configs/families, made small: one device equals two, an interrupted run equals a whole one, and
what comes of it is exported, loaded and generates."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras import checkpoints
from gan_keras.config import Config
from gan_keras.gan import VideoGAN
from gan_keras.run_folder import RunFolder
from gan_keras.script_settings import GenerateSettings
from gan_keras.serving.export import export
from gan_keras.serving.generation import generate
from gan_keras.video import io
from tests.conftest import ROOT

FLAGFILES = sorted((ROOT / "configs" / "families").glob("*.flags"))
SMALL = {"resolution": "8", "generator_width": 4, "discriminator_width": 4, "content_size": 4, "motion_size": 3,
         "batch_size": 8, "precision": "float32", "optimizer": "sgd", "learning_rate": 0.01, "gradient_norm_limit": 1.0,
         "penalty_every": 1}
FRAMES = 2
_EXPORTED = set()
CLIPS = tf.cast(tf.random.stateless_uniform([8, FRAMES, 8, 8, 3], [3, 4], 0, 256, tf.int32), tf.uint8)
BATCH = {"clips": CLIPS, "label": tf.constant([0, 1, -1, 1, 0, 0, 1, 1], tf.int64)}


def read(path):
    """A flagfile as settings by name."""
    kinds = {field.name: type(field.default) for field, _ in Config().items()}
    found = {}
    for line in path.read_text().splitlines():
        if line.startswith("--"):
            name, _, value = line.removeprefix("--").partition("=")
            kind = kinds[name]
            found[name] = tuple(value.split(",")) if kind is tuple else True if kind is bool else kind(value)
    return found


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """A frozen network of the user's, for --perceptual."""
    path = tmp_path_factory.mktemp("network") / "network.keras"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, about how Keras copies weights
        keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, activation="relu")]).save(path)
    return path


@pytest.fixture(scope="module", params=FLAGFILES, ids=lambda path: path.stem)
def config(request, network):
    settings = read(request.param)
    assert {"data", "resolution", "num_frames", "minutes"} <= set(settings)
    small = {**settings, **SMALL, "num_frames": min(FRAMES, settings["num_frames"]), "minutes": 0.0}
    if "classes" in settings:
        small["classes"] = ("a", "b")
    if "attention" in settings:
        small["attention"] = ("space:8", "time:4")
    if request.param.stem == "perceptual":
        small["perceptual"] = str(network)
    return Config().replace(**small)


def steps(gan, first, last):
    """Trains from one step to another, operation by operation: next to no time is spent on tracing."""
    batch = {**BATCH, "clips": CLIPS[:, :gan.config.clips.num_frames]}
    tf.config.run_functions_eagerly(True)
    try:
        for step in range(first, last):
            numbers = gan.train_step(gan.split(batch), tf.constant(step, tf.int64), gan.due(step))
            assert float(numbers["skipped"]) == 0.0
    finally:
        tf.config.run_functions_eagerly(False)
    return gan


def first_step(config):
    """The first step in which the generator is trained."""
    return config.objective.discriminator_steps - 1


def values(gan):
    return {name: variable.numpy() for name, variable in gan.variables.items()}


@pytest.fixture(scope="module")
def whole(config, one_device, tmp_path_factory):
    """Two steps at a stretch: the weights before them, the run with a checkpoint of the first, and all after each."""
    run = RunFolder(tmp_path_factory.mktemp(config.model.generator) / "run")
    run.make()
    run.describe(config, {"source": "shapes", "fps": 12.0, "classes": list(config.model.classes),
                          "clips": {"train": 8, "test": 0}})
    gan = VideoGAN(config, one_device)
    start = values(gan)
    first = first_step(config)
    checkpoints.save(run.checkpoints, 1, steps(gan, first, first + 1).variables, keep=3)
    middle = values(gan)
    return start, run, middle, values(steps(gan, first + 1, first + 2))


def test_two_devices_equal_one(config, whole, two_devices):
    start, _, one, _ = whole
    two = values(steps(VideoGAN(config, two_devices), first_step(config), first_step(config) + 1))
    for name, value in one.items():
        np.testing.assert_allclose(value, two[name], atol=2e-5, err_msg=name)
    moved = {name.split("/")[0] for name, value in one.items() if (value != start[name]).any()}
    assert {"generator", "average", "discriminator"} <= moved


def test_a_run_goes_on_exports_and_generates(config, whole, one_device, tmp_path):
    (_, run, _, end), first = whole, first_step(config)
    gan = VideoGAN(config, one_device)
    assert checkpoints.restore(run.checkpoints, gan.variables, pytest.fail) == 1
    for name, value in values(steps(gan, first + 1, first + 2)).items():
        np.testing.assert_array_equal(value, end[name], err_msg=name)
    model = config.model
    networks = (model.generator, model.recurrence, model.still_background, model.attention, model.encoder,
                        model.encoder_prior, model.classes, model.categories, model.conditional_normalization,
                        config.clips.num_frames)
    if networks in _EXPORTED:  # with other losses or discriminators: the same signatures of the same networks
        return
    _EXPORTED.add(networks)
    export(run, run.exports, say=lambda line: None)  # compares with the generator by the loader of TF Serving
    label = (config.model.classes[-1],) if config.model.classes else ()
    generate(GenerateSettings(model=str(run.exports), seeds="0-1", label=label, out=str(tmp_path / "clips.npz")))
    with np.load(tmp_path / "clips.npz") as stored:
        assert stored["videos"].shape == (2, *config.clips.shape)
    if config.model.encoder:
        io.write_clip(tmp_path / "real.npz", CLIPS.numpy(), 12.0)
        generate(GenerateSettings(model=str(run.exports), input=str(tmp_path / "real.npz"), between=2,
                                  out=str(tmp_path / "between.npz")))
        with np.load(tmp_path / "between.npz") as stored:
            assert stored["videos"].shape == (7 * 3 + 1, *config.clips.shape)
