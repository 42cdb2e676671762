"""Metrics, estimates, measurements and plots: the records that modules of metrics share.

A module of metrics has

    METRICS: dict[str, Metric]                the metrics by name
    measure(samples, inputs) -> Estimates     their values for any set of clips, compared with real ones
    plots(inputs) -> list[Plot]               optional

`measure` is called with the generated clips, and again with real clips in their place, which gives the noise floor.
`METRICS` names the corruptions of real clips that a metric has to be sensitive to; `metric_validation` checks that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

LOWER, HIGHER, AS_REAL = "lower", "higher", "as real"


@dataclass(frozen=True)
class Metric:
    """Meaning of a metric.

    Attributes:
        better: `"lower"`, `"higher"`, or `"as real"`: the value of real clips is best.
        meaning: one sentence for people, without the name.
        sensitive_to: names of the corruptions (`metric_validation.corruptions`) that it has to be sensitive to.
    """

    better: Literal["lower", "higher", "as real"]
    meaning: str
    sensitive_to: tuple[str, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """Value of a metric and its 95 % interval."""

    value: float
    low: float
    high: float


Estimates = Mapping[str, Estimate]


@dataclass(frozen=True)
class Measurement:
    """Value of a metric for the generated clips beside that for real ones.

    Attributes:
        value: of the generated clips.
        low: lower end of its 95 % interval.
        high: upper end of it.
        floor: of other training clips in their place; None where the metric has no noise floor.
        held_out: of held-out clips in their place; None where there are none.
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
        """Unit of `multiple`: the floor, or the upper end of its interval where the floor is about 0, as that of an
        unbiased distance is. None where neither is above 0."""
        about_zero = self.floor is not None and self.floor_high is not None and self.floor < self.floor_high / 2
        unit = self.floor_high if about_zero else self.floor
        return unit if unit is not None and unit > 0 else None

    @property
    def multiple(self) -> float | None:
        """Multiple of the unit; None without a unit."""
        return self.value / self.unit if self.unit else None


@dataclass(frozen=True)
class Plot:
    """Data of a plot.

    Attributes:
        title: heading.
        x_label: of the horizontal axis.
        y_label: of the vertical axis.
        kind: `"lines"` (each series holds y for each `x`), `"bars"` (each series holds a value for each name in `x`)
            or `"histogram"` (each series holds the values to be counted).
        series: values by legend entry: `"generated"`, `"real"`, `"held out"`...
        x: positions of the points of lines, or names of bars.
        logarithmic: whether both axes of lines are; values up to 0 are left out.
    """

    title: str
    x_label: str
    y_label: str
    kind: Literal["lines", "bars", "histogram"]
    series: Mapping[str, np.ndarray]
    x: Sequence[float] | Sequence[str] = field(default=())
    logarithmic: bool = False
