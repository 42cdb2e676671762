"""Do the metrics see what they are there to see? Damaged real clips, in the place of generated ones, tell.

A metric *sees* a damage when the strongest one moves it the wrong way by more than its interval on undamaged clips, and
each stronger damage moves it further (or back by less than a tenth of that interval). A metric that is said to see a
damage (`Metric.sees`) and does not is *blind* to it, and named so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gan_keras import pages
from gan_keras.evaluation.damages import DAMAGES, Damage, Specimen
from gan_keras.evaluation.evaluate import Judge, describe
from gan_keras.evaluation.evidence import ClipSet
from gan_keras.evaluation.findings import AS_REAL, HIGHER, Estimate, Metric
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report import number
from gan_keras.progress import Progress

SEES, UNSTEADY, BLIND, UNTOUCHED = "sees", "unsteady", "BLIND", ""

_BACKWARD = 0.1
"""Share of the interval by which a stronger damage may move a metric less than a weaker one."""


@dataclass(frozen=True)
class Sight:
    """What a metric makes of a damage.

    Attributes:
        values: at growing strength.
        verdict: `"sees"`; `"unsteady"`: seen, but not the more the stronger it is; `"BLIND"`: not seen though it should
            be; or empty: not seen, and not meant to be.
    """

    values: tuple[float, ...]
    verdict: str


@dataclass(frozen=True)
class SelfTest:
    """The outcome for one set of real clips.

    Attributes:
        title: the clips.
        undamaged: every metric on undamaged clips.
        sights: by metric, then by damage.
        notes: what the reader must know.
    """

    title: str
    undamaged: Mapping[str, Estimate]
    sights: Mapping[str, Mapping[str, Sight]]
    notes: Sequence[str]

    @property
    def blind(self) -> list[str]:
        """Metrics that do not see what they are there to see, as `METRIC to DAMAGE`."""
        return [f"{metric} to {damage}" for metric, found in self.sights.items()
                for damage, sight in found.items() if sight.verdict == BLIND]


def run(reference: Reference, title: str) -> SelfTest:
    """Damages the second half of the training clips in every way and measures them against the first half."""
    judge, specimen = Judge(reference), _specimen(reference)
    damages = {name: damage for name, damage in DAMAGES.items() if name != "drop" or specimen.has_classes}
    undamaged = judge.floor
    values: dict[str, dict[str, list[float]]] = {name: {} for name in undamaged}
    with Progress("damage", sum(len(damage.strengths) for damage in damages.values()), "damages") as progress:
        for damage_name, damage in damages.items():
            for strength in damage.strengths:
                estimates = judge.estimates(_observe(reference, specimen, damage, strength))
                for name in undamaged:
                    value = estimates[name].value if name in estimates else np.nan
                    values[name].setdefault(damage_name, []).append(value)
                progress.advance()
    sights = {name: {damage: Sight(tuple(found), verdict(describe(name), damage, undamaged[name], found))
                     for damage, found in by_damage.items()} for name, by_damage in values.items()}
    notes = list(reference.notes)
    if not specimen.has_classes:
        notes.append("The clips have no classes, so none could be dropped.")
    return SelfTest(title, undamaged, sights, notes)


def verdict(metric: Metric, damage: str, undamaged: Estimate, values: Sequence[float]) -> str:
    """Whether a metric sees a damage.

    Args:
        metric: the metric.
        damage: name of the damage.
        undamaged: the metric on undamaged clips.
        values: the metric at growing strength; NaN where it has no value, which is passed over.
    """
    noise = (undamaged.high - undamaged.low) / 2
    moved = [_wrong_way(metric, undamaged.value, value) for value in values if np.isfinite(value)]
    if not moved or not moved[-1] > noise:
        return BLIND if damage in metric.sees else UNTOUCHED
    steady = all(after >= before - _BACKWARD * noise for before, after in zip([0.0, *moved], moved, strict=False))
    return SEES if steady else UNSTEADY


def _wrong_way(metric: Metric, undamaged: float, value: float) -> float:
    difference = value - undamaged
    return abs(difference) if metric.better == AS_REAL else -difference if metric.better == HIGHER else difference


def text(outcome: SelfTest) -> str:
    """The table for the terminal."""
    parts = [f"Note: {note}" for note in outcome.notes]
    head, rows = _verdict_rows(outcome)
    return "\n".join([*parts, "", pages.text_table([head, *rows]), "", conclusion(outcome)])


def markdown(outcome: SelfTest) -> str:
    """Verdicts, then values, as Markdown tables."""
    return "\n\n".join([pages.markdown_table(*_verdict_rows(outcome)), conclusion(outcome),
                        pages.markdown_table(*_value_rows(outcome))])


def html(outcome: SelfTest) -> str:
    """The whole page."""
    strengths = [(name, damage.meaning, ", ".join(f"{strength:g}" for strength in damage.strengths))
                 for name, damage in DAMAGES.items()]
    (head, rows), (value_head, value_rows) = _verdict_rows(outcome), _value_rows(outcome)
    return pages.page(f"Self-test of the metrics on {outcome.title}", [
        *map(pages.note, outcome.notes), pages.paragraph(conclusion(outcome)), pages.table(rows, head),
        "<h2>Values, undamaged and at growing strength</h2>", pages.table(value_rows, value_head),
        "<h2>Damages</h2>", pages.table(strengths, ("Damage", "What is done", "Strengths"))])


def conclusion(outcome: SelfTest) -> str:
    """Which metrics fail."""
    blind = outcome.blind
    return f"BLIND to what they are there to see: {', '.join(blind)}." if blind else (
        "Every metric sees every damage that it is there to see.")


def _verdict_rows(outcome: SelfTest) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    damages = list(next(iter(outcome.sights.values())))
    return ("metric", *damages), [(name, *(_cell(describe(name), damage, found[damage]) for damage in damages))
                                  for name, found in outcome.sights.items()]


def _cell(metric: Metric, damage: str, sight: Sight) -> str:
    """Seen damages that a metric is meant for are starred."""
    return sight.verdict + (" *" if damage in metric.sees and sight.verdict in (SEES, UNSTEADY) else "")


def _value_rows(outcome: SelfTest) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    damages = list(next(iter(outcome.sights.values())))
    return ("metric", "undamaged", *damages), [
        (name, f"{number(outcome.undamaged[name].value)}",
         *(" · ".join(number(value) for value in found[damage].values) for damage in damages))
        for name, found in outcome.sights.items()]


def _specimen(reference: Reference) -> Specimen:
    return Specimen(reference.other.clips, reference.other.sources, reference.labels, reference.real.clips[0])


def _observe(reference: Reference, specimen: Specimen, damage: Damage, strength: float) -> ClipSet:
    damaged = damage.apply(specimen, strength, np.random.default_rng(0))
    return reference.observe(damaged.clips, damaged.sources)
