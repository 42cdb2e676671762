"""How far apart two distributions of clips are: Fréchet and kernel distances of their features.

The Fréchet distance compares means and covariances; it is biased upwards by a term that shrinks with the number of
clips, which is why every set of clips is compared at the same number and beside a noise floor. The kernel distance
(squared maximum mean discrepancy) compares all moments up to the third, and is unbiased.

Windows of one video are alike, so videos and not clips are what was drawn at random. Both intervals are over whole
videos. Where all clips of a set are of one video, the clips of that video are all there is to speak of, and they are
taken for the units instead.
"""

import numpy as np
from scipy import linalg, stats
from sklearn.covariance import ledoit_wolf
from sklearn.metrics.pairwise import polynomial_kernel
from threadpoolctl import threadpool_limits

from gan_keras.evaluation.evidence import FEATURES, ClipSet, Evidence
from gan_keras.evaluation.findings import LEVEL, LOWER, Estimate, Metric, draw_weights

FVD_FEATURES = "i3d_logits"
"""The features whose Fréchet distance is the Fréchet video distance (Unterthiner et al. 2018). By convention it takes
the sample covariance, and the logits as they are: these features are not to be standardized."""

_GROUPS = 20

_SEES = {"appearance": ("blur", "noise", "drop"), "motion": ("freeze", "shuffle", "jitter")}
_SEES["joint"] = _SEES["appearance"] + _SEES["motion"]

_KINDS = {"frechet": "Distance between the means and covariances of {name} in the clips and in real ones.",
          "kernel": "Distance between the distributions of {name} in the clips and in real ones; about 0, or "
                    "just below, where they are the same."}
_SPELLED = {"joint": "appearance and motion together"}


def describe(name: str) -> Metric:
    """What `frechet/NAME` or `kernel/NAME` means, for any features NAME; KeyError for another kind of distance."""
    kind, features = name.split("/", 1)
    if kind == "frechet" and features == FVD_FEATURES:
        return Metric(LOWER, "Fréchet video distance (FVD) between the clips and real ones, by the logits of I3D.")
    return Metric(LOWER, _KINDS[kind].format(name=_SPELLED.get(features, features)), _SEES.get(features, ()))


METRICS = {name: describe(name) for name in (f"{kind}/{features}" for kind in _KINDS for features in FEATURES)}


def measure(candidate: ClipSet, evidence: Evidence) -> dict[str, Estimate]:
    """Compares clips with `evidence.real` by every kind of features that they have.

    As many clips are taken of each, because the bias of a Fréchet distance depends on their number.

    Returns:
        `frechet/NAME` and `kernel/NAME` for each NAME of `candidate.features`.
    """
    count = min(len(candidate), len(evidence.real))
    candidate, real = candidate.some(count), evidence.real.some(count)
    sources, estimates = (candidate.sources, real.sources), {}
    for name, features in candidate.features.items():
        pair = features, real.features[name]
        estimates[f"frechet/{name}"] = estimate_frechet(*pair, *sources, shrink=name != FVD_FEATURES)
        estimates[f"kernel/{name}"] = estimate_kernel(*pair, *sources)
    return estimates


