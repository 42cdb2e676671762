"""Fidelity of outputs to the clips that they should equal: reconstructions, and all tasks whose target is known.

Measured on held-out clips where there are some. Only for models that are given clips: without pairs there is nothing to
measure. A mean of many possible answers is nearest to the true one, and blurred: these numbers do not see that, the
distances and the sharpness of `evaluation.metrics` do.

References:
    1. Wang et al., Image quality assessment: from error visibility to structural similarity, 2004.
    2. Chu et al., Learning temporal coherence via self-supervision for GAN-based video generation (TecoGAN), 2020,
       arXiv:1811.09393, section 5 (tOF).
    3. Lai et al., Learning blind video temporal consistency, 2018, arXiv:1808.00449, section 4.3.
"""

from itertools import pairwise

import numpy as np
import tensorflow as tf

from gan_keras.evaluation.metrics.estimates import estimate_mean
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, LOWER, Estimates, Metric
from gan_keras.video.flow import frame_flow, warped

METRICS = {
    "fidelity/psnr": Metric(HIGHER, "Peak signal-to-noise ratio of outputs to the clips that they should equal, in "
                            "decibels, the mean over clips."),
    "fidelity/ssim": Metric(HIGHER, "Structural similarity of outputs to the clips that they should equal, 1 for equal "
                            "ones."),
    "fidelity/perceptual": Metric(LOWER, "Distance of the appearance of outputs from that of the clips that they "
                                  "should equal, in features whose spread over real clips is 1."),
    "fidelity/flow_error": Metric(LOWER, "Difference of the optical flow of outputs from that of the true clips (tOF), "
                                  "in pixels a frame."),
    "fidelity/warping_error": Metric(AS_REAL, "Squared difference of each frame of outputs from the next one, brought "
                                     "back by the flow of the true clip, in levels². What is blurred or frozen has "
                                     "little of it."),
    "fidelity/warping_error_of_targets": Metric(AS_REAL, "The same of the true clips.")}

_MAX_PSNR = 100.0
"""Of clips that are equal."""
_CROPPED = 8
"""Pixels of each edge that are left out of flow."""
_MIN_SSIM_SIDE = 11


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics named in `METRICS`, of the generated clips; nothing without pairs."""
    if inputs.paired is None or samples is not inputs.generated:
        return {}
    outputs, targets, video_ids = inputs.paired[:3]
    values = {"fidelity/psnr": psnr(outputs, targets)}
    if min(targets.shape[2:4]) >= _MIN_SSIM_SIDE:
        values["fidelity/ssim"] = ssim(outputs, targets)
    if inputs.paired.features is not None:
        made, true = inputs.paired.features
        values["fidelity/perceptual"] = np.linalg.norm(made - true, axis=1) / np.sqrt(made.shape[1])
    if targets.shape[1] > 1:
        temporal = np.array([temporal_errors(*pair) for pair in zip(outputs, targets, strict=True)])
        names = ("fidelity/flow_error", "fidelity/warping_error", "fidelity/warping_error_of_targets")
        values |= dict(zip(names, temporal.T, strict=True))
    return {name: estimate_mean(value, video_ids) for name, value in values.items()}


def psnr(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """10 log₁₀(255² / mean squared error) of each clip, float64 [N]; 100 where it is more.

    Args:
        outputs: uint8 [N, T, H, W, 3].
        targets: uint8 of the same shape.
    """
    errors = np.array([np.square(output.astype(np.float32) - target).mean(dtype=np.float64)
                       for output, target in zip(outputs, targets, strict=True)])
    return np.minimum(10 * np.log10(255.0**2 / np.maximum(errors, 1e-12)), _MAX_PSNR)


def ssim(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Structural similarity (Wang 2004) of each clip, the mean over frames, float64 [N]; see `psnr`."""
    return np.array([float(tf.reduce_mean(tf.image.ssim(tf.constant(output), tf.constant(target), 255)))
                     for output, target in zip(outputs, targets, strict=True)])


def temporal_errors(output: np.ndarray, target: np.ndarray) -> tuple[float, float, float]:
    """Temporal errors of a clip: of its flow, and by warping, with that of the target.

    Args:
        output: uint8 [T, H, W, 3].
        target: uint8 of the same shape.

    Returns:
        Mean ‖flow of the output - flow of the target‖ (TecoGAN's tOF); and the warping error (Lai 2018) of the output
        and of the target, in levels², NaN where no pixel can be followed.
    """
    cut = min(_CROPPED, min(target.shape[1:3]) // 4)
    inner = (slice(cut, target.shape[1] - cut), slice(cut, target.shape[2] - cut))
    flow_errors, errors, weight = [], np.zeros(2), 0.0
    for (made, made_next), (true, true_next) in zip(pairwise(output), pairwise(target), strict=True):
        flow = frame_flow(true, true_next)
        flow_errors.append(np.linalg.norm(frame_flow(made, made_next) - flow, axis=-1)[inner].mean())
        followed = _followed(flow, frame_flow(true_next, true))
        weight += followed.sum()
        for i, (here, there) in enumerate(((made, made_next), (true, true_next))):
            squares = np.square(here.astype(np.float32) - warped(there.astype(np.float32), flow)).mean(-1)
            errors[i] += (squares * followed).sum()
    with np.errstate(invalid="ignore"):
        return float(np.mean(flow_errors)), *(errors / weight if weight else np.full(2, np.nan))


def _followed(forward: np.ndarray, backward: np.ndarray) -> np.ndarray:
    """Pixels that are seen in both frames and not at an edge of the motion (Lai 2018, from Ruder et al., 2016)."""
    back = warped(backward, forward)
    lengths = np.square(forward).sum(-1) + np.square(back).sum(-1)
    occluded = np.square(forward + back).sum(-1) > 0.01 * lengths + 0.5
    gradients = sum(np.square(np.gradient(backward[..., axis], axis=direction))
                    for axis in (0, 1) for direction in (0, 1))
    return ~occluded & (gradients <= 0.01 * np.square(backward).sum(-1) + 0.002)
