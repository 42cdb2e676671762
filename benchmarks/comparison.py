"""What benchmarks share that train several runs for the same minutes and lay them side by side."""

import dataclasses
import shutil
import statistics
from typing import Any

from benchmarks import harness
from gan_keras.config.settings import Settings, setting
from gan_keras.runs.run_folder import RunFolder

_NEVER = 10**9


@dataclasses.dataclass(frozen=True)
class ComparisonSettings(Settings):
    """What holds for every run of a comparison."""

    clips: int = setting(256, "Clips in an evaluation.", minimum=16, maximum=65536)


def train(run: RunFolder, minutes: float, *train_flags: str) -> None:
    """Trains a run, unless it was trained to its end already.

    Raises:
        ProgramFailed: the script failed.
    """
    if run.exists() and not list(run.samples.glob("*.png")):  # drawn at the end: this one was interrupted
        shutil.rmtree(run.path)
    if not run.exists():
        print(f"training {run.path} for {minutes:g} minutes", flush=True)
        harness.script("train.py", *train_flags, f"--run_dir={run.path}", f"--minutes={minutes}", "--noexport",
                       f"--sample_every={_NEVER}", f"--checkpoint_every={_NEVER}")


def evaluate(run: RunFolder, clips: int) -> None:
    """Evaluates a run, unless it was already.

    Raises:
        ProgramFailed: the script failed.
    """
    if evaluation(run.metrics()) is None:
        harness.script("evaluate.py", f"--run_dir={run.path}", f"--clips={clips}")


def evaluation(metrics: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The last evaluation in a run's metrics."""
    return next((entry for entry in reversed(metrics) if "evaluation/clips" in entry), None)


def median_speed(metrics: list[dict[str, Any]]) -> float | None:
    """Clips a second in training; None where nothing was logged."""
    speeds = [entry["speed/clips_per_second"] for entry in metrics if "learning_rate" in entry]
    return statistics.median(speeds) if speeds else None
