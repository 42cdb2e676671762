"""Do several processes train as one, and what becomes of them when one is killed?

    python benchmarks/workers.py
    python benchmarks/workers.py --parts=traffic

Small networks on drawn shapes, workers on loopback; takes about a quarter of an hour on 2 CPU cores. Ends with one JSON
line:

* `traffic`: bytes that a step sums over all devices, and those of the gradients.
* `agreement`: the largest relative difference of any variable after `steps` steps (SGD, float32) from one process, of
  two workers, and of two workers of two devices each.
* `kills`: seconds after which the other worker had ended, each time that one was killed at a random step; whether the
  run, gone on with each time, ended with the variables of one that nobody killed, bit by bit; the relative difference
  where one worker alone goes on with what two began.
"""

import dataclasses
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError, WorkerLost

if TYPE_CHECKING:
    import numpy as np

SMALL = {"data": "shapes:48", "resolution": "16", "num_frames": 4, "generator_width": 4, "discriminator_width": 4,
         "content_dim": 4, "motion_dim": 3, "batch_size": 4, "picture_steps": 2, "precision": "float32",
         "optimizer": "sgd", "workers": 1, "log_every": 5, "checkpoint_every": 5}
PATIENCE = 60.0
"""Seconds within which a worker has to end after another one was killed."""
_LIMIT = 600.0
"""Seconds within which a run of a few steps has to end."""


@dataclasses.dataclass(frozen=True)
class WorkersSettings(Settings):
    """What is tried."""

    parts: tuple[str, ...] = setting(("traffic", "agreement", "kills"), "Parts to try.",
                                     choices=("traffic", "agreement", "kills"))
    steps: int = setting(20, "Steps of each run.", minimum=10)
    kills: int = setting(5, "Times that a worker is killed.", minimum=1)
    out: str = setting("runs/workers", "Folder of the runs, made anew.", path=True)


class WorkerGroup:
    """Worker processes of one training.

    Args:
        folder: for the run, and the workers' output.
        name: of the run.
        count: of workers.
        second: flags of the second worker alone.
        train_flags: of train.py.
    """

    def __init__(self, folder: Path, name: str, count: int, second: Mapping[str, Any] | None = None,
                 **train_flags: Any) -> None:
        addresses = [f"localhost:{port}" for port in harness.free_ports(count)]
        self.run_dir, self._logs = folder / name, [folder / f"{name}.{i}.log" for i in range(count)]
        self.processes = []
        for i, log in enumerate(self._logs):
            settings = {**SMALL, "noexport": "", **train_flags, "run_dir": self.run_dir}
            if i == 1 and second:
                settings |= {key: folder / value if key == "run_dir" else value for key, value in second.items()}
            command = [f"--{key}={value}".removesuffix("=") for key, value in settings.items()]
            task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}
            with log.open("w", encoding="utf-8") as output:
                self.processes.append(subprocess.Popen(
                    [sys.executable, harness.ROOT / "train.py", "--strategy=multi_worker", *command],
                    stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "TF_CONFIG": json.dumps(task)}))

    def wait(self) -> "WorkerGroup":
        """Until all have ended.

        Raises:
            UserError: one of them failed, or some have not ended for long, and were killed.
        """
        for code, log in zip(self.exit_codes(_LIMIT), self._logs, strict=True):
            if code:
                raise UserError(f"A worker failed and said: {_last_line(log)}. Received: exit code={code}")
        return self

    def kill(self, victim: int) -> tuple[float, str] | None:
        """Kills one at once; the seconds after which the last of the others had ended, and what one of these said. None
        where these had come to the end of the training."""
        self.processes[victim].kill()
        begun = time.monotonic()
        codes = self.exit_codes()
        others = [i for i in range(len(codes)) if i != victim]
        if not any(codes[i] for i in others):
            return None
        if ended := {codes[i] for i in others} - {WorkerLost.exit_code}:
            raise UserError(f"Worker {victim} was killed, and others ended with {ended}. One said: "
                            f"{_last_line(self._logs[others[0]])}")
        return time.monotonic() - begun, _last_line(self._logs[others[0]])

    def is_running(self) -> bool:
        """Whether all are."""
        return all(process.poll() is None for process in self.processes)

    def exit_codes(self, limit: float = PATIENCE) -> list[int]:
        """Of all, which have so many seconds to end.

        Raises:
            UserError: some did not, and were killed.
        """
        deadline = time.monotonic() + limit
        while running := [i for i, process in enumerate(self.processes) if process.poll() is None]:
            if time.monotonic() > deadline:
                for process in self.processes:
                    process.kill()
                    process.wait()
                raise UserError(f"Workers had not ended after {limit:g} s, and were killed: " + "; ".join(
                    f"{i} said: {_last_line(self._logs[i])}" for i in running))
            time.sleep(0.02)
        return [process.returncode for process in self.processes]


