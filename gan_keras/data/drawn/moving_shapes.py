"""Clips of one solid shape that moves on black, with known factors.

What a generator should learn from them is known exactly: which shapes, colours, sizes and motions there are, and that
shape, colour and size stay the same over a clip. Colours are far apart, and shapes of one size have equal area, so that
the size can be measured as the area without knowing the shape.

Lengths are in units of the frame's shorter side; positions are of the shape's centre of area, x to the right and y
down.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

SHAPES = ("circle", "square", "triangle")
COLOURS = {"red": (230, 40, 40), "green": (40, 200, 70), "blue": (60, 90, 245), "yellow": (240, 210, 40),
           "magenta": (220, 60, 220), "cyan": (40, 215, 225)}
POSITIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "bounce": lambda phase: 1 - np.abs(1 - phase % 2), "linear": lambda phase: phase,
    "sine": lambda phase: 0.5 + 0.5 * np.sin(phase)}
"""By motion: where an axis is in the room there is, from 0 to 1, at a phase that grows evenly with time."""
MOTIONS = tuple(POSITIONS)
LABELS = ("shape", "colour", "motion")
"""Factors that can be the class of a clip."""

FPS = 15.0
# Radius of the disc of equal area: a shape is a quarter to a third of the frame wide.
RADIUS = (0.125, 0.17)
SPEED = (0.03, 0.06)

_HALF_SIDE = np.sqrt(np.pi) / 2  # of the square, for radius 1
_INRADIUS = np.sqrt(np.pi / (3 * np.sqrt(3)))  # of the equilateral triangle, for radius 1
# How far a shape reaches from its centre, for radius 1: left, top, right, bottom.
_REACH = {"circle": (1.0, 1.0, 1.0, 1.0),
          "square": (_HALF_SIDE,) * 4,
          "triangle": (np.sqrt(3) * _INRADIUS, 2 * _INRADIUS, np.sqrt(3) * _INRADIUS, _INRADIUS)}


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of variation of a clip."""

    shape: str
    colour: str
    radius: float
    """Of the disc of equal area."""
    motion: str
    positions: np.ndarray
    """float64 [T, 2]: x and y of the centre."""

    @property
    def velocities(self) -> np.ndarray:
        """float64 [T - 1, 2]: displacement of the centre from each frame to the next."""
        return np.diff(self.positions, axis=0)


def factors_of(index: int, motions: tuple[str, ...]) -> dict[str, str]:
    """Shape, colour and motion of clip `index`. They cycle with the index, so that any number of clips is balanced."""
    return {"shape": SHAPES[index % len(SHAPES)], "colour": list(COLOURS)[index // len(SHAPES) % len(COLOURS)],
            "motion": motions[index // (len(SHAPES) * len(COLOURS)) % len(motions)]}


def draw_factors(seed: int, index: int, num_frames: int, height: int, width: int,
                 motions: tuple[str, ...] = ("bounce",)) -> Factors:
    """Factors of clip `index` of the endless set with a seed. All but those of `factors_of` are random.

    Args:
        seed: of the set.
        index: of the clip in the set.
        num_frames: T.
        height: of the frame, in any unit.
        width: of the frame, in the same unit.
        motions: of `MOTIONS`; those that the clips of the set have.
    """
    random = np.random.default_rng([seed, index])
    shape, colour, motion = factors_of(index, motions).values()
    radius = random.uniform(*RADIUS)
    low, extent = room(shape, radius, height, width)
    return Factors(shape, colour, radius, motion, low + extent * _path(random, motion, num_frames, extent))


def room(shape: str, radius: float, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the centre of a shape can be, so that all of it is in the frame: the least x and y, and the extent, [2]."""
    left, top, right, bottom = (radius * reach for reach in _REACH[shape])
    side = min(height, width)
    low = np.array([left, top])
    return low, np.array([width / side - right, height / side - bottom]) - low


def _path(random: np.random.Generator, motion: str, num_frames: int, extent: np.ndarray) -> np.ndarray:
    """Positions within the unit square, [T, 2]; `extent` [2] is its true size."""
    speed, angle = random.uniform(*SPEED), random.uniform(0, 2 * np.pi)
    step = speed * np.array([np.cos(angle), np.sin(angle)]) / extent
    times = np.arange(num_frames)[:, None]
    start = random.uniform(size=2)
    if motion == "bounce":
        return POSITIONS[motion](start + step * times)
    if motion == "sine":
        return POSITIONS[motion](random.uniform(0, 2 * np.pi, size=2) + 2 * step * times)
    # Linear: the start is such that the end is within the frame; if the clip is too long for that, it moves slower.
    reach = step * (num_frames - 1)
    step = step * np.minimum(1, 1 / np.maximum(np.abs(reach), 1e-9)).min()
    reach = step * (num_frames - 1)
    return np.maximum(0, -reach) + start * (1 - np.abs(reach)) + step * times


def draw_clip(factors: Factors, height: int, width: int) -> np.ndarray:
    """Clip with the given factors, antialiased.

    Args:
        factors: of the clip.
        height: of a frame in pixels.
        width: of a frame in pixels.

    Returns:
        uint8 `[T, height, width, 3]`.
    """
    side = min(height, width)
    y, x = (np.arange(size) + 0.5 for size in (height, width))
    dx = x[None, None, :] - factors.positions[:, 0, None, None] * side  # [T, 1, W]
    dy = y[None, :, None] - factors.positions[:, 1, None, None] * side  # [T, H, 1]
    distance = outline_distance(factors.shape, dx, dy, factors.radius * side)
    coverage = np.clip(0.5 - distance, 0, 1)[..., None]  # [T, H, W, 1]
    return np.round(coverage * np.array(COLOURS[factors.colour])).astype(np.uint8)


def outline_distance(shape: str, dx: np.ndarray, dy: np.ndarray, radius: float | np.ndarray) -> np.ndarray:
    """Distance of points from a shape's outline; negative inside.

    Args:
        shape: one of `SHAPES`.
        dx: horizontal distance of the points from the centre, to the right.
        dy: vertical distance, down; broadcast against `dx`.
        radius: of the disc of equal area, in the same unit.
    """
    if shape == "circle":
        return np.hypot(dx, dy) - radius
    if shape == "square":
        return np.maximum(np.abs(dx), np.abs(dy)) - _HALF_SIDE * radius
    return np.maximum(dy, np.sqrt(3) / 2 * np.abs(dx) - 0.5 * dy) - _INRADIUS * radius


def render(seed: int, index: int, num_frames: int, height: int, width: int,
           motions: tuple[str, ...] = ("bounce",)) -> tuple[np.ndarray, Factors]:
    """Clip `index` of the endless set with a seed: the same arguments always give the same clip.

    Args:
        seed: of the set.
        index: of the clip in the set.
        num_frames: frames of the clip.
        height: of a frame in pixels.
        width: of a frame in pixels.
        motions: of `MOTIONS`; those that the clips of the set have.

    Returns:
        uint8 `[num_frames, height, width, 3]`, and its factors.
    """
    factors = draw_factors(seed, index, num_frames, height, width, motions)
    return draw_clip(factors, height, width), factors
