"""What TensorBoard shows of a run that was killed and went on: each step once."""

import subprocess
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.context import RequestContext
from tensorboard.data.server_ingester import ExistingServerDataIngester, get_server_binary
from tensorboard.util.grpc_util import ChannelCredsType

from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder
from gan_keras.runs.summaries import Summaries
from tests.conftest import DATA

CONTEXT = RequestContext()


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    run.save_config(Config(), DATA)
    return run


def write(run, resumed_at, steps, value):
    """A start of training: settings and real clips before its first step; scalars of every step; samples of every
    fifth, all of one value."""
    summaries = Summaries(run, resumed_at)
    clips = np.full((1, 2, 8, 8, 3), value, np.uint8)
    summaries.settings(resumed_at + 1)
    summaries.clips(resumed_at + 1, "clips/real", clips, 12.0)
    for step in range(resumed_at + 1, steps + 1):
        summaries.scalars(step, {"loss/generator": float(value), "loss/clip": 0.5})
        if step % 5 == 0:
            summaries.clips(step, "clips/generated", clips, 12.0)
            summaries.weights(step, {"weights/kernel": keras.Variable(np.linspace(-1, 1, 60).reshape(6, 10))})


@pytest.fixture
def killed(run):
    """Killed at step 13, in the middle of an event; resumed at 10 and killed at 12; resumed at 10 and ended at 15."""
    write(run, 0, 13, value=1)
    first, = run.path.glob("events.*")
    with first.open("ab") as file:
        file.write(b"\x07half")
    write(run, 10, 12, value=2)
    write(run, 10, 15, value=3)
    return run


SCALARS = [(step, 1.0) for step in range(1, 11)] + [(step, 3.0) for step in range(11, 16)]
STARTS, SAMPLES = [1, 11], [5, 10, 15]


def read(provider, kind, plugin):
    """What a plugin shows by tag; nothing where nothing was loaded yet."""
    runs = getattr(provider, f"read_{kind}")(CONTEXT, experiment_id="", plugin_name=plugin, downsample=1000)
    return next(iter(runs.values()), {})


def check(provider):
    """All that the page shows: steps and values of scalars, steps of the others, a histogram."""
    scalars = {tag: [(point.step, point.value) for point in series]
               for tag, series in read(provider, "scalars", "scalars").items()}
    assert scalars == {"loss/generator": SCALARS, "loss/clip": [(step, 0.5) for step, _ in SCALARS]}
    others = {tag: [point.step for point in series] for kind, plugin in (
        ("blob_sequences", "images"), ("tensors", "histograms"), ("tensors", "text"))
        for tag, series in read(provider, kind, plugin).items()}
    assert others == {"clips/real": STARTS, "flags": STARTS, "clips/generated": SAMPLES, "weights/kernel": SAMPLES}
    histogram = read(provider, "tensors", "histograms")["weights/kernel"][-1].numpy
    np.testing.assert_allclose(histogram[[0, -1]], [[-1, -14 / 15, 2], [14 / 15, 1, 2]])


def test_the_page_of_tensorboard_shows_each_step_once(killed):
    multiplexer = EventMultiplexer(purge_orphaned_data=True)
    multiplexer.AddRunsFromDirectory(str(killed.path)).Reload()
    check(MultiplexerDataProvider(multiplexer, str(killed.path)))


def test_its_data_server_shows_each_step_once(killed, tmp_path):
    port = tmp_path / "port"
    command = [get_server_binary().path, f"--logdir={killed.path}", "--reload=once", f"--port-file={port}",
               "--samples-per-plugin=", "--die-after-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as server:
        deadline = time.monotonic() + 60
        while not (port.exists() and port.read_text().endswith("\n")):
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.02)
        address = f"localhost:{port.read_text().strip()}"
        provider = ExistingServerDataIngester(address, channel_creds_type=ChannelCredsType.LOCAL).data_provider
        while not read(provider, "scalars", "scalars"):  # it commits all of a load at once
            assert time.monotonic() < deadline
        check(provider)


def test_a_page_that_is_open_meanwhile_drops_what_was_lost(run):
    write(run, 0, 13, value=1)
    multiplexer = EventMultiplexer(purge_orphaned_data=True)
    multiplexer.AddRunsFromDirectory(str(run.path)).Reload()
    write(run, 10, 15, value=3)
    multiplexer.Reload()
    check(MultiplexerDataProvider(multiplexer, str(run.path)))


def test_an_event_accumulator_has_each_step_once(killed):
    accumulator = EventAccumulator(str(killed.path), {"histograms": 0}, purge_orphaned_data=True)
    accumulator.Reload()
    scalars = accumulator.Scalars("loss/generator")
    assert [(event.step, event.value) for event in scalars] == SCALARS
    assert [event.step for event in accumulator.Images("clips/generated")] == SAMPLES
    assert accumulator.Images("clips/generated")[0].encoded_image_string.startswith(b"GIF8")
    assert [event.step for event in accumulator.Histograms("weights/kernel")] == SAMPLES
    text = tf.make_ndarray(accumulator.Tensors("flags")[0].tensor_proto).item()
    assert b"--learning_rate=0.001\n" in text


def test_evaluations_of_older_checkpoints_drop_nothing(run):
    for step in (20, 10):
        Summaries(run).scalars(step, {"coverage": 0.5})
    accumulator = EventAccumulator(str(run.path), purge_orphaned_data=True)
    accumulator.Reload()
    assert [event.step for event in accumulator.Scalars("coverage")] == [20, 10]


def test_numbers_that_are_not_finite_are_shown_and_are_in_no_histogram(run):
    summaries = Summaries(run)
    summaries.scalars(1, {"loss": np.nan})
    summaries.weights(1, {"kernel": keras.Variable([np.inf, 1.0, 2.0]), "lost": keras.Variable([np.nan])})
    accumulator = EventAccumulator(str(run.path))
    accumulator.Reload()
    assert np.isnan(accumulator.Scalars("loss")[0].value)
    counts = {name: accumulator.Histograms(name)[0].histogram_value.num for name in ("kernel", "lost")}
    assert counts == {"kernel": 2, "lost": 0}


def test_a_folder_that_cannot_be_written_is_named(run, small_files):
    summaries = Summaries(run)
    with small_files(200), pytest.raises(UserError, match=r"events\.out\.tfevents\.\S+ cannot be written: "):
        summaries.clips(1, "clips/real", np.random.default_rng(0).integers(0, 256, (4, 4, 32, 32, 3), np.uint8), 12.0)
