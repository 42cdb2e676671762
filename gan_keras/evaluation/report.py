"""What an evaluation found: one page that needs no network and no other file, a table for the terminal, and the plain
numbers for `metrics.jsonl`."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gan_keras import pages
from gan_keras.evaluation.findings import Measure, Metric, Plot
from gan_keras.evaluation.plots import draw, multiples
from gan_keras.summaries import enlarge
from gan_keras.video import io

UNKNOWN = "–"
_DISTANCES = ("frechet", "kernel")
_COVERAGE = ("precision", "recall", "density", "coverage")
_HEADINGS = {"frechet": "Fréchet distances", "kernel": "Kernel distances", "coverage": "Fidelity and coverage"}
_BETTER = {"lower": "↓ lower", "higher": "↑ higher", "as real": "≈ as real"}
_CLIPS_SHOWN, _PAIRS_SHOWN, _ROWS_SHOWN = 16, 12, 4
_SHEET_SIDE = 128
"""Pixels of a frame's shorter side in a sheet, at most, so that sheets of large clips stay small."""


@dataclass(frozen=True, eq=False)
class Results:
    """All that a report tells.

    Attributes:
        title: heading of the page.
        measures: the numbers by name; what is before a `/` in it is the group they are shown in.
        metrics: what the numbers mean; one without an entry is shown without meaning.
        speed: how fast clips were made, by name.
        samples: generated clips, uint8 [N, T, H, W, 3]; the first 16 are shown.
        real_samples: real clips to show beside them, uint8 [N, T, H, W, 3].
        pairs: generated clips, uint8 [T, H, W, 3], each with the training clip nearest to it and how far that is; the
            12 nearest are shown.
        plots: what is to be drawn.
        protocol: how it was measured: counts, seeds, features, hashes...
        notes: what the reader must know before trusting the numbers, such as too few clips.
        fps: frames per second of all clips, above 0.
    """

    title: str
    measures: Mapping[str, Measure]
    metrics: Mapping[str, Metric]
    speed: Mapping[str, float]
    samples: np.ndarray
    real_samples: np.ndarray
    pairs: Sequence[tuple[np.ndarray, np.ndarray, float]]
    plots: Sequence[Plot]
    protocol: Mapping[str, str]
    notes: Sequence[str]
    fps: float


def html_report(results: Results) -> str:
    """The whole page. It names no address outside of itself.

    Raises:
        ValueError: clips that are not as `Results` says, or a plot whose series do not fit.
        OSError: there is no room for the temporary files of videos.
    """
    return pages.page(results.title, [*map(pages.note, results.notes), *_verdict(results),
                                      *_samples(results), *_pairs(results), *_groups(results), *_plots(results.plots),
                                      *_closing(results)])


def text_report(results: Results) -> str:
    """The same in short for the terminal: notes, a line for each number, speed."""
    parts = ["\n".join(f"Note: {note}" for note in results.notes)] if results.notes else []
    head = ("metric", "value", "95 % interval", "floor", "× floor", "held out")
    counted = distances(results.measures)
    rows = [(name, number(measure.value), interval(measure), number(measure.floor),
             number(measure.multiple) if name in counted else "", number(measure.held_out))
            for group in groups(results.measures).values() for name, measure in group.items()]
    if rows:
        parts.append(pages.text_table([head, *rows], right=range(1, len(head))))
    if results.speed:
        parts.append(pages.text_table([(name, number(value)) for name, value in results.speed.items()], right=(1,)))
    return "\n\n".join(parts)


def flat(measures: Mapping[str, Measure], speed: Mapping[str, float]) -> dict[str, float]:
    """Everything as numbers by name, for a line of `metrics.jsonl`.

    Returns:
        For each measure NAME, and NAME.low, NAME.high, NAME.floor, NAME.held_out; of distances NAME.multiple, too; the
        speeds under their own names. Six significant digits. What is unknown or not finite is left out.
    """
    numbers: dict[str, float | None] = {}
    counted = distances(measures)
    for name, measure in measures.items():
        numbers[name] = measure.value
        for part in ("low", "high", "floor", "held_out", *(["multiple"] if name in counted else [])):
            numbers[f"{name}.{part}"] = getattr(measure, part)
    return {name: float(f"{value:.6g}") for name, value in (numbers | dict(speed)).items()
            if value is not None and np.isfinite(value)}


def groups(measures: Mapping[str, Measure]) -> dict[str, dict[str, Measure]]:
    """Measures by the part of their names before `/`; precision, recall, density and coverage are one group."""
    found: dict[str, dict[str, Measure]] = {}
    for name, measure in measures.items():
        group = name.partition("/")[0]
        found.setdefault("coverage" if group in _COVERAGE else group, {})[name] = measure
    return found


def distances(measures: Mapping[str, Measure]) -> dict[str, Measure]:
    """The measures that tell how far the clips are from real ones: the groups `frechet` and `kernel`."""
    found = groups(measures)
    return {name: measure for group in _DISTANCES for name, measure in found.get(group, {}).items()}


