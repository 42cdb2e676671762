import numpy as np
import pytest

from gan_keras.evaluation.speed import METRICS, measure_speed
from gan_keras.evaluation.subjects import Subject


class Timed(Subject):
    """Takes its time by a clock of its own: a longer one for the first call of each size, and for every 10th."""

    shape = (2, 8, 8, 3)

    def __init__(self, seconds_a_clip):
        self.now, self.calls, self.seconds = 0.0, [], seconds_a_clip

    def _few(self, seeds):
        warm = len(seeds) in self.calls
        self.calls.append(len(seeds))
        slow = 3 if len(self.calls) % 10 == 0 and len(seeds) == 1 else 1
        self.now += self.seconds * len(seeds) * slow + (0 if warm else 100)
        return np.zeros((len(seeds), *self.shape), np.uint8)


def measured(subject):
    return measure_speed(subject, lambda: subject.now)


def test_warm_calls_are_timed():
    numbers = measured(Timed(0.05))
    assert numbers["speed/clips_per_second"] == pytest.approx(20)
    assert numbers["speed/latency_p50"] == pytest.approx(0.05)
    assert numbers["speed/latency_p95"] == pytest.approx(0.15)
    assert 10 < numbers["speed/memory_peak"] < 10**6
    assert set(numbers) == set(METRICS)


def test_batches_are_timed_for_two_seconds_and_a_slow_generator_makes_one():
    fast, slow = Timed(0.05), Timed(10.0)
    measured(fast), measured(slow)
    assert fast.calls.count(8) == 1 + 5
    assert slow.calls.count(8) == 1 + 1
    assert fast.calls.count(1) == slow.calls.count(1) == 1 + 30
