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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("g++"), reason="needs g++ on Linux")
def test_serves_the_frames_of_the_average(loader, exported, trained):
    done = subprocess.run([str(loader), str(exported), *map(str, SEEDS)], capture_output=True, check=True)
    served = np.frombuffer(done.stdout, np.uint8).reshape(len(SEEDS), 4, 16, 16, 3)
    for seed, clip in zip(SEEDS, served, strict=True):
        np.testing.assert_array_equal(clip, sample(trained[1], seed))
