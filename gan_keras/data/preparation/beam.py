"""Preparation on an existing cluster: its tasks as an Apache Beam pipeline (`pip install 'gan_keras[beam]'`).

The same functions as on one machine decode videos and write shards, so the bytes are the same. Workers see the source
and the prepared folder at the same paths, as on a disk that they share. What a task makes it leaves in the work folder:
a pipeline that fails is started again by the same command, and goes on.

A video at which a decoder crashes ends its worker, which the runner starts again; with `direct`, which has no workers
of its own, it ends the program, where the processes of this program lose that video alone. Only `direct` was tried.
"""

import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gan_keras.data.preparation.decode_jobs import Runner
from gan_keras.errors import UserError, error_text

RUNNERS = {"direct": "DirectRunner", "flink": "FlinkRunner", "spark": "SparkRunner", "dataflow": "DataflowRunner"}
"""Beam's names of what `--runner` may be."""


def beam_runner(name: str, options: str) -> Runner:
    """A runner of tasks as a Beam pipeline.

    Args:
        name: of `RUNNERS`.
        options: of Beam, as on a command line.

    Raises:
        UserError: Beam is not installed, or cannot read the options.
    """
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as error:
        raise UserError(f"`runner` {name} needs Apache Beam: pip install 'gan_keras[beam]'. Received: "
                        f"runner={name}") from error
    try:
        settings = PipelineOptions(shlex.split(options), runner=RUNNERS[name])
    except ValueError as error:
        raise UserError(f"`runner_options` cannot be read: {error}. Received: runner_options={options}") from error

    def run(function: Callable[[Any], None], tasks: Sequence[Any]) -> Iterator[tuple[Any, None]]:
        """See `decode_jobs.Runner`; tasks are done when all are."""
        if not tasks:
            return
        try:
            with beam.Pipeline(options=settings) as pipeline:
                _ = (pipeline | "tasks" >> beam.Create(tasks, reshuffle=True)
                     | _name_of(function) >> beam.Map(function))
        except Exception as error:  # of any kind, by runner
            raise UserError("The pipeline failed, and what it has done is kept: the same command goes on. It said: "
                            f"{error_text(error)}") from error
        yield from ((task, None) for task in tasks)

    return run


def _name_of(function: Callable[[Any], None]) -> str:
    return getattr(function, "func", function).__name__.strip("_")
