"""Summaries of a run for TensorBoard: scalars, animated clips, histograms, the settings."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from gan_keras.runs.run_folder import RunFolder
from gan_keras.video.contact_sheets import enlarge, grid
from gan_keras.video.encode import encode_gif


class Summaries:
    """Writes a run's events.

    Args:
        run: the run folder; the events are beside its `config.json`.
    """

    def __init__(self, run: RunFolder) -> None:
        self._writer = tf.summary.create_file_writer(str(run.path))
        self._run = run

    def settings(self, step: int) -> None:
        """Writes the resolved flags as text."""
        with self._writer.as_default(step):
            tf.summary.text("flags", f"```\n{self._run.flag_file.read_text(encoding='utf-8')}```")

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes scalars by name."""
        with self._writer.as_default(step):
            for name, value in values.items():
                tf.summary.scalar(name, value)
        self._writer.flush()

    def clips(self, step: int, name: str, clips: np.ndarray, fps: float) -> None:
        """Writes clips uint8 [N, T, H, W, 3] as one animated grid."""
        pictures = grid(enlarge(clips))
        image = tf.compat.v1.Summary.Image(height=pictures.shape[1], width=pictures.shape[2], colorspace=3,
                                           encoded_image_string=encode_gif(pictures, fps))
        # `tf.summary.image` would encode stills; the image tab plays whatever the browser can.
        summary = tf.compat.v1.Summary(value=[tf.compat.v1.Summary.Value(tag=name, image=image)])
        with self._writer.as_default(step):
            tf.summary.experimental.write_raw_pb(summary.SerializeToString(), step)
        self._writer.flush()

    def weights(self, step: int, variables: Mapping[str, keras.Variable]) -> None:
        """Writes a histogram of every weight."""
        with self._writer.as_default(step):
            for name, variable in variables.items():
                tf.summary.histogram(name, variable.value)
        self._writer.flush()

