"""The generator and the discriminators of a run, restored from its checkpoints."""

import numpy as np

from gan_keras.errors import UserError
from gan_keras.models.discriminator import Discriminator, named_weights
from gan_keras.models.generator import Generator
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder
from gan_keras.tasks.registry import find_task


def restore_ema(run: RunFolder, checkpoint: int | None = None, precision: str = "float32") -> tuple[Generator, int]:
    """The generator of a run with the exponential moving average of its weights.

    Args:
        run: the run folder.
        checkpoint: its step; None for the best one where the run keeps it, else the newest that is whole.
        precision: Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.

    Returns:
        The generator and the step.

    Raises:
        UserError: no such run or checkpoint, or weights that are not finite.
    """
    config, best = run.load_config(), run.best()
    if checkpoint is None and best and config.run.keep_best:
        checkpoint = best.step
    generator = find_task(config).build_generator(precision)
    step = checkpoints.restore(run.checkpoints, generator.named_weights("ema"), checkpoint)
    if step is None:
        raise UserError(f"{run.path} has no checkpoint yet, so there is no generator in it.")
    for name, weight in generator.named_weights("ema").items():
        if not np.isfinite(weight.numpy()).all():
            raise UserError(f"Checkpoint {step} in {run.checkpoints} holds numbers that are not finite ({name}): the "
                            "run has diverged. Name an earlier --checkpoint.")
    return generator, step


def restore_discriminators(run: RunFolder, step: int) -> dict[str, Discriminator]:
    """The discriminators of a run's checkpoint, float32, by name.

    Raises:
        UserError: no such checkpoint.
    """
    discriminators = find_task(run.load_config()).build_discriminators("float32")
    if checkpoints.restore(run.checkpoints, named_weights(discriminators), step) is None:
        raise UserError(f"{run.path} has no checkpoint yet, so there are no discriminators in it.")
    return discriminators
