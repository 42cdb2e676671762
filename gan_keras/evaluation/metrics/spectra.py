"""Spectra: how sharp frames are, and how fast they change, against the real clips.

**Spatial spectrum**: power of the luminance of frames by spatial frequency, averaged over directions and over the
frames of a clip. A Hann window leaves out the jump between opposite borders, and with it false pixels at a border.
Octaves count from half a cycle a pixel downwards: details of 2 to 4 pixels, of 4 to 8... as far as the window separates
them from the mean.

**Temporal spectrum**: power of what changes over time, by the discrete cosine transform of the values of thumbnails
(as in `dynamics`: an edge that passes a pixel is no jump), averaged over thumbnails and colours. A cosine transform
sees no jump between the last and the first frame, so an even fade is slow (Denis, Côté & Laprise 2002, Spectral
decomposition of two-dimensional atmospheric fields on limited-area domains). Octaves count from half a cycle a frame
downwards.

Powers are in levels² per coefficient: white noise with a standard deviation of s levels has a power of s² at every
frequency. They are compared in decibels, after 1 level² is added to each: what is fainter is not seen.

- *sharpness* of a clip: its finest octave beside the mean power of the coarser ones. So contrast does not count, nor
  how much there is to see, and noise only as far as it is stronger than the details. Unknown where no coarser octave is
  above 1 level²: plain frames are neither sharp nor soft.
- *ratios*: the mean difference of decibels between the clips and the real ones, as a factor of power.
- *distances*: mean distance by which clips have to be moved to be distributed as the real ones (Wasserstein 1), in
  decibels, the mean over octaves. So half of the clips too fast and the other half too slow, whose ratio is 1, are not
  as real. For sharpness it is the step from each octave to the next that is compared.

Both spectra are the same for a clip that is played backwards; the spatial one does not depend on the order of frames.
`dynamics/flicker` is the part of the fast band that all of a frame has in common, in levels.
"""

import functools
import itertools
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from scipy import fft

from gan_keras.evaluation.metrics.estimates import UNKNOWN, bootstrap_weights, from_bootstrap
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs
from gan_keras.evaluation.metrics.types import AS_REAL, LOWER, Estimate, Estimates, Metric, Plot
from gan_keras.evaluation.thumbnails import THUMBNAIL_SIDE, block_means, block_size

CHUNK_VALUES = 2**22
"""Values of clips that are held as floats at a time."""

METRICS = {
    "sharpness/ratio": Metric(
        AS_REAL, "Power of details of 2 to 4 pixels beside that of coarser ones, divided by the same of real clips; "
        "1: as sharp, below: softer, above: sharper or noisier.", ("blur", "sharpen", "noise")),
    "sharpness/distance": Metric(
        LOWER, "Distance between the spatial spectra of the clips and of real ones, whatever their contrast, in "
        "decibels.", ("blur", "sharpen", "noise")),
    "temporal_spectrum/fast": Metric(
        AS_REAL, "Power of changes to and fro within 4 frames, divided by the same of real clips; above 1: flicker, "
        "trembling or noise, below: too smooth or still.", ("shuffle", "jitter", "flicker", "smooth")),
    "temporal_spectrum/medium": Metric(
        AS_REAL, "The same of changes to and fro within 4 to 16 frames; above 1: wavering or too fast.",
        ("freeze", "shuffle", "slow", "smooth")),
    "temporal_spectrum/slow": Metric(
        AS_REAL, "The same of changes that take longer than 16 frames; below 1: too still, or no direction.",
        ("freeze", "shuffle", "slow")),
    "temporal_spectrum/distance": Metric(
        LOWER, "Distance between the temporal spectra of the clips and of real ones, in decibels.",
        ("freeze", "shuffle", "jitter", "smooth", "slow"))}

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_INVISIBLE = 1.0
"""Power in levels² that is added before decibels are taken."""
_FAST_PERIOD, _SLOW_PERIOD = 4, 16
"""In frames: the ends of the band in the middle."""


