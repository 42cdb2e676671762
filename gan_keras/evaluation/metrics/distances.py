"""Distances between two distributions of clips: Fréchet and kernel distances of their features.

The Fréchet distance compares means and covariances. It is biased upwards by a term that shrinks with the number of
clips, so every set of clips is compared at the same number and beside a noise floor. The kernel distance (squared
maximum mean discrepancy) compares all moments up to the third, and is unbiased.

Windows of one video are alike: the units that were drawn at random are videos, not clips. Both intervals draw whole
videos. Where all clips of a set are of one video, its clips are the units instead.
"""

import numpy as np
from scipy import linalg, stats
from sklearn.covariance import ledoit_wolf
from sklearn.metrics.pairwise import polynomial_kernel
from threadpoolctl import threadpool_limits

from gan_keras.evaluation.metrics.estimates import LEVEL, bootstrap_weights, from_bootstrap
from gan_keras.evaluation.metrics.inputs import FEATURES, ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import LOWER, Estimate, Estimates, Metric

FVD_FEATURES = "i3d_logits"
"""Features whose Fréchet distance is the Fréchet video distance (Unterthiner et al. 2018). By convention it takes the
sample covariance, and the logits as they are: these features are not whitened."""

_JACKKNIFE_GROUPS = 20

_SENSITIVE_TO = {"appearance": ("blur", "noise", "drop"), "motion": ("freeze", "shuffle", "jitter")}
_SENSITIVE_TO["joint"] = _SENSITIVE_TO["appearance"] + _SENSITIVE_TO["motion"]

_KINDS = {"frechet": "Distance between the means and covariances of {name} in the clips and in real ones.",
          "kernel": "Distance between the distributions of {name} in the clips and in real ones; about 0, or "
                    "just below, where they are the same."}
_FEATURE_NAMES = {"joint": "appearance and motion together"}


def metric_info(name: str) -> Metric:
    """Meaning of `frechet/NAME` or `kernel/NAME`, for any features NAME.

    Raises:
        KeyError: it is another kind of distance.
    """
    kind, features = name.split("/", 1)
    if kind == "frechet" and features == FVD_FEATURES:
        return Metric(LOWER, "Fréchet video distance (FVD) between the clips and real ones, by the logits of I3D.")
    return Metric(LOWER, _KINDS[kind].format(name=_FEATURE_NAMES.get(features, features)),
                  _SENSITIVE_TO.get(features, ()))


METRICS = {name: metric_info(name) for name in (f"{kind}/{features}" for kind in _KINDS for features in FEATURES)}


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """Distances of clips from `inputs.real`, as many clips of each: the bias depends on their number.

    Returns:
        `frechet/NAME` and `kernel/NAME` for each NAME of `samples.features`.
    """
    count = min(len(samples), len(inputs.real))
    samples, real = samples.subsample(count), inputs.real.subsample(count)
    video_ids, estimates = (samples.video_ids, real.video_ids), {}
    for name, features in samples.features.items():
        pair = features, real.features[name]
        estimates[f"frechet/{name}"] = estimate_frechet(*pair, *video_ids, shrink=name != FVD_FEATURES)
        estimates[f"kernel/{name}"] = estimate_kernel(*pair, *video_ids)
    return estimates


