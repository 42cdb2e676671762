"""Distances of distributions against closed forms and plain implementations; their intervals against simulations."""

import numpy as np
import pytest
from scipy import linalg

from gan_keras.evaluation.metrics import distances
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import LOWER


def normal(seed, count, size, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(size=(count, size)) * scale + shift


def with_moments(mean, covariance, count=50):
    """Features of exactly this mean and sample covariance."""
    raw = normal(0, count, len(mean))
    raw -= raw.mean(axis=0)
    white = raw @ np.linalg.inv(np.linalg.cholesky(np.cov(raw, rowvar=False))).T
    return white @ np.linalg.cholesky(covariance).T + mean


def direct_frechet(a, b):
    a_covariance, b_covariance = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = linalg.sqrtm(a_covariance @ b_covariance).real
    return np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(a_covariance + b_covariance - 2 * root)


def direct_kernel(a, b, a_video_ids, b_video_ids):
    def one(x, y):
        return (sum(p * q for p, q in zip(x, y, strict=True)) / len(x) + 1) ** 3

    def within(clips, video_ids):
        return np.mean([one(clips[i], clips[j]) for i in range(len(clips)) for j in range(len(clips))
                        if video_ids[i] != video_ids[j]])

    return within(a, a_video_ids) + within(b, b_video_ids) - 2 * np.mean([one(x, y) for x in a for y in b])


def clip_set(features, video_ids=None):
    count = len(next(iter(features.values())))
    video_ids = np.arange(count) if video_ids is None else video_ids
    return ClipSet(np.zeros((count, 1, 1, 1, 3), np.uint8), video_ids, features)


def inputs_of(real):
    return MetricInputs(real, real, real, None, [], 25.0)


def test_frechet_of_independent_features_is_the_closed_form():
    a = with_moments([0.0, 1.0, 2.0], np.diag([1.0, 4.0, 9.0]))
    b = with_moments([1.0, 1.0, 0.0], np.diag([4.0, 4.0, 1.0]))
    assert distances.frechet(a, b, shrink=False) == pytest.approx((1 + 0 + 4) + (1 + 0 + 4))


def test_frechet_of_features_that_do_not_commute_is_that_of_a_matrix_root():
    a_covariance, b_covariance = np.array([[2.0, 0.9], [0.9, 1.0]]), np.array([[1.0, -0.4], [-0.4, 3.0]])
    expected = 0.25 + np.trace(a_covariance + b_covariance - 2 * linalg.sqrtm(a_covariance @ b_covariance))
    a, b = with_moments([0.0, 0.0], a_covariance), with_moments([0.5, 0.0], b_covariance)
    assert distances.frechet(a, b, shrink=False) == pytest.approx(expected)


def test_frechet_agrees_with_a_direct_implementation():
    mixing = normal(2, 12, 12)
    a, b = normal(0, 90, 12) @ mixing, normal(1, 70, 12, scale=1.5, shift=0.2)
    assert distances.frechet(a, b, shrink=False) == pytest.approx(direct_frechet(a, b))


@pytest.mark.parametrize("shrink", [False, True])
@pytest.mark.parametrize(("count", "size"), [(60, 1), (60, 8), (20, 50)])
def test_frechet_of_a_set_and_itself_is_zero(shrink, count, size):
    a = normal(0, count, size, scale=3.0)
    assert distances.frechet(a, a.copy(), shrink) == pytest.approx(0, abs=1e-4)


def test_frechet_of_fewer_clips_than_features():
    a, b = normal(0, 20, 50), normal(1, 20, 50)
    assert distances.frechet(a, b, shrink=False) == pytest.approx(distances.frechet(b, a, shrink=False), abs=1e-4)
    assert distances.frechet(a, a + 0.5, shrink=False) == pytest.approx(50 * 0.25, abs=1e-4)
    # The truth is 0; a covariance of rank 19 hardly overlaps another.
    assert distances.frechet(a, b, shrink=True) < 0.25 * distances.frechet(a, b, shrink=False)


def test_frechet_of_constant_features_is_their_distance():
    assert distances.frechet(np.full((5, 3), 1.0), np.full((7, 3), 3.0)) == pytest.approx(12)


def test_frechet_of_one_clip_is_nan():
    estimate = distances.estimate_frechet(normal(0, 1, 3), normal(1, 9, 3), np.arange(1), np.arange(9))
    assert np.isnan([distances.frechet(normal(0, 1, 3), normal(1, 9, 3)), estimate.value, estimate.low]).all()


def test_frechet_interval_covers_the_truth_in_95_percent():
    truth, count, covered = 0.25 + 1.0, 2000, 0
    for seed in range(40):
        a, b = normal(seed, count, 3), normal(1000 + seed, count, 3, scale=[1, 2, 1], shift=[0.5, 0, 0])
        estimate = distances.estimate_frechet(a, b, np.arange(count), np.arange(count))
        assert estimate.low < estimate.value < estimate.high
        covered += estimate.low <= truth <= estimate.high
    assert 0.85 <= covered / 40 <= 1


def test_frechet_interval_is_not_below_zero():
    estimate = distances.estimate_frechet(normal(0, 40, 2), normal(2, 40, 2), np.arange(40), np.arange(40))
    assert estimate.low == 0 < estimate.value < estimate.high


def test_frechet_interval_is_over_videos():
    a, b, videos = normal(0, 200, 3), normal(1, 200, 3, shift=1.0), np.arange(200)
    once = distances.estimate_frechet(a, b, videos, videos)
    twice = distances.estimate_frechet(a.repeat(2, axis=0), b.repeat(2, axis=0), videos.repeat(2), videos.repeat(2))
    by_clip = distances.estimate_frechet(a.repeat(2, axis=0), b.repeat(2, axis=0), np.arange(400), np.arange(400))
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=0.05)
    assert by_clip.high - by_clip.low < 0.9 * (twice.high - twice.low)


