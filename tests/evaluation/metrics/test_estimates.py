"""Estimates and their bootstrap intervals, against values computed by hand."""

import numpy as np
import pytest

from gan_keras.evaluation.metrics.estimates import (
    BOOTSTRAPS,
    bootstrap_weights,
    estimate_mean,
    estimate_median,
    from_bootstrap,
)

DRAWS = np.arange(101.0)
"""Its 2.5 % and 97.5 % quantiles are 2.5 and 97.5, its mean is 50."""


def is_unknown(estimate):
    return np.isnan([estimate.value, estimate.low, estimate.high]).all()


def test_the_interval_is_that_of_the_draws():
    estimate = from_bootstrap(40.0, DRAWS)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((40, 2.5, 97.5))
    shifted = from_bootstrap(40.0, DRAWS + 100)
    assert (shifted.value, shifted.low, shifted.high) == pytest.approx((40, 102.5, 197.5))


def test_a_centred_interval_is_without_the_bias_of_the_draws():
    estimate = from_bootstrap(40.0, DRAWS, centered=True)  # a bias of 10
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((40, -7.5, 87.5))
    unbiased = from_bootstrap(50.0, DRAWS, centered=True)
    assert (unbiased.low, unbiased.high) == pytest.approx((2.5, 97.5))


@pytest.mark.parametrize("sign", [1, -1])
def test_a_centred_interval_holds_the_value(sign):
    draws = sign * np.array([0.0] * 99 + [100.0])  # mean 1, both quantiles 0
    low, high = sorted((sign * 4.0, sign * 5.0))
    estimate = from_bootstrap(sign * 5.0, draws, centered=True)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((sign * 5.0, low, high))


@pytest.mark.parametrize("centered", [False, True])
def test_draws_that_are_nan_are_ignored(centered):
    with_nan = np.concatenate([DRAWS, np.full(30, np.nan)])
    assert from_bootstrap(40.0, with_nan, centered) == from_bootstrap(40.0, DRAWS, centered)
    assert is_unknown(from_bootstrap(40.0, np.full(5, np.nan), centered))
    assert is_unknown(from_bootstrap(np.nan, DRAWS, centered))


def test_bootstrap_weights_draw_whole_videos():
    video_ids = np.array([7, 7, -1, 3, 3, 3])
    weights = bootstrap_weights(video_ids)
    assert weights.shape == (BOOTSTRAPS, 6) and (weights[:, [0, 3, 3]] == weights[:, [1, 4, 5]]).all()
    np.testing.assert_array_equal(weights[:, [0, 2, 3]].sum(axis=1), 3)
    np.testing.assert_array_equal(weights, bootstrap_weights(video_ids))
    assert (weights != bootstrap_weights(video_ids, seed=1)).any()
    np.testing.assert_array_equal(bootstrap_weights(np.full(4, 9)), np.ones((BOOTSTRAPS, 4)))


def test_mean_and_median_of_two_videos():
    values, video_ids = np.array([1.0, 3.0, 10.0, 12.0, 14.0, np.nan]), np.array([0, 0, 1, 1, 1, 1])
    mean, median = estimate_mean(values, video_ids), estimate_median(values, video_ids)
    # Draws are of the one video, of the other, or of both.
    assert (mean.value, mean.low, mean.high) == pytest.approx((8, 2, 12))
    assert (median.value, median.low, median.high) == pytest.approx((10, 1, 12))


def test_clips_of_one_video_have_no_spread():
    values = np.array([1.0, 2.0, 6.0])
    assert estimate_mean(values, np.zeros(3, int)) == from_bootstrap(3.0, np.array([3.0]))
    assert estimate_median(values, np.zeros(3, int)) == from_bootstrap(2.0, np.array([2.0]))


@pytest.mark.parametrize("estimate", [estimate_mean, estimate_median])
@pytest.mark.parametrize("values", [[], [np.nan, np.nan]])
def test_nothing_is_known_of_no_values(estimate, values):
    assert is_unknown(estimate(np.array(values), np.arange(len(values))))
