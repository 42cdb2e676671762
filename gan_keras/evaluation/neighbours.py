"""Whether clips lie where real ones do, and whether they are everywhere that real ones are, by nearest neighbours.

Precision and recall by Kynkäänniemi et al. 2019, density and coverage by Naeem et al. 2020. Around each clip of a set
there is a ball that reaches to the k-th nearest clip of the same set; together they stand for where the set lies.
"""

import numpy as np
from scipy.spatial.distance import cdist

from gan_keras.evaluation.evidence import ClipSet, Evidence
from gan_keras.evaluation.findings import HIGHER, Estimate, Metric, estimate_mean

NEIGHBOURS = 5
"""k; the papers take 3 (precision and recall) and 5 (density and coverage)."""

_FEATURES = "joint"

METRICS = {
    "precision": Metric(HIGHER, "Share of the clips that lie among real ones.", ("blur", "noise")),
    "density": Metric(HIGHER, "How densely real clips lie around each clip; about 1 for real clips, above 1 where "
                              "clips keep to what is most common.", ("blur", "noise")),
    "recall": Metric(HIGHER, "Share of the real clips that lie among the clips.", ("drop",)),
    "coverage": Metric(HIGHER, "Share of the real clips that have one of the clips near them.", ("drop", "repeat"))}


def measure(candidate: ClipSet, evidence: Evidence) -> dict[str, Estimate]:
    """Compares clips with `evidence.real` by their joint features.

    As many clips are taken of each, because all four numbers depend on how many there are. The intervals
    draw whole videos of the side that is averaged over, and leave the balls as they are.

    Returns:
        An estimate for each name in `METRICS`.
    """
    count = min(len(candidate), len(evidence.real))
    fake, real = candidate.some(count), evidence.real.some(count)
    shares = precision_recall_density_coverage(real.features[_FEATURES], fake.features[_FEATURES],
                                               real_sources=real.sources, fake_sources=fake.sources)
    averaged_over = {"precision": fake.sources, "density": fake.sources,
                     "recall": real.sources, "coverage": real.sources}
    return {name: estimate_mean(shares[name], averaged_over[name]) for name in METRICS}


def precision_recall_density_coverage(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOURS,
                                      real_sources: np.ndarray | None = None,
                                      fake_sources: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """What each clip contributes to the four numbers, which are the means.

    Args:
        real: float [N, D].
        fake: float [M, D].
        k: which neighbour a ball reaches to; less where a set has not as many.
        real_sources: int [N], which video each clip is of; each its own by default.
        fake_sources: int [M].

    Returns:
        float64 by name: `precision` [M], whether the clip is in the ball of a real one; `density` [M], in how many it
        is, over k; `recall` [N], whether the real clip is in the ball of a fake one; `coverage` [N], whether a fake
        clip is in its ball.
    """
    real, fake = np.asarray(real, np.float64), np.asarray(fake, np.float64)
    real_reach, real_k = _reach(real, k, real_sources)
    fake_reach, _ = _reach(fake, k, fake_sources)
    distances = cdist(real, fake)
    in_real = distances <= real_reach[:, None]
    in_fake = distances <= fake_reach
    return {"precision": in_real.any(axis=0).astype(float),
            "density": in_real.sum(axis=0) / real_k,
            "recall": in_fake.any(axis=1).astype(float),
            "coverage": in_real.any(axis=1).astype(float)}


def _reach(features: np.ndarray, k: int, sources: np.ndarray | None) -> tuple[np.ndarray, int]:
    """How far the ball of each clip reaches: to its k-th nearest clip of another video.

    Windows of one video overlap or are alike; were they counted, a ball would hold little more than its own video, and
    clips as good as real ones of other videos would be found outside all balls. A clip of another set is of another
    video too, so that with this reach it is in about k balls if it is like them.

    Where all clips are of one video, its other clips are the neighbours. Where a clip has fewer than k neighbours, k is
    less for all of them, so that their balls stay comparable.

    Returns:
        Distances, float64 [N], 0 where there is but one clip; and k, at least 1.
    """
    distances = cdist(features, features)
    same = np.eye(len(features), dtype=bool)
    if sources is not None and len(np.unique(sources)) > 1:
        same = np.asarray(sources)[:, None] == np.asarray(sources)
    k = min(k, len(features) - int(same.sum(axis=1).max()))
    if k < 1:
        return np.zeros(len(features)), 1
    distances[same] = np.inf
    return np.partition(distances, k - 1, axis=1)[:, k - 1], k