class _Spectra(NamedTuple):
    """Powers of each clip of a set, float64.

    Attributes:
        spatial: [N, R], R the pixels of half of the shorter side, by ring of equal width up to half a cycle a pixel.
        spatial_octaves: [N, O], from the finest one on.
        temporal: [N, T - 1], at 1, 2, ... T - 1 half cycles a clip.
        temporal_octaves: [N, P], from the fastest one on.
    """

    spatial: np.ndarray
    spatial_octaves: np.ndarray
    temporal: np.ndarray
    temporal_octaves: np.ndarray


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics in `METRICS`.

    Returns:
        An estimate for each; NaN where frames are smaller than 16 pixels or all plain, and where clips are too short.
    """
    sets = [(_spectra(clips), bootstrap_weights(clips.video_ids, seed))
            for seed, clips in enumerate((samples, inputs.real))]

    def compare(estimate: Callable[..., Estimate], values: Callable[[_Spectra], np.ndarray]) -> Estimate:
        return estimate(*((values(spectra), weights) for spectra, weights in sets))

    periods = 2 * samples.clips.shape[1] / np.arange(1, samples.clips.shape[1])
    bands = {"fast": periods <= _FAST_PERIOD, "medium": (periods > _FAST_PERIOD) & (periods <= _SLOW_PERIOD),
             "slow": periods > _SLOW_PERIOD}
    return {
        "sharpness/ratio": compare(_estimate_ratio, _sharpness),
        "sharpness/distance": compare(_estimate_distance, _spatial_steps),
        **{f"temporal_spectrum/{name}": compare(_estimate_ratio, functools.partial(_band, band=band))
           for name, band in bands.items()},
        "temporal_spectrum/distance": compare(_estimate_distance, _temporal_octaves)}


def plots(inputs: MetricInputs) -> list[Plot]:
    """Both spectra of each set of clips, on logarithmic axes."""
    sets = {"generated": inputs.generated, "real": inputs.real, "held out": inputs.held_out}
    spectra = {name: _spectra(clips) for name, clips in sets.items() if clips is not None}
    rings, frames = spectra["real"].spatial.shape[1], inputs.real.clips.shape[1]
    axes = {"spatial": ("cycles a pixel", (np.arange(rings) + 0.5) / (2 * rings)),
            "temporal": ("cycles a second", np.arange(1, frames) / (2 * frames) * inputs.fps)}
    return [Plot(f"{name.capitalize()} spectrum", x_label, "levels² per coefficient", "lines",
                 {of: getattr(values, name).mean(axis=0) for of, values in spectra.items()},
                 tuple(float(position) for position in x), logarithmic=True)
            for name, (x_label, x) in axes.items() if len(x)]


# ---- spectra of clips ----

_cache: WeakKeyDictionary[ClipSet, _Spectra] = WeakKeyDictionary()


def _spectra(clip_set: ClipSet) -> _Spectra:
    """Spectra of a set, computed once: those of the real clips are needed for every other set."""
    if clip_set not in _cache:
        clips, step = clip_set.clips, max(1, CHUNK_VALUES // clip_set.clips[0].size)
        chunks = [clips[first:first + step] for first in range(0, len(clips), step)]
        spatial, spatial_octaves = (np.concatenate(parts) for parts in zip(*map(_spatial, chunks), strict=True))
        temporal, frames = np.concatenate(list(map(_temporal, chunks))), clips.shape[1]
        cycles = np.arange(1, frames) / (2 * frames)  # a frame
        octaves = [(cycles >= low) & (cycles < 2 * low) for low in 0.25 / 2.0**np.arange(frames.bit_length())]
        _cache[clip_set] = _Spectra(spatial, spatial_octaves, temporal,
                                    temporal @ _averages([octave for octave in octaves if octave.any()], frames - 1))
    return _cache[clip_set]


def _spatial(clips: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spatial power by ring and by octave: uint8 [N, T, H, W, 3] → [N, R] and [N, O]."""
    height, width = clips.shape[2:4]
    side = min(height, width)
    window = np.outer(_hann(height), _hann(width))
    window = (window / np.sqrt(np.square(window).mean())).astype(np.float32)
    frames = clips @ _LUMINANCE
    frames -= ((frames * window).mean((2, 3)) / window.mean())[..., None, None]
    power = np.square(np.abs(fft.fft2(frames * window))).mean(axis=1).reshape(len(clips), -1) / (height * width)
    # A frequency on the edge of two bands belongs to the lower one, however it was rounded.
    frequencies = np.hypot(fft.fftfreq(height)[:, None], fft.fftfreq(width)).ravel() * (1 - 1e-9)
    # The window spreads each frequency over two cycles a frame: below two there is the mean.
    lows = [low for low in 0.25 / 2.0**np.arange(side.bit_length()) if low * side >= 2]
    bands = itertools.pairwise(np.linspace(0, 0.5, side // 2 + 1)), [(low, 2 * low) for low in lows]
    rings, octaves = ([(frequencies > low) & (frequencies <= high) for low, high in edges] for edges in bands)
    return power @ _averages(rings, power.shape[1]), power @ _averages(octaves, power.shape[1])


def _hann(side: int) -> np.ndarray:
    return np.sin(np.pi * (np.arange(side) + 0.5) / side)**2


def _temporal(clips: np.ndarray) -> np.ndarray:
    """Temporal power: uint8 [N, T, H, W, 3] → [N, T - 1]."""
    thumbnails = block_means(clips, block_size(*clips.shape[2:4], THUMBNAIL_SIDE))
    return np.square(fft.dct(thumbnails, axis=1, norm="ortho")[:, 1:]).mean((2, 3, 4), dtype=np.float64)


def _averages(bands: list[np.ndarray], count: int) -> np.ndarray:
    """Matrix [F, B] by which powers at F = `count` frequencies become the averages of B bands, each bool [F]."""
    return np.reshape([band / band.sum() for band in bands], (len(bands), count)).T


# ---- values of clips, float [N, B] in decibels, NaN for a clip without them ----

def _decibels(power: np.ndarray) -> np.ndarray:
    return 10 * np.log10(power + _INVISIBLE)


def _sharpness(spectra: _Spectra) -> np.ndarray:
    """The finest octave above the mean of the coarser ones, [N, 1]."""
    octaves = _visible_octaves(spectra)
    return _decibels(octaves[:, :1]) - _decibels(octaves[:, 1:].mean(axis=1, keepdims=True))


def _spatial_steps(spectra: _Spectra) -> np.ndarray:
    """From each octave to the next coarser one, [N, O - 1]."""
    return np.diff(_decibels(_visible_octaves(spectra)), axis=1)


def _visible_octaves(spectra: _Spectra) -> np.ndarray:
    """Spatial power in levels², [N, O]; NaN for plain clips and where there is no coarser octave to compare with."""
    octaves = spectra.spatial_octaves
    if octaves.shape[1] < 2:
        return np.full((len(octaves), 2), np.nan)
    return np.where((octaves[:, 1:] > _INVISIBLE).any(axis=1, keepdims=True), octaves, np.nan)


def _temporal_octaves(spectra: _Spectra) -> np.ndarray:
    """Temporal power, [N, P]."""
    return _decibels(spectra.temporal_octaves)


def _band(spectra: _Spectra, band: np.ndarray) -> np.ndarray:
    """Mean power of a temporal band, bool [T - 1]: [N, 1]."""
    if not band.any():
        return np.full((len(spectra.temporal), 1), np.nan)
    return _decibels(spectra.temporal[:, band].mean(axis=1, keepdims=True))


# ---- comparison with the real clips ----

def _estimate_ratio(samples: tuple[np.ndarray, np.ndarray], real: tuple[np.ndarray, np.ndarray]) -> Estimate:
    """Mean difference of decibels as a factor of power; arguments as `_known` takes them, with B = 1."""
    (values, shares), (real_values, real_shares) = _known(samples, real)
    if not len(shares):
        return UNKNOWN
    value, *draws = 10 ** ((shares @ values - real_shares @ real_values).ravel() / 10)
    return from_bootstrap(float(value), np.array(draws))


def _estimate_distance(samples: tuple[np.ndarray, np.ndarray], real: tuple[np.ndarray, np.ndarray]) -> Estimate:
    """Wasserstein-1 distance of decibels, the mean over B bands; arguments as `_known` takes them."""
    (values, shares), (real_values, real_shares) = _known(samples, real)
    if not len(shares):
        return UNKNOWN
    value, *draws = np.mean([_wasserstein(band, real_band, shares, real_shares)
                             for band, real_band in zip(values.T, real_values.T, strict=True)], axis=0)
    return from_bootstrap(float(value), np.array(draws), centered=True)


def _known(*sets: tuple[np.ndarray, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Clips that have values, and the share of each in the whole, first, and in bootstrap draws.

    Args:
        *sets: values [N, B], NaN for a clip without them, and the weights of bootstrap draws, [K, N].

    Returns:
        For each set values [n, B] and shares [k, n], each row with the sum 1; k is the same for all sets, and 0 where
        one has no values at all.
    """
    known = [np.isfinite(values).all(axis=1) & (values.shape[1] > 0) for values, _ in sets]
    weights = [np.vstack([np.ones(len(rows)), drawn])[:, rows] for (_, drawn), rows in zip(sets, known, strict=True)]
    drawn = np.all([rows.sum(axis=1) > 0 for rows in weights], axis=0)
    return [(values[rows], clips[drawn] / clips[drawn].sum(axis=1, keepdims=True))
            for (values, _), rows, clips in zip(sets, known, weights, strict=True)]


def _wasserstein(a: np.ndarray, b: np.ndarray, a_shares: np.ndarray, b_shares: np.ndarray) -> np.ndarray:
    """Areas between the cumulative distributions of values [N] and [M] under K weightings, [K, N] and [K, M]: [K]."""
    values = np.concatenate([a, b])
    order = np.argsort(values)
    difference = np.concatenate([a_shares, -b_shares], axis=1)[:, order].cumsum(axis=1)
    return np.abs(difference[:, :-1]) @ np.diff(values[order])
