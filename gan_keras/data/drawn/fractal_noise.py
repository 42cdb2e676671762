"""Fractal noise: sums of octaves of smooth random fields, as functions of coordinates without bounds.

Values at the points of a lattice are hashes of their integer coordinates, so nothing is stored and nothing repeats.
Between them a uniform cubic B-spline makes the field smooth (two derivatives are continuous). In time an octave turns
from one lattice into the next with weights whose squares sum to 1: its contrast stays the same while it changes.

Fields are float32 with mean 0, standard deviation 1 and about a normal distribution.
"""

from collections.abc import Iterator

import numpy as np

_GAIN = 0.55
"""Amplitude of an octave relative to the one twice as coarse."""
_LATTICE_DEVIATION = float(np.sqrt(1 / 3) / np.sqrt(1 - _GAIN**2))
"""Standard deviation of lattice values, uniform in -1..1, summed over octaves without end."""
_SPLINE_POWER = 151 / 315
"""Sum of the squares of a point's spline weights, averaged over points; its square in two dimensions."""
_MIN_CELL = 0.7
"""Pixels of a lattice's cell at which an octave has vanished; from twice as many on it is whole."""
_EVOLUTION = 1.3
"""How much faster an octave changes than the one twice as coarse."""


def hash_lattice(key: int, *coordinates: np.ndarray | int) -> np.ndarray:
    """Values of lattice points.

    Args:
        key: of the field; its lowest 32 bits count.
        *coordinates: integers of any size and sign, broadcast against each other.

    Returns:
        float32 in [-1, 1), of the shape that the coordinates broadcast to.
    """
    # Arrays, because they wrap in silence where scalars warn.
    value = _finalize(np.array([key & 0xFFFFFFFF], np.uint32))
    for coordinate in coordinates:
        value = _finalize(value ^ (np.array(coordinate, np.int64, ndmin=1) & 0xFFFFFFFF).astype(np.uint32))
    return (value >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)


