"""Several processes of train.py as one training, on loopback."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from benchmarks import harness
from benchmarks.workers import WorkerGroup, difference, variables
from gan_keras.runs import checkpoints
from tests.conftest import metric_lines
from tests.processes import ROOT

pytestmark = pytest.mark.slow

STEPS = 40
EVALUATED = {"evaluate_every": STEPS // 2, "evaluate_clips": 17}
QUICK = {"generator": "dcgan3d", "discriminators": "clip", "resolution": "8", "num_frames": 2, "picture_steps": 0}
"""Networks that are traced in seconds."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("workers")


@pytest.fixture(scope="module")
def two(folder):
    """A run of two workers, and what each wrote."""
    group = WorkerGroup(folder, "two", 2, steps=STEPS, **QUICK, **EVALUATED).wait()
    return group.run_dir, [log.read_text() for log in sorted(folder.glob("two.*.log"))]


@pytest.fixture(scope="module")
def one(folder):
    """The same run, of one worker."""
    return WorkerGroup(folder, "one", 1, steps=STEPS, **QUICK, **EVALUATED).wait().run_dir


@pytest.fixture(scope="module")
def begun(folder):
    """A run whose second worker was killed behind the first checkpoint: how the first one ended, and what it said."""
    group = WorkerGroup(folder, "begun", 2, steps=10**6, minutes=10, **QUICK)
    wait_for_checkpoint(group)
    seconds, message = group.kill(1)
    return group, seconds, message


def wait_for_checkpoint(group):
    deadline = time.monotonic() + 120
    while not checkpoints.saved_steps(group.run_dir / "checkpoints"):
        assert group.is_running() and time.monotonic() < deadline
        time.sleep(0.02)


def test_two_workers_train_as_one_and_the_first_alone_writes(one, two):
    run_dir, written = two
    assert difference(variables(one), variables(run_dir)) < 1e-5
    assert "Done:" in written[0] and "Done:" not in written[1]
    logged = [line for line in metric_lines(run_dir) if "learning_rate" in line]
    assert len(logged) == STEPS // 5


def test_an_evaluation_is_shared_and_is_that_of_one_worker(one, two):
    evaluations = [[line for line in metric_lines(folder) if "evaluation/clips" in line] for folder in (two[0], one)]
    assert [line["step"] for line in evaluations[0]] == [STEPS // 2, STEPS]
    for shared, alone in zip(*evaluations, strict=True):
        assert shared.keys() == alone.keys()
        np.testing.assert_allclose(shared["frechet/joint"], alone["frechet/joint"], rtol=1e-3)


def test_a_worker_whose_other_is_killed_says_so_and_ends(begun):
    _, seconds, message = begun
    assert seconds < 60
    assert "Worker 1 of 2 (localhost:" in message and "The same command, on all workers or on fewer" in message


def test_what_two_began_one_goes_on_with(folder, two, begun):
    group, _, _ = begun
    assert 0 < checkpoints.saved_steps(group.run_dir / "checkpoints")[-1] < STEPS
    alone = WorkerGroup(folder, "begun", 1, steps=STEPS, **QUICK).wait()
    assert difference(variables(two[0]), variables(alone.run_dir)) < 1e-5


def test_workers_without_a_shared_folder_all_end_before_they_train(folder):
    group = WorkerGroup(folder, "apart", 2, second={"run_dir": "elsewhere"}, **QUICK)
    assert group.exit_codes() == [2, 2]
    for log in sorted(folder.glob("apart.*.log")):
        assert "`run_dir` must be one folder for all workers" in log.read_text()


def test_a_signal_to_one_worker_ends_both_and_all_is_saved(folder):
    group = WorkerGroup(folder, "stopped", 2, steps=10**6, minutes=10, **QUICK)
    wait_for_checkpoint(group)
    group.processes[1].send_signal(signal.SIGINT)
    assert group.exit_codes() == [128 + signal.SIGTERM, 128 + signal.SIGINT]
    message = (folder / "stopped.0.log").read_text()
    saved = checkpoints.saved_steps(group.run_dir / "checkpoints")[-1]
    assert f"at step {saved}, which is saved" in message


def test_a_worker_that_waits_for_the_others_is_ended_by_an_interrupt(folder):
    group = WorkerGroup(folder, "waiting", 2, **QUICK)
    group.processes[0].kill()
    log, deadline = folder / "waiting.1.log", time.monotonic() + 60
    while "waits for the others, at most 15 minutes" not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)  # it is in TensorFlow's hands
    group.processes[1].send_signal(signal.SIGINT)
    assert group.exit_codes(20.0)[1] == -signal.SIGINT


def test_a_worker_does_not_wait_for_the_others_for_ever():
    addresses = [f"localhost:{port}" for port in harness.free_ports(2)]
    task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 1}}
    program = ("from gan_keras.config.train import HardwareSettings; from gan_keras.training import distribution\n"
               "distribution._LONGEST_WAIT_FOR_OTHERS = 1\n"
               "distribution.make_distribution(HardwareSettings(strategy='multi_worker'))")
    done = subprocess.run([sys.executable, "-c", program], check=False, cwd=ROOT, capture_output=True, timeout=120,
                          env={**os.environ, "TF_CONFIG": json.dumps(task)})
    assert done.returncode == -signal.SIGALRM, done.stderr
