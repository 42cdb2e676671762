"""Trains variants of the defaults for the same minutes each, evaluates them, and lays them side by side.

    python benchmarks/recipe.py --data=data/shapes --resolution=32 --recipe_minutes=4 --out=runs/recipe
    python benchmarks/recipe.py --data=data/shapes --resolution=32 --only="default,batch 16"

Each variant takes its minutes of training and about half a minute more. Takes every flag of train.py, for all variants.
What `--out` has an evaluation of is not run again, so the table can be grown; `seed 1` is the default once more and
tells how much chance makes. Ends with a table and one JSON line, a row for each variant.
"""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras.config import flags
from gan_keras.config.settings import setting
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder

VARIANTS = {
    "default": "",
    "seed 1": "--seed=1",
    "penalty 0.1": "--penalty_weight=0.1",
    "penalty 0.5": "--penalty_weight=0.5",
    "penalty 0.3": "--penalty_weight=0.3",
    "penalty 3": "--penalty_weight=3",
    "learning rate 5e-4": "--learning_rate=5e-4",
    "learning rate 2e-3": "--learning_rate=2e-3",
    "beta_1 0.5": "--beta_1=0.5",
    "batch 4": "--batch_size=4",
    "batch 16": "--batch_size=16",
    "batch 32": "--batch_size=32",
    "no pictures first": "--picture_steps=0",
    "two pairs": "--frame_pairs=2",
    "four pairs": "--frame_pairs=4",
    "frame and clip": "--discriminators=frame,clip_differences",
    "all three": "--discriminators=frame,pair,clip_differences",
    "without differences": "--discriminators=pair,clip",
    "clip alone": "--discriminators=clip_differences",
    "clip at full size": "--low_resolution_factor=1",
    "clip at half size": "--low_resolution_factor=2",
    "clip at quarter size": "--low_resolution_factor=4",
    "flip in the step": "--diffaugment=flip",
    "crop in the step": "--diffaugment=crop",
    "penalty in every 4th step": "--penalty_interval=4",
    "penalty in every 16th step": "--penalty_interval=16",
    "mocogan": "--generator=mocogan",
    "layered": "--generator=layered",
    "dcgan3d": "--generator=dcgan3d",
    "average 0.99": "--ema_decay=0.99",
    "average 0.995": "--ema_decay=0.995",
    "generator 24": "--generator_width=24",
    "discriminators 24": "--discriminator_width=24",
}
"""Flags of train.py beyond the defaults and what the command line gives, by name."""

COLUMNS = {
    "clips/s": "speed/clips_per_second", "appearance": "frechet/appearance", "motion": "frechet/motion",
    "joint": "frechet/joint", "coverage": "coverage", "valid frames": "factors/valid_frames",
    "valid clips": "factors/valid_clips", "identity kept": "factors/identity_kept",
    "shape varies": "factors/shape_variation", "colour varies": "factors/colour_variation",
}
"""Heads of the table, and what stands below them: numbers of the evaluation, but the speed is that of training."""


@dataclasses.dataclass(frozen=True)
class RecipeSettings(comparison.ComparisonSettings):
    """The comparison."""

    out: str = setting("runs/recipe", "Folder of the runs, one for each variant.", path=True)
    only: tuple[str, ...] = setting((), "Variants to run; empty: all.", choices=tuple(VARIANTS))
    recipe_minutes: float = setting(4.0, "Minutes of training of each variant.", above=0.0)


def main() -> None:
    """Trains and evaluates what is missing, prints the table."""
    settings = flags.settings(RecipeSettings)
    given = flags.named_config()
    for name in ("run_dir", "minutes"):
        if name in given:
            raise UserError(f"`{name}` is this benchmark's own: name `out` and `recipe_minutes`. "
                            f"Received: {name}={given[name]}")
    if not given.get("data"):
        raise UserError("`data` must name a source of clips, as in --data=data/shapes. Received: data=")
    Config().replace(**given)  # a mistake is said now, not once for each variant
    passed = harness.passed_on(RecipeSettings)
    rows = {}
    for name in settings.only or VARIANTS:
        run = RunFolder(Path(settings.out) / folder_name(name))
        try:
            make(run, [*passed, *VARIANTS[name].split()], given, settings)
            rows[name] = row(run.metrics())
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in rows[name].items()), flush=True)
        except harness.ProgramFailed as error:  # one that diverges is an answer too, and the others go on
            print(f"{name}: {error}", flush=True)
    print("\n" + harness.table(["variant", "steps", *COLUMNS], ([name, *rows[name].values()] for name in rows)) + "\n")
    print(json.dumps({"benchmark": "recipe", "minutes": settings.recipe_minutes, "clips": settings.clips,
                      "rows": rows}))


def make(run: RunFolder, train_flags: list[str], given: dict[str, Any], settings: RecipeSettings) -> None:
    """Trains and evaluates one variant, or what of it is not done yet.

    Args:
        run: where.
        train_flags: of train.py, the variant's last.
        given: settings that hold for all variants, by name.
        settings: of the comparison.

    Raises:
        ProgramFailed: a script failed.
        UserError: the folder holds a run under other settings.
    """
    comparison.train(run, settings.recipe_minutes, *train_flags)
    changed = {flag.removeprefix("--").split("=")[0] for flag in train_flags[len(given):]}
    config = run.resolve({name: value for name, value in given.items() if name not in changed})  # or says what differs
    stored = run.load_config().run
    if (stored.minutes, stored.data) != (settings.recipe_minutes, config.run.data):
        raise UserError(f"{run.path} was trained for {stored.minutes:g} minutes on {stored.data}: take another --out. "
                        f"Received: recipe_minutes={settings.recipe_minutes:g}, data={given['data']}")
    comparison.evaluate(run, settings.clips)


def row(metrics: list[dict[str, Any]]) -> dict[str, float | None]:
    """What a run's `metrics.jsonl` says, by the heads of the table; None for what was not measured."""
    found = comparison.evaluation(metrics) or {}
    numbers = {**found, "speed/clips_per_second": comparison.median_speed(metrics)}
    return {"steps": found.get("step"), **{head: numbers.get(key) for head, key in COLUMNS.items()}}


def folder_name(variant: str) -> str:
    """`"learning rate 5e-4"` → `"learning-rate-5e-4"`."""
    return variant.replace(" ", "-")


if __name__ == "__main__":
    flags.define_config()
    flags.define(RecipeSettings)
    flags.run(main, sys.argv, __doc__)
