"""A model that makes clips of clips beside answers that need no model (`evaluation.baselines`).

Each number is the mean squared error of what the model made, as a share of that of a baseline: below 1 the model
is better. Where there is a mask, the errors are those in it. Parts of the clips are also reported apart: holes that
move, static holes, frames that are missing; and for predictions each frame, by how many frames it is ahead.
"""

import numpy as np

from gan_keras.evaluation.baselines import baselines
from gan_keras.evaluation.metrics.estimates import UNKNOWN, bootstrap_weights, from_bootstrap
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips
from gan_keras.evaluation.metrics.types import LOWER, Estimate, Estimates, Metric

_BASELINES = {
    "bicubic": "the given clip, enlarged by bicubic interpolation", "lanczos": "the given clip, enlarged by Lanczos's",
    "input": "the given clip", "temporal_median": "the median of three frames", "unsharp": "an unsharp mask",
    "non_local_means": "non-local means over three frames", "telea": "`cv2.inpaint` by Telea",
    "navier_stokes": "`cv2.inpaint` by Navier and Stokes", "replicate": "the nearest pixel of the frame that is known",
    "reflect": "what is known of the frame, mirrored at the hole's edge",
    "nearest_frame": "the nearest frame in which a pixel can be seen",
    "blend": "going over from the frame before to the one after", "copy": "the last given frame, which stands",
    "flow": "the last given frame, which moves on as it did"}
_PARTS = {"moving": "in moving holes", "static": "in static holes", "missing": "in frames that are missing"}

_GENERATED = "generated"

METRICS = {f"relative_mse/{name}": Metric(LOWER, f"Squared error as a share of that of {what}; below 1 is better.")
           for name, what in _BASELINES.items()}
METRICS |= {f"relative_mse_{part}/{name}": Metric(LOWER, f"The same against {what}, {where}.")
            for part, where in _PARTS.items() for name, what in _BASELINES.items()}


_MAX_CLIPS = 96
"""Clips for which baselines are made."""


def metric_info(name: str) -> Metric:
    """Meaning of `horizon/FRAMES`."""
    ahead = int(name.partition("/")[2])
    return Metric(LOWER, f"Squared error {ahead} frames ahead, as a share of that of the last given frame.")


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """Shares of the errors of baselines; nothing where it is not known what was given."""
    paired = inputs.paired
    if paired is None or paired.given is None or samples is not inputs.generated:
        return {}
    paired = _some_of(paired)
    errors = frame_errors(paired)
    names = [name for name in errors if name != _GENERATED]
    generated = errors[_GENERATED]
    estimates = {f"relative_mse/{name}": _quotient(generated, errors[name], paired.video_ids) for name in names}
    if paired.mask is not None and paired.given.shape[1] == paired.targets.shape[1]:
        kinds = np.array([_kind(mask) for mask in paired.mask])
        for part in _PARTS:
            rows = kinds == part
            if rows.any() and not rows.all():
                estimates |= {f"relative_mse_{part}/{name}": _quotient(generated[rows], errors[name][rows],
                                                                    paired.video_ids[rows]) for name in names}
    ahead = paired.targets.shape[1] - paired.given.shape[1]
    if ahead > 0:
        first = paired.given.shape[1]
        estimates |= {f"horizon/{i + 1:02d}": _quotient(*(errors[name][:, first + i:first + i + 1]
                                                     for name in (_GENERATED, "copy")), paired.video_ids)
                      for i in range(ahead)}
    return estimates


def frame_errors(paired: PairedClips) -> dict[str, np.ndarray]:
    """Squared error in levels² of each frame of `generated` clips and of all baselines, float64 [N, T] by name.

    In the mask where there is one; NaN where a frame has nothing of it.
    """
    errors: dict[str, list[np.ndarray]] = {}
    for i, (output, target) in enumerate(zip(paired.outputs, paired.targets, strict=True)):
        mask = None if paired.mask is None else paired.mask[i]
        answers = {_GENERATED: output, **baselines(paired.given[i], mask, target.shape[:3])}
        for name, answer in answers.items():
            errors.setdefault(name, []).append(_errors(answer, target, mask))
    return {name: np.stack(values) for name, values in errors.items()}


def _some_of(paired: PairedClips) -> PairedClips:
    """At most `_MAX_CLIPS` clips, evenly spread."""
    rows = np.unique(np.linspace(0, len(paired.targets) - 1, _MAX_CLIPS).round().astype(int))
    return PairedClips(*(None if values is None else values[rows] for values in paired[:-1]))


def _errors(answer: np.ndarray, target: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    squares = np.square(answer.astype(np.float64) - target).mean(-1)
    if mask is None:
        return squares.mean((1, 2))
    covered = mask[..., 0].sum((1, 2), dtype=np.int64)
    return np.where(covered > 0, (squares * mask[..., 0]).sum((1, 2)) / np.maximum(covered, 1), np.nan)


def _kind(mask: np.ndarray) -> str:
    """Which of `_PARTS` a clip's holes are."""
    if mask.all((1, 2, 3)).any():
        return "missing"
    return "static" if (mask == mask[:1]).all() else "moving"


def _quotient(generated: np.ndarray, baseline: np.ndarray, video_ids: np.ndarray) -> Estimate:
    """Quotient of two mean errors [N, T], with an interval by whole videos."""
    sums = [np.nansum(errors, axis=1) for errors in (generated, baseline)]
    if not len(video_ids) or not sums[1].sum():
        return UNKNOWN
    weights = bootstrap_weights(video_ids)
    draws = (weights @ sums[0]) / np.maximum(weights @ sums[1], 1e-9)
    return from_bootstrap(float(sums[0].sum() / sums[1].sum()), draws)
