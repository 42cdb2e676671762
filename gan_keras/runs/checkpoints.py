"""Checkpoints: plain tensors by path, verified before anything is restored.

A checkpoint `ckpt-STEP` is TensorFlow's own bundle (an index and a data file) of tensors named as the variables are.
There is no state file beside them that could be lost: the folder is listed. The newest one that reads back whole is
restored; a damaged one is named and passed over.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from gan_keras.errors import UserError

_INDEX = re.compile(r"ckpt-(\d+)\.index")
_STEP = "step"
_TEMPORARY = "*.tempstate*"
_OPERATION = re.compile(r"\{\{.*?\}\} | \[Op:\w+\]")
"""What TensorFlow puts around a message to say which of its operations failed."""


def saved_steps(folder: Path) -> list[int]:
    """The steps of the checkpoints in a folder, oldest first, whole or damaged."""
    matches = (_INDEX.fullmatch(file.name) for file in folder.glob("ckpt-*.index"))
    return sorted(int(match.group(1)) for match in matches if match)


def files(folder: Path, step: int) -> list[Path]:
    """The files of a checkpoint: its index and data."""
    return sorted(folder.glob(f"ckpt-{step}.*"))


def save(folder: Path, step: int, variables: Mapping[str, keras.Variable], keep: int, keep_step: int | None = None
         ) -> Path:
    """Saves the variables as checkpoint `step` and deletes all but the newest `keep` and that of `keep_step`.

    TensorFlow writes under temporary names and renames the index last, so a kill leaves the older checkpoints usable.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    prefix = folder / f"ckpt-{step}"
    names = [_STEP, *variables]
    tensors = [tf.constant(step, tf.int64), *(tf.convert_to_tensor(variable.value) for variable in variables.values())]
    try:
        tf.raw_ops.SaveV2(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=tensors)
    except tf.errors.OpError as error:
        _delete(folder.glob(_TEMPORARY))  # what there is of it takes the place that is lacking
        steps = saved_steps(folder)
        kept = f"Checkpoint {steps[-1]} is kept: the same command goes on from there." if steps else \
            "There is no earlier one."
        why = _OPERATION.sub("", error.message)
        raise UserError(f"Checkpoint {prefix} cannot be written: {why}. {kept}") from error
    for old in set(saved_steps(folder)[:-keep]) - {keep_step}:
        _delete(files(folder, old))
    _delete(folder.glob(_TEMPORARY))  # left by a kill in the middle of a save
    return prefix


def restore(folder: Path, variables: Mapping[str, keras.Variable], step: int | None = None) -> int | None:
    """Restores the newest checkpoint that is whole (or the one of `step`) into the variables.

    All tensors are read, and so checked, before any variable is changed. Damaged checkpoints are logged as warnings.

    Args:
        folder: of the checkpoints.
        variables: by name; the checkpoint may hold more.
        step: this checkpoint and no other.

    Returns:
        The step restored, or None where the folder holds no checkpoint.

    Raises:
        UserError: all are damaged, the one asked for is not there, or the checkpoint is of another model.
    """
    newest = _newest_whole(folder, step)
    if newest is None:
        return None
    number, values = newest
    for name, variable in variables.items():
        if name not in values or values[name].shape != tuple(variable.shape):
            there = list(values[name].shape) if name in values else "missing"
            raise UserError(f"Checkpoint {folder / f'ckpt-{number}'} is of another model: {name} is {there} there and "
                            f"{list(variable.shape)} here.")
    for name, variable in variables.items():
        variable.assign(values[name])
    return number


def initialize_from(folder: Path, variables: Mapping[str, keras.Variable]) -> int:
    """Initializes variables with those of the same name and shape in the newest whole checkpoint of another run.

    Args:
        folder: of its checkpoints.
        variables: by name; those that it has not, or of another shape, stay as they are.

    Returns:
        How many variables were initialized.

    Raises:
        UserError: there is no checkpoint, none that is whole, or nothing in it fits.
    """
    newest = _newest_whole(folder, None)
    if newest is None:
        raise UserError(f"{folder} has no checkpoint to initialize from.")
    number, values = newest
    fitting = {name: variable for name, variable in variables.items()
               if name in values and values[name].shape == tuple(variable.shape)}
    if not fitting:
        raise UserError(f"Nothing in checkpoint {folder / f'ckpt-{number}'} has the name and shape of a weight here: "
                        "it is of another architecture, or of other sizes.")
    for name, variable in fitting.items():
        variable.assign(values[name])
    return len(fitting)


def _newest_whole(folder: Path, step: int | None) -> tuple[int, dict[str, np.ndarray]] | None:
    """The step and the tensors of the newest checkpoint that is whole, or of that of `step`; None where none is."""
    steps = saved_steps(folder)
    if step is not None and step not in steps:
        raise UserError(f"{folder} has no checkpoint of step {step}. It has: {', '.join(map(str, steps)) or 'none'}")
    for saved in reversed(steps) if step is None else [step]:
        prefix = folder / f"ckpt-{saved}"
        try:
            reader = tf.train.load_checkpoint(str(prefix))  # reading checks every tensor's checksum
            return saved, {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
        except Exception as error:  # the reader turns error codes into half a dozen unrelated exceptions
            logging.warning("Checkpoint %s is damaged and is passed over (%s: %s)", prefix, type(error).__name__,
                            str(error).splitlines()[0][:120])
    if steps:
        raise UserError(f"Every checkpoint in {folder} is damaged. Delete the folder to start anew.")
    return None


def _delete(paths: Iterable[Path]) -> None:
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:  # what is saved is saved
            logging.warning("%s cannot be deleted: %s", path, error.strerror or error)