def _finalize(value: np.ndarray) -> np.ndarray:
    """The last steps of MurmurHash3 (A. Appleby, public domain): every bit depends on every other."""
    value = value + np.uint32(0x9E3779B1)  # or 0 would stay 0
    value = (value ^ (value >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    value = (value ^ (value >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return value ^ (value >> np.uint32(16))


def fractal_line(key: int, x: np.ndarray, cell: float, finest: float) -> np.ndarray:
    """Fractal noise along a line.

    Args:
        key: of the field.
        x: float [N], any positions.
        cell: length of the coarsest octave's cells.
        finest: length below which cells are left out, such as that of a pixel.

    Returns:
        float32 [N].
    """
    field = np.zeros(len(x), np.float32)
    for octave, amplitude in _octaves(cell / finest):
        position = x * (2.0**octave / cell)
        before = np.floor(position).astype(np.int64)
        weights = _spline_weights((position - before).astype(np.float32))
        field += np.float32(amplitude) * sum(weight * hash_lattice(key + octave, before + tap)
                                             for tap, weight in enumerate(weights))
    return field / np.float32(_LATTICE_DEVIATION * np.sqrt(_SPLINE_POWER))


def fractal_plane(key: int, x: np.ndarray, distance: np.ndarray, depth: np.ndarray, origin: tuple[float, float],
                  cell: tuple[float, float], time: float = 0.0,
                  smoothing: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Fractal noise on a plane in perspective: each row of the picture is a line of the plane at one depth.

    Args:
        key: of the field; keys of different fields are at least 16 apart.
        x: float [W]: columns of the picture, evenly spaced.
        distance: float [H]: the row's line is at `x * distance` across.
        depth: float [H]: place of the row's line in depth.
        origin: place of `x = 0, depth = 0` on the plane, across and in depth: it moves the field rigidly.
        cell: width and depth of the coarsest octave's cells.
        time: of the evolution: after 1 the coarsest octave is another one, finer ones sooner.
        smoothing: factor of the amplitude of each further octave in the second field.

    Returns:
        The field, float32 `[H, W]`, and a smoother one, in which finer octaves have less weight. Where the picture is
        too coarse for an octave, both are without it.
    """
    # Cells of the coarsest octave in pixels, where a row shows them smallest: across or in depth.
    cell_pixels = 1 / np.maximum(np.abs(distance) * abs(x[1] - x[0]) / cell[0], np.abs(np.gradient(depth)) / cell[1])
    field = np.zeros((len(depth), len(x)), np.float32)
    smooth = np.zeros_like(field)
    across = distance[:, None] * x / cell[0]
    for octave, amplitude in _octaves(float(cell_pixels.max())):
        frequency = 2.0**octave
        share = np.clip(cell_pixels / (frequency * _MIN_CELL) - 1, 0, 1)
        rows = slice(int(np.argmax(share > 0)), len(share) - int(np.argmax(share[::-1] > 0)))
        values = _plane_octave(key + octave, (across[rows] * frequency).astype(np.float32),
                               origin[0] * frequency / cell[0], (depth[rows] + origin[1]) * (frequency / cell[1]),
                               time * _EVOLUTION**octave + 0.37 * octave)  # octaves do not change in step
        values *= (amplitude * (share * share * (3 - 2 * share)))[rows, None].astype(np.float32)
        field[rows] += values
        smooth[rows] += values * np.float32(smoothing**octave)
    norm = np.float32(1 / (_LATTICE_DEVIATION * _SPLINE_POWER))
    return field * norm, smooth * norm


def _octaves(resolution: float) -> Iterator[tuple[int, float]]:
    """Numbers and amplitudes of the octaves that are seen, where the coarsest has cells of so many pixels."""
    octave = 0
    while octave == 0 or resolution / 2**octave > _MIN_CELL:
        yield octave, _GAIN**octave
        octave += 1


def _plane_octave(key: int, across: np.ndarray, origin: float, depth: np.ndarray, time: float) -> np.ndarray:
    """One octave, [H, W], where lengths are in cells: `across` is [H, W], `depth` [H]."""
    # Whole cells are taken off in float64: far from 0 the field is as exact as near it.
    whole = int(np.floor(origin))
    across = across + np.float32(origin - whole)
    before = np.floor(across)
    weights = _spline_weights(across - before)
    before = before.astype(np.intp)
    first, columns = int(before.min()), int(np.ptp(before)) + 4
    line = np.floor(depth).astype(np.int64)
    lines = np.arange(line.min(), line.max() + 4)
    lattice = _lattice_at(key, time, lines[:, None], whole + first + np.arange(columns))
    lattice_rows = sum(weight[:, None] * lattice[line - lines[0] + tap]
                       for tap, weight in enumerate(_spline_weights((depth - line).astype(np.float32))))
    index = before - first + np.arange(len(depth))[:, None] * columns
    flat = lattice_rows.ravel()
    return sum(weight * flat.take(index + tap) for tap, weight in enumerate(weights))


def _lattice_at(key: int, time: float, lines: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Lattice values at a time, between those of two whole times."""
    before = int(np.floor(time))
    share = time - before
    angle = np.pi / 2 * share * share * (3 - 2 * share)
    return (np.float32(np.cos(angle)) * hash_lattice(key, before, lines, columns)
            + np.float32(np.sin(angle)) * hash_lattice(key, before + 1, lines, columns))


def _spline_weights(share: np.ndarray) -> tuple[np.ndarray, ...]:
    """Weights of four successive lattice values, at a share in [0, 1) of the way from the second to the third."""
    square, rest = share * share, 1 - share
    first = rest * rest * rest * np.float32(1 / 6)
    last = square * share * np.float32(1 / 6)
    second = np.float32(2 / 3) - square + 3 * last
    return first, second, 1 - first - second - last, last
