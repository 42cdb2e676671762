"""Validation of the metrics: are they sensitive to what they are meant to measure?

Real clips that are corrupted by known amounts stand in the place of generated ones. A metric is *sensitive* to a
corruption when the strongest one moves it the wrong way by more than its interval on clean clips, and each stronger
corruption moves it further (or back by less than a tenth of that interval). A metric that has to be sensitive
(`Metric.sensitive_to`) and is not is reported as *insensitive*.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gan_keras.evaluation.evaluator import Evaluator, metric_info
from gan_keras.evaluation.metric_validation.corruptions import CORRUPTIONS, CleanClips, Corruption
from gan_keras.evaluation.metrics.inputs import ClipSet
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, Estimate, Metric
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report.page import number
from gan_keras.progress import Progress
from gan_keras.reports import html

SENSITIVE, NOT_MONOTONIC, INSENSITIVE, UNAFFECTED = "sensitive", "not monotonic", "INSENSITIVE", ""

_BACKWARD = 0.1
"""Share of the interval by which a stronger corruption may move a metric less than a weaker one."""


@dataclass(frozen=True)
class Sensitivity:
    """Response of a metric to a corruption.

    Attributes:
        values: of the metric at growing strength.
        verdict: `"sensitive"`; `"not monotonic"`: sensitive, but not the more the stronger it is; `"INSENSITIVE"`: not
            sensitive though it should be; or empty: not sensitive, and not meant to be.
    """

    values: tuple[float, ...]
    verdict: str


@dataclass(frozen=True)
class Validation:
    """Outcome for one set of real clips.

    Attributes:
        title: name of the clips.
        clean: every metric on clean clips.
        sensitivities: by metric, then by corruption.
        notes: what the reader must know.
    """

    title: str
    clean: Mapping[str, Estimate]
    sensitivities: Mapping[str, Mapping[str, Sensitivity]]
    notes: Sequence[str]

    @property
    def insensitive(self) -> list[str]:
        """Metrics that are not sensitive to what they should be, as `METRIC to CORRUPTION`."""
        return [f"{metric} to {corruption}" for metric, by_corruption in self.sensitivities.items()
                for corruption, sensitivity in by_corruption.items() if sensitivity.verdict == INSENSITIVE]


def validate(reference: Reference, title: str) -> Validation:
    """Corrupts the second half of the training clips in every way and measures them against the first half."""
    evaluator = Evaluator(reference)
    clean_clips = CleanClips(reference.other.clips, reference.other.video_ids, reference.labels,
                             reference.real.clips[0])
    corruptions = {name: corruption for name, corruption in CORRUPTIONS.items()
                   if name != "drop" or clean_clips.has_classes}
    clean = evaluator.floor
    values: dict[str, dict[str, list[float]]] = {name: {} for name in clean}
    count = sum(len(corruption.strengths) for corruption in corruptions.values())
    with Progress("corrupt", count, "corruptions") as progress:
        for corruption_name, corruption in corruptions.items():
            for strength in corruption.strengths:
                estimates = evaluator.estimate(_corrupt(reference, clean_clips, corruption, strength))
                for name in clean:
                    value = estimates[name].value if name in estimates else np.nan
                    values[name].setdefault(corruption_name, []).append(value)
                progress.advance()
    sensitivities = {
        name: {corruption: Sensitivity(tuple(responses), verdict(metric_info(name), corruption, clean[name], responses))
               for corruption, responses in by_corruption.items()} for name, by_corruption in values.items()}
    notes = list(reference.notes)
    if not clean_clips.has_classes:
        notes.append("The clips have no classes, so none could be dropped.")
    return Validation(title, clean, sensitivities, notes)


def verdict(metric: Metric, corruption: str, clean: Estimate, values: Sequence[float]) -> str:
    """Whether a metric is sensitive to a corruption.

    Args:
        metric: the metric.
        corruption: name of the corruption.
        clean: the metric on clean clips.
        values: the metric at growing strength; NaN where it has no value, which is passed over.
    """
    noise = (clean.high - clean.low) / 2
    moved = [_wrong_way(metric, clean.value, value) for value in values if np.isfinite(value)]
    if not moved or not moved[-1] > noise:
        return INSENSITIVE if corruption in metric.sensitive_to else UNAFFECTED
    monotonic = all(after >= before - _BACKWARD * noise
                    for before, after in zip([0.0, *moved], moved, strict=False))
    return SENSITIVE if monotonic else NOT_MONOTONIC


def text(validation: Validation) -> str:
    """The table for the terminal."""
    notes = [f"Note: {note}" for note in validation.notes]
    head, rows = _verdict_rows(validation)
    return "\n".join([*notes, "", html.text_table([head, *rows]), "", conclusion(validation)])


def markdown(validation: Validation) -> str:
    """Verdicts, then values, as Markdown tables."""
    return "\n\n".join([html.markdown_table(*_verdict_rows(validation)), conclusion(validation),
                        html.markdown_table(*_value_rows(validation))])


def html_report(validation: Validation) -> str:
    """The whole page."""
    strengths = [(name, corruption.meaning, ", ".join(f"{strength:g}" for strength in corruption.strengths))
                 for name, corruption in CORRUPTIONS.items()]
    (head, rows), (value_head, value_rows) = _verdict_rows(validation), _value_rows(validation)
    return html.page(f"Validation of the metrics on {validation.title}", [
        *map(html.note, validation.notes), html.paragraph(conclusion(validation)), html.table(rows, head),
        "<h2>Values, clean and at growing strength</h2>", html.table(value_rows, value_head),
        "<h2>Corruptions</h2>", html.table(strengths, ("Corruption", "What is done", "Strengths"))])


def conclusion(validation: Validation) -> str:
    """Which metrics fail."""
    insensitive = validation.insensitive
    return f"INSENSITIVE to what they should measure: {', '.join(insensitive)}." if insensitive else (
        "Every metric is sensitive to every corruption that it should be sensitive to.")


def _wrong_way(metric: Metric, clean: float, value: float) -> float:
    difference = value - clean
    return abs(difference) if metric.better == AS_REAL else -difference if metric.better == HIGHER else difference


def _verdict_rows(validation: Validation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    corruptions = list(next(iter(validation.sensitivities.values())))
    return ("metric", *corruptions), [
        (name, *(_cell(metric_info(name), corruption, by_corruption[corruption]) for corruption in corruptions))
        for name, by_corruption in validation.sensitivities.items()]


def _cell(metric: Metric, corruption: str, sensitivity: Sensitivity) -> str:
    """Corruptions that a metric is meant to be sensitive to are starred."""
    starred = corruption in metric.sensitive_to and sensitivity.verdict in (SENSITIVE, NOT_MONOTONIC)
    return sensitivity.verdict + (" *" if starred else "")


def _value_rows(validation: Validation) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    corruptions = list(next(iter(validation.sensitivities.values())))
    return ("metric", "clean", *corruptions), [
        (name, f"{number(validation.clean[name].value)}",
         *(" · ".join(number(value) for value in by_corruption[corruption].values) for corruption in corruptions))
        for name, by_corruption in validation.sensitivities.items()]


def _corrupt(reference: Reference, clean_clips: CleanClips, corruption: Corruption, strength: float) -> ClipSet:
    corrupted = corruption.apply(clean_clips, strength, np.random.default_rng(0))
    return reference.extract_features(corrupted.clips, corrupted.video_ids)
