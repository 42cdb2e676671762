"""Shared fixtures: two virtual devices, and small prepared clips."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import pytest
import tensorflow as tf

from gan_keras.config import Config
from gan_keras.data.prepare import prepare

# Once TensorFlow has run anything it is too late to split the CPU.
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0],
                                           [tf.config.LogicalDeviceConfiguration()] * 2)

ROOT = Path(__file__).parents[1]
TINY = {"resolution": "16", "num_frames": 4, "generator_width": 4, "discriminator_width": 4, "content_size": 4,
        "motion_size": 3, "judged_pairs": 1, "batch_size": 4, "precision": "float32"}


@pytest.fixture(scope="session")
def tiny():
    """Settings of the smallest sensible model, float32."""
    return Config().replace(**TINY)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory, tiny):
    """A prepared folder of small drawn clips, and its manifest."""
    folder = tmp_path_factory.mktemp("prepared") / "shapes"
    return folder, prepare("shapes:24", folder, tiny.clips, workers=1)


@pytest.fixture(scope="session")
def one_device():
    """A mirrored strategy over one device."""
    return tf.distribute.MirroredStrategy(["/cpu:0"])


@pytest.fixture(scope="session")
def two_devices():
    """A mirrored strategy over two devices; one for all tests, because TensorFlow numbers collective operations anew
    for each strategy and finds those of the one before under the same numbers."""
    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])
