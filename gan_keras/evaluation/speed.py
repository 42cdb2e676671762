"""How fast clips are made, on this machine."""

import resource
import sys
import time
from collections.abc import Callable

import numpy as np

from gan_keras.evaluation.findings import HIGHER, LOWER, Metric
from gan_keras.evaluation.subjects import AT_ONCE, Subject

METRICS = {
    "speed/clips_per_second": Metric(HIGHER, f"Clips made in a second, {AT_ONCE} at a time."),
    "speed/latency_p50": Metric(LOWER, "Seconds until one clip asked for alone is there, the median."),
    "speed/latency_p95": Metric(LOWER, "Seconds within which 95 % of clips asked for alone are there."),
    "speed/memory_peak": Metric(LOWER, "The most memory that the process has held until now, in MB."),
}

_SECONDS = 2.0
_CALLS = 30


def measure_speed(subject: Subject, clock: Callable[[], float] = time.perf_counter) -> dict[str, float]:
    """Times a generator. Calls before the first one that counts are not timed: they allocate and choose algorithms.

    Args:
        subject: one that generates.
        clock: seconds.

    Returns:
        The numbers that `METRICS` names. The memory is that of the whole process: measure before other clips are drawn.
    """
    subject.clips(1)
    calls = [_seconds(subject, 1, seed, clock) for seed in range(_CALLS)]
    subject.clips(AT_ONCE)
    batches: list[float] = []
    while sum(batches) < _SECONDS:
        batches.append(_seconds(subject, AT_ONCE, AT_ONCE * len(batches), clock))
    median, late = np.quantile(calls, [0.5, 0.95])
    return {"speed/clips_per_second": AT_ONCE * len(batches) / sum(batches), "speed/latency_p50": float(median),
            "speed/latency_p95": float(late), "speed/memory_peak": _memory_peak()}


def _seconds(subject: Subject, count: int, first_seed: int, clock: Callable[[], float]) -> float:
    start = clock()
    subject.clips(count, first_seed)
    return clock() - start


def _memory_peak() -> float:
    """In MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
