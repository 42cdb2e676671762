"""All metrics of one set of clips, with the noise floor beside every number."""

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
from gan_keras.evaluation import features
from gan_keras.evaluation.metrics import (
    conditioning,
    distances,
    dynamics,
    factors,
    fidelity,
    flow,
    memorization,
    overfitting,
    precision_recall,
    relative_error,
    spectra,
    speed,
)
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips
from gan_keras.evaluation.metrics.types import Estimate, Measurement, Metric, Plot
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report.page import Results, flat, html_report
from gan_keras.evaluation.samples import RunSamples, SampleSource
from gan_keras.evaluation.user_features import UserFeatures
from gan_keras.files import write_atomically
from gan_keras.progress import Progress
from gan_keras.runs.run_folder import RunFolder
from gan_keras.runs.summaries import Summaries

METRIC_MODULES = (distances, precision_recall, factors, dynamics, flow, spectra, memorization, fidelity, relative_error)
"""Modules as `metrics.types` describes them. A new metric is a function and an entry in one of them."""

METRICS = {name: metric for module in (*METRIC_MODULES, speed) for name, metric in module.METRICS.items()}

REPORT = "report.html"
_SHOWN = 16
_SETS = 2  # generated clips, and real ones in their place
_PAIRS = 12


def metric_info(name: str) -> Metric:
    """Meaning of a metric."""
    if name in METRICS:
        return METRICS[name]
    modules = {"discriminators": overfitting, "conditions": conditioning, "horizon": relative_error}
    return modules.get(name.split("/")[0], distances).metric_info(name)


class Evaluator:
    """Measures clips against real ones. The metrics of the real clips in their place are computed once.

    Args:
        reference: the real clips.
    """

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def estimate(self, samples: ClipSet, inputs: MetricInputs | None = None) -> dict[str, Estimate]:
        """Metrics of any clips by name.

        Args:
            samples: the clips.
            inputs: of the metrics; by default with `samples` as the generated clips.
        """
        inputs = inputs or self.reference.metric_inputs(samples)
        return {name: estimate for module in METRIC_MODULES
                for name, estimate in module.measure(samples, inputs).items()}

    def measure(self, generated: ClipSet, paired: PairedClips | None = None,
                advance: Callable[[], None] = lambda: None) -> dict[str, Measurement]:
        """Metrics of generated clips by name, each with those of real ones.

        Args:
            generated: the clips.
            paired: outputs that should equal known clips, and these clips.
            advance: called after each set of clips.
        """
        estimates = self.estimate(generated, self.reference.metric_inputs(generated, paired))
        advance()
        floor, held_out = self.floor, self._held_out
        advance()
        return {name: Measurement(estimate.value, estimate.low, estimate.high, _part(floor, name, "value"),
                                  _part(held_out, name, "value"), _part(floor, name, "high"))
                for name, estimate in estimates.items()}

    @cached_property
    def floor(self) -> dict[str, Estimate]:
        """The noise floor: metrics of other training clips."""
        return self.estimate(self.reference.other)

    @cached_property
    def _held_out(self) -> dict[str, Estimate]:
        held_out = self.reference.held_out
        return {} if held_out is None else self.estimate(held_out)