def test_frechet_interval_of_few_videos_is_wide_and_of_one_video_draws_clips():
    a, b = normal(0, 60, 2), normal(1, 60, 2, shift=1.0)
    sixty, three, one = (distances.estimate_frechet(a, b, np.arange(60), np.arange(60) % videos)
                         for videos in (60, 3, 1))
    assert three.high - three.low > sixty.high - sixty.low
    assert one == sixty


def test_kernel_agrees_with_a_double_loop():
    a, b = normal(0, 9, 4), normal(1, 7, 4, shift=0.3)
    assert distances.kernel(a, b) == pytest.approx(direct_kernel(a, b, range(9), range(7)))
    video_ids = np.array([5, 5, 5, 1, 1, 2, 3, 4, 0]), np.array([0, 0, 1, 2, 3, 4, 4])
    assert distances.kernel(a, b, *video_ids) == pytest.approx(direct_kernel(a, b, *video_ids))


def test_kernel_distance_of_normal_distributions_is_the_closed_form():
    # Of one feature (xy + 1)³ is 1 + 3xy + 3x²y² + x³y³: the moments 0, 1, 0 against 1, 2, 4.
    truth = 3 * 1 + 3 * (2 - 1) ** 2 + 4**2
    values = [distances.kernel(normal(seed, 400, 1), normal(500 + seed, 400, 1, shift=1.0)) for seed in range(40)]
    assert np.mean(values) == pytest.approx(truth, abs=4 * np.std(values) / 40**0.5)


def test_kernel_is_unbiased():
    values = np.array([distances.kernel(normal(seed, 30, 5), normal(500 + seed, 30, 5)) for seed in range(300)])
    assert abs(values.mean()) < 3 * values.std() / 300**0.5
    assert values.min() < 0 < values.max()


def test_kernel_is_unbiased_where_clips_of_a_video_are_alike():
    videos = np.arange(15).repeat(4)

    def alike(seed):
        return normal(seed, 15, 5).repeat(4, axis=0)

    pairs = [(alike(seed), alike(500 + seed)) for seed in range(300)]
    by_video = np.array([distances.kernel(a, b, videos, videos) for a, b in pairs])
    by_clip = np.array([distances.kernel(a, b) for a, b in pairs])
    assert abs(by_video.mean()) < 3 * by_video.std() / 300**0.5
    assert by_clip.mean() > 10 * by_clip.std() / 300**0.5


def test_kernel_interval_holds_zero_where_distributions_are_the_same():
    for seed in range(10):
        estimate = distances.estimate_kernel(normal(seed, 150, 6), normal(500 + seed, 150, 6),
                                             np.arange(150), np.arange(150))
        assert estimate.low < 0 < estimate.high


