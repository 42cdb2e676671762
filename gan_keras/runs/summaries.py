"""Summaries of a run for TensorBoard: scalars, animated clips, histograms, the settings.

An events file is a TFRecord file of `Event` protocol buffers, and is written here as such: TensorFlow's summary writer
cannot write the event that tells TensorBoard which steps of an earlier start are void.
"""

import time
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder
from gan_keras.video.contact_sheets import enlarge, grid
from gan_keras.video.encode import encode_animation

_BUCKETS = 30

Summary = tf.compat.v1.Summary


class Summaries:
    """Writes a run's events.

    Args:
        run: the run folder; the events are beside its `config.json`.
        resumed_at: steps that a training run had done at this start. TensorBoard drops what an earlier start wrote of
            later steps, which were lost with it. None: nothing is dropped.

    Raises:
        UserError: an event cannot be written; every method raises it.
    """

    def __init__(self, run: RunFolder, resumed_at: int | None = None) -> None:
        self._run = run
        # TensorBoard reads the files of a folder in the order of their names.
        seconds, nanoseconds = divmod(time.time_ns(), 10**9)
        self._path = run.path / f"events.out.tfevents.{seconds:010}.{nanoseconds:09}"
        self._writer = tf.io.TFRecordWriter(str(self._path))
        self._write(0, file_version="brain.Event:2")  # from 2 on, steps are dropped at a START and never by guess
        if resumed_at is not None:
            start = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
            self._write(resumed_at + 1, session_log=start)

    def settings(self, step: int) -> None:
        """Writes the resolved flags as text."""
        text = tf.make_tensor_proto(f"```\n{self._run.flag_file.read_text(encoding='utf-8', errors='replace')}```")
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="text")
        metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin)
        self._write_values(step, Summary.Value(tag="flags", metadata=metadata, tensor=text))

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes scalars by name."""
        self._write_values(step, *(Summary.Value(tag=name, simple_value=value) for name, value in values.items()))

    def clips(self, step: int, name: str, clips: np.ndarray, fps: float) -> None:
        """Writes clips uint8 [N, T, H, W, 3] as one animated grid."""
        pictures = grid(enlarge(clips))
        # The image tab plays whatever the browser can.
        image = Summary.Image(height=pictures.shape[1], width=pictures.shape[2], colorspace=3,
                              encoded_image_string=encode_animation(".gif", pictures, fps))
        self._write_values(step, Summary.Value(tag=name, image=image))

    def weights(self, step: int, variables: Mapping[str, keras.Variable]) -> None:
        """Writes a histogram of the finite numbers of every weight."""
        self._write_values(step, *(Summary.Value(tag=name, histo=_histogram(variable.numpy()))
                                   for name, variable in variables.items()))

    def _write_values(self, step: int, *values: Summary.Value) -> None:
        self._write(step, summary=Summary(value=values))

    def _write(self, step: int, **content: Any) -> None:
        event = tf.compat.v1.Event(wall_time=time.time(), step=step, **content)
        try:
            self._writer.write(event.SerializeToString())
            self._writer.flush()
        except tf.errors.OpError as error:
            raise UserError(f"{self._path} cannot be written: {error.message}") from error


def _histogram(values: np.ndarray) -> tf.compat.v1.HistogramProto:
    """Counts of the finite values in buckets of equal width."""
    values = values.astype(np.float64)
    values = values[np.isfinite(values)]
    counts, edges = np.histogram(values, _BUCKETS)
    return tf.compat.v1.HistogramProto(
        min=edges[0], max=edges[-1], num=len(values), sum=values.sum(), sum_squares=np.square(values).sum(),
        bucket_limit=edges[1:], bucket=counts)
