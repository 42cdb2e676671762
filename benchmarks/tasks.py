"""Trains every task that is given clips for the same minutes, evaluates it on held-out videos, writes docs/tasks.md.

    python benchmarks/tasks.py --videos=FOLDER
    python benchmarks/tasks.py --videos=FOLDER --only=noise,inpaint --task_steps=500 --docs=/tmp/tasks.md

FOLDER has its videos in `train/` and `test/`: of people, others in each. Takes `task_minutes` and a minute for each of
seven rows; what `--out` has an evaluation of is not run again. Models are trained for fidelity (`--sharpness=0`), since
they are compared by it. Ends with the tables and one JSON line. A share is the squared error of what a model makes
(where there is a mask, in it) divided by that of the best answer that needs no model: below 1 it is better.
"""

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras.config import flags
from gan_keras.config.settings import setting
from gan_keras.runs.run_folder import RunFolder

ROWS = {"twice": ("enhance", "--degrade=down2", 0.75), "four_times": ("enhance", "--degrade=down4", 0.65),
        "noise": ("enhance", "--degrade=noise:25", 1.0), "compression": ("enhance", "--degrade=compress:30", 0.92),
        "inpaint": ("inpaint", "", 0.4), "reorient": ("reorient", "", 0.7), "predict": ("predict", "", 0.9)}
"""By name: the task, its flag, and the share of the best baseline's error that is wanted."""

PARTS = {"moving": "moving holes", "static": "static holes", "missing": "frames that are missing"}

_PAGE_MARKS = "<!-- tables -->", "<!-- end of tables -->"


@dataclasses.dataclass(frozen=True)
class TasksSettings(comparison.ComparisonSettings):
    """The comparison."""

    videos: str = setting("", "Folder of videos with train/ and test/.", path=True)
    out: str = setting("runs/tasks", "Folder of the runs, one for each row.", path=True)
    only: tuple[str, ...] = setting((), "Rows to make; empty: all.", choices=tuple(ROWS))
    task_minutes: float = setting(30.0, "Minutes of training of each.", above=0.0)
    task_steps: int = setting(0, "Steps of training of each; 0: as many as its flagfile says.", minimum=0)
    docs: str = setting("docs/tasks.md", "Page whose tables are replaced.", path=True)


def main() -> None:
    """Trains and evaluates what is missing, writes the tables."""
    settings = flags.settings(TasksSettings)
    found = {}
    for name in settings.only or ROWS:
        task, flag, _ = ROWS[name]
        run = RunFolder(Path(settings.out) / name)
        comparison.train(run, settings.task_minutes, f"--flagfile={harness.ROOT / 'configs' / f'{task}.flags'}",
                         *([flag] if flag else []), f"--data={settings.videos}", "--sharpness=0",
                         *([f"--steps={settings.task_steps}"] if settings.task_steps else []))
        comparison.evaluate(run, settings.clips)
        found[name] = comparison.evaluation(run.metrics())
        print(f"{name}: {row(name, found[name])}", flush=True)
    tables = "\n\n".join(filter(None, (whole_table(found), parts_table(found), ahead_table(found))))
    page = Path(settings.docs)
    page.write_text(replaced(page.read_text(encoding="utf-8"), tables), encoding="utf-8")
    print(f"\n{tables}\n")
    print(json.dumps({"benchmark": "tasks", "minutes": settings.task_minutes,
                      "rows": {name: row(name, metrics) for name, metrics in found.items()}}))


def row(name: str, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The numbers of a row."""
    answer, share = hardest(metrics, "relative_mse")
    return {"steps": metrics["step"], "psnr": metrics["fidelity/psnr"], "ssim": metrics["fidelity/ssim"],
            "best baseline": answer, "share": share, "wanted": ROWS[name][2],
            "flow error": metrics["fidelity/flow_error"], "warping error": metrics["fidelity/warping_error"],
            "of the true": metrics["fidelity/warping_error_of_targets"]}


def hardest(metrics: Mapping[str, Any], group: str) -> tuple[str | None, float | None]:
    """The baseline with the least error, and the share of it: the largest of the shares of a group."""
    shares = {key.removeprefix(f"{group}/"): value for key, value in metrics.items()
              if key.startswith(f"{group}/") and "." not in key}
    return max(shares.items(), key=lambda entry: entry[1]) if shares else (None, None)


def whole_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each model."""
    rows = {name: row(name, metrics) for name, metrics in found.items()}
    head = ["", *next(iter(rows.values()))]
    return harness.table(head, ([name.replace("_", " "), *cells.values()] for name, cells in rows.items()))


def parts_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Kinds of holes apart, of the model that fills them."""
    if "inpaint" not in found:
        return ""
    rows = [(PARTS[part], *hardest(found["inpaint"], f"relative_mse_{part}"), found["inpaint"].get(
        f"relative_mse_{part}/telea"), found["inpaint"].get(f"relative_mse_{part}/nearest_frame")) for part in PARTS]
    return harness.table(["inpaint", "best baseline", "share", "of Telea's", "of the nearest frame's"], rows)


def ahead_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Predictions by how far they are ahead."""
    shares = {key.removeprefix("horizon/"): value for key, value in found.get("predict", {}).items()
              if key.startswith("horizon/") and "." not in key}
    return harness.table(["frames ahead", *(str(int(key)) for key in shares)],
                         [("share of a copy's error", *shares.values())]) if shares else ""


def replaced(page: str, tables: str) -> str:
    """The page with other tables between its marks."""
    begin, end = (page.index(mark) for mark in _PAGE_MARKS)
    return f"{page[:begin + len(_PAGE_MARKS[0])]}\n{tables}\n{page[end:]}"


if __name__ == "__main__":
    flags.define(TasksSettings)
    flags.run(main, sys.argv, __doc__)
