"""Plots of a report, as SVG elements of a page.

They have the page's font and text colour, so that they fit light and dark pages, and the same numbers always give the
same bytes.
"""

import hashlib
import html
import io
import re
import textwrap
import warnings
from collections.abc import Iterable, Mapping

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from gan_keras.evaluation.metrics.types import Measurement, Plot

# Distinct for people with colour vision deficiency, too, and on light and dark pages.
_COLOURS = {"generated": "#d55e00", "real": "#2f83c5", "other": "#8b8b8b", "floor": "#8b8b8b", "held out": "#009e73"}
_FURTHER_COLOURS = ("#b95fa0", "#c99700", "#3fb0d0", "#7a6fd0", "#6b8e23")
# Lines that lie on each other stay visible.
_DASHES = {"other": ":", "floor": ":", "held out": "--"}
_INK = "#010203"
"""Placeholder of the page's own text colour, `currentColor` in the result."""

_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gan_keras", "text.parse_math": False, "axes.unicode_minus": True,
          "font.size": 10.0, "axes.titlesize": 11.0, "axes.titlelocation": "left", "axes.spines.top": False,
          "axes.spines.right": False, "axes.axisbelow": True, "legend.frameon": False, "text.color": _INK,
          "axes.labelcolor": _INK, "axes.titlecolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK,
          "ytick.color": _INK, "grid.color": _INK, "grid.alpha": 0.12, "lines.linewidth": 1.8}
_WIDTH, _HEIGHT = 5.0, 3.0  # inches, two plots side by side on a page
_BINS = 30
_MULTIPLES_TITLE = "Distances as multiples of the noise floor"
_TITLE_LETTERS = 56  # in a line
_MAX_MULTIPLE = 1e9
"""Multiples above it, and below its inverse, are drawn at the edge."""


def draw(plot: Plot) -> str:
    """A plot as an `<svg>` element; values that are not finite are left out.

    Raises:
        ValueError: a series has another number of values than there are positions or names.
    """
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE}):
        figure = Figure((_WIDTH, _HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        series = {name: np.asarray(values, float).ravel() for name, values in plot.series.items()}
        colours = _colours(series)
        {"lines": _lines, "bars": _bars, "histogram": _histogram}[plot.kind](axes, plot, series, colours)
        axes.set(title=textwrap.fill(plot.title, _TITLE_LETTERS), xlabel=plot.x_label, ylabel=plot.y_label)
        axes.grid(axis="both" if plot.kind == "lines" else "y")
        if axes.get_legend_handles_labels()[1]:
            figure.legend(loc="outside lower center", ncols=4)
        return _svg(figure, plot.title)


def multiples(measurements: Mapping[str, Measurement]) -> str:
    """Distances as multiples of their noise floors, on a logarithmic scale with a line at 1, as an `<svg>` element.

    Args:
        measurements: by name. Those without a unit or without a finite value are left out.

    Returns:
        A bar for each, from 1 to its multiple, its interval, and a mark for held-out clips. Values up to 0, which an
        unbiased estimate can have, are drawn at the left edge. "" if there is nothing to draw.
    """
    shown = {name: measurement for name, measurement in measurements.items()
             if measurement.multiple is not None and np.isfinite(measurement.multiple)}
    if not shown:
        return ""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE}):
        figure = Figure((1.6 * _WIDTH, 1.0 + 0.34 * len(shown)), layout="constrained")
        axes = figure.add_subplot()
        _multiple_bars(axes, shown)
        axes.set(title=_MULTIPLES_TITLE, xlabel="times the floor")
        axes.grid(axis="x")
        figure.legend(loc="outside lower center", ncols=3)
        return _svg(figure, _MULTIPLES_TITLE)


