"""What a training costs on machines that one does not have: operations, bytes, seconds, files.

Every figure is a short formula over what was counted (operations, gradients and moved bytes of a step, bytes of a
record) and what was measured on a machine, or is in its maker's tables (`Machine`). `benchmarks/scaling.py --simulate`
checks the formulas against what it can measure, and fills them in for a cluster.
"""

import dataclasses
import math

RECORD_BYTES = 160
"""Of a record beside its frames: shape, label, name of the video, checksums."""
GENERATOR_COPIES, OTHER_COPIES = 4, 3
"""Of weights in a checkpoint: they, Adam's two moments, and of the generator their average."""


@dataclasses.dataclass(frozen=True)
class Machine:
    """Constants of a machine.

    Attributes:
        operations_per_second: of a device, in a training step.
        memory_bandwidth: bytes a second between a device and its memory; infinite where operations take the time.
        step_overhead: seconds of a step beside its operations: what is started, read, written.
        device_overhead: seconds that each further device of the same machine adds to a step.
        network_latency: seconds of an all-reduce for each of its messages, which follow one another.
        network_bandwidth: bytes a second of an all-reduce between two neighbours of the ring.
        step_bytes: memory of a step without clips.
        pixel_bytes: memory of a step for each pixel of each frame of a device's clips.
        preparation_overhead: seconds of a preparation without videos.
        video_seconds: of a preparation, for each video, of the workers together.
        serial_seconds: of a preparation, for each video, of the one process that asks them and writes.
        manifest_bytes: for each video.
    """

    operations_per_second: float
    memory_bandwidth: float = math.inf
    step_overhead: float = 0.0
    device_overhead: float = 0.0
    network_latency: float = 0.0
    network_bandwidth: float = math.inf
    step_bytes: float = 0.0
    pixel_bytes: float = 0.0
    preparation_overhead: float = 0.0
    video_seconds: float = 0.0
    serial_seconds: float = 0.0
    manifest_bytes: float = 0.0


@dataclasses.dataclass(frozen=True)
class StepCost:
    """What was counted of a training step, for each clip, and of its gradients.

    Attributes:
        operations: floating-point operations of convolutions and matrix products, for a clip.
        bytes_accessed: by all operations, where none is fused with another, for a clip.
        gradient_bytes: of all networks that are trained.
        pixels: of all frames of a clip.
    """

    operations: float
    bytes_accessed: float
    gradient_bytes: float
    pixels: float


def line(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Of the line through two points: its value at 0, and its slope."""
    (x, y), (other_x, other_y) = points
    slope = (other_y - y) / (other_x - x)
    return y - slope * x, slope


def step_seconds(machine: Machine, cost: StepCost, clips: float, workers: int = 1, devices: int = 1) -> float:
    """Of a step of `clips` clips on each of the workers, that of the roofline and what comes beside.

    Args:
        machine: each of the workers.
        cost: of the step.
        clips: of a worker.
        workers: machines that sum gradients over a network.
        devices: of each machine, which share what it computes in a second.
    """
    compute = clips * max(cost.operations / machine.operations_per_second,
                          cost.bytes_accessed / machine.memory_bandwidth)
    return (machine.step_overhead + (devices - 1) * machine.device_overhead + compute
            + all_reduce_seconds(machine, cost.gradient_bytes, workers))


def all_reduce_seconds(machine: Machine, size: float, workers: int) -> float:
    """Of a sum of `size` bytes over a ring: each sends its share on 2 (n - 1) times (Patarasuk and Yuan, 2009)."""
    if workers < 2:
        return 0.0
    return 2 * (workers - 1) * (machine.network_latency + size / workers / machine.network_bandwidth)


def peak_bytes(machine: Machine, cost: StepCost, clips: float) -> float:
    """Memory of a device with so many clips."""
    return machine.step_bytes + machine.pixel_bytes * clips * cost.pixels


def prepared_bytes(videos: int, pixels: int) -> int:
    """Of the shards of videos with so many pixels in all their frames, one record each."""
    return videos * (3 * pixels + RECORD_BYTES)


def shards(videos: int, pixels: int) -> int:
    """Files that prepared videos are in: a shard is full when the next record would not fit."""
    from gan_keras.data.preparation.prepare import SHARD_BYTES, SHARD_RECORDS

    return math.ceil(videos / min(max(SHARD_BYTES // (3 * pixels), 1), SHARD_RECORDS))


def preparation_seconds(machine: Machine, videos: int, workers: int = 1) -> float:
    """Of videos like those that `video_seconds` was measured with."""
    return machine.preparation_overhead + videos * (machine.serial_seconds + machine.video_seconds / workers)


def checkpoint_bytes(generator: float, others: float) -> float:
    """From the bytes of the weights of the generator and of all other networks."""
    return GENERATOR_COPIES * generator + OTHER_COPIES * others