def number(value: float | None) -> str:
    """A number with three or four significant digits; "–" where there is none."""
    if value is None or np.isnan(value):
        return UNKNOWN
    if value == 0 or np.isinf(value):
        return {0.0: "0", np.inf: "∞", -np.inf: "-∞"}[float(value)]
    size = abs(value)
    if 999.5 <= size < 1e7:
        return f"{value:,.0f}"
    if 0.0001 <= size < 1000:
        return f"{value:#.3g}".rstrip(".")
    return f"{value:.3g}"


def interval(measure: Measure) -> str:
    """Its 95 % interval; "–" where an end is unknown."""
    if np.isnan(measure.low) or np.isnan(measure.high):
        return UNKNOWN
    return f"[{number(measure.low)}, {number(measure.high)}]"


def _verdict(results: Results) -> Iterator[str]:
    chosen = distances(results.measures)
    if not chosen:
        return
    rows = [(name, number(measure.value), interval(measure), number(measure.floor), number(measure.held_out),
             _times(measure.multiple)) for name, measure in chosen.items()]
    yield ("<h2>How far from real</h2>\n<p>Distances between the generated clips and real training clips. The "
           "<em>floor</em> is what other training clips in place of the generated ones give, <em>held out</em> what "
           "clips give that were not trained on: about 1 × the floor is as near as so many clips can tell. (Where a "
           "distance is about 0 for equal clips, it counts in the upper end of the floor's interval.)</p>")
    yield pages.table(rows, ("Distance", "Value", "95 % interval", "Floor", "Held out", "× floor"), right=range(1, 6))
    if drawn := multiples(chosen):
        yield f"<figure>{drawn}</figure>"


def _times(multiple: float | None) -> str:
    return UNKNOWN if multiple is None or np.isnan(multiple) else f"{number(multiple)} ×"


def _samples(results: Results) -> Iterator[str]:
    kinds = [(name, clips) for name, clips in (("Generated", results.samples), ("Real", results.real_samples))
             if len(clips)]
    if not kinds:
        return
    yield '<h2>Clips</h2>\n<div class="row half">'
    for name, clips in kinds:
        shown = clips[:_CLIPS_SHOWN]
        playing = pages.video(io.grid(enlarge(shown)), results.fps, f"{name} clips, playing")
        yield pages.figure(playing, f"{name}, {len(shown)} clips of {shown.shape[1]} frames, {results.fps:g} a second")
    yield "</div>\n<details><summary>Frame by frame</summary>"
    for name, clips in kinds:
        yield pages.figure(_sheet(clips[:_ROWS_SHOWN], f"Frames of some {name.lower()} clips, a clip a row"),
                           f"{name}, a clip a row")
    yield "</details>"


def _pairs(results: Results) -> Iterator[str]:
    pairs = sorted(results.pairs, key=lambda pair: pair[2])[:_PAIRS_SHOWN]
    if not pairs:
        return
    yield ('<h2>Nearest training clips</h2>\n<p>Generated clips on the left, each with the training clip nearest to it '
           'on the right, the nearest pairs first. A pair that is the same frame by frame is a copy.</p>\n'
           '<div class="row">')
    for generated, training, distance in pairs:
        both = io.grid(enlarge(np.stack([generated, training])), columns=2)
        playing = pages.video(both, results.fps, "A generated clip and the training clip nearest to it, playing")
        yield pages.figure(playing, f"distance {number(distance)}")
    yield "</div>\n<details><summary>Frame by frame</summary>"
    rows = [clip for pair in pairs[:_ROWS_SHOWN] for clip in pair[:2]]
    yield pages.figure(_sheet(np.stack(rows), "Frames of generated clips, each above its nearest training clip"),
                       "Generated clips, each above its nearest training clip")
    yield "</details>"


def _sheet(clips: np.ndarray, description: str) -> str:
    height, width = clips.shape[2:4]
    scale = _SHEET_SIDE / min(height, width)
    if scale < 1:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        clips = np.stack([[io.fit(frame, *size) for frame in clip] for clip in clips])
    return pages.picture(io.contact_sheet(enlarge(clips)), description)


def _groups(results: Results) -> Iterator[str]:
    head = ("Metric", "Value", "95 % interval", "Floor", "Held out", "Better", "Meaning")
    if results.measures:
        yield '<h2>All numbers</h2>\n<div class="alike">'
    for group, measures in groups(results.measures).items():
        rows = []
        for name, measure in measures.items():
            metric = results.metrics.get(name)
            rows.append((name, number(measure.value), interval(measure), number(measure.floor),
                         number(measure.held_out), _BETTER[metric.better] if metric else UNKNOWN,
                         metric.meaning if metric else UNKNOWN))
        yield f"<h3>{html.escape(_HEADINGS.get(group) or group.replace('_', ' ').capitalize())}</h3>"
        yield pages.table(rows, head, right=range(1, 5))
    if results.measures:
        yield "</div>"


def _plots(plots: Sequence[Plot]) -> Iterator[str]:
    if plots:
        yield '<h2>Plots</h2>\n<div class="row half">'
        yield from (f"<figure>{draw(plot)}</figure>" for plot in plots)
        yield "</div>"


def _closing(results: Results) -> Iterator[str]:
    if results.speed:
        yield "<h2>Speed</h2>"
        yield pages.table([(name, number(value)) for name, value in results.speed.items()], right=(1,))
    if results.protocol:
        yield "<h2>How it was measured</h2>"
        yield pages.table(list(results.protocol.items()))
