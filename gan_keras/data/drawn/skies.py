"""Time-lapse clips of skies over hills or water, with known factors.

They look as much like real video as a small program can draw: soft, textured, lit by the hour. The sun or the moon
goes its way, clouds in three layers drift with the wind, ridges fade into the distance, water reflects. A clip is a
function of (seed, index) and of time, without end and without a loop. `sky_scene` draws it.

Lengths are in heights of the frame; positions are from its upper left corner, x to the right and y down. The hour of
day goes from 0 to 24; the sun rises at 6 and sets at 18.
"""

from dataclasses import dataclass

import numpy as np

DAYTIMES = {"night": (20.6, 26.8), "dawn": (4.9, 6.2), "day": (8.0, 15.2), "dusk": (17.2, 18.7)}
"""Parts of the day, and the hours at which clips of them begin."""
GROUNDS = ("hills", "water")
LABELS = ("daytime", "ground")
"""Factors that can be the class of a clip."""

FPS = 15.0
HOURS_PER_SECOND = (0.1, 0.4)
PEAK = (28.0, 62.0)
"""Height of the sun, and of the moon, at their highest, in degrees."""
WIND_SPEED = (0.12, 0.42)
WIND_ANGLE = 50.0
"""Degrees by which the wind's direction is at most off the horizontal of the picture."""
COVER = ((-0.35, 0.6), (-0.4, 0.45), (0.05, 0.9))
"""Of the layers of clouds from the highest; below 0, a layer is not there."""
CLOUD_SIZE = (0.75, 1.35)
HORIZON = {"hills": (0.62, 0.86), "water": (0.5, 0.74)}
RIDGES = {"hills": (1, 3), "water": (0, 2)}

_DEGREES_PER_HEIGHT = 62.0
_DEGREES_PER_HOUR = 15.0
_MOON_DELAY = (8.0, 16.0)  # hours after the sun: the moon is not always high in the middle of the night
_LAND = ((0.25, 0.40, 0.15), (0.36, 0.42, 0.19), (0.46, 0.39, 0.26), (0.33, 0.35, 0.33), (0.54, 0.42, 0.19))
"""Meadow, heath, earth, rock, autumn."""
_WATER = ((0.07, 0.20, 0.27), (0.05, 0.16, 0.28), (0.12, 0.22, 0.22))


@dataclass(frozen=True, eq=False)
class Factors:
    """Factors of variation of a clip."""

    daytime: str
    ground: str
    times: np.ndarray
    """float64 [T]: seconds since the first frame."""
    hours: np.ndarray
    """float64 [T]: hour of day."""
    elevations: np.ndarray
    """float64 [T]: height of the sun above the horizon in degrees."""
    sun: np.ndarray
    """float64 [T, 2]: x and y of the sun's centre, also where it cannot be seen."""
    moon: np.ndarray
    """float64 [T, 2]: x and y of the moon's centre, also where it cannot be seen."""
    cover: tuple[float, float, float]
    """Expected share of the sky under each layer of clouds: cirrus, altocumulus, cumulus."""
    cloud_size: float
    """Relative size of clouds."""
    wind: tuple[float, float]
    """Of the lowest clouds at the upper edge of the frame: to the right, and away from the viewer, in heights per
    second. Higher layers, and clouds nearer to the horizon, seem slower (see `drift`)."""
    horizon: float
    """y of the horizon, which is the waterline of water."""
    ridges: int
    """Number of ridges, one behind the other."""
    relief: float
    """Height of the ridges, 0.3 to 1."""
    land: tuple[float, float, float]
    """Colour of the land in daylight, sRGB in 0..1."""
    water: tuple[float, float, float]
    """Colour of the depth of the water in daylight, sRGB in 0..1."""
    ripples: float
    """Strength of the ripples, 0.3 to 1."""
    haze: float
    """How soon the distance fades, 0.2 to 1."""
    warmth: float
    """Colour of the light of a low sun, from -1, pink, to 1, golden."""

    def drift(self, y: float) -> float:
        """Speed of the lowest clouds across the picture at a height above the horizon.

        Args:
            y: of a row of the picture.

        Returns:
            Heights per second, to the right.
        """
        return self.wind[0] / float(cloud_distance(np.float64(self.horizon - y), self.horizon))


