"""Drawings for the report: SVG to be written into a page.

They take the page's font and colour of text, so that they look right on light and on dark pages, and the same numbers
always give the same bytes.
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

from gan_keras.evaluation.findings import Measure, Plot

# Told apart by people who are colour-blind as well, and on light and dark.
_COLOURS = {"generated": "#d55e00", "real": "#2f83c5", "other": "#8b8b8b", "floor": "#8b8b8b", "held out": "#009e73"}
_FURTHER = ("#b95fa0", "#c99700", "#3fb0d0", "#7a6fd0", "#6b8e23")
# So that lines which lie on each other are all seen.
_DASHES = {"other": ":", "floor": ":", "held out": "--"}
_INK = "#010203"
"""Stands for the page's own colour of text: what is drawn in it is `currentColor` at the end."""

_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gan_keras", "text.parse_math": False, "axes.unicode_minus": True,
          "font.size": 10.0, "axes.titlesize": 11.0, "axes.titlelocation": "left", "axes.spines.top": False,
          "axes.spines.right": False, "axes.axisbelow": True, "legend.frameon": False, "text.color": _INK,
          "axes.labelcolor": _INK, "axes.titlecolor": _INK, "axes.edgecolor": _INK, "xtick.color": _INK,
          "ytick.color": _INK, "grid.color": _INK, "grid.alpha": 0.12, "lines.linewidth": 1.8}
_WIDTH, _HEIGHT = 5.0, 3.0  # inches; two beside each other on a page
_BINS = 30
_TITLE_LETTERS = 56  # in a line
_WIDEST = 1e9
"""Multiples beyond it, and below one over it, are drawn at the edge."""


