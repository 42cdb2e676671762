"""Conditioning of a generator, on drawn clips whose factors are known."""

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.evaluator import metric_info
from gan_keras.evaluation.metrics.conditioning import measure_conditions
from gan_keras.evaluation.metrics.inputs import ClipSet

COUNT = 36


@pytest.fixture(scope="module")
def drawn():
    """Clips with their factors: shape and colour take turns."""
    clips, factors = zip(*(moving_shapes.render(0, index, 4, 32, 32) for index in range(COUNT)), strict=True)
    return ClipSet(np.stack(clips), -1 - np.arange(COUNT), {}), factors


def one_hot(numbers, count):
    return np.eye(count, dtype="float32")[numbers]


@pytest.mark.parametrize("wrong", [0, 9])
def test_class_read_is_the_share_of_clips_of_their_class(drawn, wrong):
    clips, factors = drawn
    names = ("blue", "cyan", "green", "magenta", "red", "yellow")  # sorted, as folders are
    labels = np.array([names.index(clip.colour) for clip in factors])
    labels[:wrong] = (labels[:wrong] + 1) % 6
    estimates = measure_conditions({"label": one_hot(labels, 6)}, names, clips)
    assert estimates["conditions/class_read"].value == pytest.approx(1 - wrong / COUNT)


def test_classes_that_cannot_be_read_are_not_measured(drawn):
    assert measure_conditions({"label": one_hot(np.zeros(COUNT, int), 2)}, ("walk", "run"), drawn[0]) == {}


def test_information_of_a_code_that_is_a_factor_is_1_and_that_of_noise_is_small(drawn):
    clips, factors = drawn
    shape = np.array([moving_shapes.SHAPES.index(clip.shape) for clip in factors])
    code = np.stack([shape - 1.0, np.random.default_rng(0).uniform(-1, 1, COUNT)], axis=1)
    estimates = measure_conditions({"category": one_hot(shape, 3), "code": code}, (), clips)
    assert estimates["conditions/category_information"].value == pytest.approx(1.0)
    assert estimates["conditions/code_0_information"].value == pytest.approx(1.0)
    assert estimates["conditions/code_1_information"].value < 0.5
    for estimate in estimates.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_nothing_is_measured_of_too_few_valid_clips(drawn):
    noise = np.random.default_rng(0).integers(0, 256, drawn[0].clips.shape, np.uint8)
    clips = ClipSet(noise, drawn[0].video_ids, {})
    assert measure_conditions({"category": one_hot(np.zeros(COUNT, int), 2)}, (), clips) == {}


def test_every_metric_has_a_meaning():
    for name in ("conditions/class_read", "conditions/category_information", "conditions/code_1_information"):
        assert metric_info(name).better == "higher" and metric_info(name).meaning
