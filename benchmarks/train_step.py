"""Times the training step on clips of noise, without the input pipeline.

    python benchmarks/train_step.py --resolution=32
    python benchmarks/train_step.py --peer=PATH_OF_ITS_SCRIPT --peer_python=ITS_INTERPRETER
    python benchmarks/train_step.py --resolution=32 --all

Takes about 40 seconds, with a peer three times that. Takes every flag of train.py that makes the model or the step.
Steps are those of whole clips, which follow those of pictures.
Ends with one JSON line: milliseconds of the most frequent and of the rarest kind of step, without and with the penalty
(medians); clips per second over a whole round of steps; the operations of a clip in it, and what share of the machine's
fastest convolutions that is; the peak memory of the process. `--all` is every family of generators in both precisions
on one and two devices, each in a process of its own, as a table.
"""

import collections
import dataclasses
import itertools
import json
import math
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.models.generators import GENERATORS

if TYPE_CHECKING:
    import tensorflow as tf

    from gan_keras.training.step_schedule import StepSchedule

WARM_UP, STEPS = 3, 12


@dataclasses.dataclass(frozen=True)
class TrainStepSettings(Settings):
    """The measurement."""

    all: bool = setting(False, "Every generator in float32 and bfloat16 on 1 and 2 devices.")
    ceiling: bool = setting(True, "Measure the fastest convolutions too.")


class Step:
    """The networks, clips of noise and the times measured so far.

    Attributes:
        precision: Keras dtype policy.
        devices: how many.
        kinds: of steps, with how many of a round are of each; the most frequent one first.
        milliseconds: of each step after the warm-up, by its kind.
    """

    def __init__(self, config: Config) -> None:
        import tensorflow as tf

        from gan_keras.data.input_pipeline import Batch, DomainBatch
        from gan_keras.training import hardware
        from gan_keras.training.distribution import make_distribution
        from gan_keras.training.train_step import VideoGAN

        distribution = make_distribution(config.hardware)
        self.config, self.devices = config, distribution.replicas
        self.precision = hardware.precision_policy(config.hardware.precision)
        self._gan = VideoGAN.create(config, distribution, self.precision, hardware.uses_xla(config.hardware))
        self._clips = config.optimization.batch_size // distribution.processes  # that this process computes
        shape = (self._clips, *config.clip.shape)
        clips = tf.cast(tf.random.stateless_uniform(shape, [0, 0], 0, 256, tf.int32), tf.uint8)
        label = tf.range(shape[0], dtype=tf.int64) % max(len(config.model.classes), 1)
        batch = DomainBatch(clips, label, clips[::-1]) if config.run.target_data else Batch(clips, label)
        self._batch = distribution.split(batch)
        objective = config.objective
        steps = math.lcm(objective.penalty_interval if objective.penalty != "none" else 1,
                         objective.discriminator_steps)
        first = math.ceil(objective.picture_steps / steps) * steps  # of whole clips: most of a training
        self._number = tf.constant(first + 1, tf.int64)
        self.kinds = dict(collections.Counter(
            map(self._gan.objective.schedule, range(first, first + steps))).most_common())
        self.milliseconds = {kind: [] for kind in self.kinds}

    def clips_per_second(self) -> float:
        """Measured over steps of every kind, mixed as in training."""
        now = {}
        for kind in self.kinds:
            times = [self._time(kind) for _ in range(WARM_UP + STEPS)][WARM_UP:]
            self.milliseconds[kind] += times
            now[kind] = statistics.median(times)
        return 1000 * self.config.optimization.batch_size / self._of_round(now)

    def operations_per_clip(self) -> float:
        """Floating-point operations of the training step for each of its clips."""
        from benchmarks import flops

        counted = {kind: flops.count(self.traced(kind)) for kind in self.kinds}
        return self._of_round(counted) / self._clips

    def traced(self, kind: "StepSchedule") -> "tf.types.experimental.ConcreteFunction":
        """The graph of a step."""
        return self._gan.train_step.get_concrete_function(self._batch, self._number, kind)

    def bytes_accessed_per_clip(self) -> float:
        """What all operations read and write for each clip, where none is fused with another."""
        from benchmarks import flops

        counted = {kind: flops.count(self.traced(kind), flops.BYTES_ACCESSED) for kind in self.kinds}
        return self._of_round(counted) / self._clips

    def gradient_bytes(self) -> dict[str, int]:
        """Of all that is trained, by the network."""
        trained = self._gan.networks.trained_variables(self.config.optimization.freeze)
        return {name: sum(4 * math.prod(variable.shape) for variable in variables)
                for name, variables in trained.items()}

    def save(self, folder: Path) -> int:
        """Writes a checkpoint into a folder; its bytes."""
        from gan_keras.runs import checkpoints

        checkpoints.save(folder / "checkpoints", 0, self._gan.variables, keep=1)
        return sum(path.stat().st_size for path in checkpoints.files(folder / "checkpoints", 0)
                   if path.suffix != ".index")

    def run(self, kind: "StepSchedule") -> None:
        """One step, to its end."""
        float(self._gan.train_step(self._batch, self._number, kind)["skipped"])

    def _time(self, kind: "StepSchedule") -> float:
        begun = time.perf_counter()
        self.run(kind)
        return 1000 * (time.perf_counter() - begun)

    def _of_round(self, values: dict["StepSchedule", float]) -> float:
        """The mean over a round of steps."""
        return sum(count * values[kind] for kind, count in self.kinds.items()) / sum(self.kinds.values())


