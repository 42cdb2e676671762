"""Measures the constants of the cost model, checks its predictions, and asks it about a cluster."""

import dataclasses
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import cost_model, harness
from benchmarks.cost_model import Machine, StepCost
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config
from gan_keras.errors import UserError

TOLERANCE = 0.2
"""Share by which a prediction may be off."""
CLIP_FLAGS = ("--resolution=32", "--num_frames=8")
SOURCE_FRAMES = 16
"""Of the videos whose preparation is measured."""

GPU = Machine(operations_per_second=0.4 * 989e12, memory_bandwidth=3.35e12, step_overhead=0.01,
              network_latency=1e-5, network_bandwidth=50e9)
"""An H100 by its maker's table (dense bfloat16, HBM3, a network of 400 Gbit/s for each): not measured. The share 0.4 of
the operations is what a step reaches of the fastest convolutions on a CPU; the other two are guesses."""
DAY = 86400.0


@dataclasses.dataclass(frozen=True)
class ClusterSettings(Settings):
    """The cluster, and what it is to train."""

    videos: int = setting(10_000_000, "Videos.", minimum=1)
    video_seconds: float = setting(10.0, "Seconds of a video.", above=0.0)
    video_fps: float = setting(25.0, "Frames of a video a second.", above=0.0)
    gpus: int = setting(256, "GPUs.", minimum=1)
    clips_per_gpu: int = setting(4, "Clips of a step on each.", minimum=1)
    read_megabytes: float = setting(500.0, "Megabytes a second that each GPU gets from the disks.", above=0.0)
    decoding_cores: int = setting(1024, "Cores that prepare videos.", minimum=1)
    cluster_resolution: str = setting("256", "See train.py.")
    cluster_frames: int = setting(128, "Frames of a clip.", minimum=1)
    most_clips: int = setting(100_000, "Clips of the largest preparation that a prediction is checked with.",
                              minimum=10_000)


class Check(NamedTuple):
    """A prediction, and what was measured."""

    what: str
    unit: str
    predicted: float
    measured: float

    @property
    def quotient(self) -> float:
        """Predicted by measured."""
        return self.predicted / self.measured

    @property
    def holds(self) -> bool:
        """Whether it is off by no more than `TOLERANCE`."""
        return abs(self.quotient - 1.0) <= TOLERANCE


def simulate(cluster: ClusterSettings, step_flags: Sequence[str]) -> None:
    """Constants, checks, the cluster; a table of each and one JSON line."""
    machine, checks = training_constants(step_flags)
    with tempfile.TemporaryDirectory() as folder:
        machine, more = preparation_constants(machine, Path(folder), cluster.most_clips)
        cost, weights, saved = counted(cluster, Path(folder))
    predicted = cost_model.checkpoint_bytes(weights["generator"], sum(weights.values()) - weights["generator"])
    checks += [*more, Check("a checkpoint of the cluster's networks", "MB", predicted / 1e6, saved / 1e6)]
    print("\n" + harness.table(
        ["", "unit", "predicted", "measured", "quotient", "within 20 %"],
        ([check.what, check.unit, check.predicted, check.measured, round(check.quotient, 2),
          "yes" if check.holds else "**no**"] for check in checks)))
    found = cluster_costs(cluster, machine, cost, weights)
    print("\n" + harness.table(["the cluster", ""], found.items()) + "\n")
    print(json.dumps({"benchmark": "scaling", "machine": {name: value for name, value in dataclasses.asdict(
        machine).items() if math.isfinite(value)}, "checks": [
            {**check._asdict(), "quotient": round(check.quotient, 3)} for check in checks], "cluster": found}))


# ---- training ----

