"""What to do about a run that diverged."""

from pathlib import Path

from gan_keras.config.command_line import command_line, next_command
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder
from gan_keras.training import hardware


def divergence_error(run: RunFolder, config: Config, begin: int, end: int, last_finite: int, started_at: int
                     ) -> UserError:
    """The end of a run none of whose gradients is finite any more, with commands by which it can go on.

    It goes on from the newest checkpoint before the last step with finite gradients, other than the one from which this
    start led here. Those after it are to be deleted first.

    Args:
        run: the run folder.
        config: its settings.
        begin: first step of those without any finite gradient.
        end: last one of them.
        last_finite: last step with finite gradients; where there was none, `started_at`.
        started_at: steps that had been done when this start began.
    """
    saved = checkpoints.saved_steps(run.checkpoints)
    step = max((step for step in saved if step < last_finite and step != started_at), default=0)
    stuck = [file for later in saved if later > step for file in checkpoints.files(run.checkpoints, later)]
    rates = {name: getattr(config.optimization, name) for name in ("learning_rate", "discriminator_learning_rate")}
    halved = {name: f"{rate / 2:g}" for name, rate in rates.items() if rate}
    message = (f"No gradient was finite in steps {begin} to {end}: the run diverged. It can go on from step {step} "
               f"with half the learning rate: {_command(run, stuck, **halved)}")
    if hardware.precision_policy(config.hardware.precision) != "float32":
        message += f" or with more precision: {_command(run, stuck, precision='float32')}"
    return UserError(message)


def _command(run: RunFolder, deleted: list[Path], **flags: str) -> str:
    delete = [command_line("rm", *map(str, deleted))] if deleted else []
    return " && ".join([*delete, next_command("train", run_dir=run.path, **flags)])