def draw(plot: Plot) -> str:
    """A plot as an `<svg>` element; what is not a number is left out.

    Raises:
        ValueError: a series has not as many values as there are positions or names.
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


def multiples(measures: Mapping[str, Measure]) -> str:
    """Distances as multiples of their noise floors, on a logarithmic scale with a line at 1, as an `<svg>` element.

    Args:
        measures: by name. Those without a unit to count in or without a finite value are left out.

    Returns:
        A bar for each, from 1 to its multiple, its interval, and a mark for held-out clips. What is not above 0, as an
        unbiased estimate can be, is drawn at the left edge. "" if there is nothing to draw.
    """
    shown = {name: measure for name, measure in measures.items()
             if measure.multiple is not None and np.isfinite(measure.multiple)}
    if not shown:
        return ""
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, **_STYLE}):
        figure = Figure((1.6 * _WIDTH, 1.0 + 0.34 * len(shown)), layout="constrained")
        axes = figure.add_subplot()
        _multiple_bars(axes, shown)
        axes.set(title="Distances as multiples of the noise floor", xlabel="times the floor")
        axes.grid(axis="x")
        figure.legend(loc="outside lower center", ncols=3)
        return _svg(figure, "Distances as multiples of the noise floor")


def _multiple_bars(axes: Axes, shown: Mapping[str, Measure]) -> None:
    def multiples_of(values: Iterable[float | None]) -> np.ndarray:
        return np.array([np.nan if value is None else value / measure.unit
                         for value, measure in zip(values, shown.values(), strict=True)])

    middle, low, high, held_out = (multiples_of(getattr(measure, part) for measure in shown.values())
                                   for part in ("value", "low", "high", "held_out"))
    known = np.concatenate([middle, low, high, held_out, [0.5, 2.0]])
    known = np.clip(known[np.isfinite(known) & (known > 0)], 1 / _WIDEST, _WIDEST)
    left, right = known.min() / 1.4, known.max() * 1.9  # room for the numbers
    middle, low, high, held_out = (np.clip(part, left, right) for part in (middle, low, high, held_out))
    rows = np.arange(len(shown))
    axes.barh(rows, middle - 1, left=1, height=0.55, color=_COLOURS["generated"], alpha=0.55, label="generated")
    whole = np.isfinite(low) & np.isfinite(high)
    axes.hlines(rows[whole], low[whole], high[whole], color=_INK, linewidth=1.4, label="95 % interval")
    if np.isfinite(held_out).any():
        axes.plot(held_out, rows, "D", color=_COLOURS["held out"], markersize=5, label="held out")
    axes.axvline(1, color=_INK, linewidth=1)
    for row, (measure, value, end) in enumerate(zip(shown.values(), middle, high, strict=True)):
        end = np.nanmax([value, end, held_out[row], 1])
        axes.annotate(f"{measure.multiple:.3g}×", (end, row), (6, 0), textcoords="offset points", va="center")
    axes.set_xscale("log")
    axes.set_xlim(left, right)
    axes.set_yticks(rows, shown)
    axes.invert_yaxis()
    ticks = _ticks(left, right)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()


def _ticks(left: float, right: float) -> list[float]:
    """1, 2, 5, 10... between two ends, or fewer of them where these are many."""
    powers = range(int(np.floor(np.log10(left))), int(np.ceil(np.log10(right))) + 1)
    steps = (1, 2, 5) if len(powers) < 5 else (1,)
    every = -(-len(powers) // 10)
    ticks = [float(f"{step}e{power}") for power in powers if power % every == 0 for step in steps]
    return [tick for tick in ticks if left <= tick <= right]


def _colours(names: Iterable[str]) -> dict[str, str]:
    further = [name for name in names if name not in _COLOURS]
    return _COLOURS | {name: _FURTHER[index % len(_FURTHER)] for index, name in enumerate(further)}


def _lines(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    for name, values in series.items():
        _check(plot, name, values)
        axes.plot(np.asarray(plot.x, float), values, color=colours[name], label=name,
                  linestyle=_DASHES.get(name, "-"), marker="o" if len(values) == 1 else None)


def _bars(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    names = [str(name) for name in plot.x]
    width = 0.8 / max(1, len(series))
    for index, (name, values) in enumerate(series.items()):
        _check(plot, name, values)
        places = np.arange(len(values)) + (index - (len(series) - 1) / 2) * width
        # Bars of height 0 for what is unknown: the legend takes its colour from a bar.
        axes.bar(places, np.nan_to_num(values), width * 0.95, color=colours[name], label=name)
    crowded = sum(map(len, names)) > 60
    axes.set_xticks(range(len(names)), names, rotation=35 if crowded else 0, ha="right" if crowded else "center")


def _histogram(axes: Axes, plot: Plot, series: Mapping[str, np.ndarray], colours: Mapping[str, str]) -> None:
    known = {name: values[np.isfinite(values)] for name, values in series.items()}
    together = np.concatenate([*known.values(), []])
    edges = np.histogram_bin_edges(together, _BINS)
    # Shares, because the sets need not be of one size.
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
    """The figure as an element that disturbs nothing on the page around it."""
    buffer = io.StringIO()
    with warnings.catch_warnings():
        # Names may be in any script: the browser has the letters that the font for measuring lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True,
                       metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = buffer.getvalue()
    text = text[text.index("<svg"):].strip()
    # A style sheet within would hold for the whole page.
    text = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"'DejaVu Sans'.*?(?=[;\"])", "system-ui, sans-serif", text)
    text = _own_names(text.replace(_INK, "currentColor"))
    label = html.escape(title)
    return text.replace("<svg", f'<svg role="img" aria-label="{label}" style="stroke-linejoin: round"', 1)


def _own_names(text: str) -> str:
    """Drops the ids nobody refers to, and makes the others differ from those of any other drawing."""
    own = hashlib.sha256(text.encode()).hexdigest()[:8]
    wanted = set(re.findall(r'(?:url\(#|href="#)([^")]+)', text))
    text = re.sub(r' id="([^"]*)"', lambda found: f' id="{own}-{found[1]}"' if found[1] in wanted else "", text)
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{own}-", text)
