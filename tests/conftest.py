"""Shared fixtures: two virtual devices, small prepared clips, and run folders without training: networks with random
weights, saved as a training run saves them."""

import json
import multiprocessing
import os
import resource
import shutil
from contextlib import contextmanager

from gan_keras.logging import import_tensorflow

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
import_tensorflow()

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

from gan_keras.config.train import Config
from gan_keras.data.preparation.prepare import prepare
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder, TrainingData
from gan_keras.serving.export import export
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.training.distribution import Distribution
from gan_keras.training.train_step import VideoGAN

# Graphs run as they are traced: to optimize them took a quarter of the tests' time. What is started as a process of its
# own optimizes them as it does for a user.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
# Once TensorFlow has run anything it is too late to split the CPU.
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)

TINY = {"resolution": "16", "num_frames": 4, "generator_width": 4, "discriminator_width": 4, "content_dim": 4,
        "motion_dim": 3, "discriminators": ("pair", "clip"), "frame_pairs": 1, "batch_size": 4,
        "picture_steps": 0, "precision": "float32"}
STEP = 30
DATA = TrainingData("shapes", 12.0, ["walk", "wave"], {"train": 24, "test": 3})


def metric_lines(folder):
    """The lines of a folder's `metrics.jsonl`, which is strict JSON."""
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    file = folder / "metrics.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line, parse_constant=refuse) for line in lines]


def sample(gan, seed):
    """The clip of a seed by the moving average, uint8 [T, H, W, 3]."""
    clip = gan.config.clip
    return gan.sample(tf.constant([seed], tf.int64), tf.zeros([1, *clip.shape], tf.uint8))["video"][0].numpy()


def pytest_sessionfinish():
    """Ends what a test that failed has left behind, for which Python would wait."""
    for process in multiprocessing.active_children():
        process.kill()


@pytest.fixture
def log(caplog):
    """The lines that libraries log, as `log.messages`."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.INFO)  # not caplog's: TensorFlow restores absl's level after saving a model
    yield caplog
    logging.set_verbosity(before)


@contextmanager
def operation_by_operation():
    """Runs functions operation by operation: next to no time is spent on tracing."""
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(False)


@pytest.fixture
def eagerly():
    """The whole test `operation_by_operation`."""
    with operation_by_operation():
        yield


@pytest.fixture(scope="session")
def tiny():
    """Settings of the smallest sensible model, float32."""
    return Config().replace(**TINY)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, tiny):
    """A prepared folder of small drawn clips, and its manifest."""
    folder = tmp_path_factory.mktemp("prepared") / "shapes"
    return folder, prepare("shapes:24", folder, tiny.clip, workers=1)


@pytest.fixture(scope="session")
def undistributed():
    """The default strategy: one device, nothing mirrored."""
    return Distribution(tf.distribute.get_strategy())


@pytest.fixture(scope="session")
def one_device():
    """A mirrored strategy over one device."""
    return Distribution(tf.distribute.MirroredStrategy(["/cpu:0"]))


@pytest.fixture(scope="session")
def two_devices():
    """A mirrored strategy over two devices; one for all tests, because TensorFlow numbers collective operations anew
    for each strategy and finds those of the one before under the same numbers."""
    return Distribution(tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]))


def make_run(folder, config, scale=0.3):
    """A run folder with one checkpoint in which moving average and trained weights differ; returns it and the
    networks."""
    gan = VideoGAN.create(config, Distribution(tf.distribute.MirroredStrategy(["CPU:0"])))
    random = np.random.default_rng(0)
    for weight in (*gan.generator.weights, *gan.ema.weights):
        weight.assign(random.normal(0.0, scale, weight.shape))
    run = RunFolder(folder)
    run.make()
    run.save_config(config, DATA)
    checkpoints.save(run.checkpoints, STEP, gan.variables, keep=3)
    return run, gan


@pytest.fixture(scope="session")
def trained(tmp_path_factory, tiny):
    """A run folder and the networks in its checkpoint."""
    folder = tmp_path_factory.mktemp("trained")
    return make_run(folder / "run", tiny)


@pytest.fixture(scope="session")
def exported(trained):
    """The folder of one exported version."""
    return export(trained[0], trained[0].path / "export")


class GivenModels(dict):
    """Exported models of the tasks that are given clips, small networks with random weights, loaded; each is made when
    a test first asks for it."""

    def __init__(self, folder, tiny):
        super().__init__()
        self._folder, self._tiny = folder, tiny

    def __missing__(self, task):
        config = self._tiny.replace(task=task, num_frames=6, **({"context_frames": 2} if task == "predict" else {}))
        run, _ = make_run(self._folder / task, config, scale=0.06)
        with pytest.MonkeyPatch.context() as patch:  # checked where all flagfiles are exported
            patch.setattr("gan_keras.serving.export.check_saved_model", lambda *_: None)
            self[task] = SavedGenerator(export(run, run.exports))
        return self[task]


@pytest.fixture(scope="session")
def given_models(tmp_path_factory, tiny):
    """Models by the name of their task, see the class."""
    return GivenModels(tmp_path_factory.mktemp("given"), tiny)


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run folder, to be damaged."""
    shutil.copytree(trained[0].path, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    return RunFolder(tmp_path / "run")


@pytest.fixture
def small_files():
    """A context in which no file can grow beyond so many bytes, as on a full disk."""
    @contextmanager
    def limited(size):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