def main() -> None:
    """One measurement, or the table of all."""
    settings, peer = flags.settings(TrainStepSettings), flags.settings(harness.PeerSettings)
    config = Config().replace(**flags.named_config())
    if settings.all:
        if peer.peer:
            raise UserError(f"`all` is a table of ours alone. Received: all=true, peer={peer.peer}")
        rows = list(measure_all(settings))
        print("\n" + harness.table(list(rows[0]), (row.values() for row in rows)) + "\n")
        print(json.dumps({"benchmark": "train_step", "rows": rows}))
        return
    print(json.dumps({"benchmark": "train_step", **measure(config, settings, peer)}))


def measure(config: Config, settings: TrainStepSettings, peer: harness.PeerSettings) -> dict[str, Any]:
    """The numbers of one configuration in this process, with those of a peer where one is named."""
    logging.import_tensorflow()
    step = Step(config)
    compared = {}
    if peer.peer:
        turns = harness.take_turns(step.clips_per_second, lambda: peer_videos_per_second(peer))
        speed, compared = statistics.median(turns["ours"]), harness.comparison(turns, "videos_per_second")
    else:
        speed = step.clips_per_second()
    memory = harness.megabytes()  # before the ceiling takes its own
    medians = [round(statistics.median(times), 1) for times in step.milliseconds.values()]
    return {"generator": config.model.generator, "resolution": config.clip.resolution,
            "num_frames": config.clip.num_frames, "batch_size": config.optimization.batch_size,
            "precision": step.precision, "devices": step.devices, "milliseconds": medians[0],
            "milliseconds_with_penalty": medians[-1], "clips_per_second": round(speed, 1),
            "videos_per_second": round(speed, 2), "peak_megabytes": round(memory),
            "gradient_bytes": sum(step.gradient_bytes().values()),
            **arithmetic(step, speed, settings.ceiling), **compared}


def arithmetic(step: Step, clips_per_second: float, ceiling: bool) -> dict[str, float]:
    """What the step computes in a second, and how near that is to the fastest convolutions."""
    from benchmarks.ceiling import operations_per_second

    each = step.operations_per_clip()
    found = {"flops_per_video": round(each), "teraflops": round(each * clips_per_second / 1e12, 4)}
    if ceiling:
        most = operations_per_second(step.precision.removeprefix("mixed_"))
        found |= {"ceiling_teraflops": round(most / 1e12, 4),
                  "share_of_ceiling": round(each * clips_per_second / most, 3)}
    return found


def peer_videos_per_second(peer: harness.PeerSettings) -> float:
    """The peer's own benchmark, in bfloat16."""
    printed = harness.run(peer.peer_python, peer.peer, "--benchmark", 10, "--dtype", "bfloat16")
    return harness.last_json(printed)["videos_per_second"]


def measure_all(settings: TrainStepSettings) -> Iterator[dict[str, Any]]:
    """The numbers of each family, precision and count of devices, in processes of their own."""
    passed = harness.passed_on(TrainStepSettings)
    for family, precision, devices in itertools.product(GENERATORS, ("float32", "bfloat16"),
                                                        (1, 2)):
        print(f"{family}, {precision}, {devices} device(s)", flush=True)
        found = harness.last_json(harness.script(
            "benchmarks/train_step.py", *passed, f"--ceiling={settings.ceiling}", f"--generator={family}",
            f"--precision={precision}", f"--virtual_devices={devices}"))
        found.pop("benchmark")
        yield found


if __name__ == "__main__":
    flags.define_config()
    flags.define(TrainStepSettings)
    flags.define(harness.PeerSettings)
    flags.run(main, sys.argv, __doc__)
