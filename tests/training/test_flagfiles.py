"""Every flagfile of configs/families, and of tasks that are given clips, made small: one device equals two, an
interrupted run equals a whole one, and what comes of it is exported, loaded and generates."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.commands import GenerateSettings
from gan_keras.config.flagfiles import read_flagfile
from gan_keras.config.settings import parse_list
from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import Batch, DomainBatch
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder, TrainingData
from gan_keras.serving.export import export
from gan_keras.serving.films import make_films
from gan_keras.serving.generate import generate
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.training.train_step import VideoGAN
from gan_keras.video.decode import read_video
from gan_keras.video.encode import write_clip
from tests.conftest import operation_by_operation
from tests.processes import ROOT
from tests.training.batches import step_of, values

pytestmark = pytest.mark.slow

GIVEN = ("enhance", "inpaint", "predict", "reorient", "translate")
"""Flagfiles of tasks that are given clips."""
FLAGFILES = [*sorted((ROOT / "configs" / "families").glob("*.flags")),
             *(ROOT / "configs" / f"{task}.flags" for task in GIVEN)]
SMALL = {"resolution": "8", "generator_width": 4, "discriminator_width": 4, "content_dim": 4, "motion_dim": 3,
         "batch_size": 8, "precision": "float32", "optimizer": "sgd", "learning_rate": 0.01, "gradient_clip_norm": 1.0,
         "penalty_interval": 1}
FRAMES = 2
_EXPORTED = set()
CLIPS = tf.cast(tf.random.stateless_uniform([8, FRAMES, 8, 8, 3], [3, 4], 0, 256, tf.int32), tf.uint8)
BATCH = Batch(CLIPS, tf.constant([0, 1, -1, 1, 0, 0, 1, 1], tf.int64))


def read(path):
    """A flagfile as settings by name."""
    kinds = {field.name: type(field.default) for field, _ in Config().items()}
    found = {}
    for line in read_flagfile(str(path)):
        name, _, value = line.argument.removeprefix("--").partition("=")
        kind = kinds[name]
        found[name] = parse_list(value) if kind is tuple else True if kind is bool else kind(value)
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
    small = {**settings, **SMALL, "num_frames": min(FRAMES, settings["num_frames"]), "minutes": 0.0,
             "picture_steps": min(1, settings.get("picture_steps", 0))}  # the second step is the first of whole clips
    if "classes" in settings:
        small["classes"] = ("a", "b")
    if "attention" in settings:
        small["attention"] = ("space:8", "time:4")
    if request.param.stem in GIVEN and request.param.stem != "translate":
        small["fidelity_steps"] = 0
    if request.param.stem == "predict":
        small["context_frames"] = 1
    if request.param.stem == "perceptual":
        small["perceptual_network"] = str(network)
    return Config().replace(**small)


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.flags")), ids=lambda path: path.stem)
def test_a_flagfile_is_a_whole_run(path):
    settings = read(path)
    config = Config().replace(**settings)
    assert {"data", "resolution", "num_frames"} <= set(settings)
    assert config.objective.picture_steps < config.optimization.steps
    if path.parent.name == "configs":
        assert config.run.run_dir == f"runs/{path.stem}"


def steps(gan, first, last):
    """Trains from one step to another."""
    batch = BATCH._replace(clips=CLIPS[:, :gan.config.clip.num_frames])
    if gan.config.objective.task == "translate":
        batch = DomainBatch(batch.clips, batch.label, CLIPS[::-1])
    for step in range(first, last):
        assert float(step_of(gan, step, batch)["skipped"]) == 0.0
    return gan


def first_step(config):
    """The first step in which the generator is trained."""
    return config.objective.discriminator_steps - 1


@pytest.fixture(autouse=True)
def eager(eagerly):
    """Operation by operation: next to no time is spent on tracing."""


@pytest.fixture(scope="module")
def whole(config, one_device, tmp_path_factory):
    """Two steps at a stretch: the weights before them, the run with a checkpoint of the first, and all after each."""
    run = RunFolder(tmp_path_factory.mktemp(config.model.generator) / "run")
    run.make()
    run.save_config(config, TrainingData("shapes", 12.0, list(config.model.classes), {"train": 8, "test": 0}))
    gan = VideoGAN.create(config, one_device)
    start = values(gan)
    first = first_step(config)
    with operation_by_operation():
        checkpoints.save(run.checkpoints, 1, steps(gan, first, first + 1).variables, keep=3)
        middle = values(gan)
        return start, run, middle, values(steps(gan, first + 1, first + 2))


def test_two_devices_equal_one(config, whole, two_devices):
    start, _, one, _ = whole
    two = values(steps(VideoGAN.create(config, two_devices), first_step(config), first_step(config) + 1))
    for name, value in one.items():
        np.testing.assert_allclose(value, two[name], atol=2e-5, err_msg=name)
    moved = {name.split("/")[0] for name, value in one.items() if (value != start[name]).any()}
    assert {"generator", "ema", "discriminator"} <= moved


def test_an_interrupted_run_goes_on_to_the_bit(config, whole, one_device):
    (_, run, _, end), first = whole, first_step(config)
    gan = VideoGAN.create(config, one_device)
    assert checkpoints.restore(run.checkpoints, gan.variables) == 1
    for name, value in values(steps(gan, first + 1, first + 2)).items():
        np.testing.assert_array_equal(value, end[name], err_msg=name)


def test_a_run_is_exported_and_generates(config, whole, tmp_path):
    run, model = whole[1], config.model
    networks = (model.generator, model.recurrence, model.static_background, model.attention, config.objective.task,
                model.classes, model.categories, model.conditional_normalization, config.clip.num_frames)
    if networks in _EXPORTED:  # with other losses or discriminators: the same signatures of the same networks
        return
    _EXPORTED.add(networks)
    tf.config.run_functions_eagerly(False)
    export(run, run.exports)  # compares every signature with the generator by the loader of TF Serving
    if config.objective.task in GIVEN:
        mask = {"mask": "1,1,3,3"} if config.objective.task == "inpaint" else {}
        write_clip(tmp_path / "film.mp4", CLIPS.numpy()[0], 12.0)
        settings = GenerateSettings(model=str(run.exports), input=str(tmp_path / "film.mp4"), out=str(tmp_path / "out"),
                                    **mask)
        film, = make_films(settings, SavedGenerator(run.exports))
        assert next(read_video(film.path)).shape[0] == 8 * (2 if config.objective.task == "enhance" else 1)
        return
    label = config.model.classes[-1] if config.model.classes else ""
    generate(GenerateSettings(model=str(run.exports), seeds="0-1", label=label, out=str(tmp_path / "clips.npz")))
    with np.load(tmp_path / "clips.npz") as stored:
        assert stored["videos"].shape == (2, *config.clip.shape)
    if config.objective.task == "reconstruct":
        write_clip(tmp_path / "real.npz", CLIPS.numpy(), 12.0)
        generate(GenerateSettings(model=str(run.exports), input=str(tmp_path / "real.npz"), interpolation_steps=2,
                                  out=str(tmp_path / "between.npz")))
        with np.load(tmp_path / "between.npz") as stored:
            assert stored["videos"].shape == (7 * 3 + 1, *config.clip.shape)
