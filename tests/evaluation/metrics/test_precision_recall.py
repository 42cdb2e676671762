"""Precision, recall, density and coverage against the library of their authors, and by hand."""

import numpy as np
import pytest
from prdc import compute_prdc

from gan_keras.evaluation.metrics import precision_recall
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import HIGHER


def normal(seed, count, size, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, size)) * scale + shift


def modes(seed, count, of=8, size=6):
    """Clips of `of` distributions that are far apart."""
    random = np.random.default_rng(seed)
    return 30.0 * random.integers(of, size=count)[:, None] + random.normal(size=(count, size))


def means(*arguments, **options):
    by_metric = precision_recall.precision_recall_density_coverage(*arguments, **options)
    return {name: values.mean() for name, values in by_metric.items()}


def clip_set(features, video_ids):
    return ClipSet(np.zeros((len(features), 1, 1, 1, 3), np.uint8), video_ids, {"joint": features})


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, 0.3), (1.5, 0.0)])
def test_values_are_those_of_the_reference_library(k, scale, shift):
    real, generated = normal(0, 120, 5), normal(1, 90, 5, scale, shift)
    expected = compute_prdc(real, generated, nearest_k=k)
    assert means(real, generated, k) == pytest.approx({name: float(value) for name, value in expected.items()})


def test_hand_computed_values_on_a_line():
    real, generated = np.array([[0.0], [1.0], [2.0], [8.0], [10.0]]), np.array([[0.5], [2.0], [20.0]])
    # With k = 2 the radii of real clips are 2, 1, 2, 6 and 8, those of generated ones 19.5, 18 and 19.5.
    values = precision_recall.precision_recall_density_coverage(real, generated, 2)
    np.testing.assert_array_equal(values["precision"], [1, 1, 0])
    np.testing.assert_array_equal(values["density"], [3 / 2, 5 / 2, 0])
    np.testing.assert_array_equal(values["recall"], [1, 1, 1, 1, 1])
    np.testing.assert_array_equal(values["coverage"], [1, 1, 1, 1, 1])
    # With k = 1 they are 1, 1, 1, 2 and 2, and 1.5, 1.5 and 18.
    values = precision_recall.precision_recall_density_coverage(real, generated, 1)
    np.testing.assert_array_equal(values["precision"], [1, 1, 0])
    np.testing.assert_array_equal(values["density"], [2, 2, 0])
    np.testing.assert_array_equal(values["recall"], [1, 1, 1, 1, 1])
    np.testing.assert_array_equal(values["coverage"], [1, 1, 1, 0, 0])


def test_missing_modes_lower_recall_and_coverage_but_not_precision():
    real = modes(0, 400)
    all_modes, half = means(real, modes(1, 400)), means(real, modes(2, 400, of=4))
    kept = (real < 3.5 * 30).all(axis=1).mean()
    assert half["precision"] > all_modes["precision"] - 0.05
    assert half["density"] > all_modes["density"] - 0.1
    assert half["recall"] <= kept < all_modes["recall"] - 0.2
    assert half["coverage"] <= kept < all_modes["coverage"] - 0.2


def test_one_clip_in_place_of_half_of_them_lowers_coverage_but_not_recall():
    real, generated = modes(0, 400), modes(1, 400)
    repeated = np.concatenate([modes(2, 1).repeat(200, axis=0), generated[200:]])
    before, after = means(real, generated), means(real, repeated)
    assert after["coverage"] < before["coverage"] - 0.05
    assert after["recall"] == pytest.approx(before["recall"], abs=0.05)


def test_all_are_zero_for_clips_far_from_real_ones():
    far = means(normal(0, 200, 6), normal(1, 200, 6, shift=20.0))
    assert far == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


def test_density_is_one_for_clips_that_are_like_real_ones():
    densities = [means(normal(seed, 300, 4), normal(100 + seed, 300, 4))["density"] for seed in range(20)]
    assert np.mean(densities) == pytest.approx(1, abs=0.03)


def test_windows_of_the_same_video_are_no_neighbours():
    def windows(seed):
        return normal(seed, 200, 3).repeat(6, axis=0) + normal(1000 + seed, 1200, 3, scale=0.001)

    # Whole videos come into a ball, so that it holds 6 clips and not 5.
    real, generated, videos = windows(0), windows(1), np.arange(200).repeat(6)
    by_clip = means(real, generated)
    by_video = means(real, generated, real_video_ids=videos, generated_video_ids=videos)
    assert by_clip["density"] < 0.05 and by_clip["coverage"] < 0.05 and by_clip["recall"] < 0.05
    assert by_video["density"] == pytest.approx(6 / 5, rel=0.2)
    assert by_video["coverage"] > 0.5 and by_video["recall"] > 0.5


def test_copies_of_real_clips_are_precise_and_cover_them():
    real = normal(0, 50, 3)
    copies = means(real, real.copy())
    assert copies["precision"] == copies["recall"] == copies["coverage"] == 1
    same = means(np.zeros((10, 2)), np.zeros((10, 2)))
    assert same["precision"] == same["recall"] == same["coverage"] == 1


def test_clips_of_one_video_are_neighbours():
    real, generated = normal(0, 40, 3), normal(1, 40, 3)
    assert means(real, generated, real_video_ids=np.full(40, 3)) == means(real, generated)


def test_k_is_at_most_the_number_of_neighbours():
    real, generated = normal(0, 4, 2), normal(1, 4, 2)
    assert means(real, generated, k=5) == means(real, generated, k=3)
    # Three clips of one video and one of another: the three have only one neighbour.
    videos = np.array([0, 0, 0, 1])
    assert means(real, generated, k=5, real_video_ids=videos)["density"] == means(real, generated, 1, videos)["density"]
    assert means(real[:1], real[:1])["precision"] == 1


def test_metrics_are_better_higher():
    assert list(precision_recall.METRICS) == ["precision", "density", "recall", "coverage"]
    assert {metric.better for metric in precision_recall.METRICS.values()} == {HIGHER}
    # Half of the clips still lie among all of the real ones, and their balls are larger because they are fewer.
    assert precision_recall.METRICS["recall"].sensitive_to == ("drop",)
    assert precision_recall.METRICS["coverage"].sensitive_to == ("drop", "repeat")


def test_measure_compares_as_many_clips_of_each_with_an_interval_over_videos():
    features, videos = modes(0, 240), np.arange(120).repeat(2)
    real = clip_set(features, videos)
    samples = clip_set(modes(1, 200), -1 - np.arange(200))
    estimates = precision_recall.measure(samples, MetricInputs(samples, real, real, None, [], 25.0))
    expected = means(features[:200], samples.features["joint"], real_video_ids=videos[:200])
    assert {name: estimate.value for name, estimate in estimates.items()} == pytest.approx(expected)
    assert set(estimates) == set(precision_recall.METRICS)
    assert all(estimate.low < estimate.value < estimate.high for estimate in estimates.values())
