"""Whether clips show what their generator was told, on drawn clips of which everything is known."""

import numpy as np
import pytest

from gan_keras.evaluation import conditions
from gan_keras.evaluation.evaluate import describe
from gan_keras.evaluation.evidence import ClipSet
from gan_keras.video import shapes

COUNT = 36


@pytest.fixture(scope="module")
def drawn():
    """Clips with their factors: shape and colour take turns."""
    made = [shapes.render(0, index, 4, 32, 32) for index in range(COUNT)]
    return ClipSet(np.stack([clip for clip, _ in made]), -1 - np.arange(COUNT), {}), [factors for _, factors in made]


def one_hot(numbers, count):
    return np.eye(count, dtype="float32")[numbers]


@pytest.mark.parametrize("wrong", [0, 9])
def test_the_share_of_clips_that_are_read_as_their_class(drawn, wrong):
    clips, factors = drawn
    names = ("blue", "cyan", "green", "magenta", "red", "yellow")  # sorted, as folders are
    numbers = np.array([names.index(each.colour) for each in factors])
    numbers[:wrong] = (numbers[:wrong] + 1) % 6
    found = conditions.judge({"label": one_hot(numbers, 6)}, names, clips)
    assert found["conditions/class_read"].value == pytest.approx(1 - wrong / COUNT)


def test_classes_that_cannot_be_read_are_not_measured(drawn):
    assert conditions.judge({"label": one_hot(np.zeros(COUNT, int), 2)}, ("walk", "run"), drawn[0]) == {}


def test_a_code_that_is_a_factor_says_all_and_noise_says_little(drawn):
    clips, factors = drawn
    shape = np.array([shapes.SHAPES.index(each.shape) for each in factors])
    code = np.stack([shape - 1.0, np.random.default_rng(0).uniform(-1, 1, COUNT)], axis=1)
    found = conditions.judge({"category": one_hot(shape, 3), "code": code}, (), clips)
    assert found["conditions/category_information"].value == pytest.approx(1.0)
    assert found["conditions/code_0_information"].value == pytest.approx(1.0)
    assert found["conditions/code_1_information"].value < 0.5
    for estimate in found.values():
        assert estimate.low <= estimate.value <= estimate.high


def test_too_few_valid_clips_say_nothing(drawn):
    noise = np.random.default_rng(0).integers(0, 256, drawn[0].clips.shape, np.uint8)
    clips = ClipSet(noise, drawn[0].sources, {})
    assert conditions.judge({"category": one_hot(np.zeros(COUNT, int), 2)}, (), clips) == {}


def test_every_number_has_a_meaning():
    for name in ("conditions/class_read", "conditions/category_information", "conditions/code_1_information"):
        assert describe(name).better == "higher" and describe(name).meaning
