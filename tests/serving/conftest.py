"""Run folders without training: networks with random weights, saved as a trainer saves them."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import checkpoints
from gan_keras.gan import VideoGAN
from gan_keras.run_folder import RunFolder
from gan_keras.serving.export import export

STEP = 30
DATA = {"source": "shapes", "fps": 12.0, "classes": ["walk", "wave"], "clips": {"train": 24, "test": 3}}


def make_run(folder, config):
    """A run folder with one checkpoint in which average and trained weights differ; returns it and the networks."""
    gan = VideoGAN(config, tf.distribute.MirroredStrategy(["CPU:0"]))
    random = np.random.default_rng(0)
    for weight in (*gan.generator.weights, *gan.average.weights):
        weight.assign(random.normal(0.0, 0.3, weight.shape))
    run = RunFolder(folder)
    run.make()
    run.describe(config, DATA)
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


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the run folder, to be damaged."""
    shutil.copytree(trained[0].path, tmp_path / "run", ignore=shutil.ignore_patterns("export"))
    return RunFolder(tmp_path / "run")