def main() -> None:
    """Tries the parts, prints what was found."""
    settings = flags.settings(WorkersSettings)
    logging.import_tensorflow()
    folder = harness.empty_folder(Path(settings.out))
    found = {}
    if "traffic" in settings.parts:
        found["traffic"] = traffic()
    if {"agreement", "kills"} & set(settings.parts):
        two = variables(WorkerGroup(folder, "two", 2, steps=settings.steps).wait().run_dir)
    if "agreement" in settings.parts:
        one = variables(WorkerGroup(folder, "one", 1, steps=settings.steps).wait().run_dir)
        four = variables(WorkerGroup(folder, "four", 2, steps=settings.steps, virtual_devices=2).wait().run_dir)
        found["agreement"] = {"two workers": difference(one, two), "two workers of two devices": difference(one, four)}
    if "kills" in settings.parts:
        found["kills"] = survive(folder, settings, two)
    print(json.dumps({"benchmark": "workers", "steps": settings.steps, **found}))


def survive(folder: Path, settings: WorkersSettings, undisturbed: "dict[str, np.ndarray]") -> dict[str, Any]:
    """Kills a worker again and again, at a random step between the last checkpoint and the end, and goes on each
    time."""
    chance, ended, message = random.Random(0), [], ""
    while len(ended) < settings.kills:
        since, group = time.time(), WorkerGroup(folder, "killed", 2, steps=settings.steps, log_every=1)
        begun = max(saved(group.run_dir), default=0)
        step = chance.uniform(begun, settings.steps)
        while group.is_running() and logged(group.run_dir, since) < step:
            time.sleep(0.02)
        victim = len(ended) % 2  # the chief, the other, and so on
        killed = group.kill(victim) if group.is_running() else None
        if killed is None:  # it came to its end before: begin anew
            group.exit_codes()
            shutil.rmtree(group.run_dir)
            continue
        duration, message = killed
        ended.append(round(duration, 1))
        print(f"worker {victim} killed: the other ended after {duration:.1f} s and said: {message}", flush=True)
    if not saved(folder / "killed"):
        raise UserError("Every kill came before the first checkpoint: name more --steps.")
    shutil.copytree(folder / "killed", folder / "alone")
    resumed = variables(WorkerGroup(folder, "killed", 2, steps=settings.steps).wait().run_dir)
    alone = variables(WorkerGroup(folder, "alone", 1, steps=settings.steps).wait().run_dir)
    return {"seconds": ended, "message": message, "identical": difference(undisturbed, resumed) == 0.0,
            "one alone": difference(undisturbed, alone)}


def traffic() -> dict[str, int]:
    """Bytes that a device gives to sums over all devices in a step, beside those of all gradients.

    In this process, as a cluster of its own with two devices.
    """
    from benchmarks import flops
    from benchmarks.train_step import Step
    from gan_keras.config.train import Config

    task = {"cluster": {"worker": [f"localhost:{harness.free_ports(1)[0]}"]}, "task": {"type": "worker", "index": 0}}
    os.environ["TF_CONFIG"] = json.dumps(task)
    step = Step(Config().replace(**SMALL, strategy="multi_worker", virtual_devices=2))
    summed = flops.count(step.traced(next(iter(step.kinds))), flops.SUMMED_BYTES) // step.devices
    return {"summed_bytes": summed, "gradient_bytes": sum(step.gradient_bytes().values())}


def saved(run_dir: Path) -> list[int]:
    """Steps of a run's checkpoints."""
    from gan_keras.runs import checkpoints
    from gan_keras.runs.run_folder import RunFolder

    return checkpoints.saved_steps(RunFolder(run_dir).checkpoints)


def logged(run_dir: Path, since: float) -> int:
    """The last step in a run's metrics; -1: there is none, or none was written since a time."""
    from gan_keras.runs.run_folder import RunFolder

    run = RunFolder(run_dir)
    if not run.metrics_file.exists() or run.metrics_file.stat().st_mtime < since:
        return -1
    return max((entry["step"] for entry in run.metrics()), default=-1)


def variables(run_dir: Path) -> "dict[str, np.ndarray]":
    """All of a run's newest checkpoint, by name."""
    import tensorflow as tf

    from gan_keras.runs.run_folder import RunFolder

    reader = tf.train.load_checkpoint(str(RunFolder(run_dir).checkpoints / f"ckpt-{saved(run_dir)[-1]}"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def difference(one: "dict[str, np.ndarray]", other: "dict[str, np.ndarray]") -> float:
    """The largest difference of a variable's value, as a share of the largest value of that variable."""
    import numpy as np

    if one.keys() != other.keys():
        raise UserError(f"The runs have other variables: {', '.join(sorted(one.keys() ^ other.keys())[:5])}")
    shares = [np.abs(value.astype(float) - other[name]).max() / max(np.abs(value).max(), 1e-6)
              for name, value in one.items() if value.size]
    return float(f"{max(shares):.2e}")


def _last_line(log: Path) -> str:
    return (log.read_text(encoding="utf-8").strip() or "nothing").splitlines()[-1]


if __name__ == "__main__":
    flags.define(WorkersSettings)
    flags.run(main, sys.argv, __doc__)
