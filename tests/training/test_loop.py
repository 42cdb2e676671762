"""The loop: how a run begins, its actions, and how it ends."""

import dataclasses
import errno
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data.input_pipeline import training_batches
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder
from gan_keras.training.actions import SaveCheckpoint, WriteSamples
from gan_keras.training.distribution import Distribution
from gan_keras.training.loop import Action, Notice, TrainingLoop, check_workers, start_training
from gan_keras.training.optimizers import learning_rate
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
    def begin(config, distribution=undistributed):
        run = RunFolder(tmp_path / "run")
        run.make()
        return start_training(config.replace(run_dir=str(run.path)), *prepared, distribution)

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

    def __init__(self, interval, stop_at=None, raise_signal_at=None, number=signal.SIGTERM):
        super().__init__(interval)
        self.steps, self.end, self._stop_at, self._signal_at = [], [], stop_at, raise_signal_at
        self._number = number

    def run(self, loop):
        self.steps.append(loop.step)
        if self._signal_at == loop.step:
            os.kill(os.getpid(), self._number)
        self.should_stop = loop.step == self._stop_at

    def finish(self, loop, interrupted):
        if interrupted:
            os.kill(os.getpid(), self._number)  # as shells do, and impatient users
        self.end.append((loop.step, interrupted))


@pytest.fixture(scope="module")
def gan(small):
    return VideoGAN.create(small.replace(steps=6), Distribution(tf.distribute.get_strategy()))


@pytest.fixture
def loop(gan, prepared, monkeypatch):
    """A loop whose steps change nothing."""
    monkeypatch.setattr(gan, "train_step", lambda *_: {"skipped": tf.constant(0.0)})
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


@pytest.fixture
def handlers():
    """Sets handlers of signals for a test."""
    before = {}

    def set_handler(number, handler):
        before.setdefault(number, signal.signal(number, handler))

    yield set_handler
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGHUP"])
def test_a_signal_ends_the_loop_after_its_step_however_often_it_comes(loop, log, handlers, name):
    number = signal.Signals[name]
    handlers(number, signal.SIG_DFL)
    actions = [Recorder(1, raise_signal_at=2, number=number), Recorder(0, number=number)]
    with pytest.raises(SystemExit) as ended:
        loop.run(actions)
    assert ended.value.code == 128 + number and [action.end for action in actions] == [[(2, True)]] * 2
    assert f"Stopped by {name} at step 2, which is saved. The same command goes on from here." in log.messages
    assert signal.getsignal(number) is signal.SIG_DFL


def test_what_was_ignored_at_the_start_stays_so_as_nohup_wants_it(loop, handlers):
    handlers(signal.SIGHUP, signal.SIG_IGN)
    actions = [Recorder(1, raise_signal_at=2, number=signal.SIGHUP)]
    loop.run(actions)
    assert actions[0].end == [(6, False)] and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_system_without_a_signal_has_the_others(loop, handlers, monkeypatch):
    handlers(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.delattr(signal, "SIGHUP")
    with pytest.raises(SystemExit, match=str(128 + signal.SIGTERM)):
        loop.run([Recorder(1, raise_signal_at=2)])


class Clock:
    """What the loop takes for the time, in seconds."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    monkeypatch.setattr("gan_keras.training.loop.time", clock := Clock())
    return clock


def schedules(loop, clock):
    """The schedules of a run's steps, each of which takes ten seconds."""
    seen = []

    def noted(batch, number, schedule):
        seen.append(schedule)
        clock.now += 10.0
        return {"skipped": tf.constant(0.0)}

    loop.gan.train_step = noted
    loop.run([])
    return seen


def test_pictures_end_after_a_third_of_the_minutes_and_a_start_that_does_them_again_ends_them_there(
        small, begin, log, clock):
    config = small.replace(steps=4, discriminators=("pair", "clip"), picture_steps=100)
    limited = schedules(begin(config.replace(minutes=1.0)), clock)
    assert [schedule.pictures_only for schedule in limited] == [True, True, False, False]
    assert "Steps of pictures alone end after 2 and not after 100: a third of the minutes is over." in log.messages
    assert schedules(begin(config), clock) == limited  # whatever this start takes


def test_steps_without_discriminators_end_after_a_third_of_the_minutes(small, begin, log, clock):
    config = small.replace(steps=4, task="enhance", fidelity_steps=100, minutes=1.0)
    assert [schedule.adversarial for schedule in schedules(begin(config), clock)] == [False, False, True, True]
    assert "Steps without discriminators end after 2 and not after 100: a third of the minutes is over." in log.messages


@pytest.mark.parametrize("minutes", [0.0, 2.0])
def test_the_first_steps_are_those_of_the_settings_where_the_minutes_are_enough(small, begin, clock, minutes):
    config = small.replace(steps=4, discriminators=("pair", "clip"), picture_steps=3, minutes=minutes)
    assert [schedule.pictures_only for schedule in schedules(begin(config), clock)] == [True] * 3 + [False]
    assert RunFolder(Path(begin(config).config.run.run_dir)).first_steps() is None


class FullDisk(Action):
    """Finds no space left."""

    def run(self, loop):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "sheet.png")