def cloud_distance(above: np.ndarray, horizon: float) -> np.ndarray:
    """Distance of the clouds in a row of the picture: 1 at the upper edge, the farther the nearer to the horizon.

    Args:
        above: heights of rows above the horizon, 0 to `horizon`.
        horizon: y of the horizon.
    """
    return 1 / (0.26 + 0.74 * above / horizon)


def factors_of(index: int) -> dict[str, str]:
    """Daytime and ground of clip `index`. They cycle with the index, so that any number of clips is balanced."""
    return {"daytime": list(DAYTIMES)[index % len(DAYTIMES)], "ground": GROUNDS[index // len(DAYTIMES) % len(GROUNDS)]}


def draw_factors(seed: int, index: int, num_frames: int, height: int, width: int, fps: float = FPS) -> Factors:
    """Factors of clip `index` of the endless set with a seed. All but those of `factors_of` are random.

    Args:
        seed: of the set.
        index: of the clip in the set.
        num_frames: T.
        height: of the frame, in any unit.
        width: of the frame, in the same unit.
        fps: frames per second.
    """
    random = np.random.default_rng([seed, index])
    daytime, ground = factors_of(index).values()
    start, rate = random.uniform(*DAYTIMES[daytime]), random.uniform(*HOURS_PER_SECOND)
    times = np.arange(num_frames) / fps
    hours = start + rate * times
    elevations = random.uniform(*PEAK) * _height_at(hours)
    moon_elevations = random.uniform(*PEAK) * _height_at(hours + random.uniform(*_MOON_DELAY))
    horizon = random.uniform(*HORIZON[ground])
    # Who looks south sees the sun go to the right, who looks north, to the left.
    azimuths = random.choice([-1, 1]) * _DEGREES_PER_HOUR * (hours - start)

    def path(heights: np.ndarray) -> np.ndarray:
        x = random.uniform(0.05, 0.95) * width / height + azimuths / _DEGREES_PER_HEIGHT
        return np.stack([x, horizon - heights / _DEGREES_PER_HEIGHT], axis=1)

    speed, angle = random.uniform(*WIND_SPEED), np.radians(random.uniform(-WIND_ANGLE, WIND_ANGLE))
    fewest, most = RIDGES[ground]
    return Factors(
        daytime=daytime, ground=ground, times=times, hours=hours % 24, elevations=elevations, sun=path(elevations),
        moon=path(moon_elevations), cover=tuple(max(0.0, random.uniform(*limits)) for limits in COVER),
        cloud_size=random.uniform(*CLOUD_SIZE),
        wind=(float(random.choice([-1, 1]) * speed * np.cos(angle)), float(speed * np.sin(angle))), horizon=horizon,
        ridges=int(random.integers(fewest, most, endpoint=True)), relief=random.uniform(0.3, 1),
        land=_mixed(random, _LAND), water=_mixed(random, _WATER), ripples=random.uniform(0.3, 1),
        haze=random.uniform(0.2, 1), warmth=random.uniform(-1, 1))


def _height_at(hours: np.ndarray) -> np.ndarray:
    """Height of the sun relative to its height at noon."""
    return np.sin((hours - 6) * np.pi / 12)


def _mixed(random: np.random.Generator, colours: tuple[tuple[float, float, float], ...]) -> tuple[float, float, float]:
    """A colour between two of several, lighter or darker."""
    first, second = random.choice(len(colours), size=2, replace=False)
    mixed = 0.75 * np.array(colours[first]) + 0.25 * np.array(colours[second])
    return tuple((mixed * random.uniform(0.85, 1.15)).tolist())
