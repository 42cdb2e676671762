"""Optical flow: how fast what is seen moves, and whether it moves one way.

- *speed* of a clip: mean length of the flow over all pixels and frames, in percent of the frame's shorter side. Things
  that move half as fast as real ones make a distance of motion larger; this says that it is their speed.
- *coherence* of a clip: length of the mean flow of a frame, summed over the frames, divided by the sum of the mean
  lengths: 1 where all moves the same way, about 0 where as much goes one way as the other. Unknown where next to
  nothing moves.

All of a sky goes with the wind, all of a scene with the camera; a person waves with both arms. Pixels that change
without anything moving, and things drawn over each other that move against each other, have flow to all sides,
whatever the amount of motion. Coherence does not compare one frame's direction with the next one's, and so need not see
the order of frames (`dynamics/jerk` does).
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from gan_keras.evaluation.metrics.estimates import estimate_mean
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import AS_REAL, Estimates, Metric
from gan_keras.video.flow import dense_flow

METRICS = {
    "flow/speed": Metric(
        AS_REAL, "How far pixels move from frame to frame, in percent of the frame's shorter side; of up to 128 clips.",
        ("slow", "freeze", "shuffle")),
    "flow/coherence": Metric(
        AS_REAL, "How much of the motion in a frame goes one way, from 0, to all sides, to 1; of up to 128 clips.",
        ("noise",))}

MAX_CLIPS = 128
"""Flow takes longer than all other metrics of a clip together."""
_MIN_FLOW = 5e-4
"""Of the frame's shorter side: a thirtieth of a pixel of 64."""


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics in `METRICS`; NaN for clips of one frame, coherence also where none of them moves."""
    samples = samples.subsample(MAX_CLIPS)
    values = np.full((len(samples), len(METRICS)), np.nan)
    if samples.clips.shape[1] > 1:
        with ThreadPoolExecutor() as pool:
            values = np.array(list(pool.map(_speed_and_coherence, samples.clips)))
    return {name: estimate_mean(of_clips, samples.video_ids)
            for name, of_clips in zip(METRICS, values.T, strict=True)}


def _speed_and_coherence(clip: np.ndarray) -> tuple[float, float]:
    """Of one clip uint8 [T, H, W, 3], in the order of `METRICS`; coherence is NaN where it hardly moves."""
    flow = dense_flow(clip)  # [T - 1, h, w, 2]
    together, amount = np.linalg.norm(flow.mean(axis=(1, 2)), axis=-1), np.linalg.norm(flow, axis=-1).mean(axis=(1, 2))
    coherence = float(together.sum() / amount.sum()) if amount.mean() >= _MIN_FLOW else np.nan
    return 100 * float(amount.mean()), coherence
