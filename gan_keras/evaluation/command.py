"""What `evaluate.py` does: finds the real clips and those in question, measures, and says where the outcome is."""

import errno
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_keras.config import Config
from gan_keras.data.records import Manifest
from gan_keras.data.training_data import training_data
from gan_keras.errors import UserError
from gan_keras.evaluation import evaluate as whole
from gan_keras.evaluation import selftest as damages
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.report import text_report
from gan_keras.evaluation.saved_features import SavedFeatures
from gan_keras.evaluation.speed import measure_speed
from gan_keras.evaluation.subjects import RunSubject, Subject, open_subject, shown_size
from gan_keras.run_folder import RunFolder, write_atomically
from gan_keras.script_settings import FEWEST_CLIPS, EvaluateSettings, FeatureSettings
from gan_keras.train_settings import ClipSettings, parse_resolution

_CLIPS, _SELFTEST_CLIPS = 1024, 256
_SETS = 4  # generated, two halves of the real ones, held out
_BYTES = 2**30
"""Of all clips together, where the user names no number of them."""


def evaluate(settings: EvaluateSettings, features: FeatureSettings, given: Mapping[str, Any]) -> None:
    """Measures a run, a model or clips.

    Args:
        settings: what, and against what.
        features: the user's own features.
        given: the settings that the user named.

    Raises:
        UserError: nothing to measure, or nothing to measure against.
    """
    subject = open_subject(settings.run_dir, settings.model, settings.videos, settings.checkpoint,
                           given.get("num_frames", 0))
    saved = SavedFeatures(features) if features.features else None
    out = _out(settings, Path(settings.model or settings.videos).stem)
    folder, manifest = _real_clips(settings, given, out, subject)
    check_shape(subject, manifest.clips)
    count = settings.clips or _affordable(_CLIPS, subject.shape)
    count = min(count, subject.count or count)
    speeds = measure_speed(subject) if subject.generates else {}  # first: real clips, too, take memory
    reference = Reference(folder, manifest, subject.shape[0], count, saved)
    results = whole.evaluate(subject, reference, manifest, count, saved, speeds)
    whole.leave(results, out, subject.step, count)
    if isinstance(subject, RunSubject):
        subject.run.append_metrics(subject.step, whole.line(results.measures, results.speed, count))
    print(f"\n{results.title}\n\n{text_report(results)}\n\nReport: {out / whole.REPORT}\n"
          f"Curves: tensorboard --logdir={out.parent}")


def check_shape(subject: Subject, clips: ClipSettings) -> None:
    """Whether clips can be compared with the real ones.

    Args:
        subject: where the clips come from.
        clips: what a real clip is.

    Raises:
        UserError: their clips have other frames.
    """
    if subject.shape == clips.shape:
        return
    found, real = subject.shape[0], clips.num_frames
    size, real_size = shown_size(subject.shape[1:]), shown_size(clips.shape[1:])
    advice = f"Name the raw source as --data, or data prepared for {found} frames of {size}."
    if any(side % 8 for side in subject.shape[1:3]):  # no data can be prepared for such frames
        advice = f"Bring the clips to {real_size}."
    elif subject.shape[1:] == clips.shape[1:] and found > real and not subject.generates:
        advice = f"--num_frames={real} takes the first {real} frames of each."
    raise UserError(f"{subject.name} {'makes' if subject.generates else 'holds'} clips of {found} frames of "
                    f"{size} and the real clips are {real} frames of {real_size}. {advice}")


def selftest(settings: EvaluateSettings, given: Mapping[str, Any]) -> None:
    """Measures the metrics on damaged real clips.

    Raises:
        UserError: no real clips, or too few.
    """
    out = _out(settings, f"selftest-{Path(settings.data).name}")
    folder, manifest = _real_clips(settings, given, out)
    count = settings.clips or _affordable(_SELFTEST_CLIPS, manifest.clips.shape)
    reference = Reference(folder, manifest, manifest.clips.num_frames, count)
    outcome = damages.run(reference, Path(manifest.source).name)
    write_atomically(out / whole.REPORT, damages.html(outcome))
    write_atomically(out / "selftest.md", damages.markdown(outcome) + "\n")
    print(f"\n{damages.text(outcome)}\n\nReport: {out / whole.REPORT}\nTables: {out / 'selftest.md'}")


def _affordable(count: int, shape: tuple[int, ...]) -> int:
    """So many clips, or fewer if they are large: all sets of them are in memory."""
    most = max(FEWEST_CLIPS, _BYTES // (_SETS * math.prod(shape)))
    if most < count:
        print(f"Measuring {most} clips: {count} of this size would need much memory. --clips={count} does it.")
    return min(count, most)


def _out(settings: EvaluateSettings, name: str) -> Path:
    """The folder for what is found, made."""
    run_folder = Path(settings.run_dir) / ("selftest" if settings.selftest else "evaluation")
    default = run_folder if settings.run_dir else Path("runs") / f"evaluation-{name}"
    out = Path(settings.out or default)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK):  # said now, and not when all is measured
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}. Name another --out.") from error
    return out


def _real_clips(settings: EvaluateSettings, given: Mapping[str, Any], out: Path, subject: Subject | None = None
                ) -> tuple[Path, Manifest]:
    """The prepared folder to compare with."""
    named = {name: value for name, value in given.items() if name != "data"}
    if settings.run_dir:
        config, prepared = RunFolder(Path(settings.run_dir)).load_config(), Path(settings.run_dir).parent / "prepared"
    else:
        config, prepared = Config(), out.parent / "prepared"
    if subject:
        frames, height, width = subject.shape[:3]
        if "resolution" in given and parse_resolution(given["resolution"]) != (height, width):
            raise UserError(f"`resolution` can only be that of {subject.name}, {width}x{height}. "
                            f"Received: resolution={given['resolution']}")
        if not settings.run_dir:
            named |= {"num_frames": frames, "resolution": str(height) if height == width else f"{width}x{height}"}
    data = settings.data or config.run.data
    folder, manifest, _ = training_data(config.replace(**named, data=data, classes=()), given.keys(), prepared)
    return folder, manifest
