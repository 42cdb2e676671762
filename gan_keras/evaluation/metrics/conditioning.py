"""Conditioning of a run's generator: whether clips are of their class, and what codes discovered without labels mean.

Read from clips of moving shapes by the factor reader (`factors`), of the valid clips alone: there is nothing to measure
for other data, for other classes than those that can be read, or where fewer than 16 clips are valid.

    conditions/class_read            share of clips that are read as the class that the generator was given
    conditions/CODE_information      normalized mutual information of a code and the factor with which it is largest
"""

from collections.abc import Mapping

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from gan_keras.config.commands import MIN_EVALUATED_CLIPS
from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics import factors
from gan_keras.evaluation.metrics.estimates import estimate_mean, from_bootstrap
from gan_keras.evaluation.metrics.inputs import ClipSet
from gan_keras.evaluation.metrics.types import HIGHER, Estimate, Metric

_FACTORS = {"shape": moving_shapes.SHAPES, "colour": tuple(moving_shapes.COLOURS)}
_CODE_BINS = 5
_DRAWS = 100


def metric_info(name: str) -> Metric:
    """Meaning of a metric of `measure_conditions`."""
    if name == "conditions/class_read":
        return Metric(HIGHER, "Share of the valid clips that are read as the class that the generator was given.")
    code = name.removeprefix("conditions/").removesuffix("_information")
    return Metric(HIGHER, f"Normalized mutual information of {code} and the factor with which it is largest: 0 where "
                          "they are independent, 1 where one determines the other.")


def measure_conditions(conditions: Mapping[str, np.ndarray], classes: tuple[str, ...], generated: ClipSet
                       ) -> dict[str, Estimate]:
    """Compares what clips show with the conditions that their generator was given.

    Args:
        conditions: those that the generator has of `label` and `category` float32 [N, K], one-hot, and `code` float32
            [N, c], -1 to 1.
        classes: names of the labels.
        generated: the clips, N.

    Returns:
        The metrics by name, as above.
    """
    read = factors.read_set(generated)
    if read.valid.sum() < MIN_EVALUATED_CLIPS:
        return {}
    estimates = {}
    factor = next((name for name, names in _FACTORS.items() if classes and set(classes) <= set(names)), None)
    if "label" in conditions and factor:
        numbers = np.array([_FACTORS[factor].index(name) for name in classes])
        right = getattr(read, factor) == numbers[conditions["label"].argmax(axis=1)]
        estimates["conditions/class_read"] = estimate_mean(np.where(read.valid, right, np.nan), generated.video_ids)
    for name, bins in _code_bins(conditions).items():
        estimates[f"conditions/{name}_information"] = _information(bins[read.valid], {
            factor: values[read.valid] for factor, (values, _) in read.bins.items()})
    return estimates


def _code_bins(conditions: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Bins of the codes that were discovered without labels, int [N] by name."""
    bins = {"category": conditions["category"].argmax(axis=1)} if "category" in conditions else {}
    for number, values in enumerate(conditions["code"].T if "code" in conditions else ()):
        bins[f"code_{number}"] = np.clip(((values + 1) / 2 * _CODE_BINS).astype(int), 0, _CODE_BINS - 1)
    return bins


def _information(bins: np.ndarray, factor_values: Mapping[str, np.ndarray]) -> Estimate:
    """Mutual information with the factor with which it is largest; the interval draws clips again."""
    information = {factor: normalized_mutual_info_score(bins, values) for factor, values in factor_values.items()}
    largest = max(information, key=information.get)
    random = np.random.default_rng(0)
    resamples = (random.integers(0, len(bins), len(bins)) for _ in range(_DRAWS))
    draws = [normalized_mutual_info_score(bins[rows], factor_values[largest][rows]) for rows in resamples]
    # Clips that are drawn twice agree with themselves, which biases the draws upwards.
    return from_bootstrap(information[largest], np.array(draws), centered=True)
