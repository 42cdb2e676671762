"""Known factors: whether clips of one moving shape show just that, keep it, and are as varied as real ones.

Only for data of that kind, as `moving_shapes` draws it: nothing is measured where fewer than half of the real
clips are valid. `factor_reader` defines what is read from a frame, and when a frame is valid.

A clip is valid if 90 % of its frames are. All metrics but the two shares of the valid are of valid clips alone, and NaN
where there are none. Lengths are in units of the frame's shorter side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics.estimates import bootstrap_weights, estimate_mean, from_bootstrap
from gan_keras.evaluation.metrics.factor_reader import Readings, read_clips
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, LOWER, Estimate, Estimates, Metric, Plot

_MIN_VALID_FRAMES = 0.9
# Largest difference of a frame from the clip's median for the same shape: in levels of 255, over the three channels
# together, and as a share of the radius. Reading noise is far below both.
_MAX_COLOUR_CHANGE, _MAX_RADIUS_CHANGE = 40.0, 0.15
_MIN_SPEED = 0.002
"""Mean speed from which on a clip moves: an eighth of a pixel of 64 each frame."""

# Edges of the bins; a value beyond the last one falls into a last bin of its own.
_SPEEDS = np.array([0.002, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.12])
_RADII = np.arange(0.025, 0.3, 0.01)
_CONTRASTS = np.arange(30.0, 442.0, 30.0)
_GRID = 3
"""Rows and columns of the bins of positions."""

METRICS = {
    "factors/valid_frames": Metric(HIGHER, "Share of frames that show exactly one solid, sharp circle, square or "
                                   "triangle of one colour on a plain background.", ("blur", "noise")),
    "factors/valid_clips": Metric(HIGHER, "Share of clips of which at least 90 % of the frames are valid.",
                                  ("blur", "noise")),
    "factors/identity_kept": Metric(HIGHER, "Share of the valid clips whose shape, colour and size stay the same.",
                                   ("splice",)),
    "factors/smoothness": Metric(AS_REAL, "How unsteadily shapes move: a clip's median acceleration over its mean "
                                 "speed, so that a bounce or two do not count. 0 is steady.", ("shuffle", "jitter")),
    "factors/shape_variation": Metric(LOWER, "Distance between the shares of circles, squares and triangles in the "
                                      "clips and in real ones: 0 is the same, 1 is none in common.",
                                      ("repeat",)),
    "factors/colour_variation": Metric(LOWER, "Distance between the shares of six hues in the clips and in real ones.",
                                       ("repeat",)),
    "factors/contrast_variation": Metric(LOWER, "Distance between the distributions of how far shapes stand out from "
                                         "the background in the clips and in real ones.", ("repeat",)),
    "factors/size_variation": Metric(LOWER, "Distance between the distributions of sizes in the clips and in real "
                                     "ones.", ("repeat",)),
    "factors/position_variation": Metric(LOWER, "Distance between the distributions of shapes over the nine fields of "
                                         "the frame in the clips and in real ones.", ("repeat",)),
    "factors/speed_variation": Metric(LOWER, "Distance between the distributions of speeds in the clips and in real "
                                      "ones.", ("freeze", "shuffle", "repeat")),
}


@dataclass(frozen=True, eq=False)
class ClipFactors:
    """Factors of each clip, from the readings of its frames; -1 and NaN for clips that are not valid.

    Attributes:
        valid_frames: float64 [N], share of the frames.
        valid: bool [N].
        identity_kept: float64 [N], 1.0 or 0.0.
        shape: int64 [N], that of most valid frames, as in `Readings`.
        colour: int64 [N], likewise.
        contrast: float64 [N], median, 0 to 442.
        radius: float64 [N], median.
        position: int64 [N], cell of a 3x3 grid that the mean position is in, row by row.
        speed: float64 [N], mean.
        smoothness: float64 [N], median acceleration over mean speed; NaN for a clip that does not move.
    """

    valid_frames: np.ndarray
    valid: np.ndarray
    identity_kept: np.ndarray
    shape: np.ndarray
    colour: np.ndarray
    contrast: np.ndarray
    radius: np.ndarray
    position: np.ndarray
    speed: np.ndarray
    smoothness: np.ndarray

    @property
    def bins(self) -> dict[str, tuple[np.ndarray, int]]:
        """Bin of each clip, int64 [N], and the number of bins, by name of the factor."""
        return {"shape": (self.shape, len(moving_shapes.SHAPES)),
                "colour": (self.colour, len(moving_shapes.COLOURS)),
                "contrast": (np.digitize(self.contrast, _CONTRASTS), len(_CONTRASTS) + 1),
                "size": (np.digitize(self.radius, _RADII), len(_RADII) + 1),
                "position": (self.position, _GRID**2),
                "speed": (np.digitize(self.speed, _SPEEDS), len(_SPEEDS) + 1)}


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics in `METRICS`; nothing where fewer than half of the real clips are valid."""
    real = read_set(inputs.real)
    if not _is_applicable(real):
        return {}
    factors = read_set(samples)
    means = {"valid_frames": factors.valid_frames, "valid_clips": factors.valid.astype(float),
             "identity_kept": factors.identity_kept, "smoothness": factors.smoothness}
    estimates = {f"factors/{name}": estimate_mean(values, samples.video_ids) for name, values in means.items()}
    weights = _clip_weights(factors, samples.video_ids, seed=0), _clip_weights(real, inputs.real.video_ids, seed=1)
    for name, (bins, count) in factors.bins.items():
        estimates[f"factors/{name}_variation"] = _estimate_distance(
            _shares(bins, count, weights[0]), _shares(real.bins[name][0], count, weights[1]))
    return estimates


