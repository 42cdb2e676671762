"""Whether a run's generator does what it is told, and what the codes that it found by itself mean.

Read from clips of moving shapes by the factor reader (`factors`), of the valid clips alone: there is nothing to measure
for other data, for other classes than those that can be read, or where fewer than 16 clips are valid.

    conditions/class_read            share of clips that are read as the class that the generator was told
    conditions/CODE_information      normalized mutual information of a code and the factor that it says most about
"""

from collections.abc import Mapping

import numpy as np
from sklearn.metrics import normalized_mutual_info_score

from gan_keras.evaluation import factors
from gan_keras.evaluation.evidence import ClipSet
from gan_keras.evaluation.findings import HIGHER, LEVEL, Estimate, Metric, estimate_mean
from gan_keras.script_settings import FEWEST_CLIPS
from gan_keras.video import shapes

_READ = {"shape": shapes.SHAPES, "colour": tuple(shapes.COLOURS)}
_CODE_BINS = 5
_DRAWS = 100


def describe(name: str) -> Metric:
    """What a number of `judge` means."""
    if name == "conditions/class_read":
        return Metric(HIGHER, "Share of the valid clips that are read as the class that the generator was told.")
    code = name.removeprefix("conditions/").removesuffix("_information")
    return Metric(HIGHER, f"What {code} says about the factor that it says most about: normalized mutual information, "
                          "0 is nothing, 1 all.")


def judge(told: Mapping[str, np.ndarray], classes: tuple[str, ...], generated: ClipSet) -> dict[str, Estimate]:
    """Compares what clips show with what their generator was told.

    Args:
        told: `label` and `category` float32 [N, K], one-hot; `code` float32 [N, c], -1 to 1; those that there are.
        classes: names of the labels.
        generated: the clips, N.

    Returns:
        The numbers by name, as above.
    """
    found = factors.read_set(generated)
    if found.valid.sum() < FEWEST_CLIPS:
        return {}
    estimates = {}
    factor = next((name for name, names in _READ.items() if classes and set(classes) <= set(names)), None)
    if "label" in told and factor:
        numbers = np.array([_READ[factor].index(name) for name in classes])
        right = getattr(found, factor) == numbers[told["label"].argmax(axis=1)]
        estimates["conditions/class_read"] = estimate_mean(np.where(found.valid, right, np.nan), generated.sources)
    for name, bins in _bins(told).items():
        estimates[f"conditions/{name}_information"] = _information(bins[found.valid], {
            factor: values[found.valid] for factor, (values, _) in found.bins.items()})
    return estimates


def _bins(told: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Each code that was to be found, as bins int [N]."""
    bins = {"category": told["category"].argmax(axis=1)} if "category" in told else {}
    for number, values in enumerate(told["code"].T if "code" in told else ()):
        bins[f"code_{number}"] = np.clip(((values + 1) / 2 * _CODE_BINS).astype(int), 0, _CODE_BINS - 1)
    return bins


def _information(bins: np.ndarray, read: Mapping[str, np.ndarray]) -> Estimate:
    """Of the factor of which it is largest; the interval draws clips again."""
    values = {factor: normalized_mutual_info_score(bins, values) for factor, values in read.items()}
    best = max(values, key=values.get)
    random = np.random.default_rng(0)
    rows = (random.integers(0, len(bins), len(bins)) for _ in range(_DRAWS))
    drawn = [normalized_mutual_info_score(bins[few], read[best][few]) for few in rows]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    # Clips that are drawn twice agree with themselves: what that adds on average is taken off again.
    shift = values[best] - float(np.mean(drawn))
    return Estimate(values[best], float(min(low + shift, values[best])), float(max(high + shift, values[best])))
