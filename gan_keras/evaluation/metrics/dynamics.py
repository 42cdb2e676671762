"""Dynamics: how clips change from frame to frame, and how they drift over their length.

Each metric is the mean of a value of each clip. Pixels are in levels of 255. `thumbnails` below are averages of blocks
that leave about 16 pixels on the shorter side, and `cells` of blocks that leave about 8: coarse enough that an edge
that passes a pixel is no jump, fine enough that the motion of a small thing shows.

- *motion*: mean |x[t + 1] - x[t]| of pixels.
- *repeated frames*: share of successive frames of which no thumbnail value differs by more than 1 level.
- *frozen*: 1 where at least 9 of 10 successive frames have no thumbnail value that differs by more than 2 levels.
- *looping*: 1 where for some period p from 2 to T / 2 thumbnails p frames apart are at most 0.3 times as different, on
  average, as those of some shorter lag, and that difference is at least 2 levels (root of mean squares): the clip has
  left a frame, come back to it, and goes through the same again. Playing forwards and backwards is no loop.
- *flicker*: mean |m[t + 1] - 2 m[t] + m[t - 1]| of the frame's mean colour m: 0 for a fade or a thing that moves
  evenly.
- *jerk*: mean |second difference| of cells over time divided by their mean |first difference|: 0 for an even fade, near
  1 for smooth motion, √3 for unrelated frames, 2 for two that alternate. Unknown where the first difference is below
  0.1 levels.
- *drift*: root of the mean squared difference between the first and the last quarter of a clip, in mean colour,
  standard deviation of colour, and mean difference of neighbouring pixels (sharpness).

All are the same for a clip that is played backwards.
"""

from collections.abc import Iterator

import numpy as np

from gan_keras.evaluation.metrics.estimates import estimate_mean
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import AS_REAL, LOWER, Estimates, Metric, Plot
from gan_keras.evaluation.thumbnails import THUMBNAIL_SIDE, block_means, block_size

CHUNK_VALUES = 2**23
"""Values of clips that are held as floats at a time."""

_CELL_SIDE = 8
_REPEATED_LEVELS, _FROZEN_LEVELS, _FROZEN_SHARE = 1.0, 2.0, 0.9
_LOOP_RATIO, _LOOP_LEVELS = 0.3, 2.0
_MIN_MOTION = 0.1

