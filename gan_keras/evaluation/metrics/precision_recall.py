"""Precision, recall, density and coverage of clips, by nearest neighbours of their features.

Precision and recall by Kynkäänniemi et al. 2019, density and coverage by Naeem et al. 2020. The manifold of a set of
clips is a ball around each, which reaches to its k-th nearest neighbour in the set.
"""

import numpy as np
from scipy.spatial.distance import cdist

from gan_keras.evaluation.metrics.estimates import estimate_mean
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import HIGHER, Estimates, Metric

NEIGHBOURS = 5
"""k; the papers use 3 (precision and recall) and 5 (density and coverage)."""

_FEATURES = "joint"

METRICS = {
    "precision": Metric(HIGHER, "Share of the clips that lie among real ones.", ("blur", "noise")),
    "density": Metric(HIGHER, "How densely real clips lie around each clip; about 1 for real clips, above 1 where "
                              "clips keep to what is most common.", ("blur", "noise")),
    "recall": Metric(HIGHER, "Share of the real clips that lie among the clips.", ("drop",)),
    "coverage": Metric(HIGHER, "Share of the real clips that have one of the clips near them.", ("drop", "repeat"))}


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """Compares clips with `inputs.real` by their joint features, as many clips of each: all four depend on the number.

    The intervals draw whole videos of the set that is averaged over, and leave the balls as they are.

    Returns:
        An estimate for each name in `METRICS`.
    """
    count = min(len(samples), len(inputs.real))
    samples, real = samples.subsample(count), inputs.real.subsample(count)
    values = precision_recall_density_coverage(
        real.features[_FEATURES], samples.features[_FEATURES], real_video_ids=real.video_ids,
        generated_video_ids=samples.video_ids)
    averaged_over = {"precision": samples.video_ids, "density": samples.video_ids,
                     "recall": real.video_ids, "coverage": real.video_ids}
    return {name: estimate_mean(values[name], averaged_over[name]) for name in METRICS}


def precision_recall_density_coverage(real: np.ndarray, generated: np.ndarray, k: int = NEIGHBOURS,
                                      real_video_ids: np.ndarray | None = None,
                                      generated_video_ids: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Values of each clip, whose means are the four metrics.

    Args:
        real: float [N, D].
        generated: float [M, D].
        k: the neighbour that a ball reaches to; less where a set has not as many.
        real_video_ids: int [N], which video each clip is of; None: each clip is of its own.
        generated_video_ids: int [M].

    Returns:
        float64 by name: `precision` [M], whether a generated clip is in the ball of a real one; `density` [M], the
        number of real balls that it is in, over k; `recall` [N], whether a real clip is in the ball of a generated one;
        `coverage` [N], whether a generated clip is in the ball of a real one.
    """
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    real_radii, real_k = _ball_radii(real, k, real_video_ids)
    generated_radii, _ = _ball_radii(generated, k, generated_video_ids)
    distances = cdist(real, generated)
    in_real = distances <= real_radii[:, None]
    in_generated = distances <= generated_radii
    return {"precision": in_real.any(axis=0).astype(float),
            "density": in_real.sum(axis=0) / real_k,
            "recall": in_generated.any(axis=1).astype(float),
            "coverage": in_real.any(axis=1).astype(float)}


def _ball_radii(features: np.ndarray, k: int, video_ids: np.ndarray | None) -> tuple[np.ndarray, int]:
    """Radius of the ball of each clip: the distance to its k-th nearest clip of another video.

    Windows of one video overlap or are alike. With these as neighbours, a ball would hold little more than its own
    video, and clips as good as real ones of other videos would be outside all balls. A clip of another set is of
    another video, too, so with these radii it is in about k balls if it is like the clips of the set.

    Where all clips are of one video, its other clips are the neighbours. Where a clip has fewer than k neighbours, k is
    less for all clips, so that their balls stay comparable.

    Returns:
        Radii, float64 [N], 0 where there is only one clip; and k, at least 1.
    """
    distances = cdist(features, features)
    same = np.eye(len(features), dtype=bool)
    if video_ids is not None and len(np.unique(video_ids)) > 1:
        same = np.asarray(video_ids)[:, None] == np.asarray(video_ids)
    k = min(k, len(features) - int(same.sum(axis=1).max()))
    if k < 1:
        return np.zeros(len(features)), 1
    distances[same] = np.inf
    return np.partition(distances, k - 1, axis=1)[:, k - 1], k