def _multiple_bars(axes: Axes, shown: Mapping[str, Measurement]) -> None:
    def multiples_of(part: str) -> np.ndarray:
        values = (getattr(measurement, part) for measurement in shown.values())
        return np.array([np.nan if value is None else value / measurement.unit
                         for value, measurement in zip(values, shown.values(), strict=True)])

    value, low, high, held_out = map(multiples_of, ("value", "low", "high", "held_out"))
    known = np.concatenate([value, low, high, held_out, [0.5, 2.0]])
    known = np.clip(known[np.isfinite(known) & (known > 0)], 1 / _MAX_MULTIPLE, _MAX_MULTIPLE)
    left, right = known.min() / 1.4, known.max() * 1.9  # with space for the numbers
    value, low, high, held_out = (np.clip(values, left, right) for values in (value, low, high, held_out))
    rows = np.arange(len(shown))
    axes.barh(rows, value - 1, left=1, height=0.55, color=_COLOURS["generated"], alpha=0.55, label="generated")
    bounded = np.isfinite(low) & np.isfinite(high)
    axes.hlines(rows[bounded], low[bounded], high[bounded], color=_INK, linewidth=1.4, label="95 % interval")
    if np.isfinite(held_out).any():
        axes.plot(held_out, rows, "D", color=_COLOURS["held out"], markersize=5, label="held out")
    axes.axvline(1, color=_INK, linewidth=1)
    for row, measurement in enumerate(shown.values()):
        end = np.nanmax([value[row], high[row], held_out[row], 1])
        axes.annotate(f"{measurement.multiple:.3g}×", (end, row), (6, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_yticks(rows, shown)
    axes.invert_yaxis()
    ticks = _ticks(left, right)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _ticks(left: float, right: float) -> list[float]:
    """1, 2, 5, 10... between two ends, or fewer of them over many powers of ten."""
    powers = range(int(np.floor(np.log10(left))), int(np.ceil(np.log10(right))) + 1)
    steps = (1, 2, 5) if len(powers) < 5 else (1,)
    every = -(-len(powers) // 10)
    ticks = [float(f"{step}e{power}") for power in powers if power % every == 0 for step in steps]
    return [tick for tick in ticks if left <= tick <= right]


def _colours(names: Iterable[str]) -> dict[str, str]:
    further = [name for name in names if name not in _COLOURS]
    return _COLOURS | {name: _FURTHER_COLOURS[index % len(_FURTHER_COLOURS)] for index, name in enumerate(further)}


def _lines(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    if plot.logarithmic:
        axes.set(xscale="log", yscale="log")
        series = {name: np.where(values > 0, values, np.nan) for name, values in series.items()}
    for name, values in series.items():
        _check(plot, name, values)
        axes.plot(np.asarray(plot.x, float), values, color=colours[name], label=name,
                  linestyle=_DASHES.get(name, "-"), marker="o" if len(values) == 1 else None)
    if plot.logarithmic:
        for limits, set_ticks in ((axes.get_xlim(), axes.set_xticks), (axes.get_ylim(), axes.set_yticks)):
            ticks = _ticks(*limits)
            set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()


def _bars(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    names = [str(name) for name in plot.x]
    width = 0.8 / max(1, len(series))
    for index, (name, values) in enumerate(series.items()):
        _check(plot, name, values)
        positions = np.arange(len(values)) + (index - (len(series) - 1) / 2) * width
        # Unknown values have bars of height 0: the legend takes its colour from a bar.
        axes.bar(positions, np.nan_to_num(values), width * 0.95, color=colours[name], label=name)
    crowded = sum(map(len, names)) > 60
    axes.set_xticks(range(len(names)), names, rotation=35 if crowded else 0, ha="right" if crowded else "center")


def _histogram(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    known = {name: values[np.isfinite(values)] for name, values in series.items()}
    edges = np.histogram_bin_edges(np.concatenate([*known.values(), []]), _BINS)
    # Shares, because the sets may differ in size.
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    for name, values in known.items():
        shares = np.histogram(values, edges)[0] / max(1, len(values))
        axes.stairs(shares, edges, fill=True, color=colours[name], alpha=0.2)
        axes.stairs(shares, edges, color=colours[name], label=name, linewidth=1.6)


def _check(plot: Plot, name: str, values: np.ndarray) -> None:
    if len(values) != len(plot.x):
        raise ValueError(f"Each series must have a value for each of `x`. "
                         f"Received: {len(values)} of {name!r} for {len(plot.x)} in the plot {plot.title!r}")


def _svg(figure: Figure, title: str) -> str:
    """The figure as an element that does not affect the page around it."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # Names may be in any script: the browser has glyphs that Matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True,
                       metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg"):].strip()
    # A style sheet in an element would hold for the whole page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"'DejaVu Sans'.*?(?=[;\"])", "system-ui, sans-serif", text)
    text = _unique_ids(text.replace(_INK, "currentColor"))
    label = html.escape(title)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}" style="stroke-linejoin: round"', 1)


def _unique_ids(text: str) -> str:
    """Drops ids that nothing refers to, and makes the others differ from those of any other plot."""
    prefix = hashlib.sha256(text.encode()).hexdigest()[:8]
    referenced = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda match: f' id="{prefix}-{match[1]}"' if match[1] in referenced else "", text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{prefix}-", text)
