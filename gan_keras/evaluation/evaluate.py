"""All families of metrics on one set of clips, with the noise floor beside every number."""

import hashlib
import platform
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

import numpy as np

from gan_keras import __version__
from gan_keras.data.records import Manifest
from gan_keras.evaluation import (
    conditions,
    distances,
    dynamics,
    factors,
    features,
    memorization,
    neighbours,
    overfitting,
    speed,
)
from gan_keras.evaluation.evidence import ClipSet, Evidence
from gan_keras.evaluation.findings import Estimate, Measure, Metric, Plot
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report import Results, flat, html_report
from gan_keras.evaluation.saved_features import SavedFeatures
from gan_keras.evaluation.subjects import RunSubject, Subject
from gan_keras.progress import Progress
from gan_keras.run_folder import RunFolder, write_atomically
from gan_keras.summaries import Summaries

FAMILIES = (distances, neighbours, factors, dynamics, memorization)
"""Modules as `findings` describes them. A new metric is a function in one of them, a new family one more file here."""

METRICS = {name: metric for family in (*FAMILIES, speed) for name, metric in family.METRICS.items()}

REPORT = "report.html"
_SHOWN = 16
_SETS = 2  # generated clips, real ones in their place
_PAIRS = 12


def describe(name: str) -> Metric:
    """What a number means."""
    if name in METRICS:
        return METRICS[name]
    room = {"discriminators": overfitting, "conditions": conditions}.get(name.split("/")[0], distances)
    return room.describe(name)


class Judge:
    """Measures clips against real ones; what the real ones give in their place is found once.

    Args:
        reference: the real clips.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def estimates(self, candidate: ClipSet) -> dict[str, Estimate]:
        """The numbers of any clips by name."""
        evidence = self.reference.evidence(candidate)
        return {name: estimate for family in FAMILIES for name, estimate in family.measure(candidate, evidence).items()}

    def measures(self, generated: ClipSet, advance: Callable[[], None] = lambda: None) -> dict[str, Measure]:
        """The numbers of generated clips by name, each with those of real ones; `advance` is told of each set done."""
        found = self.estimates(generated)
        advance()
        floor, held_out = self.floor, self._held_out
        advance()
        return {name: Measure(estimate.value, estimate.low, estimate.high, _part(floor, name, "value"),
                              _part(held_out, name, "value"), _part(floor, name, "high"))
                for name, estimate in found.items()}

    @cached_property
    def floor(self) -> dict[str, Estimate]:
        """What other training clips give."""
        return self.estimates(self.reference.other)

    @cached_property
    def _held_out(self) -> dict[str, Estimate]:
        held_out = self.reference.held_out
        return {} if held_out is None else self.estimates(held_out)


def evaluate(subject: Subject, reference: Reference, manifest: Manifest, count: int,
             saved: SavedFeatures | None = None, speeds: Mapping[str, float] = MappingProxyType({})) -> Results:
    """Measures everything there is to measure of a subject.

    Args:
        subject: whose clips are measured.
        reference: the real clips.
        manifest: of the prepared folder that the reference comes from.
        count: clips to measure, at most.
        saved: the user's own features, which the reference looks at clips with.
        speeds: how fast the subject is, measured before anything else took memory.

    Returns:
        What a report tells.
    """
    count = min(count, subject.count or count)
    with Progress("generate" if subject.generates else "read", count, "clips") as progress:
        clips = subject.clips(count, advance=progress.advance)
    with Progress("look", count, "clips") as progress:
        generated = reference.observe(clips, advance=progress.advance)
    judge, measures = Judge(reference), {}
    with Progress("measure", _SETS, "sets") as progress:
        measures |= judge.measures(generated, progress.advance)
    if isinstance(subject, RunSubject):
        found = overfitting.judge(subject.run, subject.step, reference.real, reference.held_out, generated)
        found |= conditions.judge(subject.told(range(count)), subject.classes, generated)
        measures |= {name: Measure(estimate.value, estimate.low, estimate.high) for name, estimate in found.items()}
    evidence = reference.evidence(generated)
    return Results(
        title=f"Evaluation of {subject.name}", measures=measures, metrics={name: describe(name) for name in measures},
        speed=speeds, samples=clips[:_SHOWN], real_samples=reference.real.clips[:_SHOWN],
        pairs=_nearest_pairs(evidence, reference), plots=_plots(evidence),
        protocol=_protocol(subject, reference, manifest, clips, saved),
        notes=reference.notes, fps=reference.fps)


def leave(results: Results, out: Path, step: int | None, count: int) -> None:
    """Writes `report.html`, a line of `metrics.jsonl` and TensorBoard's events into a folder."""
    folder = RunFolder(out)
    numbers = line(results.measures, results.speed, count)
    write_atomically(out / REPORT, html_report(results))
    folder.append_metrics(step or 0, numbers)
    summaries = Summaries(folder)
    summaries.scalars(step or 0, numbers)
    summaries.clips(step or 0, "clips/generated", results.samples, results.fps)
    summaries.clips(step or 0, "clips/real", results.real_samples, results.fps)


def line(measures: Mapping[str, Measure], speeds: Mapping[str, float], count: int) -> dict[str, float]:
    """The numbers of an evaluation for `metrics.jsonl`; `evaluation/clips` says on how many clips they stand."""
    return {"evaluation/clips": count, **flat(measures, speeds)}


def _part(estimates: Mapping[str, Estimate], name: str, part: str) -> float | None:
    return getattr(estimates[name], part) if name in estimates else None


def _nearest_pairs(evidence: Evidence, reference: Reference) -> list[tuple[np.ndarray, np.ndarray, float]]:
    pairs = []
    for match in memorization.closest_pairs(evidence, _PAIRS):
        training = reference.training_clip(match.record, match.offset)
        pairs.append((evidence.generated.clips[match.candidate],
                      training[:, :, ::-1] if match.flipped else training, match.distance))
    return pairs


def _plots(evidence: Evidence) -> list[Plot]:
    return [plot for family in FAMILIES if hasattr(family, "plots") for plot in family.plots(evidence)]


def _protocol(subject: Subject, reference: Reference, manifest: Manifest, clips: np.ndarray,
              saved: SavedFeatures | None) -> dict[str, str]:
    held_out = 0 if reference.held_out is None else len(reference.held_out)
    compared = min(len(clips), len(reference.real))
    frames, height, width = clips.shape[1:4]
    versions = {name: metadata.version(name) for name in ("tensorflow", "numpy", "scipy", "scikit-learn")}
    return {
        "Evaluated": subject.name,
        "Clips": f"{len(clips)} of {frames} frames of {width}x{height}"
                 + (f", seeds 0 to {len(clips) - 1}" if subject.generates else ""),
        "SHA-256 of the clips": hashlib.sha256(np.ascontiguousarray(clips)).hexdigest(),
        "Real clips": f"{Path(manifest.source).name}: {len(reference.real)} windows of one half of the training "
                      f"videos, {len(reference.other)} of the other half for the floor, {held_out} held out",
        "Fingerprint of the data": manifest.fingerprint,
        "Compared in distances": f"{compared} with {compared}",
        "Built-in features": features.declaration(),
        **({f"Own features, {name}": value for name, value in saved.description.items()} if saved else {}),
        "Intervals": "95 %, by whole videos; jackknife for Fréchet distances, bootstrap for all else, seed 0",
        "Versions": ", ".join([f"gan_keras {__version__}", f"Python {platform.python_version()}",
                               *(f"{name} {version}" for name, version in versions.items())]),
    }