def training_constants(step_flags: Sequence[str]) -> tuple[Machine, list[Check]]:
    """A line through the steps of 4 and of 16 clips, what 4 devices take, what sums over two workers take."""
    few, many = (step(*step_flags, f"--batch_size={clips}") for clips in (4, 16))
    beside, per_clip = cost_model.line([(4, few["seconds"]), (16, many["seconds"])])
    memory, each = cost_model.line([(4, few["bytes"]), (16, many["bytes"])])
    cost = StepCost(few["operations"], 0.0, few["gradient_bytes"], few["pixels"])
    machine = Machine(operations_per_second=cost.operations / per_clip, step_overhead=max(beside, 0.0),
                      step_bytes=memory, pixel_bytes=each / cost.pixels)
    four = step(*step_flags, "--batch_size=12", "--virtual_devices=4")
    alone = cost_model.step_seconds(machine, cost, 12)
    hops = reductions()
    latency, per_byte = cost_model.line([(size / 2, seconds / 2) for size, seconds in hops.items()
                                         if size in (min(hops), max(hops))])
    machine = dataclasses.replace(machine, device_overhead=max(four["seconds"] - alone, 0.0) / 3,
                                  network_latency=max(latency, 0.0), network_bandwidth=1 / per_byte)
    checks = []
    for what, more in (("8 clips", ["--batch_size=8"]), ("4 clips of 32 frames", ["--batch_size=4", "--num_frames=32"]),
                       ("2 clips of 128x128", ["--batch_size=2", "--resolution=128"])):
        found = step(*step_flags, *more)
        here = StepCost(found["operations"], 0.0, found["gradient_bytes"], found["pixels"])
        checks += [Check(f"a step of {what}", "s", cost_model.step_seconds(machine, here, found["clips"]),
                         found["seconds"]),
                   Check(f"memory of {what}", "MB", cost_model.peak_bytes(machine, here, found["clips"]) / 1e6,
                         found["bytes"] / 1e6)]
    for devices in (2, 3):
        found = step(*step_flags, "--batch_size=12", f"--virtual_devices={devices}")
        checks.append(Check(f"12 clips on {devices} devices", "s",
                            cost_model.step_seconds(machine, cost, 12, devices=devices), found["seconds"]))
    middle = sorted(hops)[1]
    checks.append(Check(f"a sum of {middle / 2**20:g} MiB over 2 workers", "s",
                        cost_model.all_reduce_seconds(machine, middle, 2), hops[middle]))
    found = on_two_workers("train_step.py", *step_flags, "--batch_size=16", "--noceiling", "--strategy=multi_worker")
    # Both share the cores of this machine: each computes half as fast.
    checks.append(Check("16 clips on 2 workers", "s", cost_model.step_seconds(machine, cost, 16, workers=2),
                        16 / found["clips_per_second"]))
    return machine, checks


def step(*step_flags: str) -> dict[str, float]:
    """What benchmarks/train_step.py finds, in seconds and bytes, by its flags."""
    found = harness.last_json(harness.script("benchmarks/train_step.py", *step_flags, "--noceiling"))
    seconds = found["batch_size"] / found["clips_per_second"]
    print(f"{found['batch_size']} clips, {found['devices']} devices: {seconds:.4f} s", flush=True)
    height, width = Config().replace(resolution=found["resolution"]).clip.shape[1:3]
    return {"clips": found["batch_size"], "seconds": seconds, "operations": found["flops_per_video"],
            "bytes": found["peak_megabytes"] * 2**20, "gradient_bytes": found["gradient_bytes"],
            "pixels": found["num_frames"] * height * width}


def reductions() -> dict[float, float]:
    """Seconds of sums over two workers, by bytes: as large as gradients are. Below 4 MiB, where a sum is one message,
    they take less than a line through these."""
    found = on_two_workers("all_reduce.py", "--megabytes=4,8,16")["seconds"]
    return {float(size) * 2**20: seconds for size, seconds in found.items()}


def on_two_workers(name: str, *arguments: str) -> dict[str, Any]:
    """What the first of two processes of a benchmark prints that find each other on the loopback.

    Raises:
        UserError: one failed.
    """
    addresses = [f"localhost:{port}" for port in harness.free_ports(2)]
    processes = [subprocess.Popen(
        [sys.executable, harness.ROOT / "benchmarks" / name, *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "TF_CONFIG": json.dumps(
            {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}})}) for i in range(2)]
    outputs = [process.communicate() for process in processes]
    for process, (_, said) in zip(processes, outputs, strict=True):
        if process.returncode:
            raise UserError(f"{name} failed and said: {(said.strip() or 'nothing').splitlines()[-1]}. "
                            f"Received: exit code={process.returncode}")
    return harness.last_json(outputs[0][0])


# ---- preparation ----

def preparation_constants(machine: Machine, folder: Path, most: int) -> tuple[Machine, list[Check]]:
    """A line through the preparations of 1,000 and of 10,000 drawn videos on one worker, and what two save."""
    few, many = (prepared(folder, videos, 1) for videos in (1000, 10_000))
    start, each = cost_model.line([(1000, few["seconds"]), (10_000, many["seconds"])])
    _, entry = cost_model.line([(1000, few["manifest"]), (10_000, many["manifest"])])
    saved = (many["seconds"] - prepared(folder, 10_000, 2)["seconds"]) / 10_000
    parallel = min(max(2.0 * saved, 0.0), each)
    machine = dataclasses.replace(machine, preparation_overhead=max(start, 0.0), video_seconds=parallel,
                                  serial_seconds=each - parallel, manifest_bytes=entry)
    checks = []
    for videos, workers in ((30_000, 1), (most, 2)):
        found = prepared(folder, videos, workers)
        what = f"{videos:,} videos on {workers} worker{'s' if workers > 1 else ''}"
        checks.append(Check(f"preparing {what}", "s", cost_model.preparation_seconds(machine, videos, workers),
                            found["seconds"]))
    pixels = SOURCE_FRAMES * 32 * 32
    return machine, [*checks, Check(f"shards of {what}", "MB",
                                    cost_model.prepared_bytes(most, pixels) / 1e6, found["bytes"] / 1e6),
                     Check(f"shards of {what}", "files", cost_model.shards(most, pixels), found["files"]),
                     Check(f"manifest of {what}", "MB", most * machine.manifest_bytes / 1e6,
                           found["manifest"] / 1e6)]


