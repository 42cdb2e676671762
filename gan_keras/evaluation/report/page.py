"""Report of an evaluation: a page that needs no network and no other file, a table for the terminal, and the plain
numbers for `metrics.jsonl`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.metrics.types import Measurement, Metric, Plot
from gan_keras.evaluation.report.plots import draw, multiples
from gan_keras.reports import html
from gan_keras.video.contact_sheets import contact_sheet, enlarge, grid, match
from gan_keras.video.pictures import crop_and_resize

UNKNOWN = "–"
_DISTANCES = ("frechet", "kernel")
_COVERAGE = ("precision", "recall", "density", "coverage")
_HEADINGS = {"frechet": "Fréchet distances", "kernel": "Kernel distances", "coverage": "Fidelity and coverage"}
_BETTER = {"lower": "↓ lower", "higher": "↑ higher", "as real": "≈ as real"}
_MAX_CLIPS, _MAX_PAIRS, _MAX_ROWS, _MAX_GIVEN = 16, 12, 4, 6
_MAX_SHEET_SIDE = 128
"""Pixels of a frame's shorter side in a contact sheet, so that sheets of large clips stay small."""


@dataclass(frozen=True, eq=False)
class Results:
    """Results of an evaluation, as a report shows them.

    Attributes:
        title: heading of the page.
        measurements: by name of the metric; the part of the name before `/` is the group it is shown in.
        metrics: meanings of the metrics; one without an entry is shown without meaning.
        speed: speed of the generator, by name of the metric.
        samples: generated clips, uint8 [N, T, H, W, 3]; the first 16 are shown.
        real_samples: real clips that are shown beside them, uint8 [N, T, H, W, 3].
        pairs: generated clips, uint8 [T, H, W, 3], each with the training clip nearest to it and the distance of the
            two; the 12 nearest are shown.
        plots: plots in their order.
        protocol: how it was measured: counts, seeds, features, hashes...
        notes: what the reader must know before trusting the numbers, such as too few clips.
        fps: frames per second of all clips, above 0.
        paired: what was made of given clips, with these and the true ones; the first 6 are shown.
    """

    title: str
    measurements: Mapping[str, Measurement]
    metrics: Mapping[str, Metric]
    speed: Mapping[str, float]
    samples: np.ndarray
    real_samples: np.ndarray
    pairs: Sequence[tuple[np.ndarray, np.ndarray, float]]
    plots: Sequence[Plot]
    protocol: Mapping[str, str]
    notes: Sequence[str]
    fps: float
    paired: PairedClips | None = None


def html_report(results: Results) -> str:
    """The whole page, which refers to nothing outside of itself.

    Raises:
        ValueError: clips of another shape than `Results` has, or a plot whose series do not fit.
        OSError: there is no room for the temporary files of videos.
    """
    return html.page(results.title, [*map(html.note, results.notes), *_given(results), *_distances(results),
                                     *_samples(results), *_pairs(results), *_groups(results),
                                     *_plots(results.plots), *_closing(results)])


def text_report(results: Results) -> str:
    """A summary for the terminal: notes, a line for each metric, speed."""
    parts = ["\n".join(f"Note: {note}" for note in results.notes)] if results.notes else []
    head = ("metric", "value", "95 % interval", "floor", "× floor", "held out")
    counted = distances(results.measurements)
    rows = [(name, number(measurement.value), interval(measurement), number(measurement.floor),
             number(measurement.multiple) if name in counted else "", number(measurement.held_out))
            for group in groups(results.measurements).values() for name, measurement in group.items()]
    if rows:
        parts.append(html.text_table([head, *rows], right=range(1, len(head))))
    if results.speed:
        parts.append(html.text_table([(name, number(value)) for name, value in results.speed.items()], right=(1,)))
    return "\n\n".join(parts)


def flat(measurements: Mapping[str, Measurement], speed: Mapping[str, float]) -> dict[str, float]:
    """All numbers by name, for a line of `metrics.jsonl`.

    Returns:
        NAME, NAME.low, NAME.high, NAME.floor and NAME.held_out of each metric, also NAME.multiple of distances; the
        speeds under their own names. Six significant digits. Unknown and non-finite values are left out.
    """
    numbers: dict[str, float | None] = {}
    counted = distances(measurements)
    for name, measurement in measurements.items():
        numbers[name] = measurement.value
        for part in ("low", "high", "floor", "held_out", *(["multiple"] if name in counted else [])):
            numbers[f"{name}.{part}"] = getattr(measurement, part)
    return {name: float(f"{value:.6g}") for name, value in (numbers | dict(speed)).items()
            if value is not None and np.isfinite(value)}


def groups(measurements: Mapping[str, Measurement]) -> dict[str, dict[str, Measurement]]:
    """Measurements by the part of their names before `/`; precision, recall, density and coverage are one group."""
    grouped: dict[str, dict[str, Measurement]] = {}
    for name, measurement in measurements.items():
        group = name.partition("/")[0]
        grouped.setdefault("coverage" if group in _COVERAGE else group, {})[name] = measurement
    return grouped


def distances(measurements: Mapping[str, Measurement]) -> dict[str, Measurement]:
    """Distances of the clips from real ones: the groups `frechet` and `kernel`."""
    grouped = groups(measurements)
    return {name: measurement for group in _DISTANCES for name, measurement in grouped.get(group, {}).items()}


def number(value: float | None) -> str:
    """Text of a number with three or four significant digits; "–" for None and NaN."""
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


