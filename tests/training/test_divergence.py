"""The advice at a divergence: what it says, and that it can be followed."""

import re
import shlex
from pathlib import Path

import keras
import pytest

from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder
from gan_keras.training.actions import LogMetrics, SaveCheckpoint
from gan_keras.training.divergence import divergence_error
from gan_keras.training.loop import start_training


class NoSummaries:
    def scalars(self, step, values):
        pass


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "my run")
    run.make()
    return run


def touch(run, *steps):
    for step in steps:
        for suffix in ("index", "data-00000-of-00001"):
            (run.checkpoints / f"ckpt-{step}.{suffix}").touch()


FLOAT32 = Config().replace(precision="float32")


def test_the_run_goes_on_from_the_checkpoint_before(run):
    touch(run, 300, 350)
    assert str(divergence_error(run, FLOAT32, 351, 400, last_finite=351, started_at=0)) == (
        "No gradient was finite in steps 351 to 400: the run diverged. It can go on from step 350 with half the "
        f"learning rate: gan-keras train --run_dir='{run.path}' --learning_rate=0.0005")


def test_checkpoints_from_which_no_step_leads_on_are_deleted_first(run):
    touch(run, 300, 350, 400)
    message = str(divergence_error(run, FLOAT32, 401, 450, last_finite=350, started_at=0))
    assert "go on from step 300 with" in message
    deleted = shlex.split(message[message.index("rm "):message.index(" &&")])
    assert deleted == ["rm", *map(str, [*checkpoints.files(run.checkpoints, 350),
                                        *checkpoints.files(run.checkpoints, 400)])]


def test_a_checkpoint_that_has_led_to_a_divergence_before_is_not_taken_again(run):
    touch(run, 300, 350)
    assert "go on from step 300 with" in str(divergence_error(run, FLOAT32, 381, 400, last_finite=380, started_at=350))
    touch(run, 375)
    assert "go on from step 375 with" in str(divergence_error(run, FLOAT32, 381, 400, last_finite=380, started_at=350))


def test_a_run_without_an_earlier_checkpoint_begins_anew(run):
    touch(run, 300)
    assert "go on from step 0 with" in str(divergence_error(run, FLOAT32, 301, 350, last_finite=300, started_at=300))


def test_each_learning_rate_is_halved(run):
    config = FLOAT32.replace(learning_rate=1e-3, discriminator_learning_rate=4e-3)
    message = str(divergence_error(run, config, 1, 50, last_finite=0, started_at=0))
    assert message.endswith("--learning_rate=0.0005 --discriminator_learning_rate=0.002")


def test_less_than_float32_can_be_made_more_precise(run):
    message = str(divergence_error(run, Config().replace(precision="bfloat16"), 1, 50, last_finite=0, started_at=0))
    assert message.endswith(f" or with more precision: gan-keras train --run_dir='{run.path}' --precision=float32")


def follow(advice, run):
    """What a user does who copies the command: deletes what it deletes, and starts with its flags.

    Returns:
        The settings of that start.
    """
    deleted, command = re.search(r"(rm .* && )?(gan-keras train .*)$", advice).groups()
    for file in shlex.split((deleted or "").removesuffix(" && "))[1:]:
        Path(file).unlink()
    named = dict(flag.removeprefix("--").split("=", 1) for flag in shlex.split(command)[2:])
    assert named.pop("run_dir") == str(run.path)
    return run.resolve({name: float(value) for name, value in named.items()})


def test_the_advice_can_be_followed_until_the_run_goes_on(tiny, prepared, run, undistributed, eagerly):
    config = tiny.replace(generator="dcgan3d", discriminators=("frame",), data=str(prepared[0]), steps=8,
                          learning_rate=16.0, log_every=2, run_dir=str(run.path))
    rates = []
    while True:
        assert len(rates) < 20
        loop = start_training(config, *prepared, undistributed)
        rates.append(config.optimization.learning_rate)
        try:
            loop.run([LogMetrics(2, run, NoSummaries(), loop.step), SaveCheckpoint(1, run, loop.step)])
            break
        except UserError as error:
            config = follow(str(error), run)
    assert rates == pytest.approx([16.0 / 2**start for start in range(len(rates))], rel=1e-4) and len(rates) > 1
    assert checkpoints.saved_steps(run.checkpoints)[-1] == 8
    assert run.metrics()[-1]["step"] == 8 and run.metrics()[-1]["learning_rate"] == rates[-1]


class Loop:
    """A loop whose last step was skipped or not."""

    def __init__(self, variables, config):
        self.gan, self.config, self.step, self.skipped_last_step = self, config, 0, False
        self.variables = variables


def test_steps_that_change_nothing_push_out_no_checkpoint(run):
    save, loop = SaveCheckpoint(1, run, 0), Loop({"a": keras.Variable(1.0)}, FLOAT32.replace(keep_checkpoints=2))
    for loop.step, loop.skipped_last_step in ((1, False), (2, False), (3, True), (4, True)):
        save.run(loop)
    assert checkpoints.saved_steps(run.checkpoints) == [1, 2]
    save.finish(loop, interrupted=True)
    assert checkpoints.saved_steps(run.checkpoints) == [2, 4]
