"""What a family of metrics gives: numbers with their intervals, what they mean, and what may be drawn of them.

A *family* is a module of `evaluation` with

    METRICS: dict[str, Metric]                         what it measures, by name
    measure(candidate, evidence) -> Estimates          the numbers of any set of clips beside real ones
    plots(evidence) -> list[Plot]                      optional

`measure` is called with the generated clips, and again with real clips in their place: what comes out then is the noise
floor. `METRICS` says which damages of real clips a metric is there to see; the self-test holds it to that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

LOWER, HIGHER, AS_REAL = "lower", "higher", "as real"

BOOTSTRAPS = 500
LEVEL = 0.95


@dataclass(frozen=True)
class Metric:
    """What a number means.

    Attributes:
        better: `"lower"`, `"higher"`, or `"as real"`: neither, it should be as real clips have it.
        meaning: one sentence for people, without the name.
        sees: names of the damages (see `damages`) that it is there to see.
    """

    better: Literal["lower", "higher", "as real"]
    meaning: str
    sees: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float


Estimates = Mapping[str, Estimate]


@dataclass(frozen=True)
class Measure:
    """A number of the generated clips beside the same number of real ones.

    Attributes:
        value: of the generated clips.
        low: lower end of its 95 % interval.
        high: upper end of it.
        floor: of other training clips in their place; None where there is no such thing.
        held_out: of held-out clips in their place.
        floor_high: upper end of the floor's 95 % interval.
    """

    value: float
    low: float
    high: float
    floor: float | None = None
    held_out: float | None = None
    floor_high: float | None = None

    @property
    def unit(self) -> float | None:
        """What a distance is counted in: the floor, or the upper end of its interval where it is itself about 0, as
        that of an unbiased distance is. None where there is nothing above 0."""
        about_zero = self.floor is not None and self.floor_high is not None and self.floor < self.floor_high / 2
        unit = self.floor_high if about_zero else self.floor
        return unit if unit is not None and unit > 0 else None

    @property
    def multiple(self) -> float | None:
        """How many times the unit; None without one."""
        return self.value / self.unit if self.unit else None


@dataclass(frozen=True)
class Plot:
    """Something to draw.

    Attributes:
        title: what it shows.
        x_label: of the horizontal axis.
        y_label: of the vertical one.
        kind: `"lines"` (each series y over `x`), `"bars"` (each series a value for each of the names in `x`) or
            `"histogram"` (each series the values to count).
        series: by legend entry: `"generated"`, `"real"`, `"held out"`...
        x: positions of lines, or names of bars.
    """

    title: str
    x_label: str
    y_label: str
    kind: Literal["lines", "bars", "histogram"]
    series: Mapping[str, np.ndarray]
    x: Sequence[float] | Sequence[str] = field(default=())


def estimate_mean(values: np.ndarray, sources: np.ndarray) -> Estimate:
    """The mean of a number of each clip.

    The interval is a bootstrap that draws whole videos, because windows of one video are alike.

    Args:
        values: float [N]; one that is not a number stands for a clip that has no such number and is passed over.
        sources: int [N], which video each clip is of.

    Returns:
        The mean; all three are NaN where no clip has the number.
    """
    known = np.isfinite(values)
    values, sources = np.asarray(values, float)[known], np.asarray(sources)[known]
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    weights = draw_weights(sources)
    total = weights.sum(axis=1)
    means = weights[total > 0] @ values / total[total > 0]
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Estimate(float(values.mean()), float(low), float(high))


def draw_weights(sources: np.ndarray, seed: int = 0) -> np.ndarray:
    """Bootstrap weights: how often each clip is drawn when whole videos are drawn with replacement.

    Args:
        sources: int [N].
        seed: of the draws; two sets of clips that are drawn independently need two.

    Returns:
        float64 [BOOTSTRAPS, N]; the same for the same sources and seed.
    """
    _, video = np.unique(sources, return_inverse=True)
    count = video.max() + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=BOOTSTRAPS)
    return drawn[:, video].astype(float)
