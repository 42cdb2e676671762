"""How a run got on: a picture and a table of its evaluations while it trained, and of its losses.

    python train.py --flagfile=configs/quickstart.flags --evaluate_every=5000 --run_dir=runs/long
    python benchmarks/learning_curve.py --run_dir=runs/long --out=docs/learning_curve.png

Takes seconds. Reads the run's `metrics.jsonl`. Distances are multiples of their noise floor, 1 is as near as the clips
can show. Ends with the table and one JSON line.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder

DISTANCES = ("appearance", "motion", "joint")
COLUMNS = {"coverage": "coverage", "precision": "precision", "sharpness": "sharpness/ratio",
           "flicker": "dynamics/flicker", "jerk": "dynamics/jerk", "drift": "dynamics/drift",
           "fast changes": "temporal_spectrum/fast", "slow changes": "temporal_spectrum/slow",
           "copied": "memorization/copied"}


@dataclasses.dataclass(frozen=True)
class CurveSettings(Settings):
    """What is drawn."""

    run_dir: str = setting("", "Run that was evaluated while it trained.", path=True)
    out: str = setting("learning_curve.png", "Picture to write.", path=True)

    def check(self) -> None:
        """There is no run by default."""
        if not self.run_dir:
            raise UserError("`run_dir` must name a run. Received: run_dir=")


def main() -> None:
    """Draws, prints."""
    settings = flags.settings(CurveSettings)
    metrics = RunFolder(Path(settings.run_dir)).metrics()
    rows = evaluations(metrics)
    if not rows:
        raise UserError(f"{settings.run_dir} was not evaluated while it trained: name --evaluate_every. Received: "
                        f"run_dir={settings.run_dir}")
    draw(rows, losses(metrics), Path(settings.out))
    print(harness.table(list(rows[0]), (row.values() for row in rows)) + "\n")
    print(json.dumps({"benchmark": "learning_curve", "run_dir": settings.run_dir, "evaluations": rows}))


def evaluations(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row for each evaluation: the step, distances as multiples of their floor, and other metrics."""
    return [{"step": entry["step"],
             **{name: entry[f"frechet/{name}.multiple"] for name in DISTANCES},
             **{head: entry.get(name) for head, name in COLUMNS.items()}}
            for entry in metrics if "frechet/joint.multiple" in entry]


def losses(metrics: list[dict[str, Any]]) -> dict[str, list[tuple[int, float]]]:
    """Of each loss that was logged: steps and values."""
    found: dict[str, list[tuple[int, float]]] = {}
    for entry in metrics:
        for name, value in entry.items():
            if name.startswith("loss/"):
                found.setdefault(name.removeprefix("loss/"), []).append((entry["step"], value))
    return found


def draw(rows: list[dict[str, Any]], of_losses: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Distances and losses over the steps, side by side."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure((10.0, 3.2), layout="constrained", dpi=100)
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in rows]
    for name in DISTANCES:
        left.plot(steps, [row[name] for row in rows], marker="o", label=name)
    left.axhline(1.0, color="gray", linestyle=":", label="floor")
    left.set(title="Distance to real clips / noise floor", xlabel="step", yscale="log")
    for name, points in of_losses.items():
        at, values = np.array(points).T
        width = max(len(values) // 60, 1)
        smooth = np.convolve(values, np.full(width, 1 / width), "valid")
        right.plot(at[width - 1:], smooth, label=name, linewidth=1.2)
    right.set(title="Losses", xlabel="step", yscale="log")
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.grid(alpha=0.2)
        axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


if __name__ == "__main__":
    flags.define(CurveSettings)
    flags.run(main, sys.argv, __doc__)