def frechet(a: np.ndarray, b: np.ndarray, shrink: bool = True) -> float:
    """Squared Fréchet distance of two normal distributions fitted to features.

    |μa - μb|² + tr(A + B - 2 (AB)^½): Dowson & Landau 1982; with features of a network Heusel et al. 2017, equation 6.

    Args:
        a: float [N, D].
        b: float [M, D].
        shrink: estimate covariances with the shrinkage of Ledoit & Wolf 2004 towards a multiple of the identity, which
            is nearer to the truth where there are few clips for so many features; False: the sample covariance, over
            N - 1.

    Returns:
        0 or more; NaN where a set has fewer than two clips.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(len(a), len(b)) < 2:
        return float("nan")
    a_covariance, b_covariance = _covariance(a, shrink), _covariance(b, shrink)
    # AB has the eigenvalues of A^½ B A^½, which is symmetric: they are real, whatever the rank.
    values, vectors = linalg.eigh(a_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    products = linalg.eigh(root @ b_covariance @ root, eigvals_only=True)
    root_trace = np.sqrt(np.maximum(products, 0)).sum()
    mean_term = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    return float(max(mean_term + np.trace(a_covariance) + np.trace(b_covariance) - 2 * root_trace, 0))


def _covariance(features: np.ndarray, shrink: bool) -> np.ndarray:
    if shrink:
        return ledoit_wolf(features)[0]
    return np.atleast_2d(np.cov(features, rowvar=False))


def estimate_frechet(a: np.ndarray, b: np.ndarray, a_video_ids: np.ndarray, b_video_ids: np.ndarray,
                     shrink: bool = True) -> Estimate:
    """Fréchet distance with a delete-a-group jackknife interval (Kott 2001).

    The videos of each set are divided into up to 20 groups; one group of each set is left out at a time. A bootstrap
    repeats clips, which biases the distance upwards, about as much as half the number of clips would. The distances of
    the jackknife all have nearly the bias of the whole set, which cancels in their spread; the interval is therefore
    that of the expected distance of as many clips, bias included.

    Args:
        a: float [N, D].
        b: float [M, D].
        a_video_ids: int [N], which video each clip is of.
        b_video_ids: int [M].
        shrink: as in `frechet`.

    Returns:
        The distance ± t times its standard error, the lower end not below 0. The ends are NaN where there are too few
        clips to leave any out.
    """
    a_video, b_video = _unit_of_each_clip(a_video_ids), _unit_of_each_clip(b_video_ids)
    groups = min(_JACKKNIFE_GROUPS, len(np.unique(a_video)), len(np.unique(b_video)))
    # On a busy machine, BLAS threads that wait for each other take 50 times as long as one for such small matrices.
    with threadpool_limits(1, user_api="blas"):
        value = frechet(a, b, shrink)
        if groups < 2:
            return Estimate(value, np.nan, np.nan)
        a_group, b_group = _assign_groups(a_video, groups, seed=0), _assign_groups(b_video, groups, seed=1)
        without = np.array([frechet(a[a_group != group], b[b_group != group], shrink) for group in range(groups)])
    error = np.sqrt((groups - 1) * without.var())
    margin = stats.t.ppf((1 + LEVEL) / 2, groups - 1) * error
    return Estimate(value, float(np.maximum(value - margin, 0)), float(value + margin))


def _assign_groups(video: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """Random group of each clip, int [N], whole videos at a time; `video` counts from 0."""
    count = video.max() + 1
    return (np.random.default_rng(seed).permutation(count) % groups)[video]


def _unit_of_each_clip(video_ids: np.ndarray) -> np.ndarray:
    """Unit of each clip, int [N] from 0: its video, or the clip itself where there is only one video."""
    videos, numbers = np.unique(video_ids, return_inverse=True)
    return numbers if len(videos) > 1 else np.arange(len(video_ids))


def kernel(a: np.ndarray, b: np.ndarray, a_video_ids: np.ndarray | None = None,
           b_video_ids: np.ndarray | None = None) -> float:
    """Kernel distance: unbiased squared maximum mean discrepancy with the kernel (x·y/D + 1)³.

    Gretton et al. 2012, equation 3; Bińkowski et al. 2018 (KID), here over all clips at once, not in subsets. Pairs of
    clips of the same video do not count: they are more alike than two draws from the distribution, and would make a
    set of few videos seem further away than it is.

    Args:
        a: float [N, D].
        b: float [M, D].
        a_video_ids: int [N], which video each clip is of; None: each clip is of its own.
        b_video_ids: int [M].

    Returns:
        The distance, sometimes below 0 where the distributions are the same; NaN where a set has fewer than two clips.
    """
    ones = np.ones((1, len(a))), np.ones((1, len(b)))
    a_video_ids = np.arange(len(a)) if a_video_ids is None else a_video_ids
    b_video_ids = np.arange(len(b)) if b_video_ids is None else b_video_ids
    return float(_kernel_distances(a, b, _unit_of_each_clip(a_video_ids), _unit_of_each_clip(b_video_ids), *ones)[0])


def estimate_kernel(a: np.ndarray, b: np.ndarray, a_video_ids: np.ndarray, b_video_ids: np.ndarray) -> Estimate:
    """Kernel distance with a bootstrap interval that draws whole videos of each set.

    A video that is drawn twice weighs more but forms no pair with itself, so the draws are as unbiased as the distance.
    Where the distributions are the same the interval is wider than necessary, because the distance is a degenerate
    statistic there (Arcones & Giné 1992).

    Args:
        a: float [N, D].
        b: float [M, D].
        a_video_ids: int [N], which video each clip is of.
        b_video_ids: int [M].

    Returns:
        The distance; the ends are NaN where a set has fewer than two clips.
    """
    a_video, b_video = _unit_of_each_clip(a_video_ids), _unit_of_each_clip(b_video_ids)
    a_weights = np.vstack([np.ones(len(a)), bootstrap_weights(a_video, seed=0)])
    b_weights = np.vstack([np.ones(len(b)), bootstrap_weights(b_video, seed=1)])
    value, *draws = _kernel_distances(a, b, a_video, b_video, a_weights, b_weights)
    return from_bootstrap(float(value), np.array(draws))


def _kernel_distances(a: np.ndarray, b: np.ndarray, a_video: np.ndarray, b_video: np.ndarray,
                      a_weights: np.ndarray, b_weights: np.ndarray) -> np.ndarray:
    """Kernel distances under K weightings of the clips, [K, N] and [K, M]: float64 [K], NaN where all weight is on one
    video."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    between = ((a_weights @ polynomial_kernel(a, b)) * b_weights).sum(axis=1)
    between /= a_weights.sum(axis=1) * b_weights.sum(axis=1)
    return _mean_within(a, a_video, a_weights) + _mean_within(b, b_video, b_weights) - 2 * between


def _mean_within(features: np.ndarray, video: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted mean kernel of pairs of clips of different videos, float64 [K]."""
    counted = (video[:, None] != video).astype(float)
    total = ((weights @ counted) * weights).sum(axis=1)
    kernels = ((weights @ (counted * polynomial_kernel(features))) * weights).sum(axis=1)
    return np.divide(kernels, total, out=np.full_like(total, np.nan), where=total > 0)
