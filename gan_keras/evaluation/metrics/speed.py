"""Speed of a generator, on this machine."""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from gan_keras.evaluation.metrics.types import HIGHER, LOWER, Metric
from gan_keras.evaluation.samples import BATCH_SIZE, SampleSource

METRICS = {
    "speed/clips_per_second": Metric(HIGHER, f"Clips generated in a second, {BATCH_SIZE} at a time."),
    "speed/latency_p50": Metric(LOWER, "Seconds to generate a single clip, the median."),
    "speed/latency_p95": Metric(LOWER, "Seconds to generate a single clip, the 95th percentile."),
    "speed/memory_peak": Metric(LOWER, "Peak memory of the process so far, in MB."),
}

_SECONDS = 2.0
_CALLS = 30


def measure_speed(source: SampleSource, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Measures the speed of a generator. The first call of each size is not timed: it allocates and chooses algorithms.

    Args:
        source: one that generates.
        clock: time in seconds.

    Returns:
        The metrics in `METRICS`. The memory is that of the whole process: measure before real clips are read.
    """
    given = np.zeros((1, *source.shape), np.uint8)  # for models that take clips

    def seconds(count: int, first_seed: int) -> float:
        start = clock()
        source.clips(count, first_seed, given=given)
        return clock() - start

    source.clips(1, given=given)
    calls = [seconds(1, seed) for seed in range(_CALLS)]
    source.clips(BATCH_SIZE, given=given)
    batches: list[float] = []
    while sum(batches) < _SECONDS:
        batches.append(seconds(BATCH_SIZE, BATCH_SIZE * len(batches)))
    median, slow = np.quantile(calls, [0.5, 0.95])
    return {"speed/clips_per_second": BATCH_SIZE * len(batches) / sum(batches), "speed/latency_p50": float(median),
            "speed/latency_p95": float(slow), "speed/memory_peak": _memory_peak()}


def _memory_peak() -> float:
    """In MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