def interval(measurement: Measurement) -> str:
    """Text of the 95 % interval; "–" where an end is unknown."""
    if np.isnan(measurement.low) or np.isnan(measurement.high):
        return UNKNOWN
    return f"[{number(measurement.low)}, {number(measurement.high)}]"


def _distances(results: Results) -> Iterator[str]:
    measurements = distances(results.measurements)
    if not measurements:
        return
    rows = [(name, number(measurement.value), interval(measurement), number(measurement.floor),
             number(measurement.held_out), _times(measurement.multiple)) for name, measurement in measurements.items()]
    yield ("<h2>Distances from real clips</h2>\n<p>Distances of the generated clips from real training clips. The "
           "<em>floor</em> is the distance of other training clips in their place, <em>held out</em> that of clips "
           "that were not trained on. About 1 × the floor is as near as this number of clips can show. (Where a "
           "distance is about 0 for equal clips, its unit is the upper end of the floor's interval.)</p>")
    yield html.table(rows, ("Distance", "Value", "95 % interval", "Floor", "Held out", "× floor"), right=range(1, 6))
    if plot := multiples(measurements):
        yield f"<figure>{plot}</figure>"


def _times(multiple: float | None) -> str:
    return UNKNOWN if multiple is None or np.isnan(multiple) else f"{number(multiple)} ×"


def _samples(results: Results) -> Iterator[str]:
    sets = [(name, clips) for name, clips in (("Generated", results.samples), ("Real", results.real_samples))
            if len(clips)]
    if not sets:
        return
    yield '<h2>Clips</h2>\n<div class="row half">'
    for name, clips in sets:
        shown = clips[:_MAX_CLIPS]
        playing = html.video(grid(enlarge(shown)), results.fps, f"{name} clips, playing")
        yield html.figure(playing, f"{name}, {len(shown)} clips of {shown.shape[1]} frames, {results.fps:g} a second")
    yield "</div>\n<details><summary>Frame by frame</summary>"
    for name, clips in sets:
        yield html.figure(_sheet(clips[:_MAX_ROWS], f"Frames of some {name.lower()} clips, a clip a row"),
                          f"{name}, a clip a row")
    yield "</details>"


def _given(results: Results) -> Iterator[str]:
    if results.paired is None or results.paired.given is None:
        return
    yield ("<h2>Given, made, true</h2>\n<p>On the left what was given, up to the border, and what was made of it, "
           "beyond; the slider moves the border. On the right the true clip.</p>\n<div class=\"row\">")
    for given, made, true in list(zip(results.paired.given, *results.paired[:2], strict=True))[:_MAX_GIVEN]:
        shown = np.stack([match(given, true), made, true])
        yield html.figure(html.split_view(*enlarge(shown), results.fps, "Given, made and true clip, playing"), "")
    yield "</div>"


def _pairs(results: Results) -> Iterator[str]:
    pairs = sorted(results.pairs, key=lambda pair: pair[2])[:_MAX_PAIRS]
    if not pairs:
        return
    yield ('<h2>Nearest training clips</h2>\n<p>Generated clips on the left, each with the training clip nearest to it '
           'on the right, the nearest pairs first. A pair that is the same frame by frame is a copy.</p>\n'
           '<div class="row">')
    for generated, training, distance in pairs:
        both = grid(enlarge(np.stack([generated, training])), columns=2)
        playing = html.video(both, results.fps, "A generated clip and the training clip nearest to it, playing")
        yield html.figure(playing, f"distance {number(distance)}")
    yield "</div>\n<details><summary>Frame by frame</summary>"
    rows = [clip for pair in pairs[:_MAX_ROWS] for clip in pair[:2]]
    yield html.figure(_sheet(np.stack(rows), "Frames of generated clips, each above its nearest training clip"),
                      "Generated clips, each above its nearest training clip")
    yield "</details>"


def _sheet(clips: np.ndarray, description: str) -> str:
    height, width = clips.shape[2:4]
    scale = _MAX_SHEET_SIDE / min(height, width)
    if scale < 1:
        size = max(1, round(height * scale)), max(1, round(width * scale))
        clips = np.stack([[crop_and_resize(frame, *size) for frame in clip] for clip in clips])
    return html.picture(contact_sheet(enlarge(clips)), description)


def _groups(results: Results) -> Iterator[str]:
    head = ("Metric", "Value", "95 % interval", "Floor", "Held out", "Better", "Meaning")
    if results.measurements:
        yield '<h2>All metrics</h2>\n<div class="alike">'
    for group, measurements in groups(results.measurements).items():
        rows = []
        for name, measurement in measurements.items():
            metric = results.metrics.get(name)
            rows.append((name, number(measurement.value), interval(measurement), number(measurement.floor),
                         number(measurement.held_out), _BETTER[metric.better] if metric else UNKNOWN,
                         metric.meaning if metric else UNKNOWN))
        yield f"<h3>{escape(_HEADINGS.get(group) or group.replace('_', ' ').capitalize())}</h3>"
        yield html.table(rows, head, right=range(1, 5))
    if results.measurements:
        yield "</div>"


def _plots(plots: Sequence[Plot]) -> Iterator[str]:
    if plots:
        yield '<h2>Plots</h2>\n<div class="row half">'
        yield from (f"<figure>{draw(plot)}</figure>" for plot in plots)
        yield "</div>"


def _closing(results: Results) -> Iterator[str]:
    if results.speed:
        yield "<h2>Speed</h2>"
        yield html.table([(name, number(value)) for name, value in results.speed.items()], right=(1,))
    if results.protocol:
        yield "<h2>How it was measured</h2>"
        yield html.table(list(results.protocol.items()))