def test_what_cannot_be_written_ends_in_a_line_that_says_from_where_the_run_goes_on(small, begin, eagerly):
    loop = begin(small.replace(steps=4))
    save = SaveCheckpoint(1, RunFolder(Path(loop.config.run.run_dir)), 0)
    with pytest.raises(UserError, match=r"Stopped at step 2: .*No space left on device: 'sheet\.png'\. "
                                        r"The same command goes on from step 1\.$"):
        loop.run([FullDisk(2), save])
    assert begin(loop.config).step == 1


def state(loop):
    return {name: variable.numpy() for name, variable in loop.gan.variables.items()}


@pytest.mark.parametrize("devices", [("one_device", "two_devices"), ("two_devices", "one_device")])
def test_a_run_goes_on_with_another_number_of_devices(small, begin, request, tmp_path, devices, eagerly):
    first, second = map(request.getfixturevalue, devices)
    config = small.replace(steps=4, strategy="mirrored", optimizer="sgd", learning_rate=0.01, penalty="none",
                           discriminators=("pair", "clip"), picture_steps=3)  # the last step sees whole clips
    loop = begin(config, first)
    loop.run([Recorder(1, stop_at=2), SaveCheckpoint(0, RunFolder(tmp_path / "run"), 0)])
    resumed = begin(config, second)
    assert resumed.step == 2 and first.replicas + second.replicas == 3
    for name, value in state(resumed).items():
        np.testing.assert_array_equal(value, state(loop)[name], err_msg=name)
    for each in (loop, resumed):
        each.run([])
        assert each.step == 4
    for name, value in state(loop).items():
        np.testing.assert_allclose(state(resumed)[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_run_goes_on_with_another_learning_rate(small, begin, tmp_path):
    config = small.replace(learning_rate=0.25)
    loop = begin(config)
    SaveCheckpoint(0, RunFolder(tmp_path / "run"), 0).save(loop)
    gan = begin(config.replace(learning_rate=0.125)).gan
    assert not [name for name in gan.variables if name.startswith("optimizer/") and name.endswith("learning_rate")]
    assert float(learning_rate(gan.config.optimization, "generator", 2)) == 0.125


class Events:
    """Notes the steps of which events are written."""

    def __init__(self):
        self.steps = []

    def clips(self, step, *_):
        self.steps.append(step)

    def weights(self, step, *_):
        pass


def test_the_samples_of_a_step_are_written_once_however_often_a_run_is_started(loop, prepared, tmp_path):
    run, events = RunFolder(tmp_path / "run"), Events()
    run.make()
    loop.step = 6
    for _ in range(2):
        samples = WriteSamples(3, run, events, *prepared, step=6)
        samples.finish(loop, interrupted=False)
        assert samples.path == run.samples / "step-000006"
    assert events.steps == [6]
    assert sorted(file.name for file in run.samples.iterdir()) == ["step-000006.png", "step-000006.webm"]


def test_samples_are_those_of_their_seeds(loop, gan):
    clips = np.zeros((2, *gan.config.clip.shape), np.uint8)
    samples = loop.sample([3, 0, 4], clips)["video"]
    assert samples.shape == (3, *gan.config.clip.shape) and samples.dtype == np.uint8
    np.testing.assert_array_equal(loop.sample([4], clips)["video"][0], samples[2])
    assert (samples[0] != samples[1]).any()


# ---- several processes ----

def nothing(values):
    return [0.0] * len(values)


@dataclasses.dataclass(frozen=True)
class Pair(Distribution):
    """Of two processes, the other of which adds to each sum what a test says, and nothing behind that."""

    others: list = dataclasses.field(default_factory=list)
    asked: list = dataclasses.field(default_factory=list)

    def all_reduce_sum(self, values):
        self.asked.append(list(values))
        added = (self.others.pop(0) if self.others else nothing)(values)
        return [value + more for value, more in zip(values, added, strict=True)]

    def split(self, batch):
        return batch


def pair(others, process=0):
    names = {f"/job:worker/replica:0/task:{i}": f"host{i}:1" for i in range(2)}
    return Pair(tf.distribute.get_strategy(), names, process, list(others))


def says(numbers):
    return lambda _: list(numbers)


def test_a_signal_to_another_process_ends_this_one_at_the_same_step(loop, log):
    loop.distribution = pair([nothing, nothing, says(Notice(signalled=1.0))])
    actions = [Recorder(1)]
    with pytest.raises(SystemExit) as ended:
        loop.run(actions)
    assert ended.value.code == 128 + signal.SIGTERM and actions[0].steps == [1, 2] and actions[0].end == [(2, True)]
    assert "Stopped by SIGTERM at step 2, which is saved. The same command goes on from here." in log.messages


def test_another_process_whose_time_is_over_ends_this_one_as_a_whole_run_does(loop):
    loop.distribution = pair([nothing, says(Notice(ends=1.0))])
    actions = [Recorder(1)]
    loop.run(actions)
    assert actions[0].steps == [1] and actions[0].end == [(1, False)]


def test_all_processes_end_their_first_steps_where_one_does(small, begin, clock):
    config = small.replace(steps=4, discriminators=("pair", "clip"), picture_steps=100)
    loop = begin(config)
    loop.distribution = pair([nothing, nothing, says(Notice(ends_first_steps=1.0))], process=1)
    assert [schedule.pictures_only for schedule in schedules(loop, clock)] == [True, True, False, False]


def test_a_chief_that_has_failed_ends_the_others(loop):
    loop.distribution = pair([nothing, says(Notice(ends=1.0, failed=1.0))], process=1)
    with pytest.raises(UserError, match="Stopped at step 1, because the chief has: what it wrote says why"):
        loop.run([])


@pytest.mark.parametrize("others", [[], [nothing, nothing]], ids=["told", "gone"])
def test_what_fails_is_told_to_the_others_and_then_raised(loop, others, monkeypatch):
    class Fails(Action):
        def run(self, loop):
            raise UserError("the disk is full")

    loop.distribution = pair(others)
    if others:
        def gone(values):
            raise tf.errors.UnavailableError(None, None, "the other is gone")

        loop.distribution.others[1] = gone
    with pytest.raises(UserError, match=r"^the disk is full$"):
        loop.run([Fails(1)])
    assert loop.distribution.asked == [list(Notice()), list(Notice(ends=1.0, failed=1.0))]


def same(values):
    return list(values)


SEEN = [nothing, nothing, nothing, says([1.0])]
"""Length and text of the chief's file, waiting, whether it is seen."""


@pytest.mark.parametrize(("others", "message"), [
    ([*SEEN, same, same], None), ([*SEEN[:3], says([0.0])], "`run_dir` must be one folder for all workers"),
    ([*SEEN, nothing], "All workers must be started with the same settings"),
    ([*SEEN, same, nothing], "All workers must see the same videos")])
def test_processes_that_were_not_told_the_same_are_refused(gan, prepared, tmp_path, others, message):
    config, distribution = gan.config.replace(run_dir=str(tmp_path)), pair(others)
    if message:
        with pytest.raises(UserError, match=message):
            check_workers(distribution, config, prepared[1], None)
    else:
        check_workers(distribution, config, prepared[1], None)
    assert not list(tmp_path.iterdir())