def evaluate(source: SampleSource, reference: Reference, manifest: Manifest, count: int,
             user_features: UserFeatures | None = None, speeds: Mapping[str, float] = MappingProxyType({})) -> Results:
    """Measures the clips of a source by every metric.

    Args:
        source: whose clips are evaluated.
        reference: the real clips.
        manifest: of the prepared folder that the reference comes from.
        count: clips to evaluate, at most.
        user_features: the user's own features, which the reference extracts as well.
        speeds: speed of the source, measured before anything else took memory.

    Returns:
        The results, as a report shows them.
    """
    count = min(count, source.count or count)
    given = reference.given_clips
    with Progress("generate" if source.generates else "read", count, "clips") as progress:
        clips = source.clips(count, advance=progress.advance, given=given.clips)
    paired = source.pairs(given)
    if paired is not None:
        features = (reference.extract_features(clips).features["appearance"] for clips in paired[:2])
        paired = paired._replace(features=tuple(features))
    with Progress("extract features", count, "clips") as progress:
        generated = reference.extract_features(clips, advance=progress.advance)
    evaluator = Evaluator(reference)
    with Progress("measure", _SETS, "sets") as progress:
        measurements = evaluator.measure(generated, paired, progress.advance)
    if isinstance(source, RunSamples):
        estimates = overfitting.measure_discriminators(source.run, source.step, reference.real, reference.held_out,
                                                       generated)
        estimates |= conditioning.measure_conditions(source.conditions(range(count)), source.classes, generated)
        measurements |= {name: Measurement(estimate.value, estimate.low, estimate.high)
                         for name, estimate in estimates.items()}
    inputs = reference.metric_inputs(generated, paired)
    return Results(
        title=f"Evaluation of {source.name}", measurements=measurements,
        metrics={name: metric_info(name) for name in measurements}, speed=speeds, samples=clips[:_SHOWN],
        real_samples=reference.real.clips[:_SHOWN], pairs=_nearest_pairs(inputs, reference), plots=_plots(inputs),
        protocol=_protocol(source, reference, manifest, clips, user_features), notes=reference.notes,
        fps=reference.fps, paired=paired)


def write_results(results: Results, out: Path, step: int | None, count: int) -> None:
    """Writes `report.html`, a line of `metrics.jsonl` and TensorBoard's events into a folder."""
    folder = RunFolder(out)
    values = metrics_line(results.measurements, results.speed, count)
    write_atomically(out / REPORT, html_report(results))
    folder.append_metrics(step or 0, values)
    summaries = Summaries(folder)
    summaries.scalars(step or 0, values)
    summaries.clips(step or 0, "clips/generated", results.samples, results.fps)
    summaries.clips(step or 0, "clips/real", results.real_samples, results.fps)


def metrics_line(measurements: Mapping[str, Measurement], speeds: Mapping[str, float], count: int) -> dict[str, float]:
    """Metrics of an evaluation for `metrics.jsonl`; `evaluation/clips` is the number of clips."""
    return {"evaluation/clips": count, **flat(measurements, speeds)}


def _part(estimates: Mapping[str, Estimate], name: str, part: str) -> float | None:
    return getattr(estimates[name], part) if name in estimates else None


def _nearest_pairs(inputs: MetricInputs, reference: Reference) -> list[tuple[np.ndarray, np.ndarray, float]]:
    pairs = []
    for match in memorization.closest_pairs(inputs, _PAIRS):
        training = reference.training_clip(match.record, match.offset)
        pairs.append((inputs.generated.clips[match.sample],
                      training[:, :, ::-1] if match.flipped else training, match.distance))
    return pairs


def _plots(inputs: MetricInputs) -> list[Plot]:
    return [plot for module in METRIC_MODULES if hasattr(module, "plots") for plot in module.plots(inputs)]


def _protocol(source: SampleSource, reference: Reference, manifest: Manifest, clips: np.ndarray,
              user_features: UserFeatures | None) -> dict[str, str]:
    held_out = 0 if reference.held_out is None else len(reference.held_out)
    compared = min(len(clips), len(reference.real))
    frames, height, width = clips.shape[1:4]
    versions = {name: metadata.version(name) for name in ("tensorflow", "numpy", "scipy", "scikit-learn")}
    own = {f"Own features, {name}": value for name, value in user_features.description.items()} if user_features else {}
    return {
        "Evaluated": source.name,
        "Clips": f"{len(clips)} of {frames} frames of {width}x{height}"
                 + (f", seeds 0 to {len(clips) - 1}" if source.generates else ""),
        "SHA-256 of the clips": hashlib.sha256(np.ascontiguousarray(clips)).hexdigest(),
        "Real clips": f"{Path(manifest.source).name}: {len(reference.real)} windows of one half of the training "
                      f"videos, {len(reference.other)} of the other half for the floor, {held_out} held out",
        "Fingerprint of the data": manifest.fingerprint,
        "Compared in distances": f"{compared} with {compared}",
        "Built-in features": features.declaration(),
        **own,
        "Intervals": "95 %, by whole videos; jackknife for Fréchet distances, bootstrap for all else, seed 0",
        "Versions": ", ".join([f"gan_keras {__version__}", f"Python {platform.python_version()}",
                               *(f"{name} {version}" for name, version in versions.items())]),
    }
