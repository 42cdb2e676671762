"""Neighbour metrics against the library of their authors, and by hand."""

import numpy as np
import pytest
from prdc import compute_prdc

from gan_keras.evaluation import neighbours
from gan_keras.evaluation.evidence import ClipSet, Evidence
from gan_keras.evaluation.findings import HIGHER


def normal(seed, count, size, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, size)) * scale + shift


def modes(seed, count, of=8, size=6):
    """Clips of so many distributions that lie far apart."""
    random = np.random.default_rng(seed)
    return 30.0 * random.integers(of, size=count)[:, None] + random.normal(size=(count, size))


def means(*arguments, **options):
    found = neighbours.precision_recall_density_coverage(*arguments, **options)
    return {name: values.mean() for name, values in found.items()}


def clip_set(features, sources):
    return ClipSet(np.zeros((len(features), 1, 1, 1, 3), np.uint8), sources, {"joint": features})


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, 0.3), (1.5, 0.0)])
def test_they_are_those_of_the_reference_library(k, scale, shift):
    real, fake = normal(0, 120, 5), normal(1, 90, 5, scale, shift)
    expected = compute_prdc(real, fake, nearest_k=k)
    found = means(real, fake, k)
    assert found == pytest.approx({name: float(value) for name, value in expected.items()})


def test_they_are_what_is_drawn_on_a_line():
    real, fake = np.array([[0.0], [1.0], [2.0], [8.0], [10.0]]), np.array([[0.5], [2.0], [20.0]])
    # With k = 2 the real ones reach 2, 1, 2, 6 and 8 far; the fake ones 19.5, 18 and 19.5.
    found = neighbours.precision_recall_density_coverage(real, fake, 2)
    np.testing.assert_array_equal(found["precision"], [1, 1, 0])
    np.testing.assert_array_equal(found["density"], [3 / 2, 5 / 2, 0])
    np.testing.assert_array_equal(found["recall"], [1, 1, 1, 1, 1])
    np.testing.assert_array_equal(found["coverage"], [1, 1, 1, 1, 1])
    # With k = 1 they reach 1, 1, 1, 2 and 2 far; the fake ones 1.5, 1.5 and 18.
    found = neighbours.precision_recall_density_coverage(real, fake, 1)
    np.testing.assert_array_equal(found["precision"], [1, 1, 0])
    np.testing.assert_array_equal(found["density"], [2, 2, 0])
    np.testing.assert_array_equal(found["recall"], [1, 1, 1, 1, 1])
    np.testing.assert_array_equal(found["coverage"], [1, 1, 1, 0, 0])


def test_clips_of_half_of_the_modes_cost_recall_and_coverage_but_not_precision():
    real, whole, half = modes(0, 400), means(modes(0, 400), modes(1, 400)), means(modes(0, 400), modes(2, 400, of=4))
    kept = (real < 3.5 * 30).all(axis=1).mean()
    assert half["precision"] > whole["precision"] - 0.05
    assert half["density"] > whole["density"] - 0.1
    assert half["recall"] <= kept < whole["recall"] - 0.2
    assert half["coverage"] <= kept < whole["coverage"] - 0.2


def test_one_clip_in_place_of_half_of_them_costs_coverage_but_not_recall():
    real, fake = modes(0, 400), modes(1, 400)
    repeated = np.concatenate([modes(2, 1).repeat(200, axis=0), fake[200:]])
    whole, found = means(real, fake), means(real, repeated)
    assert found["coverage"] < whole["coverage"] - 0.05
    assert found["recall"] == pytest.approx(whole["recall"], abs=0.05)


def test_clips_far_from_all_real_ones_cost_precision():
    found = means(normal(0, 200, 6), normal(1, 200, 6, shift=20.0))
    assert found == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_density_is_one_for_clips_that_are_like_real_ones():
    found = [means(normal(seed, 300, 4), normal(100 + seed, 300, 4))["density"] for seed in range(20)]
    assert np.mean(found) == pytest.approx(1, abs=0.03)


def test_windows_of_the_same_video_are_no_neighbours():
    def windows(seed):
        return normal(seed, 200, 3).repeat(6, axis=0) + normal(1000 + seed, 1200, 3, scale=0.001)

    # Whole videos come into a ball, so that it holds 6 clips where 5 were asked for.
    real, fake, videos = windows(0), windows(1), np.arange(200).repeat(6)
    blind, found = means(real, fake), means(real, fake, real_sources=videos, fake_sources=videos)
    assert blind["density"] < 0.05 and blind["coverage"] < 0.05 and blind["recall"] < 0.05
    assert found["density"] == pytest.approx(6 / 5, rel=0.2) and found["coverage"] > 0.5 and found["recall"] > 0.5


def test_copies_of_real_clips_are_among_them():
    real = normal(0, 50, 3)
    found = means(real, real.copy())
    assert found["precision"] == found["recall"] == found["coverage"] == 1
    same = means(np.zeros((10, 2)), np.zeros((10, 2)))
    assert same["precision"] == same["recall"] == same["coverage"] == 1


def test_clips_of_one_video_are_neighbours():
    real, fake = normal(0, 40, 3), normal(1, 40, 3)
    assert means(real, fake, real_sources=np.full(40, 3)) == means(real, fake)


def test_neighbours_are_as_many_as_there_are():
    real, fake = normal(0, 4, 2), normal(1, 4, 2)
    assert means(real, fake, k=5) == means(real, fake, k=3)
    # Three clips of one video and one of another: the three have but one neighbour.
    videos = np.array([0, 0, 0, 1])
    assert means(real, fake, k=5, real_sources=videos)["density"] == means(real, fake, 1, videos)["density"]
    assert means(real[:1], real[:1])["precision"] == 1


def test_metrics_are_better_higher():
    assert list(neighbours.METRICS) == ["precision", "density", "recall", "coverage"]
    assert {metric.better for metric in neighbours.METRICS.values()} == {HIGHER}
    # Half of the clips still lie all over the real ones, and their balls are the larger for being fewer.
    assert neighbours.METRICS["recall"].sees == ("drop",)
    assert neighbours.METRICS["coverage"].sees == ("drop", "repeat")


def test_measure_compares_as_many_clips_of_each_with_an_interval_over_videos():
    features, videos = modes(0, 240), np.arange(120).repeat(2)
    real = clip_set(features, videos)
    candidate = clip_set(modes(1, 200), -1 - np.arange(200))
    found = neighbours.measure(candidate, Evidence(candidate, real, real, None, [], 25.0))
    expected = means(features[:200], candidate.features["joint"], real_sources=videos[:200])
    assert {name: estimate.value for name, estimate in found.items()} == pytest.approx(expected)
    assert set(found) == set(neighbours.METRICS)
    assert all(estimate.low < estimate.value < estimate.high for estimate in found.values())
