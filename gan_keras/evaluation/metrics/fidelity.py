"""Fidelity of outputs to the clips that they should equal: reconstructions, and all tasks whose target is known.

Measured on held-out clips where there are some. Only for models that are given clips: without pairs there is nothing to
measure.
"""

import numpy as np

from gan_keras.evaluation.metrics.estimates import estimate_mean
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import HIGHER, Estimates, Metric

METRICS = {"fidelity/psnr": Metric(HIGHER, "Peak signal-to-noise ratio of outputs to the clips that they should equal, "
                                   "in decibels, the mean over clips.")}

_MAX_PSNR = 100.0
"""Of clips that are equal."""


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics named in `METRICS`, of the generated clips; nothing without pairs."""
    if inputs.paired is None or samples is not inputs.generated:
        return {}
    values = psnr(inputs.paired.outputs, inputs.paired.targets)
    return {"fidelity/psnr": estimate_mean(values, inputs.paired.video_ids)}


def psnr(outputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """10 log₁₀(255² / mean squared error) of each clip, float64 [N]; 100 where it is more.

    Args:
        outputs: uint8 [N, T, H, W, 3].
        targets: uint8 of the same shape.
    """
    errors = np.array([np.square(output.astype(np.float32) - target).mean(dtype=np.float64)
                       for output, target in zip(outputs, targets, strict=True)])
    return np.minimum(10 * np.log10(255.0**2 / np.maximum(errors, 1e-12)), _MAX_PSNR)
