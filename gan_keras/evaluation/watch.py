"""Evaluations of a run while it trains: which step is the best so far, and whether it still improves.

What is known of earlier evaluations is in the run folder, `best.json` and `metrics.jsonl`: a resumed run goes on as if
it had not been interrupted.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gan_keras.config import Config
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError
from gan_keras.evaluation.evaluate import METRICS, Judge, line
from gan_keras.evaluation.findings import HIGHER, Measure
from gan_keras.evaluation.reference import Reference
from gan_keras.run_folder import Best, RunFolder

_MARK = "evaluation/while_training"
"""In the lines of `metrics.jsonl` that are from here: on how many clips. evaluate.py writes lines there, too."""
_TOLD = ("frechet/appearance", "frechet/motion", "coverage")


class Watch:
    """Evaluates a run, remembers its best step, and knows when there is no more to gain.

    Args:
        run: the run folder; its metrics are those up to the step from which training goes on.
        config: the settings of the run.
        prepared: folder of the prepared clips.
        manifest: of that folder.

    Raises:
        UserError: too few clips to evaluate with, or `keep_best` is not measured on such clips.

    Attributes:
        best: the best evaluation so far by `keep_best`, or None.
    """

    def __init__(self, run: RunFolder, config: Config, prepared: Path, manifest: Manifest) -> None:
        self._run, self._settings = run, config.run
        self._count = config.run.evaluate_clips
        reference = Reference(prepared, manifest, config.clips.num_frames, self._count)
        for note in reference.notes:
            print(f"Note: {note}", flush=True)
        self._judge = Judge(reference)
        metric = config.run.keep_best
        if metric and metric not in self._judge.floor:
            raise UserError(f"`keep_best` must be a number that these clips have. Received: keep_best={metric}")
        self._steps = {entry["step"] for entry in run.metrics() if entry.get(_MARK) == self._count}
        best = run.best()
        # One by another number, or of other clips, says nothing about this one.
        comparable = best and (best.metric, best.clips) == (config.run.keep_best, self._count)
        self.best: Best | None = best if comparable and best.step in self._steps else None

    @property
    def exhausted(self) -> bool:
        """Whether there have been `patience` evaluations since the best one."""
        since = sum(step > self.best.step for step in self._steps) if self.best else 0
        return 0 < self._settings.patience <= since

    def has_seen(self, step: int) -> bool:
        """Whether a step was evaluated."""
        return step in self._steps

    def evaluate(self, step: int, sample: Callable[[range], np.ndarray]) -> dict[str, float]:
        """Evaluates the generator as it is.

        Args:
            step: the steps it was trained for.
            sample: makes clips of some seeds, uint8 [N, T, H, W, 3].

        Returns:
            The numbers, which are in `metrics.jsonl` now. `best` is of this step if it is better than all before.
        """
        measures = self._judge.measures(self._judge.reference.observe(sample(range(self._count))))
        numbers = {_MARK: self._count, **line(measures, {}, self._count)}
        self._run.append_metrics(step, numbers)
        self._steps.add(step)
        metric = self._settings.keep_best
        if metric in numbers and (self.best is None or _better(metric, numbers[metric], self.best.value)):
            self.best = Best(step, metric, numbers[metric], self._count)
        self._told = _tell(step, measures, metric)
        return numbers

    def __str__(self) -> str:
        """The last evaluation in one line."""
        best = f"; best so far: step {self.best.step}" if self.best else ""
        return self._told + best


def _better(metric: str, value: float, than: float) -> bool:
    return value > than if METRICS[metric].better == HIGHER else value < than


def _tell(step: int, measures: dict[str, Measure], metric: str) -> str:
    names = dict.fromkeys([*([metric] if metric else []), *_TOLD])
    return f"Evaluation at step {step}: " + ", ".join(
        f"{name} {measures[name].value:.3g} (floor {measures[name].floor:.3g})" for name in names)
