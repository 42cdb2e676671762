"""Evaluation by settings: opens the real clips and those to evaluate, measures, and writes the results."""

import dataclasses
import errno
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from absl import logging

from gan_keras.config.command_line import command_line
from gan_keras.config.commands import MIN_EVALUATED_CLIPS, EvaluateSettings, FeatureSettings
from gan_keras.config.train import ClipSettings, Config, parse_resolution
from gan_keras.data.records import Manifest
from gan_keras.data.training_data import training_data
from gan_keras.errors import UserError
from gan_keras.evaluation import evaluator
from gan_keras.evaluation.metric_validation import validation
from gan_keras.evaluation.metrics.speed import measure_speed
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report.page import text_report
from gan_keras.evaluation.samples import RunSamples, SampleSource, open_samples, size_text
from gan_keras.evaluation.user_features import UserFeatures
from gan_keras.files import check_path, write_atomically
from gan_keras.runs.run_folder import RunFolder

_CLIPS, _VALIDATION_CLIPS = 1024, 256
_SETS = 4  # generated, two halves of the real ones, held out
_TABLES = "metric_validation.md"
_MAX_BYTES = 2**30
"""Bytes of all clips together, where the user names no number of clips."""


def evaluate(settings: EvaluateSettings, features: FeatureSettings, named: Mapping[str, Any]) -> str:
    """Evaluates a run, a model or clips.

    Args:
        settings: what is evaluated, and the real clips.
        features: the user's own features.
        named: values of the settings that the user named, by name.

    Returns:
        A table of the metrics, and the path of the report.

    Raises:
        UserError: nothing to evaluate, or nothing to compare it with.
    """
    source = open_samples(settings.run_dir, settings.model, settings.videos, settings.checkpoint,
                           named.get("num_frames", 0))
    user_features = UserFeatures(features) if features.features else None
    out = _out(settings, Path(settings.model or settings.videos).stem)
    folder, manifest = _real_clips(settings, named, out, source)
    check_shape(source, manifest.clip)
    count = settings.clips or affordable_count(_CLIPS, source.shape)
    count = min(count, source.count or count)
    speeds = measure_speed(source) if source.generates else {}  # first: real clips, too, take memory
    reference = Reference.load(folder, manifest, source.shape[0], count, user_features, _given(source))
    results = evaluator.evaluate(source, reference, manifest, count, user_features, speeds)
    evaluator.write_results(results, out, source.step, count)
    if isinstance(source, RunSamples):
        source.run.append_metrics(source.step, evaluator.metrics_line(results.measurements, results.speed, count))
    return (f"\n{results.title}\n\n{text_report(results)}\n\nReport: {out / evaluator.REPORT}\n"
            f"Curves: {command_line('tensorboard', logdir=out.parent)}")


def check_shape(source: SampleSource, clip: ClipSettings) -> None:
    """Checks that clips can be compared with the real ones.

    Args:
        source: of the clips.
        clip: settings of the real clips.

    Raises:
        UserError: they differ in the number or the size of frames.
    """
    if source.shape == clip.shape:
        return
    frames, real_frames = source.shape[0], clip.num_frames
    size, real_size = size_text(source.shape[1:]), size_text(clip.shape[1:])
    advice = f"Name the raw source as --data, or data prepared for {frames} frames of {size}."
    if any(side % 8 for side in source.shape[1:3]):  # no data can be prepared for such frames
        advice = f"Bring the clips to {real_size}."
    elif source.shape[1:] == clip.shape[1:] and frames > real_frames and not source.generates:
        advice = f"--num_frames={real_frames} takes the first {real_frames} frames of each."
    raise UserError(f"{source.name} {'makes' if source.generates else 'holds'} clips of {frames} frames of "
                    f"{size} and the real clips are {real_frames} frames of {real_size}. {advice}")


def validate_metrics(settings: EvaluateSettings, named: Mapping[str, Any]) -> str:
    """Validates the metrics on corrupted real clips.

    Returns:
        A table of the verdicts, and the paths of report and tables.

    Raises:
        UserError: no real clips, or too few.
    """
    out = _out(settings, f"metric-validation-{Path(settings.data).name}")
    folder, manifest = _real_clips(settings, named, out)
    count = settings.clips or affordable_count(_VALIDATION_CLIPS, manifest.clip.shape)
    reference = Reference.load(folder, manifest, manifest.clip.num_frames, count)
    outcome = validation.validate(reference, Path(manifest.source).name)
    write_atomically(out / evaluator.REPORT, validation.html_report(outcome))
    write_atomically(out / _TABLES, validation.markdown(outcome) + "\n")
    return f"\n{validation.text(outcome)}\n\nReport: {out / evaluator.REPORT}\nTables: {out / _TABLES}"


def affordable_count(count: int, shape: tuple[int, ...]) -> int:
    """`count` clips, or fewer if they are large: all sets of clips are in memory."""
    affordable = max(MIN_EVALUATED_CLIPS, _MAX_BYTES // (_SETS * math.prod(shape)))
    if affordable < count:
        logging.info("Evaluating %d clips: %d of this size would need much memory. --clips=%d evaluates as many.",
                     affordable, count, count)
    return min(count, affordable)


def _out(settings: EvaluateSettings, name: str) -> Path:
    """The output folder, which is made."""
    run_folder = Path(settings.run_dir) / ("metric-validation" if settings.validate_metrics else "evaluation")
    default = run_folder if settings.run_dir else Path("runs") / f"evaluation-{name}"
    out = Path(settings.out or default)
    check_path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):  # an error now, not after all is measured
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}. Name another --out.") from error
    return out


def _given(source: SampleSource) -> tuple[Path, Manifest] | None:
    """Prepared clips that the generator of a run translates to another domain; None where it does no such thing."""
    if not isinstance(source, RunSamples) or not source.run.load_config().run.target_data:
        return None
    begun = source.run.prepared_clips()
    folder = begun and begun.find()
    if not folder:
        raise UserError(f"The clips that {source.run.path} translates are no longer there; start the run again, which "
                        "prepares them.")
    return folder, begun.manifest


def _real_clips(settings: EvaluateSettings, named: Mapping[str, Any], out: Path, source: SampleSource | None = None
                ) -> tuple[Path, Manifest]:
    """The prepared folder of the real clips, and its manifest."""
    clip_settings = {field.name for field in dataclasses.fields(ClipSettings)}
    changes = {name: value for name, value in named.items() if name in clip_settings}
    config, prepared, begun = Config(), out.parent / "prepared", None
    if settings.run_dir:
        run = RunFolder(Path(settings.run_dir))
        config, prepared = run.load_config(), run.path.parent / "prepared"
        if not settings.data and config.replace(**changes).clip == config.clip:
            begun = run.prepared_clips("target_data" if config.run.target_data else "data")
    if source:
        frames, height, width = source.shape[:3]
        if "resolution" in named and parse_resolution(named["resolution"]) != (height, width):
            raise UserError(f"`resolution` can only be that of {source.name}, {width}x{height}. "
                            f"Received: resolution={named['resolution']}")
        if not settings.run_dir:
            changes |= {"num_frames": frames, "resolution": str(height) if height == width else f"{width}x{height}"}
    data = settings.data or config.run.target_data or config.run.data
    config = config.replace(**changes, data=data, classes=(), task="generate", target_data="")
    folder, manifest, _ = training_data(config, named.keys(), prepared, begun)
    return folder, manifest