def test_kernel_interval_is_about_the_distance_and_as_wide_as_its_spread():
    count = np.arange(150)
    estimates = [distances.estimate_kernel(normal(seed, 150, 6), normal(500 + seed, 150, 6, shift=0.5), count, count)
                 for seed in range(40)]
    values, lows, highs = np.array([(e.value, e.low, e.high) for e in estimates]).T
    assert lows.min() > 0
    assert np.mean((lows + highs) / 2) == pytest.approx(values.mean(), rel=0.05)
    assert np.mean(highs - lows) / 3.92 == pytest.approx(values.std(), rel=0.25)


def test_repeated_clips_change_neither_the_kernel_distance_nor_its_interval():
    a, b, videos = normal(0, 120, 4), normal(1, 120, 4, shift=0.4), np.arange(120)
    once = distances.estimate_kernel(a, b, videos, videos)
    twice = distances.estimate_kernel(a.repeat(2, axis=0), b.repeat(2, axis=0), videos.repeat(2), videos.repeat(2))
    np.testing.assert_allclose([twice.value, twice.low, twice.high], [once.value, once.low, once.high], rtol=1e-9)


def test_kernel_interval_of_one_video_draws_clips():
    a, b, clips = normal(0, 20, 3), normal(1, 20, 3), np.arange(20)
    assert distances.estimate_kernel(a, b, clips, np.full(20, 7)) == distances.estimate_kernel(a, b, clips, clips)


def test_kernel_of_one_clip_is_nan():
    estimate = distances.estimate_kernel(normal(0, 1, 3), normal(1, 5, 3), np.arange(1), np.arange(5))
    assert np.isnan([estimate.value, estimate.low, estimate.high]).all()


def test_metrics_are_named_for_the_built_in_features():
    assert list(distances.METRICS) == ["frechet/appearance", "frechet/motion", "frechet/joint",
                                       "kernel/appearance", "kernel/motion", "kernel/joint"]
    assert {metric.better for metric in distances.METRICS.values()} == {LOWER}
    assert distances.METRICS["kernel/joint"].sensitive_to == ("blur", "noise", "drop", "freeze", "shuffle", "jitter")
    own = distances.metric_info("frechet/gait")
    assert "gait" in own.meaning and own.sensitive_to == ()
    assert "FVD" in distances.metric_info("frechet/i3d_logits").meaning


def test_measure_compares_as_many_clips_of_each_by_every_kind_of_features():
    real = clip_set({"joint": normal(0, 80, 4), "gait": normal(1, 80, 2), "motion": normal(4, 80, 2)})
    samples = clip_set({"joint": normal(2, 50, 4), "gait": normal(3, 50, 2, shift=1.0)})
    estimates = distances.measure(samples, inputs_of(real))
    assert set(estimates) == {"frechet/joint", "kernel/joint", "frechet/gait", "kernel/gait"}
    spread = np.linspace(0, 79, 50).round().astype(int)
    gait = samples.features["gait"], real.features["gait"][spread]
    assert estimates["frechet/gait"].value == distances.frechet(*gait)
    assert estimates["kernel/gait"].value == pytest.approx(distances.kernel(*gait))
    assert estimates["kernel/gait"].low > 0 > estimates["kernel/joint"].low


def test_only_the_frechet_video_distance_takes_the_sample_covariance():
    a, b = normal(0, 40, 20), normal(1, 40, 20)
    names = ("i3d_logits", "joint")
    estimates = distances.measure(clip_set(dict.fromkeys(names, a)), inputs_of(clip_set(dict.fromkeys(names, b))))
    assert estimates["frechet/i3d_logits"].value == pytest.approx(direct_frechet(a, b))
    assert estimates["frechet/joint"].value < 0.5 * estimates["frechet/i3d_logits"].value


def test_subsamples_are_spread_over_the_set():
    # Sorted by class, the first half of these is nothing like the second.
    sorted_by_class = clip_set({"joint": np.concatenate([normal(0, 200, 2), normal(1, 200, 2, shift=8.0)])})
    mixed = clip_set({"joint": sorted_by_class.features["joint"][np.random.default_rng(0).permutation(400)[:100]]})
    assert distances.measure(sorted_by_class, inputs_of(mixed))["frechet/joint"].value < 1
    assert sorted_by_class.subsample(1000) is sorted_by_class
    assert sorted_by_class.subsample(3).video_ids.tolist() == sorted_by_class.video_ids[[0, 200, 399]].tolist()
