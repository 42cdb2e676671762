"""The loop: how a run begins, its actions, and how it ends."""

import os
import signal

import numpy as np
import pytest

from gan_keras.data.input_pipeline import training_batches
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder
from gan_keras.training.distribution import Distribution
from gan_keras.training.loop import Action, TrainingLoop, start_training
from gan_keras.training.train_step import VideoGAN
from tests.conftest import make_run


@pytest.fixture(scope="module")
def small(tiny, prepared):
    return tiny.replace(generator="dcgan3d", discriminators=("frame",), strategy="single", data=str(prepared[0]))


@pytest.fixture(scope="module")
def other(tmp_path_factory, small):
    """A run whose weights are all its own."""
    return make_run(tmp_path_factory.mktemp("other") / "run", small)


@pytest.fixture
def begin(prepared, tmp_path, undistributed):
    def begin(config):
        run = RunFolder(tmp_path / "run")
        run.make()
        return start_training(config.replace(run_dir=str(run.path)), *prepared, undistributed)

    return begin


def test_a_run_is_initialized_with_the_weights_of_another_and_has_optimizers_of_its_own(small, other, begin, log):
    run, theirs = other
    gan = begin(small.replace(init_from=str(run.path))).gan
    for name, weight in gan.weights.items():
        np.testing.assert_array_equal(weight, theirs.variables[name], err_msg=name)
    assert f"Initialized {len(gan.weights)} of {len(gan.weights)} weights from {run.path}." in log.messages


def test_what_does_not_fit_keeps_its_own_initial_weights(small, other, begin, log):
    gan = begin(small.replace(init_from=str(other[0].path), discriminators=("frame", "pair"))).gan
    pair = sum(name.startswith("discriminator/pair/") for name in gan.weights)
    assert pair > 0
    assert f"Initialized {len(gan.weights) - pair} of {len(gan.weights)} weights" in log.text


def test_to_initialize_from_what_is_no_run_is_refused(small, begin, tmp_path):
    with pytest.raises(UserError, match="is not a run folder"):
        begin(small.replace(init_from=str(tmp_path / "nothing")))


class Recorder(Action):
    """Notes the steps at which it was called."""

    def __init__(self, interval, stop_at=None, raise_signal_at=None):
        super().__init__(interval)
        self.steps, self.end, self._stop_at, self._signal_at = [], [], stop_at, raise_signal_at

    def run(self, loop):
        self.steps.append(loop.step)
        if self._signal_at == loop.step:
            os.kill(os.getpid(), signal.SIGTERM)
        self.should_stop = loop.step == self._stop_at

    def finish(self, loop, interrupted):
        self.end.append((loop.step, interrupted))


@pytest.fixture(scope="module")
def gan(small):
    import tensorflow as tf

    return VideoGAN.create(small.replace(steps=6), Distribution(tf.distribute.get_strategy()))


@pytest.fixture
def loop(gan, prepared, eagerly):
    return TrainingLoop(gan, 0, training_batches(*prepared, gan.config))


def test_actions_are_done_at_their_intervals_and_at_the_end(loop):
    actions = [Recorder(1), Recorder(4), Recorder(0)]
    loop.run(actions)
    assert [action.steps for action in actions] == [[1, 2, 3, 4, 5, 6], [4], []]
    assert [action.end for action in actions] == [[(6, False)]] * 3
    steps, seconds = loop.recent_steps()
    assert len(steps) == 6 and seconds["step"] > seconds["input"] > 0
    assert loop.recent_steps() == ([], {"step": 0.0, "input": 0.0})


def test_an_action_can_stop_the_loop(loop):
    actions = [Recorder(1, stop_at=3)]
    loop.run(actions)
    assert actions[0].steps == [1, 2, 3] and actions[0].end == [(3, False)]


def test_a_signal_ends_the_loop_after_its_step(loop, log):
    before = signal.getsignal(signal.SIGTERM)
    actions = [Recorder(1, raise_signal_at=2)]
    with pytest.raises(SystemExit) as ended:
        loop.run(actions)
    assert ended.value.code == 128 + signal.SIGTERM and actions[0].end == [(2, True)]
    assert "Stopped by SIGTERM at step 2, which is saved. The same command goes on from here." in log.messages
    assert signal.getsignal(signal.SIGTERM) is before


def test_samples_are_those_of_their_seeds(loop, gan):
    clips = np.zeros((2, *gan.config.clip.shape), np.uint8)
    samples = loop.sample([3, 0, 4], clips)
    assert samples.shape == (3, *gan.config.clip.shape) and samples.dtype == np.uint8
    np.testing.assert_array_equal(loop.sample([4], clips)[0], samples[2])
    assert (samples[0] != samples[1]).any()