def frechet(a: np.ndarray, b: np.ndarray, shrink: bool = True) -> float:
    """The squared Fréchet distance of two normal distributions fitted to features.

    |μa - μb|² + tr(A + B - 2 (AB)^½): Dowson & Landau 1982; with features of a network Heusel et al. 2017, equation 6.

    Args:
        a: float [N, D].
        b: float [M, D].
        shrink: estimate covariances as Ledoit & Wolf 2004 do, towards a multiple of the identity, which is nearer to
            the truth where there are few clips for so many features; False is the sample covariance, over N - 1.

    Returns:
        0 or more; NaN where a set has fewer than two clips.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if min(len(a), len(b)) < 2:
        return float("nan")
    a_covariance, b_covariance = _covariance(a, shrink), _covariance(b, shrink)
    # AB has the eigenvalues of A^½ B A^½, which is symmetric: they come out real, whatever the rank.
    values, vectors = linalg.eigh(a_covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    products = linalg.eigh(root @ b_covariance @ root, eigvals_only=True)
    root_trace = np.sqrt(np.maximum(products, 0)).sum()
    apart = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    return float(max(apart + np.trace(a_covariance) + np.trace(b_covariance) - 2 * root_trace, 0))


def _covariance(features: np.ndarray, shrink: bool) -> np.ndarray:
    if shrink:
        return ledoit_wolf(features)[0]
    return np.atleast_2d(np.cov(features, rowvar=False))


def estimate_frechet(a: np.ndarray, b: np.ndarray, a_sources: np.ndarray, b_sources: np.ndarray,
                     shrink: bool = True) -> Estimate:
    """The Fréchet distance with a delete-a-group jackknife interval (Kott 2001).

    The videos of each side are dealt into up to 20 groups; a group of each side is left out at a time. A bootstrap
    would not do: it repeats clips, and that biases the distance upwards, about as halving the number of clips would.
    The jackknife distances all have nearly the bias of the whole, so that it cancels in their spread; the interval is
    therefore about the expected distance of as many clips, bias included.

    Args:
        a: float [N, D].
        b: float [M, D].
        a_sources: int [N], which video each clip is of.
        b_sources: int [M].
        shrink: as in `frechet`.

    Returns:
        The distance ± t times its standard error, the low end not below 0. The ends are NaN where there are too few
        clips to leave any out.
    """
    a_video, b_video = _number_units(a_sources), _number_units(b_sources)
    groups = min(_GROUPS, len(np.unique(a_video)), len(np.unique(b_video)))
    # On a busy machine threads that wait for each other at such small matrices take 50 times as long as a single one.
    with threadpool_limits(1, user_api="blas"):
        value = frechet(a, b, shrink)
        if groups < 2:
            return Estimate(value, np.nan, np.nan)
        a_group, b_group = _deal(a_video, groups, seed=0), _deal(b_video, groups, seed=1)
        without = np.array([frechet(a[a_group != group], b[b_group != group], shrink) for group in range(groups)])
    error = np.sqrt((groups - 1) * without.var())
    reach = stats.t.ppf((1 + LEVEL) / 2, groups - 1) * error
    return Estimate(value, float(np.maximum(value - reach, 0)), float(value + reach))


def _deal(video: np.ndarray, groups: int, seed: int) -> np.ndarray:
    """The group of each clip, int [N], whole videos at a time; `video` counts from 0."""
    count = video.max() + 1
    return (np.random.default_rng(seed).permutation(count) % groups)[video]


def _number_units(sources: np.ndarray) -> np.ndarray:
    """Which unit each clip belongs to, int [N] from 0: its video, or each its own where there is but one video."""
    videos, numbers = np.unique(sources, return_inverse=True)
    return numbers if len(videos) > 1 else np.arange(len(sources))


def kernel(a: np.ndarray, b: np.ndarray, a_sources: np.ndarray | None = None,
           b_sources: np.ndarray | None = None) -> float:
    """The kernel distance: unbiased squared maximum mean discrepancy with the kernel (x·y/D + 1)³.

    Gretton et al. 2012, equation 3; Bińkowski et al. 2018 (KID), here over all clips at once and not in subsets. No
    pair of clips of the same video counts: they are more alike than two draws from the distribution, and would make
    a set of few videos seem further away than it is.

    Args:
        a: float [N, D].
        b: float [M, D].
        a_sources: int [N], which video each clip is of; each its own by default.
        b_sources: int [M].

    Returns:
        The distance, below 0 now and then where the distributions are the same; NaN where a set has fewer than two
        clips.
    """
    ones = np.ones((1, len(a))), np.ones((1, len(b)))
    a_sources = np.arange(len(a)) if a_sources is None else a_sources
    b_sources = np.arange(len(b)) if b_sources is None else b_sources
    return float(_kernel_distances(a, b, _number_units(a_sources), _number_units(b_sources), *ones)[0])


def estimate_kernel(a: np.ndarray, b: np.ndarray, a_sources: np.ndarray, b_sources: np.ndarray) -> Estimate:
    """The kernel distance with a bootstrap interval that draws whole videos of each side.

    A video that is drawn twice weighs more, but makes no pair with itself, so that the draws are as unbiased as the
    distance. Where the distributions are the same the interval is wider than it need be, because the distance is then a
    degenerate statistic (Arcones & Giné 1992).

    Args:
        a: float [N, D].
        b: float [M, D].
        a_sources: int [N], which video each clip is of.
        b_sources: int [M].

    Returns:
        The distance; the ends are NaN where a set has fewer than two clips.
    """
    a_video, b_video = _number_units(a_sources), _number_units(b_sources)
    a_weights = np.vstack([np.ones(len(a)), draw_weights(a_video, seed=0)])
    b_weights = np.vstack([np.ones(len(b)), draw_weights(b_video, seed=1)])
    value, *drawn = _kernel_distances(a, b, a_video, b_video, a_weights, b_weights)
    if not np.isfinite(value):
        return Estimate(np.nan, np.nan, np.nan)
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return Estimate(float(value), float(low), float(high))


def _kernel_distances(a: np.ndarray, b: np.ndarray, a_video: np.ndarray, b_video: np.ndarray,
                      a_weights: np.ndarray, b_weights: np.ndarray) -> np.ndarray:
    """The kernel distance of clips that are weighted in K ways, [K, N] and [K, M]: float64 [K], NaN where all the
    weight is on one video."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    across = ((a_weights @ polynomial_kernel(a, b)) * b_weights).sum(axis=1)
    across /= a_weights.sum(axis=1) * b_weights.sum(axis=1)
    return _mean_within(a, a_video, a_weights) + _mean_within(b, b_video, b_weights) - 2 * across


def _mean_within(features: np.ndarray, video: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted mean kernel of pairs of clips of different videos, float64 [K]."""
    counts = (video[:, None] != video).astype(float)
    total = ((weights @ counts) * weights).sum(axis=1)
    summed = ((weights @ (counts * polynomial_kernel(features))) * weights).sum(axis=1)
    return np.divide(summed, total, out=np.full_like(total, np.nan), where=total > 0)
