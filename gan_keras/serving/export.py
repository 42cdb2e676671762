"""From a run folder to a version that TF Serving takes up.

A version is written under a hidden name, checked by the path by which TF Serving loads it, and only then published.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras import checkpoints
from gan_keras.config import Config
from gan_keras.data.clips import to_uint8
from gan_keras.errors import UserError
from gan_keras.models.build import build_generator
from gan_keras.models.generator import Generator
from gan_keras.run_folder import RunFolder
from gan_keras.sampling import draw_latents
from gan_keras.serving import model_card, versions
from gan_keras.serving.asking import question
from gan_keras.serving.description import Description
from gan_keras.serving.signatures import ServedGenerator, describe
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io

SAMPLES = 8
"""Clips that the model card shows, of the seeds 0 to 7."""

_CHECKED_SEEDS = (0, 7, 2**40 + 3)
_CHECKED_PARTS = 2
"""Clips in a row that are compared where sequences can go on."""

_ROUNDING = 2
"""Levels of 255 by which a served frame may differ: devices that choose their algorithm as they go round differently.
On a CPU the difference is 0."""


def export(run: RunFolder, export_dir: Path, checkpoint: int | None = None, say: Callable[[str], None] = print) -> Path:
    """Publishes the running average of a run's generator as the next version in a folder.

    Args:
        run: the run folder.
        export_dir: the folder of versions.
        checkpoint: the step to export; None for the best one where the run keeps it, else the newest that is whole.
        say: is told of damaged checkpoints and of what was made.

    Returns:
        The version folder.

    Raises:
        UserError: no such run or checkpoint, a folder that cannot be written, weights that are not finite.
        RuntimeError: the SavedModel does not answer as the generator does; nothing was published.
    """
    config = run.load_config()
    generator, step = restore_average(run, checkpoint, say)
    with versions.unpublished(export_dir) as hidden:
        _write(hidden, run, config, generator, step)
        _check(hidden, generator, config.clips)
        version = versions.publish(hidden)
    say(f"Exported step {step} as {version}")
    return version


def restore_average(run: RunFolder, checkpoint: int | None, say: Callable[[str], None]) -> tuple[Generator, int]:
    """The running average of a run's generator.

    Args:
        run: the run folder.
        checkpoint: its step; None for the best one where the run keeps it, else the newest that is whole.
        say: is told of damaged checkpoints.

    Returns:
        The generator, float32, and the step.

    Raises:
        UserError: no such run or checkpoint, or weights that are not finite.
    """
    config, best = run.load_config(), run.best()
    if checkpoint is None and best and config.run.keep_best:
        checkpoint = best.step
    generator = build_generator(config.clips, config.model, "float32")
    step = checkpoints.restore(run.checkpoints, generator.named_weights("average"), say, checkpoint)
    if step is None:
        raise UserError(f"{run.path} has no checkpoint yet, so there is no generator in it.")
    for name, weight in generator.named_weights("average").items():
        if not np.isfinite(weight.numpy()).all():
            raise UserError(f"Checkpoint {step} in {run.checkpoints} holds numbers that are not finite ({name}): the "
                            "run has diverged. Name an earlier --checkpoint.")
    return generator, step


def _write(folder: Path, run: RunFolder, config: Config, generator: Generator, step: int) -> None:
    served = ServedGenerator(generator, config.clips)
    data = run.load_data()
    description = Description(step, config.clips.num_frames, config.clips.height, config.clips.width, data["fps"],
                              describe(served.signatures), list(config.model.classes))
    in_turn = np.arange(SAMPLES) % max(len(config.model.classes), 1)
    samples = served.video(range(SAMPLES), in_turn)
    try:
        tf.saved_model.save(served, str(folder), signatures=served.signatures)
        description.save(folder)
        io.write_clip(folder / model_card.SHEET, samples, data["fps"])
        io.write_clip(folder / model_card.CLIPS, samples, data["fps"])
        card = model_card.model_card(description, config, data, SAMPLES)
        (folder / model_card.FILE).write_text(card, encoding="utf-8")
    except (OSError, tf.errors.OpError) as error:
        raise UserError(f"Export folder {folder.parent} cannot be written: {error}") from error


def _check(folder: Path, generator: Generator, clips: ClipSettings) -> None:
    """Compares the SavedModel, loaded as TF Serving loads it, with the generator.

    Loading it as Python does would not do: that also succeeds with SavedModels that TF Serving's loader refuses.
    """
    with _no_deprecation(), tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, [tf.saved_model.SERVING], str(folder))

        def serve(name: str, **inputs: Sequence[int] | np.ndarray) -> dict[str, np.ndarray]:
            signature = loaded.signature_def[name]
            return session.run({key: tensor.name for key, tensor in signature.outputs.items()},
                               {signature.inputs[key].name: value for key, value in inputs.items()})

        asked = question(loaded.signature_def["serving_default"].inputs, _CHECKED_SEEDS)
        served = [(0, serve("serving_default", **asked)["video"])]
        answer = serve("start", **asked) if generator.start else {}
        for part in range(_CHECKED_PARTS if generator.start else 0):
            answer = serve("continue", **answer)
            served.append((part, answer.pop("video")))
    for row, seed in enumerate(_CHECKED_SEEDS):
        expected = list(_sequence(generator, clips, seed))
        for part, videos in served:
            difference = np.abs(videos[row].astype(int) - expected[part]).max()
            if difference > _ROUNDING:
                raise RuntimeError(f"The SavedModel answers seed {seed} with another clip than the generator's: frames "
                                   f"from {part * clips.num_frames} on differ by up to {difference} of 255. Nothing "
                                   "was published.")


def _sequence(generator: Generator, clips: ClipSettings, seed: int) -> Iterator[np.ndarray]:
    """The clips, uint8 [T, H, W, 3], that a seed's sequence begins with; one where it cannot go on."""
    state = None
    for part in range(_CHECKED_PARTS if generator.start else 1):
        latents = draw_latents(generator.latents, tf.constant([seed], tf.int64), clips.num_frames,
                               tf.constant([part * clips.num_frames], tf.int64))
        outputs = generator.outputs(latents, state=state)
        state = outputs.get("state")
        yield to_uint8(generator.render(outputs))[0].numpy()


@contextlib.contextmanager
def _no_deprecation() -> Iterator[None]:
    """Keeps TensorFlow from telling the user that the loader of its own server is deprecated."""
    logger = tf.get_logger()
    level = logger.level
    logger.setLevel("ERROR")
    try:
        yield
    finally:
        logger.setLevel(level)