METRICS = {
    "dynamics/motion": Metric(
        AS_REAL, "Mean difference between successive frames, in levels of 255.", ("noise", "freeze", "shuffle")),
    "dynamics/repeated_frames": Metric(
        AS_REAL, "Share of successive frames that are equal to within a level.", ("freeze",)),
    "dynamics/frozen": Metric(
        AS_REAL, "Share of frozen clips: at least 9 of 10 successive frames differ by 2 levels at most."),
    "dynamics/looping": Metric(
        LOWER, "Share of clips that come back to a former frame and go through the same again.", ("loop",)),
    "dynamics/flicker": Metric(
        AS_REAL, "How unevenly the mean colour of frames changes: its mean second difference, in levels of 255.",
        ("flicker",)),
    "dynamics/jerk": Metric(
        AS_REAL, "How unsteady motion is: mean second difference over time divided by the first; near 1 for smooth "
        "motion, 1.7 for frames in no order.", ("shuffle", "jitter")),
    "dynamics/drift": Metric(
        AS_REAL, "How far colour, contrast and sharpness are apart in the first and the last quarter of a clip, in "
        "levels of 255.", ("fade",))}


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics in `METRICS`; NaN where clips are too short for them."""
    chunks = [_values(clips) for clips in _chunks(samples.clips)]
    return {f"dynamics/{name}": estimate_mean(np.concatenate([values[name] for values in chunks]), samples.video_ids)
            for name in chunks[0]}


def plots(inputs: MetricInputs) -> list[Plot]:
    """Curves of the change from frame to frame and of the distance from the first frame, of each set of clips."""
    sets = {"generated": inputs.generated, "real": inputs.real}
    if inputs.held_out is not None:
        sets["held out"] = inputs.held_out
    if inputs.generated.clips.shape[1] < 2:
        return []
    curves = {name: np.mean([curve for chunk in _chunks(clips.clips) for curve in _curves(chunk)], axis=0)
              for name, clips in sets.items()}
    seconds = tuple(float(time) for time in np.arange(1, inputs.generated.clips.shape[1]) / inputs.fps)
    return [Plot(title, "seconds", "levels of 255", "lines", {name: curve[row] for name, curve in curves.items()},
                 seconds)
            for row, title in enumerate(("Change from frame to frame", "Distance from the first frame"))]


def _chunks(clips: np.ndarray) -> Iterator[np.ndarray]:
    """Clips as float32, some at a time."""
    step = max(1, CHUNK_VALUES // clips[0].size)
    for first in range(0, len(clips), step):
        yield clips[first:first + step].astype(np.float32)


def _curves(clips: np.ndarray) -> np.ndarray:
    """Mean difference of each later frame from the one before it, and from the first: float32 [N, 2, T - 1]."""
    change = np.abs(np.diff(clips, axis=1)).mean((2, 3, 4))
    return np.stack([change, np.abs(clips[:, 1:] - clips[:, :1]).mean((2, 3, 4))], axis=1)


def _values(clips: np.ndarray) -> dict[str, np.ndarray]:
    """Value of each clip for each metric: float [N, T, H, W, 3] → [N] by name."""
    length, (height, width) = clips.shape[1], clips.shape[2:4]
    if length < 2:
        return {name.split("/")[1]: np.full(len(clips), np.nan) for name in METRICS}
    thumbnails = block_means(clips, block_size(height, width, THUMBNAIL_SIDE))
    cells = block_means(clips, block_size(height, width, _CELL_SIDE))
    largest = np.abs(np.diff(thumbnails, axis=1)).max((2, 3, 4))  # [N, T - 1]
    return {"motion": np.abs(np.diff(clips, axis=1)).mean((1, 2, 3, 4)),
            "repeated_frames": (largest <= _REPEATED_LEVELS).mean(axis=1),
            "frozen": ((largest <= _FROZEN_LEVELS).mean(axis=1) >= _FROZEN_SHARE).astype(float),
            "looping": _looping(thumbnails),
            "flicker": _mean_second_difference(clips.mean((2, 3))),
            "jerk": _jerk(cells),
            "drift": _drift(clips)}


def _mean_second_difference(values: np.ndarray) -> np.ndarray:
    """Mean over all but the first axis: [N, T, ...] → [N]; NaN for fewer than three frames."""
    if values.shape[1] < 3:
        return np.full(len(values), np.nan)
    return np.abs(np.diff(values, 2, axis=1)).mean(axis=tuple(range(1, values.ndim)))


def _jerk(cells: np.ndarray) -> np.ndarray:
    motion = np.abs(np.diff(cells, axis=1)).mean((1, 2, 3, 4))
    moving = np.where(motion >= _MIN_MOTION, motion, np.nan)
    return _mean_second_difference(cells) / moving


def _looping(thumbnails: np.ndarray) -> np.ndarray:
    """1.0 where a clip repeats itself, else 0.0; NaN for fewer than four frames: float64 [N]."""
    count, length = thumbnails.shape[:2]
    if length < 4:
        return np.full(count, np.nan)
    lags = range(1, length // 2 + 1)
    differences = np.stack([np.sqrt(((thumbnails[:, lag:] - thumbnails[:, :-lag])**2).mean((2, 3, 4))).mean(axis=1)
                            for lag in lags], axis=1)  # [N, lags]
    departure = np.maximum.accumulate(differences, axis=1)[:, :-1]  # the largest difference of the shorter lags
    return ((departure >= _LOOP_LEVELS) & (differences[:, 1:] <= _LOOP_RATIO * departure)).any(axis=1).astype(float)


def _drift(clips: np.ndarray) -> np.ndarray:
    quarter = max(1, clips.shape[1] // 4)
    first, last = (_appearance(clips[:, frames]) for frames in (slice(quarter), slice(-quarter, None)))
    return np.sqrt(((first - last)**2).mean(axis=1))


def _appearance(clips: np.ndarray) -> np.ndarray:
    """Mean and standard deviation of each colour, and sharpness, averaged over frames: [N, 7]."""
    down = np.abs(np.diff(clips, axis=2)).mean((1, 2, 3, 4))
    across = np.abs(np.diff(clips, axis=3)).mean((1, 2, 3, 4))
    return np.concatenate([clips.mean((1, 2, 3)), clips.std(axis=(2, 3)).mean(axis=1), (down + across)[:, None] / 2],
                          axis=1)
