"""Evaluation of a run while it trains: which step is the best so far, and whether it still improves.

What is known of earlier evaluations is in the run folder, `best.json` and `metrics.jsonl`: a resumed run goes on as if
it had not been interrupted.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

import numpy as np
from absl import logging

from gan_keras.config.train import Config
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError
from gan_keras.evaluation.evaluator import METRICS, Evaluator, metrics_line
from gan_keras.evaluation.metrics import fidelity
from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.metrics.types import HIGHER, Measurement
from gan_keras.evaluation.reference import Reference
from gan_keras.runs.run_folder import BestEvaluation, RunFolder
from gan_keras.tasks.registry import find_task

_MARK = "evaluation/while_training"
"""Number of clips, in the lines of `metrics.jsonl` that are from here. evaluate.py writes lines there, too."""
_SHOWN = ("frechet/appearance", "frechet/motion", "coverage")

Sampler = Callable[[Sequence[int], np.ndarray], Mapping[str, np.ndarray]]
"""From seeds, and clips for tasks that take some, to samples: `video` uint8 [N, T, H, W, 3], what goes with it, and
their raw features, see `evaluation.features.extract`, as `raw/NAME`."""


class EvaluationCallback:
    """Evaluates a run, remembers its best step, and decides when to stop early.

    Args:
        run: the run folder; its metrics are those up to the step from which training goes on.
        config: the settings of the run.
        evaluator: against the run's real clips.

    Attributes:
        best: the best evaluation so far by `keep_best`, or None.

    Raises:
        UserError: `keep_best` is not measured on such clips, or not with such a task.
    """

    def __init__(self, run: RunFolder, config: Config, evaluator: Evaluator) -> None:
        self._run, self._settings, self._evaluator = run, config.run, evaluator
        self._count = config.run.evaluate_clips
        task = find_task(config)
        self._samples_are_paired = task.given_clips and bool(task.paired_signature)
        metric = config.run.keep_best
        measured = {*evaluator.floor, *(fidelity.METRICS if self._samples_are_paired else ())}
        if metric and metric not in measured:
            raise UserError(f"`keep_best` must be a metric of such clips and such a task. Received: keep_best={metric}")
        self._steps = {entry["step"] for entry in run.metrics() if entry.get(_MARK) == self._count}
        best = run.best()
        # One by another metric, or of other clips, says nothing about this one.
        comparable = best and (best.metric, best.clips) == (config.run.keep_best, self._count)
        self.best: BestEvaluation | None = best if comparable and best.step in self._steps else None
        self._measurements: Mapping[str, Measurement] = {}
        self._last_step = 0

    @classmethod
    def create(cls, run: RunFolder, config: Config, prepared: Path, manifest: Manifest,
               target: tuple[Path, Manifest] | None = None) -> Self:
        """A callback that evaluates against prepared clips.

        Args:
            run: the run folder.
            config: the settings of the run.
            prepared: folder of the prepared clips.
            manifest: of that folder.
            target: folder and manifest of the domain that the clips are translated to, which is compared with then.

        Raises:
            UserError: too few clips to evaluate with, or see the constructor.
        """
        real, given = (target, (prepared, manifest)) if target else ((prepared, manifest), None)
        reference = Reference.load(*real, config.clip.num_frames, config.run.evaluate_clips, given=given)
        for note in reference.notes:
            logging.info("Note: %s", note)
        return cls(run, config, Evaluator(reference))

    @property
    def should_stop(self) -> bool:
        """Whether there have been `patience` evaluations since the best one."""
        since = sum(step > self.best.step for step in self._steps) if self.best else 0
        return 0 < self._settings.patience <= since

    def has_evaluated(self, step: int) -> bool:
        """Whether a step was evaluated."""
        return step in self._steps

    def evaluate(self, step: int, sample: Sampler) -> dict[str, float]:
        """Evaluates the generator as it is.

        Args:
            step: steps it was trained for.
            sample: of the generator.

        Returns:
            The metrics, which are in `metrics.jsonl` now. `best` is of this step if it is better than all before.
        """
        reference = self._evaluator.reference
        given = reference.given_clips
        samples = sample(range(self._count), given.clips)
        turns = np.arange(self._count) % len(given)
        paired = PairedClips.of(samples, given, turns) if self._samples_are_paired else None
        raw = {name.removeprefix("raw/"): values for name, values in samples.items() if name.startswith("raw/")}
        self._measurements = self._evaluator.measure(reference.with_features(samples["video"], raw), paired)
        values = {_MARK: self._count, **metrics_line(self._measurements, {}, self._count)}
        self._run.append_metrics(step, values)
        self._steps.add(step)
        self._last_step = step
        metric = self._settings.keep_best
        if metric in values and (self.best is None or _is_better(metric, values[metric], self.best.value)):
            self.best = BestEvaluation(step, metric, values[metric], self._count)
        return values

    def __str__(self) -> str:
        """The last evaluation in one line."""
        metric = self._settings.keep_best
        names = dict.fromkeys([*([metric] if metric else []), *_SHOWN])
        values = ", ".join(_text(name, self._measurements[name]) for name in names if name in self._measurements)
        best = f"; best so far: step {self.best.step}" if self.best else ""
        return f"Evaluation at step {self._last_step}: {values}{best}"


def _text(name: str, measurement: Measurement) -> str:
    floor = "" if measurement.floor is None else f" (floor {measurement.floor:.3g})"
    return f"{name} {measurement.value:.3g}{floor}"


def _is_better(metric: str, value: float, than: float) -> bool:
    return value > than if METRICS[metric].better == HIGHER else value < than