def prepared(folder: Path, videos: int, workers: int) -> dict[str, float]:
    """Seconds of a preparation of drawn videos, bytes and files of its shards, bytes of its manifest."""
    out, begun = folder / "prepared", time.perf_counter()
    harness.script("prepare.py", f"--source=shapes:{videos},frames={SOURCE_FRAMES}", f"--out={out}", *CLIP_FLAGS,
                   f"--workers={workers}")
    seconds = time.perf_counter() - begun
    print(f"{videos} videos, {workers} workers: {seconds:.1f} s", flush=True)
    shards = list(out.glob("*.tfrecord"))
    found = {"seconds": seconds, "bytes": sum(path.stat().st_size for path in shards), "files": len(shards),
             "manifest": (out / "manifest.json").stat().st_size}
    shutil.rmtree(out)
    return found


# ---- the cluster ----

def counted(cluster: ClusterSettings, folder: Path) -> tuple[StepCost, dict[str, int], int]:
    """A step of the cluster's clips, traced and not run; bytes of the weights of each network; bytes of a checkpoint,
    written into a folder."""
    from benchmarks.train_step import Step
    from gan_keras import logging

    logging.import_tensorflow()
    config = Config().replace(resolution=cluster.cluster_resolution, num_frames=cluster.cluster_frames, batch_size=1)
    step = Step(config)
    weights = step.gradient_bytes()
    cost = StepCost(step.operations_per_clip(), step.bytes_accessed_per_clip(), sum(weights.values()),
                    math.prod(config.clip.shape[:3]))
    return cost, weights, step.save(folder)


def cluster_costs(cluster: ClusterSettings, here: Machine, cost: StepCost, weights: dict[str, int]
                  ) -> dict[str, str]:
    """What it takes, each as text with its unit."""
    height, width = Config().replace(resolution=cluster.cluster_resolution).clip.shape[1:3]
    others = sum(weights.values()) - weights["generator"]
    frames = round(cluster.video_seconds * cluster.video_fps)
    video_pixels = frames * height * width
    clips = cluster.clips_per_gpu * cluster.gpus
    seconds = cost_model.step_seconds(GPU, cost, cluster.clips_per_gpu, cluster.gpus)
    reducing = cost_model.all_reduce_seconds(GPU, cost.gradient_bytes, cluster.gpus)
    read = 3 * cluster.clips_per_gpu * cost.pixels
    reading = read / (1e6 * cluster.read_megabytes)
    per_day = clips * DAY / max(seconds, reading)
    memory = here.pixel_bytes * cluster.clips_per_gpu * cost.pixels
    # Decoding takes as long for each pixel as it did here, of small drawn videos: an estimate from above.
    decoding = (here.video_seconds + here.serial_seconds) * video_pixels / (SOURCE_FRAMES * 32 * 32)
    return {
        "operations of a clip": f"{cost.operations / 1e12:.2f} TFLOP",
        "bytes that a clip's operations move, none fused": f"{cost.bytes_accessed / 1e9:.1f} GB",
        "a step": f"{1000 * seconds:.1f} ms, of which summing gradients {1000 * reducing:.1f}, its clips' memory "
                  f"{1000 * cluster.clips_per_gpu * cost.bytes_accessed / GPU.memory_bandwidth:.1f} and operations "
                  f"{1000 * cluster.clips_per_gpu * cost.operations / GPU.operations_per_second:.1f} side by side",
        "reading a step's clips": f"{1000 * reading:.0f} ms, {read / seconds / 1e6:,.0f} MB/s to be no slower",
        "gradients": f"{cost.gradient_bytes / 1e6:.2f} MB, sent and received once a step by each",
        "activations on a GPU": f"{memory / 1e9:.1f} GB",
        "clips a day": f"{per_day / 1e6:.1f} million",
        "a clip of each video": f"{cluster.videos / per_day * 24:.1f} hours",
        "prepared clips": f"{cost_model.prepared_bytes(cluster.videos, video_pixels) / 1e12:.0f} TB in "
                          f"{cost_model.shards(cluster.videos, video_pixels):,} files",
        "manifest": f"{cluster.videos * here.manifest_bytes / 1e9:.2f} GB",
        "preparing": f"{cluster.videos * decoding / cluster.decoding_cores / 3600:.1f} hours on "
                     f"{cluster.decoding_cores:,} cores",
        "a checkpoint": f"{cost_model.checkpoint_bytes(weights['generator'], others) / 1e6:.1f} MB",
    }
