"""Preparation on an existing engine: its tasks as an Apache Beam pipeline (`pip install 'gan_keras[beam]'`).

The same functions as on one machine decode videos and write shards, so the bytes are the same. Workers see the source
and the prepared folder at the same paths, as on a disk that they share. What a task makes it leaves in the work folder:
a pipeline that fails is started again by the same command, and goes on.

A video at which a decoder crashes ends its worker, which the engine starts again; with `direct`, which has no workers
of its own, it ends the program, where the processes of this program lose that video alone. Tried with `direct`; the
others are Beam's to run.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gan_keras.data.preparation.decode_jobs import Engine
from gan_keras.errors import UserError, error_text

RUNNERS = {"direct": "DirectRunner", "flink": "FlinkRunner", "spark": "SparkRunner", "dataflow": "DataflowRunner"}
"""Beam's names of what `--runner` may be."""


def beam_engine(runner: str, options: str) -> Engine:
    """The engine that runs tasks as a pipeline.

    Args:
        runner: of `RUNNERS`.
        options: of Beam, as on a command line.

    Raises:
        UserError: Beam is not installed.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise UserError(f"`runner` {runner} needs Apache Beam: pip install 'gan_keras[beam]'. Received: "
                        f"runner={runner}") from error

    try:
        settings = PipelineOptions(shlex.split(options), runner=RUNNERS[runner])
    except ValueError as error:
        raise UserError(f"`runner_options` cannot be read: {error}. Received: runner_options={options}") from error

    def run(function: Callable[[Any], None], tasks: Sequence[Any]) -> Iterator[tuple[Any, None]]:
        if not tasks:
            return
        try:
            with beam.Pipeline(options=settings) as pipeline:
                _ = (pipeline | "tasks" >> beam.Create(tasks, reshuffle=True)
                     | _name_of(function) >> beam.Map(lambda task: function(task)))
        except Exception as error:  # of any kind, by runner
            raise UserError(f"The pipeline failed, and what it has done is kept: the same command goes on. It said: "
                            f"{error_text(error)}") from error
        yield from ((task, None) for task in tasks)

    return run


def _name_of(function: Callable[[Any], None]) -> str:
    return getattr(function, "func", function).__name__.strip("_")
