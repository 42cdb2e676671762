"""Reader of how the shape of a clip moves: how far its path is from those of the motions of drawn shapes."""

import numpy as np

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics.factor_reader import Readings

_PERIODS = {"bounce": 2.0, "linear": 1.0, "sine": 2 * np.pi}
"""Of the phase; what is linear begins anywhere in the room."""
_MAX_RATE = 0.3
"""Of a phase, for each frame: that of the fastest shape in the least room, and some more."""
_GRID, _ROUNDS = 17, 5
"""Phases and rates that are tried in a round; each round looks closer around the best."""
_ZOOM = 0.25


def path_distances(readings: Readings, height: int, width: int) -> np.ndarray:
    """How far the path of each clip is from the best one of each motion. All have two numbers for each axis, a phase
    and its rate, so that the least distance says which motion it is; a shape that never comes to the edge of its room
    bounces and moves on a line alike.

    Args:
        readings: of N clips.
        height: of their frames, in pixels.
        width: of their frames, in pixels.

    Returns:
        float64 [N, M] for the M of `moving_shapes.MOTIONS`, root mean square over the valid frames, in units of the
        frame's shorter side; infinity where fewer than half of the frames are valid.
    """
    known = np.flatnonzero(readings.valid.mean(1) >= 0.5)
    distances = np.full((len(readings.valid), len(moving_shapes.MOTIONS)), np.inf)
    for clip in known:
        valid = readings.valid[clip]
        shape = moving_shapes.SHAPES[np.bincount(readings.shape[clip, valid]).argmax()]
        low, extent = moving_shapes.room(shape, float(np.median(readings.radius[clip, valid])), height, width)
        positions, times = (readings.positions[clip, valid] - low) / extent, np.flatnonzero(valid)
        for i, motion in enumerate(moving_shapes.MOTIONS):
            errors = [_error(motion, positions[:, axis], times) * extent[axis]**2 for axis in range(2)]
            distances[clip, i] = np.sqrt(sum(errors))
    return distances


def _error(motion: str, positions: np.ndarray, times: np.ndarray) -> float:
    """Least mean square distance of positions [T] from 0 to 1 at some times [T] from a path of a motion."""
    place = moving_shapes.POSITIONS[motion]
    phase, phase_reach = _PERIODS[motion] / 2, _PERIODS[motion] / 2
    rate, rate_reach = 0.0, _MAX_RATE
    middle = times.mean()  # phases there: what is tried of rates leaves them
    for _ in range(_ROUNDS):
        phases = phase + np.linspace(-phase_reach, phase_reach, _GRID)
        rates = rate + np.linspace(-rate_reach, rate_reach, _GRID)
        paths = place(phases[:, None, None] + rates[None, :, None] * (times - middle))
        errors = np.square(paths - positions).mean(-1)
        row, column = np.unravel_index(errors.argmin(), errors.shape)
        phase, rate = phases[row], rates[column]
        phase_reach, rate_reach = phase_reach * _ZOOM, rate_reach * _ZOOM
    return float(errors[row, column])
