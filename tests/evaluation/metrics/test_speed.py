import numpy as np
import pytest

from gan_keras.evaluation.metrics.speed import METRICS, measure_speed
from gan_keras.evaluation.samples import SampleSource


class TimedSource(SampleSource):
    """Takes time by a clock of its own: more for the first call of each size, and for every 10th call."""

    shape = (2, 8, 8, 3)

    def __init__(self, seconds_per_clip):
        self.now, self.counts, self.seconds = 0.0, [], seconds_per_clip

    def clips(self, count, first_seed=0, *, given):
        warm = count in self.counts
        self.counts.append(count)
        assert given.shape == (1, *self.shape)
        factor = 3 if len(self.counts) % 10 == 0 and count == 1 else 1
        self.now += self.seconds * count * factor + (0 if warm else 100)
        return np.zeros((count, *self.shape), np.uint8)


def measure(source):
    return measure_speed(source, lambda: source.now)


def test_warm_calls_are_timed():
    speeds = measure(TimedSource(0.05))
    assert speeds["speed/clips_per_second"] == pytest.approx(20)
    assert speeds["speed/latency_p50"] == pytest.approx(0.05)
    assert speeds["speed/latency_p95"] == pytest.approx(0.15)
    assert 10 < speeds["speed/memory_peak"] < 10**6
    assert set(speeds) == set(METRICS)


def test_batches_are_timed_for_two_seconds_or_once():
    fast, slow = TimedSource(0.05), TimedSource(10.0)
    measure(fast), measure(slow)
    assert fast.counts.count(8) == 1 + 5
    assert slow.counts.count(8) == 1 + 1
    assert fast.counts.count(1) == slow.counts.count(1) == 1 + 30
