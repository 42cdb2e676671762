"""Export of a run's generator as a version that TF Serving takes up.

A version is written under a hidden name, checked by the path by which TF Serving loads it, and only then published.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from gan_keras.errors import UserError
from gan_keras.models.generator import Generator
from gan_keras.runs.restore import restore_ema
from gan_keras.runs.run_folder import RunFolder
from gan_keras.serving import model_card, versions
from gan_keras.serving.model_description import ModelDescription
from gan_keras.serving.requests import clip_request
from gan_keras.serving.signatures import ServedGenerator, signature_specs
from gan_keras.tasks.registry import find_task
from gan_keras.tasks.task import Signature
from gan_keras.video.encode import write_clip

SAMPLES = 8
"""Clips that the model card shows, of the seeds 0 to 7."""

_ROUNDING = {np.dtype(np.uint8): 2, np.dtype(np.float32): 0.02, np.dtype(np.int64): 0}
"""Differences allowed in served values, of floats above 1 as a share of the largest: graphs that are optimized
otherwise, and devices that choose their algorithm as they go, round differently. On a CPU most differences are 0."""
_JPEG_ROUNDING = 16
"""Levels by which pictures may differ that were encoded with such differences in them."""
_DIFFERENCE = {"float32": np.max, "mixed_bfloat16": np.mean}
"""What of the differences is compared. In bfloat16 single values are far apart where a network amplifies rounding."""


def export(run: RunFolder, export_dir: Path, checkpoint: int | None = None, precision: str = "float32") -> Path:
    """Publishes the moving average of a run's generator as the next version in a folder.

    Args:
        run: the run folder.
        export_dir: the folder of versions.
        checkpoint: the step to export; None for the best one where the run keeps it, else the newest that is whole.
        precision: Keras dtype policy of the networks, `"float32"` or `"mixed_bfloat16"`.

    Returns:
        The version folder.

    Raises:
        UserError: no such run or checkpoint, a folder that cannot be written, weights that are not finite.
        RuntimeError: the SavedModel does not answer as the generator does; nothing was published.
    """
    generator, step = restore_ema(run, checkpoint, precision)
    with versions.unpublished(export_dir) as hidden:
        _write(hidden, run, generator, step, precision)
        check_saved_model(hidden, find_task(run.load_config()).signatures(generator), precision)
        version = versions.publish(hidden)
    logging.info("Exported step %d as %s", step, version)
    return version


def check_saved_model(folder: Path, signatures: Mapping[str, Signature], precision: str = "float32") -> None:
    """Compares every signature of a SavedModel, loaded as TF Serving loads it, with the function it was made from.

    Loading it as Python does would not do: that also succeeds with SavedModels that TF Serving's loader refuses.

    Args:
        folder: of the SavedModel.
        signatures: by name.
        precision: of the networks, as `export` takes it.

    Raises:
        RuntimeError: an output differs.
    """
    examples = {name: signature.example() for name, signature in signatures.items()}
    served = {}
    with _no_deprecation_notice(), tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(folder))
        for name, inputs in examples.items():
            definition = loaded.signature_def[name]
            served[name] = session.run({key: tensor.name for key, tensor in definition.outputs.items()},
                                       {definition.inputs[key].name: value for key, value in inputs.items()})
    for name, inputs in examples.items():
        for row in range(len(next(iter(inputs.values())))):
            expected = signatures[name].function({key: tf.constant(value[row:row + 1])
                                                  for key, value in inputs.items()})
            for key, value in served[name].items():
                _compare(f"{key} of signature {name}", value[row], expected[key][0].numpy(), _DIFFERENCE[precision])


def _compare(what: str, served: np.ndarray, expected: np.ndarray, reduced: Callable[[np.ndarray], float]) -> None:
    rounding = _ROUNDING.get(expected.dtype, 0)
    if expected.dtype == object:
        # A pixel that is rounded otherwise is another file, whose pictures are all but the same.
        served, expected, rounding = _decoded(served), _decoded(expected), _JPEG_ROUNDING
    elif expected.dtype == np.float32:
        rounding *= max(1.0, float(np.abs(expected).max(initial=0.0)))
    differences = np.abs(served.astype(float) - expected.astype(float))
    difference = float(reduced(differences)) if differences.size else 0.0
    if not difference <= rounding:
        raise RuntimeError(f"The SavedModel answers otherwise than the generator: {what} differs by "
                           f"{difference:g}. Nothing was published.")


def _decoded(pictures: np.ndarray) -> np.ndarray:
    """Encoded pictures, bytes [...] → uint8 [N, H, W, 3]."""
    return np.stack([tf.io.decode_jpeg(picture).numpy() for picture in pictures.ravel()])


def _write(folder: Path, run: RunFolder, generator: Generator, step: int, precision: str) -> None:
    config, data = run.load_config(), run.load_data()
    task = find_task(config)
    served = ServedGenerator(task, generator)
    description = ModelDescription(
        step, config.clip.num_frames, config.clip.height, config.clip.width, data.fps,
        signature_specs(served.signatures), list(config.model.classes), task.paired_signature, config.objective.task,
        task.factor)
    samples = _samples(served, description)
    try:
        tf.saved_model.save(served, str(folder), signatures=served.signatures)
        description.save(folder)
        if samples is not None:
            write_clip(folder / model_card.SHEET, samples, data.fps)
            write_clip(folder / model_card.CLIPS, samples, data.fps)
        card = model_card.model_card(description, config, data, 0 if samples is None else SAMPLES, precision)
        (folder / model_card.FILE).write_text(card, encoding="utf-8", errors="backslashreplace")
    except (OSError, tf.errors.OpError) as error:
        raise UserError(f"Export folder {folder.parent} cannot be written: {error}") from error


def _samples(served: ServedGenerator, description: ModelDescription) -> np.ndarray | None:
    """Clips of the first seeds, classes in turn, uint8 [N, T, H, W, 3]; None where they take more than seeds."""
    takes = description.signatures["serving_default"]["inputs"]
    if not set(takes) <= {"seed", "label"}:
        return None
    labels = np.arange(SAMPLES) % max(len(description.classes), 1)
    return served("serving_default", clip_request(takes, range(SAMPLES), labels))["video"]


@contextlib.contextmanager
def _no_deprecation_notice() -> Iterator[None]:
    """Keeps TensorFlow from telling the user that the loader of its own server is deprecated."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
