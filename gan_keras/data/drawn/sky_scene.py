"""Pictures of skies over hills or water: what `skies.Factors` look like.

Colours are sRGB in 0..1, float32, and are mixed as they are: as a painter would, not as light does.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from gan_keras.data.drawn import skies
from gan_keras.data.drawn.fractal_noise import fractal_line, fractal_plane, hash_lattice

# Colours by the height of the sun in degrees.
_ELEVATIONS = (-18, -9, -4, 0, 5, 14, 35, 60)
_PALETTE = {
    # Sky at the upper edge of the frame.
    "zenith": ((10, 15, 38), (20, 30, 68), (36, 52, 106), (60, 92, 154), (74, 126, 192), (66, 132, 208), (44, 110, 196),
               (34, 98, 186)),
    # Sky at the horizon.
    "horizon": ((34, 46, 78), (66, 68, 108), (176, 122, 124), (238, 170, 128), (246, 208, 164), (208, 222, 230),
                (182, 212, 236), (168, 206, 238)),
    # Sky around the sun.
    "glow": ((24, 30, 54), (150, 86, 90), (252, 140, 88), (255, 170, 92), (255, 206, 130), (255, 238, 204),
             (255, 250, 236), (255, 253, 246)),
    # Clouds in the light, and in the shade.
    "lit": ((66, 76, 106), (104, 86, 116), (222, 130, 114), (255, 180, 128), (255, 224, 186), (255, 247, 236),
            (255, 255, 253), (255, 255, 255)),
    "shade": ((22, 28, 50), (38, 42, 72), (70, 66, 98), (108, 96, 124), (136, 134, 156), (152, 162, 182),
              (160, 172, 194), (164, 176, 198)),
    # Light on the land.
    "light": ((40, 48, 72), (50, 52, 74), (84, 74, 86), (142, 112, 104), (208, 172, 136), (240, 226, 206),
              (255, 252, 246), (255, 255, 252)),
}
_TINTED = ("horizon", "glow", "lit", "light")
"""Those that a low sun makes pink or golden."""
_MOON, _MOONLIGHT, _STARLIGHT = (np.float32(colour) for colour in ((1.1, 1.08, 0.98), (0.75, 0.82, 0.95),
                                                                   (0.95, 0.97, 1)))
_SUN_RADIUS, _MOON_RADIUS, _STAR_RADIUS = 0.026, 0.022, 0.0028
_STARS = 220  # in a square of 2.5 heights, or widths

# Keys of the noise fields, relative to that of the clip.
_STAR_KEY, _WATER_KEY, _CLOUD_KEY, _LAND_KEY = 0, 1000, 2000, 3000


@dataclass(frozen=True)
class _CloudLayer:
    """What the clouds of one layer look like.

    Attributes:
        speed: relative to that of the lowest layer.
        cell: width and depth of the largest clouds.
        softness: of their edges, in standard deviations of the noise.
        opacity: of their middle.
        relief: how much light and shade they have.
        evolution: how often they become other clouds, per second.
    """

    speed: float
    cell: tuple[float, float]
    softness: float
    opacity: float
    relief: float
    evolution: float


_LAYERS = (_CloudLayer(0.45, (1.5, 0.42), 2.6, 0.55, 0.2, 0.02),  # cirrus
           _CloudLayer(0.7, (0.36, 0.42), 1.4, 0.8, 0.6, 0.04),  # altocumulus
           _CloudLayer(1.0, (0.62, 0.72), 0.66, 0.97, 1.0, 0.05))  # cumulus
"""From the highest to the lowest, as in `skies.COVER`."""


@dataclass(frozen=True)
class _Light:
    """The light of a frame.

    Attributes:
        elevation: height of the sun in degrees.
        colours: of `_PALETTE` at that height.
        sun: x and y of the sun.
        moon: x and y of the moon.
        night: 0 in daylight, 1 in the dark.
        moonlight: 0 in daylight or below the horizon, 1 by night.
    """

    elevation: float
    colours: dict[str, np.ndarray]
    sun: np.ndarray
    moon: np.ndarray
    night: float
    moonlight: float


@dataclass(frozen=True)
class _Ridge:
    """One ridge and the land before it, up to the next.

    Attributes:
        cover: share of each pixel that it covers, [H, W, 1].
        texture: light and dark places, [H, W].
        slope: inclination to the left or the right, [H, W].
        below: depth below the crest, [H, W].
        nearness: 1 for the nearest ridge.
    """

    cover: np.ndarray
    texture: np.ndarray
    slope: np.ndarray
    below: np.ndarray
    nearness: float


def render(seed: int, index: int, num_frames: int, height: int, width: int,
           fps: float = skies.FPS) -> tuple[np.ndarray, skies.Factors]:
    """Clip `index` of the endless set with a seed: the same arguments always give the same clip.

    A longer clip begins as the shorter one of the same seed and index. At another size the same sky is seen; in a wider
    frame, more of it.

    Args:
        seed: of the set.
        index: of the clip in the set.
        num_frames: frames of the clip.
        height: of a frame in pixels, 8 or more.
        width: of a frame in pixels, 8 or more.
        fps: frames per second.

    Returns:
        uint8 `[num_frames, height, width, 3]`, and its factors.
    """
    factors = skies.draw_factors(seed, index, num_frames, height, width, fps)
    scene = SkyScene(factors, int(np.random.default_rng([seed, index, 1]).integers(2**32)), height, width)
    clip = np.empty((num_frames, height, width, 3), np.uint8)
    for frame in range(num_frames):
        clip[frame] = scene.draw(frame)
    return clip, factors


class SkyScene:
    """A sky and what is below it: what stays the same over a clip, and how a frame is drawn."""

    def __init__(self, factors: skies.Factors, key: int, height: int, width: int) -> None:
        """Makes what stays the same.

        Args:
            factors: of the clip.
            key: of its noise.
            height: of a frame in pixels.
            width: of a frame in pixels.
        """
        self._factors, self._key, self._height, self._width = factors, key, height, width
        self._x = ((np.arange(width) + 0.5) / height).astype(np.float32)
        self._y = ((np.arange(height) + 0.5) / height).astype(np.float32)[:, None]
        self._centred = self._x - np.float32(width / height / 2)
        self._sky_rows = int(np.ceil(factors.horizon * height)) + 1
        self._above = np.maximum(factors.horizon - self._y[:self._sky_rows], 0).astype(np.float32)
        self._star_places, self._star_light, self._star_phases = self._make_stars()
        self._ridges = [self._make_ridge(number) for number in range(factors.ridges)]

    def draw(self, frame: int) -> np.ndarray:
        """Draws a frame, uint8 [H, W, 3], by its number."""
        factors, time = self._factors, float(self._factors.times[frame])
        elevation, moon = float(factors.elevations[frame]), factors.moon[frame]
        night = _rise(elevation, -14, -4, falling=True)
        light = _Light(elevation, colours_at(elevation, factors.warmth), factors.sun[frame], moon, night,
                       night * _rise(factors.horizon - moon[1], -0.02, 0.1))
        picture = np.empty((self._height, self._width, 3), np.float32)
        sky = self._draw_sky(light, time, float(factors.hours[frame]))
        picture[:self._sky_rows], picture[self._sky_rows:] = sky, sky[-1]
        for ridge in self._ridges:
            self._add_ridge(picture, ridge, light)
        if factors.ground == "water":
            self._add_water(picture, light, time)
        return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)

    def _draw_sky(self, light: _Light, time: float, hour: float) -> np.ndarray:
        """Sky, stars, sun, moon and clouds, [sky rows, W, 3]."""
        colours, y = light.colours, self._y[:self._sky_rows]
        share = 1 - (1 - self._above[..., None] / np.float32(self._factors.horizon)) ** 2.2
        sky = np.repeat(colours["horizon"] + (colours["zenith"] - colours["horizon"]) * share, self._width, axis=1)
        to_sun = np.float32(light.sun[0]) - self._x, np.float32(light.sun[1]) - y
        to_moon = np.float32(light.moon[0]) - self._x, np.float32(light.moon[1]) - y
        sun_distance, moon_distance = np.hypot(*to_sun), np.hypot(*to_moon)
        low = np.exp(-(light.elevation / 11) ** 2)
        # Twilight lies along the horizon, brightest towards the sun; the rest is around the sun itself.
        glow = np.exp(-np.abs(to_sun[0]) * 0.9 - self._above * 4.5) * np.float32(0.85 * low)
        glow += np.exp(-sun_distance * 3.2) * np.float32(0.5 if light.elevation > 0 else 0.5 * low)
        glow += np.exp(-sun_distance * 13) * np.float32(0.55 * _rise(light.elevation, -3, 2))
        _blend(sky, colours["glow"], np.minimum(glow, 1))
        if light.night:
            sky += self._stars(hour, time)[..., None] * _STARLIGHT * np.float32(light.night)
        if light.moonlight:
            halo = 0.3 * np.exp(-moon_distance * 12) + 0.16 * np.exp(-moon_distance * 3)
            _blend(sky, _MOONLIGHT, halo * np.float32(light.moonlight))
        # Clouds are lit from the moon when the sun is far below; and never from below the horizon.
        by_moon = np.float32(_rise(light.elevation, -12, -8, falling=True) if light.moonlight else 0)
        above_ground = np.minimum(to_sun[1], np.float32(self._factors.horizon) - y)
        towards = (to_sun[0] + by_moon * (to_moon[0] - to_sun[0]), above_ground + by_moon * (to_moon[1] - above_ground))
        length = np.hypot(*towards) + np.float32(0.12)
        silver = np.exp(-sun_distance * 5) * np.float32(_rise(light.elevation, -4, 3))
        clear = np.ones_like(sun_distance)
        for number in range(len(_LAYERS)):
            if self._factors.cover[number]:
                clear *= 1 - self._add_clouds(sky, number, light, (towards[0] / length, towards[1] / length), silver,
                                              time)
        # Discs last: brighter than white, they shine through thin clouds, but not through thick ones.
        clear *= clear
        _blend(sky, colours["glow"] + np.float32(0.9), clear * self._disc(sun_distance, _SUN_RADIUS))
        _blend(sky, _MOON, clear * self._disc(moon_distance, _MOON_RADIUS) * np.float32(light.moonlight))
        return sky

    def _disc(self, distance: np.ndarray, radius: float) -> np.ndarray:
        """Share of each pixel that a disc covers, by the distance from its centre."""
        return np.clip((np.float32(radius) - distance) * np.float32(self._height) + np.float32(0.5), 0, 1)

    def _add_clouds(self, sky: np.ndarray, number: int, light: _Light, towards: tuple[np.ndarray, np.ndarray],
                    silver: np.ndarray, time: float) -> np.ndarray:
        """Adds a layer of clouds.

        Args:
            sky: [rows, W, 3], changed in place.
            number: of the layer.
            light: of the frame.
            towards: direction to the sun or the moon, x and y, each [rows, W].
            silver: how much the sun shines through thin edges, [rows, W].
            time: in seconds.

        Returns:
            Opacity of the clouds, [rows, W].
        """
        factors, layer = self._factors, _LAYERS[number]
        cover = factors.cover[number]
        distance = skies.cloud_distance(self._above[:, 0].astype(np.float64), factors.horizon)
        # The wind moves the layer as a whole. Depth is drawn out: clouds seen from the side are flat.
        field, smooth = fractal_plane(
            self._key + _CLOUD_KEY + 100 * number, self._centred, distance, 1.5 * distance,
            (-factors.wind[0] * layer.speed * time, -factors.wind[1] * layer.speed * time),
            (layer.cell[0] * factors.cloud_size, layer.cell[1] * factors.cloud_size), layer.evolution * time,
            smoothing=0.72)
        threshold = np.float32(NormalDist().inv_cdf(1 - cover))
        opacity = np.float32(layer.opacity) * _rise_array(field - threshold, -layer.softness / 2, layer.softness / 2)
        thickness = np.clip((smooth - threshold) * np.float32(0.6), 0, 1)
        # A side that falls off towards the light is lit; thick clouds are dark within, thin edges let light through.
        slope_y, slope_x = np.gradient(smooth, 1 / self._height)
        facing = np.tanh(-0.055 * (slope_x * towards[0] + slope_y * towards[1]))
        brightness = 0.62 + layer.relief * (0.5 * facing - 0.34 * thickness) + 0.5 * silver * (1 - thickness)
        # Under a closed sky less light comes through, and less colour.
        lit, shade = light.colours["lit"], light.colours["shade"]
        gloom = np.float32(max(0.0, cover - 0.6) * 1.1)
        lit = lit + (lit.mean() * np.float32([0.80, 0.83, 0.89]) - lit) * gloom
        lit = lit + _MOONLIGHT * np.float32(0.2 * light.moonlight)
        clouds = shade + (lit - shade) * np.clip(brightness, 0, 1)[..., None].astype(np.float32)
        # Far clouds fade into the haze above the horizon.
        fade = 0.85 * np.exp(-self._above * (11 - 6 * factors.haze))
        _blend(clouds, sky, fade)
        _blend(sky, clouds, opacity)
        return opacity

    def _make_stars(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places around the pole [N, 2], light [N] and phases of their twinkling [N]."""
        across, down, bright, phases = (hash_lattice(self._key + _STAR_KEY, number, np.arange(_STARS)) * 0.5 + 0.5
                                        for number in range(4))
        extent = 2.5 * max(1.0, self._width / self._height)
        return np.stack([across - 0.5, down - 0.5], axis=1) * extent, 0.25 + 1.3 * bright**5, phases

    def _stars(self, hour: float, time: float) -> np.ndarray:
        """Light of the stars, [sky rows, W]. They turn around a point in the upper part of the frame once a day."""
        cosine, sine = np.cos(np.pi / 12 * hour), np.sin(np.pi / 12 * hour)
        x, y = (self._star_places @ np.array([[cosine, sine], [-sine, cosine]])).T * self._height
        x, y = x + self._width / 2 - 0.5, y + 0.1 * self._height - 0.5
        # A star that is smaller than a pixel lights it in proportion.
        radius = np.hypot(_STAR_RADIUS * self._height, 0.5)
        light = self._star_light * 2 * (_STAR_RADIUS * self._height / radius) ** 2
        light = light * (0.8 + 0.2 * np.sin(2 * np.pi * (self._star_phases + (0.3 + self._star_phases) * time)))
        reach = int(np.ceil(2.5 * radius))
        column, row = np.round(x).astype(int), np.round(y).astype(int)
        seen = ((column >= -reach) & (column < self._width + reach) & (row >= -reach) & (row < self._sky_rows + reach))
        x, y, column, row, light = (values[seen] for values in (x, y, column, row, light))
        margin = 2 * reach
        sky = np.zeros((self._sky_rows + 2 * margin, self._width + 2 * margin), np.float32)
        for down, across in np.ndindex(2 * reach + 1, 2 * reach + 1):
            pixel_row, pixel_column = row + down - reach, column + across - reach
            square = (pixel_column - x) ** 2 + (pixel_row - y) ** 2
            np.add.at(sky, (pixel_row + margin, pixel_column + margin), light * np.exp(-square / (2 * radius**2)))
        shown = sky[margin:margin + self._sky_rows, margin:margin + self._width]
        return shown * np.clip(self._above * 5, 0, 1)

    def _make_ridge(self, number: int) -> _Ridge:
        """Ridge `number`; 0 is the farthest."""
        factors, key, pixel = self._factors, self._key + _LAND_KEY + 100 * number, 1 / self._height
        nearness = (number + 1) / factors.ridges
        cell = 0.7 - 0.2 * nearness
        outline = fractal_line(key, self._x, cell, pixel)
        if factors.ground == "water":
            size = factors.relief * (0.9 - 0.3 * nearness)
            crest = factors.horizon - size * (0.05 + 0.04 * outline)
        else:
            size = factors.relief * (1.6 - 0.6 * nearness)
            crest = (factors.horizon + (1 - factors.horizon) * 0.6 * number / factors.ridges
                     - size * (0.09 + 0.05 * outline))
        crest = crest - 0.004 * nearness * np.abs(fractal_line(key + 20, self._x, 0.025, pixel))  # trees and stones
        below = self._y - crest
        distance = (1 / (0.5 + 3.2 * np.maximum(self._y[:, 0] - crest.min(), 0))).astype(np.float64)
        texture, smooth = fractal_plane(key + 40, self._centred, distance, 2.2 * distance, (0.0, 0.0), (0.2, 0.28),
                                        smoothing=0.75)
        bushes, _ = fractal_plane(key + 60, self._centred, distance, 1.6 * distance, (0.0, 0.0), (0.045, 0.07))
        # Slopes are those of the ridge without what stands on it, and of the ground before it.
        incline = np.gradient(fractal_line(key, self._x, cell, 0.06), pixel) * np.float32(0.16 * size)
        slope = incline * np.exp(-np.maximum(below, 0) * 8) + 0.035 * np.gradient(smooth, pixel, axis=1)
        return _Ridge(np.clip(below * self._height + 0.5, 0, 1)[..., None].astype(np.float32),
                      texture - 1.2 * _rise_array(bushes, 0, 1.6), slope.astype(np.float32),
                      np.maximum(below, 0).astype(np.float32), nearness)

    def _add_ridge(self, picture: np.ndarray, ridge: _Ridge, light: _Light) -> None:
        factors = self._factors
        side = np.tanh((self._x - np.float32(light.sun[0])) * np.float32(1.5))
        shading = (0.86 + (0.1 + 0.06 * ridge.nearness) * ridge.texture
                   + 0.32 * _rise(light.elevation, -1, 12) * np.tanh(ridge.slope * side))
        ground = np.float32(factors.land) * light.colours["light"] * np.clip(shading, 0.25, 1.5)[..., None]
        haze = 0.75 * light.colours["horizon"] + 0.25 * light.colours["zenith"]
        far = 0.05 + (1 - ridge.nearness) * (0.42 + 0.4 * factors.haze)
        # Valleys lie in more haze than crests.
        valley = 0.25 * factors.haze * (1.1 - ridge.nearness) * _rise_array(ridge.below, 0, 0.2)
        _blend(ground, haze, np.minimum(far + valley, 0.92))
        _blend(picture, ground, ridge.cover[..., 0])

    def _add_water(self, picture: np.ndarray, light: _Light, time: float) -> None:
        """Water below the horizon, which reflects what `picture` shows above it."""
        factors, horizon = self._factors, np.float32(self._factors.horizon)
        top = int(np.floor(factors.horizon * self._height))
        below = np.maximum(self._y[top:] - horizon, 0)
        near = below / (1 - horizon)
        distance = 1 / (0.07 + 0.93 * near[:, 0].astype(np.float64))
        waves, _ = fractal_plane(self._key + _WATER_KEY, self._centred, distance, 2.6 * distance,
                                 (-0.3 * factors.wind[0] * time, -0.3 * factors.wind[1] * time), (0.34, 0.16),
                                 0.5 * time)
        waves *= np.float32(factors.ripples)
        mirrored = self._rows_at(picture[:top], horizon - 0.92 * below + waves * (0.006 + 0.035 * near))
        # From above, water shows its depth; towards the horizon it is a mirror. Waves tilt it.
        deep = np.float32(factors.water) * light.colours["light"]
        mirror = np.clip(0.86 - 0.42 * near + 0.07 * waves, 0.2, 0.95)
        water = np.broadcast_to(deep, mirrored.shape).copy()
        _blend(water, mirrored * np.float32(0.94), mirror)
        for place, strength, colour in ((light.sun, 0.75 * _rise(light.elevation, -2, 2), light.colours["glow"]),
                                        (light.moon, 0.6 * light.moonlight, _MOONLIGHT)):
            if strength:
                width = 0.03 + 0.16 * factors.ripples * near
                path = np.exp(-((self._x - np.float32(place[0])) / width) ** 2)
                strength /= 1 + 2.5 * max(0.0, factors.horizon - float(place[1]))
                _blend(water, colour, strength * path * _rise_array(waves, 0.2, 1.2))
        shown = np.clip((self._y[top:] - horizon) * self._height + 0.5, 0, 1)
        _blend(picture[top:], water, shown)

    def _rows_at(self, picture: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Pixels of each column at heights `y`, [rows, W], between the rows of a picture; the last ones beyond them."""
        row = np.clip(y * self._height - 0.5, 0, len(picture) - 1)
        before = np.minimum(row.astype(np.intp), len(picture) - 2)
        columns = np.arange(self._width)
        pixels = picture[before, columns]
        _blend(pixels, picture[before + 1, columns], row - before)
        return pixels


def colours_at(elevation: float, warmth: float) -> dict[str, np.ndarray]:
    """Colours of the sky, the clouds and the light.

    Args:
        elevation: height of the sun in degrees.
        warmth: as in `skies.Factors`.

    Returns:
        float32 [3] each: zenith, horizon, glow, lit, shade, light.
    """
    tint = 1 + np.exp(-(elevation / 9) ** 2) * warmth * np.array([0.0, 0.06, -0.16])
    colours = {}
    for name, keys in _PALETTE.items():
        colour = np.array([np.interp(elevation, _ELEVATIONS, channel) for channel in zip(*keys, strict=True)]) / 255
        colours[name] = np.clip(colour * tint if name in _TINTED else colour, 0, 1).astype(np.float32)
    return colours


def _blend(picture: np.ndarray, colour: np.ndarray, share: np.ndarray) -> None:
    """Mixes a share [H, W] or [H, 1] of a colour into a picture [H, W, 3], in place."""
    picture += (colour - picture) * share[..., None].astype(np.float32)


def _rise_array(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 up to `low`, 1 from `high`, smooth between."""
    share = np.clip((values - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return share * share * (3 - 2 * share)


def _rise(value: float, low: float, high: float, falling: bool = False) -> float:
    """Of one number; the other way round where `falling`."""
    share = float(_rise_array(np.float64(value), low, high))
    return 1 - share if falling else share
