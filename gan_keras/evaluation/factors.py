"""Known factors: whether clips of one moving shape show just that, keep it, and are as varied as real ones.

Only for data of that kind, as `video.shapes` draws it: where fewer than half of the real clips read as such, there is
nothing to measure. `factor_reader` says what is read from a frame and when a frame is valid.

A clip is valid if 90 % of its frames are: of 16, one may fail. Every number but the two shares of the valid is of valid
clips alone, and NaN where there is none. Lengths are in units of the frame's shorter side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gan_keras.evaluation.evidence import ClipSet, Evidence
from gan_keras.evaluation.factor_reader import Readings, read_clips
from gan_keras.evaluation.findings import (
    AS_REAL,
    HIGHER,
    LEVEL,
    LOWER,
    Estimate,
    Metric,
    Plot,
    draw_weights,
    estimate_mean,
)
from gan_keras.video import shapes

ALL_BUT_FEW = 0.9
# What a clip's frames may differ by from its median and be of the same thing: levels of 255, over the three channels
# together, and a share of the radius. Reading noise is far below both.
SAME_COLOUR, SAME_RADIUS = 40.0, 0.15
LEAST_SPEED = 0.002
"""Mean speed from which on a clip moves: an eighth of a pixel of 64 each frame."""

# Edges of the bins; a value beyond the last falls into a last bin of its own.
_SPEEDS = np.array([0.002, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.12])
_RADII = np.arange(0.025, 0.3, 0.01)
_CONTRASTS = np.arange(30.0, 442.0, 30.0)
_GRID = 3  # rows and columns of places

METRICS = {
    "factors/valid_frames": Metric(HIGHER, "Share of frames that show exactly one solid, sharp circle, square or "
                                   "triangle of one colour on a plain ground.", ("blur", "noise")),
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
                                         "the ground in the clips and in real ones.", ("repeat",)),
    "factors/size_variation": Metric(LOWER, "Distance between the distributions of sizes in the clips and in real "
                                     "ones.", ("repeat",)),
    "factors/position_variation": Metric(LOWER, "Distance between the distributions of shapes over the nine fields of "
                                         "the frame in the clips and in real ones.", ("repeat",)),
    "factors/speed_variation": Metric(LOWER, "Distance between the distributions of speeds in the clips and in real "
                                      "ones.", ("freeze", "shuffle", "repeat")),
}


@dataclass(frozen=True, eq=False)
class ClipFactors:
    """What the readings of its frames make of each clip; those that are not valid have -1 and NaN.

    Attributes:
        valid_frames: float64 [N], share of the frames.
        valid: bool [N].
        identity_kept: float64 [N], 1.0 or 0.0.
        shape: int64 [N], that of most valid frames, as in `Readings`.
        colour: int64 [N], likewise.
        contrast: float64 [N], median, 0 to 442.
        radius: float64 [N], median.
        place: int64 [N], field of the frame that the mean position is in, by rows.
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
    place: np.ndarray
    speed: np.ndarray
    smoothness: np.ndarray

    @property
    def bins(self) -> dict[str, tuple[np.ndarray, int]]:
        """Which bin each clip is in, int64 [N], and how many there are, by the name of the factor."""
        return {"shape": (self.shape, len(shapes.SHAPES)),
                "colour": (self.colour, len(shapes.COLOURS)),
                "contrast": (np.digitize(self.contrast, _CONTRASTS), len(_CONTRASTS) + 1),
                "size": (np.digitize(self.radius, _RADII), len(_RADII) + 1),
                "position": (self.place, _GRID**2),
                "speed": (np.digitize(self.speed, _SPEEDS), len(_SPEEDS) + 1)}


def measure(candidate: ClipSet, evidence: Evidence) -> dict[str, Estimate]:
    """All of `METRICS`; nothing where fewer than half of the real clips are valid."""
    real = read_set(evidence.real)
    if not _applies(real):
        return {}
    found = read_set(candidate)
    means = {"valid_frames": found.valid_frames, "valid_clips": found.valid.astype(float),
             "identity_kept": found.identity_kept, "smoothness": found.smoothness}
    estimates = {f"factors/{name}": estimate_mean(values, candidate.sources) for name, values in means.items()}
    weights = _weigh(found, candidate.sources, seed=0), _weigh(real, evidence.real.sources, seed=1)
    for name, (bins, count) in found.bins.items():
        theirs = real.bins[name][0]
        estimates[f"factors/{name}_variation"] = _estimate_distance(
            _shares(bins, count, weights[0]), _shares(theirs, count, weights[1]))
    return estimates


def plots(evidence: Evidence) -> list[Plot]:
    """Shares of shapes and colours, generated beside real; nothing where fewer than half of the real are valid."""
    if not _applies(read_set(evidence.real)):
        return []
    sets = {"generated": evidence.generated, "real": evidence.real, "held out": evidence.held_out}
    found = {name: read_set(clips).bins for name, clips in sets.items() if clips is not None}
    drawn = (("shape", "Shapes", shapes.SHAPES), ("colour", "Colours, by the nearest hue", tuple(shapes.COLOURS)))
    return [Plot(title, "", "share of the valid clips", "bars",
                 {name: _shares(*bins[factor], (bins[factor][0] >= 0)[None].astype(float))[0]
                  for name, bins in found.items()}, names)
            for factor, title, names in drawn]


