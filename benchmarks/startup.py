"""How long one waits for train.py: for its help, and for the first step of training on prepared clips.

    python benchmarks/startup.py
    python benchmarks/startup.py --data=data/shapes --resolution=32

Takes about two minutes. Takes every flag of train.py. All that it writes is in a temporary folder. Ends with one JSON
line: seconds from the start of the process, medians. The first step is the one that traces and compiles.
"""

import dataclasses
import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config
from gan_keras.runs.run_folder import RunFolder

HELPS = 5
DRAWN = "shapes:64"
"""Source where none is named: clips that are drawn."""


@dataclasses.dataclass(frozen=True)
class StartupSettings(Settings):
    """The measurement."""

    starts: int = setting(3, "Starts of a training that are timed.", minimum=1)


def main() -> None:
    """Times the help, then the starts; one start before them is not timed: it prepares."""
    settings, config = flags.settings(StartupSettings), Config().replace(**flags.named_config())
    helps = [seconds_of_help() for _ in range(HELPS)]
    print(f"help: {statistics.median(helps):.3f} s", flush=True)
    passed = harness.passed_on(StartupSettings)
    starts = []
    with tempfile.TemporaryDirectory() as folder:
        first = seconds_to_first_step(Path(folder) / "first", [f"--data={DRAWN}", *passed])
        print(f"first step, preparing and all: {first:.2f} s", flush=True)
        prepared = [f"--data={path}" for path in (Path(folder) / "prepared").glob("[!.]*") if path.is_dir()]
        for number in range(settings.starts):
            starts.append(seconds_to_first_step(Path(folder) / f"run-{number}", [*passed, *prepared]))
            print(f"first step: {starts[-1]:.2f} s", flush=True)
    print(json.dumps({"benchmark": "startup", "resolution": config.clip.resolution,
                      "num_frames": config.clip.num_frames, "help_seconds": round(statistics.median(helps), 3),
                      "first_step_seconds": round(statistics.median(starts), 2)}))


def seconds_of_help() -> float:
    """Of one `train.py --help`."""
    begun = time.perf_counter()
    harness.script("train.py", "--help")
    return time.perf_counter() - begun


def seconds_to_first_step(run_dir: Path, train_flags: list[str]) -> float:
    """From the start of the process until the numbers of step 1 are on the disk; the training is stopped there.

    Raises:
        ProgramFailed: it ended before.
    """
    command = [sys.executable, str(harness.ROOT / "train.py"), *train_flags, f"--run_dir={run_dir}", "--log_every=1",
               "--noexport"]
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
        try:
            while not RunFolder(run_dir).metrics():
                if process.poll() is not None:
                    output.seek(0)
                    lines = output.read().strip().splitlines() or ["nothing"]
                    raise harness.ProgramFailed(f"train.py ended before its first step and said: {lines[-1]}. "
                                                f"Received: exit code={process.returncode}")
                time.sleep(0.005)
            return time.perf_counter() - begun
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


if __name__ == "__main__":
    flags.define_config()
    flags.define(StartupSettings)
    flags.run(main, sys.argv, __doc__)