def plots(inputs: MetricInputs) -> list[Plot]:
    """Shares of shapes and colours of each set of clips; nothing where fewer than half of the real ones are valid."""
    if not _is_applicable(read_set(inputs.real)):
        return []
    sets = {"generated": inputs.generated, "real": inputs.real, "held out": inputs.held_out}
    bins = {name: read_set(clips).bins for name, clips in sets.items() if clips is not None}
    plotted = (("shape", "Shapes", moving_shapes.SHAPES),
               ("colour", "Colours, by the nearest hue", tuple(moving_shapes.COLOURS)))
    return [Plot(title, "", "share of the valid clips", "bars",
                 {name: _shares(*factors[factor], (factors[factor][0] >= 0)[None].astype(float))[0]
                  for name, factors in bins.items()}, names)
            for factor, title, names in plotted]


_cache: WeakKeyDictionary[ClipSet, ClipFactors] = WeakKeyDictionary()


def read_set(clips: ClipSet) -> ClipFactors:
    """Factors of a set of clips; read once and cached as long as the set is in use."""
    if clips not in _cache:
        _cache[clips] = read_factors(clips.clips)
    return _cache[clips]


def read_factors(clips: np.ndarray) -> ClipFactors:
    """Factors of clips, uint8 [N, T, H, W, 3]."""
    readings, (height, width) = read_clips(clips), clips.shape[2:4]
    valid_frames = readings.valid.mean(axis=1)
    valid = valid_frames >= _MIN_VALID_FRAMES
    shape = _most_frequent(readings.shape, len(moving_shapes.SHAPES), valid)
    radius = _over_frames(np.nanmedian, readings.radius, valid)
    kept = _keeps_identity(readings, shape, radius, _over_frames(np.nanmedian, readings.rgb, valid))
    centre = _over_frames(np.nanmean, readings.positions, valid) * min(height, width) / (width, height)  # [N, 2]
    column, row = np.nan_to_num(np.clip(centre * _GRID, 0, _GRID - 1)).astype(int).T
    speed = _over_frames(np.nanmean, np.linalg.norm(readings.velocities, axis=-1), valid)
    acceleration = _over_frames(np.nanmedian, np.linalg.norm(readings.accelerations, axis=-1), valid)
    return ClipFactors(
        valid_frames, valid, np.where(valid, kept, np.nan), shape,
        _most_frequent(readings.colour, len(moving_shapes.COLOURS), valid),
        _over_frames(np.nanmedian, readings.contrast, valid), radius, np.where(valid, row * _GRID + column, -1), speed,
        acceleration / np.where(speed >= _MIN_SPEED, speed, np.nan))


def _keeps_identity(readings: Readings, shape: np.ndarray, radius: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """Whether all valid frames of a clip are of its shape [N], radius [N] and colour [N, 3]: bool [N]."""
    # A comparison with NaN is False: frames that are not valid change nothing.
    changed = ((readings.shape != shape[:, None])
               | (np.linalg.norm(readings.rgb - rgb[:, None], axis=-1) > _MAX_COLOUR_CHANGE)
               | (np.abs(readings.radius / radius[:, None] - 1) > _MAX_RADIUS_CHANGE))
    return ~(changed & readings.valid).any(axis=1)


def _over_frames(average: Callable[..., np.ndarray], values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Averages over frames, [N, T, ...] → float64 [N, ...]; NaN for clips that are not valid or have no value."""
    averages = np.full((len(values), *values.shape[2:]), np.nan)
    known = valid & np.isfinite(values).any(axis=tuple(range(1, values.ndim)))
    if known.any():
        averages[known] = average(values[known], axis=1)
    return averages


def _most_frequent(values: np.ndarray, count: int, valid: np.ndarray) -> np.ndarray:
    """Most frequent of 0 to count - 1, int64 [N, T] → [N]; -1 for clips that are not valid."""
    return np.where(valid, (values[..., None] == np.arange(count)).sum(axis=1).argmax(axis=-1), -1)


def _is_applicable(real: ClipFactors) -> bool:
    return len(real.valid) > 0 and bool(real.valid.mean() >= 0.5)


def _clip_weights(factors: ClipFactors, video_ids: np.ndarray, seed: int) -> np.ndarray:
    """Equal weights in the first row, then bootstrap weights; 0 for clips that are not valid: [1 + BOOTSTRAPS, N]."""
    return np.vstack([np.ones(len(video_ids)), bootstrap_weights(video_ids, seed)]) * factors.valid


def _shares(bins: np.ndarray, count: int, weights: np.ndarray) -> np.ndarray:
    """Shares of the bins under each row of weights, [..., count]; NaN where all weights are 0."""
    counts = weights @ (bins[:, None] == np.arange(count))
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, np.nan)


def _estimate_distance(shares: np.ndarray, real_shares: np.ndarray) -> Estimate:
    """Total variation distance of shares, half the sum of their absolute differences.

    Any two histograms differ more when clips are drawn again, so the interval is centred, and clipped to 0 to 1.

    Args:
        shares: [1 + BOOTSTRAPS, count], the first row of all clips, the others of the draws.
        real_shares: likewise.
    """
    distances = np.abs(shares - real_shares).sum(axis=1) / 2
    estimate = from_bootstrap(float(distances[0]), distances[1:], centered=True)
    return Estimate(estimate.value, *(float(end) for end in np.clip((estimate.low, estimate.high), 0, 1)))
