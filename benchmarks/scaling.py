"""How time and memory of a training step grow with the clips: longer, larger, more of them.

    python benchmarks/scaling.py
    python benchmarks/scaling.py --generator=dcgan3d --precision=float32
    python benchmarks/scaling.py --simulate

Takes about six minutes on 2 CPU cores. Takes every flag of train.py that makes the model or the step. One axis at a
time goes through its values, the others stay as they are; each point is a process of its own. Ends with a table and one
JSON line. The exponent of an axis is the slope from its first point to its last in a plot of milliseconds (or
megabytes) against clips x frames x pixels, both logarithmic: 1 grows as the data does, less is better.

`--simulate` is about machines that one does not have: the cost model of benchmarks/cost_model.py, its constants
measured here, its predictions beside what can be measured here, and what it says of a cluster. Takes a quarter of an
hour.
"""

import dataclasses
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness, simulation
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config

AXES = {"num_frames": (8, 16, 32, 64), "resolution": ("32", "64", "128"), "batch_size": (8, 16, 32)}
"""Values that each setting goes through."""

HEAD = ["axis", "num_frames", "resolution", "batch_size", "milliseconds", "peak_megabytes"]


@dataclasses.dataclass(frozen=True)
class ScalingSettings(Settings):
    """What is asked."""

    simulate: bool = setting(False, "A cluster, by a model that is checked here.")


def main() -> None:
    """Measures every point once, prints the table; or simulates."""
    if flags.settings(ScalingSettings).simulate:
        simulation.simulate(flags.settings(simulation.ClusterSettings), harness.passed_on(
            ScalingSettings, simulation.ClusterSettings))
        return
    base = Config().replace(**flags.named_config())
    passed, measured = harness.passed_on(), {}
    points = []
    for axis, values in AXES.items():
        for value in values:
            config = base.replace(**{axis: value})
            if config not in measured:
                measured[config] = measure(config, [*passed, f"--{axis}={value}"])
                print(f"{axis} {value}: {measured[config]}", flush=True)
            points.append({"axis": axis, **place(config), **measured[config]})
    rows = ([point[name] for name in HEAD] for point in points)
    growth = {axis: exponents([point for point in points if point["axis"] == axis]) for axis in AXES}
    print("\n" + harness.table(HEAD, rows) + "\n")
    print(json.dumps({"benchmark": "scaling", "points": points, "exponents": growth}))


def measure(config: Config, step_flags: list[str]) -> dict[str, float]:
    """Milliseconds of a step, the mean over a round with the penalty, and the memory of the process at its most."""
    printed = harness.script("benchmarks/train_step.py", *step_flags, "--noceiling")
    found = harness.last_json(printed)
    return {"milliseconds": round(1000 * config.optimization.batch_size / found["clips_per_second"], 1),
            "peak_megabytes": found["peak_megabytes"]}


def place(config: Config) -> dict[str, Any]:
    """Where a point lies; `pixels` is clips x frames x pixels of a frame."""
    clips, batch_size = config.clip, config.optimization.batch_size
    return {"num_frames": clips.num_frames, "resolution": clips.resolution, "batch_size": batch_size,
            "pixels": batch_size * clips.num_frames * clips.height * clips.width}


def exponents(points: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How time and memory grow with `pixels`, from the first point to the last."""
    first, last = points[0], points[-1]
    more = math.log(last["pixels"] / first["pixels"])
    return {name: round(math.log(last[name] / first[name]) / more, 2) for name in ("milliseconds", "peak_megabytes")}


if __name__ == "__main__":
    flags.define_config()
    flags.define(ScalingSettings)
    flags.define(simulation.ClusterSettings)
    flags.run(main, sys.argv, __doc__)