_read: WeakKeyDictionary[ClipSet, ClipFactors] = WeakKeyDictionary()


def read_set(clips: ClipSet) -> ClipFactors:
    """The factors of a set's clips; read once and remembered as long as the set is in use."""
    if clips not in _read:
        _read[clips] = sum_up(read_clips(clips.clips), *clips.clips.shape[2:4])
    return _read[clips]


def sum_up(readings: Readings, height: int, width: int) -> ClipFactors:
    """Makes readings of frames into factors of clips.

    Args:
        readings: of [N, T] frames.
        height: of the frames, in pixels.
        width: likewise.
    """
    valid_frames = readings.valid.mean(axis=1)
    valid = valid_frames >= ALL_BUT_FEW
    colour = _over_frames(np.nanmedian, readings.rgb, valid)
    radius = _over_frames(np.nanmedian, readings.radius, valid)
    shape = _most_frequent(readings.shape, len(shapes.SHAPES), valid)
    # Comparing with NaN gives False: frames that are not valid change nothing.
    changed = ((readings.shape != shape[:, None])
               | (np.linalg.norm(readings.rgb - colour[:, None], axis=-1) > SAME_COLOUR)
               | (np.abs(readings.radius / radius[:, None] - 1) > SAME_RADIUS))
    kept = ~(changed & readings.valid).any(axis=1)
    field = _over_frames(np.nanmean, readings.positions, valid) * min(height, width) / (width, height)  # [N, 2]
    column, row = np.nan_to_num(np.clip(field * _GRID, 0, _GRID - 1)).astype(int).T
    speed = _over_frames(np.nanmean, np.linalg.norm(readings.velocities, axis=-1), valid)
    acceleration = _over_frames(np.nanmedian, np.linalg.norm(readings.accelerations, axis=-1), valid)
    return ClipFactors(
        valid_frames, valid, np.where(valid, kept, np.nan), shape,
        _most_frequent(readings.colour, len(shapes.COLOURS), valid),
        _over_frames(np.nanmedian, readings.contrast, valid), radius, np.where(valid, row * _GRID + column, -1), speed,
        acceleration / np.where(speed >= LEAST_SPEED, speed, np.nan))


def _over_frames(average: Callable[..., np.ndarray], values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Averages over frames, [N, T, ...] → float64 [N, ...]; NaN for clips that are not valid or have no number."""
    averages = np.full((len(values), *values.shape[2:]), np.nan)
    known = valid & np.isfinite(values).any(axis=tuple(range(1, values.ndim)))
    if known.any():
        averages[known] = average(values[known], axis=1)
    return averages


def _most_frequent(values: np.ndarray, count: int, valid: np.ndarray) -> np.ndarray:
    """int64 [N, T] → [N]: of 0 to count - 1; -1 for clips that are not valid."""
    return np.where(valid, (values[..., None] == np.arange(count)).sum(axis=1).argmax(axis=-1), -1)


def _applies(real: ClipFactors) -> bool:
    return len(real.valid) > 0 and bool(real.valid.mean() >= 0.5)


def _weigh(found: ClipFactors, sources: np.ndarray, seed: int) -> np.ndarray:
    """All clips alike, and below that bootstrap weights; 0 for clips that are not valid: [1 + BOOTSTRAPS, N]."""
    return np.vstack([np.ones(len(sources)), draw_weights(sources, seed)]) * found.valid


def _shares(bins: np.ndarray, count: int, weights: np.ndarray) -> np.ndarray:
    """Shares of the bins under each row of weights, [..., count]; NaN where all weights are 0."""
    counts = weights @ (bins[:, None] == np.arange(count))
    total = counts.sum(axis=1, keepdims=True)
    return counts / np.where(total > 0, total, np.nan)


def _estimate_distance(ours: np.ndarray, theirs: np.ndarray) -> Estimate:
    """Total variation distance of shares, half the sum of their absolute differences.

    Drawing clips again makes any two histograms differ more. What that adds to the distance on average is taken off
    the ends of the interval again.

    Args:
        ours: [1 + BOOTSTRAPS, count], the first row as found, the others drawn.
        theirs: likewise.
    """
    distances = np.abs(ours - theirs).sum(axis=1) / 2
    value, drawn = distances[0], distances[1:][np.isfinite(distances[1:])]
    if not (np.isfinite(value) and len(drawn)):
        return Estimate(np.nan, np.nan, np.nan)
    tail = (1 - LEVEL) / 2
    low, high = np.clip(value + np.quantile(drawn, [tail, 1 - tail]) - drawn.mean(), 0, 1)
    return Estimate(float(value), float(min(low, value)), float(max(high, value)))
