"""Estimates with bootstrap intervals that draw whole videos, because windows of one video are alike."""

import numpy as np

from gan_keras.evaluation.metrics.types import Estimate

BOOTSTRAPS = 500
LEVEL = 0.95

UNKNOWN = Estimate(np.nan, np.nan, np.nan)
"""Where there is nothing to estimate from."""


def estimate_mean(values: np.ndarray, video_ids: np.ndarray) -> Estimate:
    """Mean over clips, with a bootstrap interval.

    Args:
        values: float [N]; NaN for a clip without a value, which is ignored.
        video_ids: int [N], which video each clip is of.

    Returns:
        The mean; all three are NaN where no clip has the value.
    """
    known = np.isfinite(values)
    values, video_ids = np.asarray(values, float)[known], np.asarray(video_ids)[known]
    if not len(values):
        return UNKNOWN
    weights = bootstrap_weights(video_ids)
    total = weights.sum(axis=1)
    return from_bootstrap(float(values.mean()), weights[total > 0] @ values / total[total > 0])


def estimate_median(values: np.ndarray, video_ids: np.ndarray) -> Estimate:
    """Median over clips, with a bootstrap interval; as `estimate_mean`."""
    known = np.isfinite(values)
    values, video_ids = values[known], video_ids[known]
    if not len(values):
        return UNKNOWN
    order = np.argsort(values)
    weights = np.cumsum(bootstrap_weights(video_ids)[:, order], axis=1)
    return from_bootstrap(float(np.median(values)),
                          values[order][(weights >= weights[:, -1:] / 2).argmax(axis=1)])


def from_bootstrap(value: float, draws: np.ndarray, centered: bool = False) -> Estimate:
    """Estimate with the interval of bootstrap draws.

    Args:
        value: of all clips.
        draws: values of the draws, float [K]; NaN is ignored.
        centered: subtract the bias of the draws from the interval, for statistics that grow when clips are drawn
            twice; the interval holds the value then.

    Returns:
        The value; all three are NaN where it is not finite, or no draw is.
    """
    draws = np.asarray(draws, float)
    draws = draws[np.isfinite(draws)]
    if not (np.isfinite(value) and len(draws)):
        return UNKNOWN
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(draws, [tail, 1 - tail])
    if centered:
        bias = draws.mean() - value
        low, high = min(low - bias, value), max(high - bias, value)
    return Estimate(value, float(low), float(high))


def bootstrap_weights(video_ids: np.ndarray, seed: int = 0) -> np.ndarray:
    """Bootstrap weights: how often each clip is drawn when whole videos are drawn with replacement.

    Args:
        video_ids: int [N].
        seed: of the draws; two independent sets of clips need two.

    Returns:
        float64 [BOOTSTRAPS, N]; the same for the same videos and seed.
    """
    _, video = np.unique(video_ids, return_inverse=True)
    count = video.max() + 1
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=BOOTSTRAPS)
    return draws[:, video].astype(float)
