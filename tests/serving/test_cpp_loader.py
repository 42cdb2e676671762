"""The loader of TensorFlow Serving itself: `tensorflow::LoadSavedModel` from the library in TensorFlow's wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import sample

SOURCE = Path(__file__).with_name("load_savedmodel.cc")
SEEDS = [3, 0, 2**40]


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    program = tmp_path_factory.mktemp("loader") / "load_savedmodel"
    library = tf.sysconfig.get_lib()
    subprocess.run(["g++", "-w", str(SOURCE), "-o", str(program), *tf.sysconfig.get_compile_flags(), f"-L{library}",
                    f"-Wl,-rpath,{library}", "-Wl,--no-as-needed", "-l:libtensorflow_cc.so.2",
                    "-l:libtensorflow_framework.so.2"], check=True)
    return program


pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(sys.platform != "linux" or not shutil.which("g++"), reason="needs g++ on Linux")]


def serve(loader, version, signature, folder, **inputs):
    """What TensorFlow Serving's loader answers: the bytes of `video`, or what it said."""
    arguments = []
    for name, value in inputs.items():
        (folder / name).write_bytes(value.tobytes())
        arguments += [name, value.dtype.name, ",".join(map(str, value.shape)), str(folder / name)]
    done = subprocess.run([str(loader), str(version), signature, *arguments], capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else done.stderr.decode()


def test_serves_the_frames_of_the_average(loader, exported, trained, tmp_path):
    frames = serve(loader, exported, "serving_default", tmp_path, seed=np.array(SEEDS, np.int64))
    served = np.frombuffer(frames, np.uint8).reshape(len(SEEDS), 4, 16, 16, 3)
    for seed, clip in zip(SEEDS, served, strict=True):  # the loader optimizes the graph, the tests do not: conftest
        np.testing.assert_allclose(clip.astype(int), sample(trained[1], seed), atol=1)


@pytest.mark.parametrize("task", ["enhance", "inpaint", "predict", "reorient"])
def test_serves_clips_of_clips_of_another_length_and_size(loader, given_models, task, tmp_path):
    model = given_models[task]
    clip = np.random.default_rng(0).integers(0, 256, (1, 5, 20, 28, 3), np.uint8)
    inputs = {"video": clip, "mask": (clip[..., :1] > 200).astype(np.uint8), "seed": np.array([3], np.int64),
              "angle": np.array([5], np.float32), "zoom": np.array([1.2], np.float32),
              "shift": np.array([[1, -2]], np.float32), "size": np.array([[24, 36]], np.int64)}
    asked = {name: value for name, value in inputs.items() if name in model.inputs["serving_default"]}
    expected = model("serving_default", asked)["video"]
    served = np.frombuffer(serve(loader, model.path, "serving_default", tmp_path, **asked), np.uint8)
    np.testing.assert_allclose(served.reshape(expected.shape).astype(int), expected, atol=1)


def test_a_mask_that_does_not_fit_is_an_invalid_argument(loader, given_models, tmp_path):
    clip = np.zeros((1, 5, 20, 28, 3), np.uint8)
    said = serve(loader, given_models["inpaint"].path, "serving_default", tmp_path, video=clip,
                 mask=np.zeros((1, 4, 20, 28, 1), np.uint8))
    assert "INVALID_ARGUMENT" in said and "`mask` must have the frames of `video`" in said
