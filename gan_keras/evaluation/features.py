"""Built-in features of clips: no weights to fetch, the same numbers for everybody.

**Appearance** looks at frames one by one and averages over the clip, so the order of frames does not matter: pooled
responses of a small convolutional network of fixed random filters at four scales, mean colour and its spread. Random
filters rank generators of other things than photographs at least as well as filters trained on ImageNet do (Naeem et
al. 2020, arXiv:2002.09797).

**Motion** looks at what changes: the same kind of network on first and second differences of frames in time, and
statistics of dense optical flow (Farneback 2003): how much moves, where to, how evenly.

Responses below a threshold, a faint noise on a plain ground, count as nothing, and what is left enters as its square
root, because energies are skewed.

**Scaling.** Raw features are brought to the scale of the real clips: decorrelated, with the variance of the real clips
plus what changes nobody can see (a trace of noise, a shade brighter, slightly more contrast, see `_UNSEEN`) would add.
So a difference counts by how unlike real clips it is, unless it is invisible.
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from scipy import linalg

from gan_keras.video.flow import dense_flow

VERSION = 1
"""Of everything here that a number depends on; distances of different versions are not to be compared."""

_CHANNELS = (16, 24, 32, 48)
"""Of the network at each scale; each scale has half the side of the one before."""
_HEADS = {"appearance": 14, "change": 6, "bend": 6}
"""Pooled responses taken at each scale from the network on frames, first differences, second differences."""
_THRESHOLDS = {"appearance": 0.1, "change": 0.2, "bend": 0.35}
"""Responses to leave out, for clips in [-1, 1]: several standard deviations of noise of 4 levels of 255."""
_DIRECTIONS = 8
_RIDGE = 0.03
"""Share of a feature's variance added before features are decorrelated: directions in which real clips hardly vary are
not blown up without limit."""
_UNSEEN_CLIPS = 64
_UNSEEN_STRENGTH = 4.0
"""How much of the variance by changes nobody can see is added."""
_MOST_TOGETHER, _PIXELS_TOGETHER = 16, 2**20
"""Clips looked at together, and pixels of all their frames: half a gigabyte of responses."""

Raw = Mapping[str, np.ndarray]


def dimensions() -> dict[str, int]:
    """How many numbers each built-in feature has."""
    appearance = len(_CHANNELS) * _HEADS["appearance"] + 6
    motion = len(_CHANNELS) * (_HEADS["change"] + _HEADS["bend"]) + _DIRECTIONS + 7
    return {"appearance": appearance, "motion": motion, "joint": appearance + motion}


def declaration() -> str:
    """Version and SHA-256 of filters and constants, for the protocol."""
    digest = hashlib.sha256(repr((VERSION, _CHANNELS, _HEADS, _THRESHOLDS, _DIRECTIONS, _RIDGE, _UNSEEN_CLIPS,
                                  _UNSEEN_STRENGTH)).encode())
    for network in _NETWORKS.values():
        for filters, head in network:
            digest.update(filters.tobytes() + head.tobytes())
    return f"built in, version {VERSION}, {digest.hexdigest()[:16]}"


def extract(clips: np.ndarray, advance: Callable[[int], None] = lambda count: None) -> dict[str, np.ndarray]:
    """Raw features.

    Args:
        clips: uint8 [N, T, H, W, 3], T at least 2; what takes three frames to see is 0 for two.
        advance: is told how many more clips are done.

    Returns:
        float32 [N, D] for `appearance` and `motion`.
    """
    found: dict[str, list[np.ndarray]] = {"appearance": [], "motion": []}
    size = min(_MOST_TOGETHER, max(1, _PIXELS_TOGETHER // math.prod(clips.shape[1:4])))
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(clips), size):
            batch = clips[start:start + size]
            flow, count = pool.map(_of_flow, batch), len(batch)
            # One shape for all batches: each would be traced anew.
            whole = np.concatenate([batch, batch[-1:].repeat(size - count, axis=0)]) if count < size else batch
            appearance, change = (values[:count] for values in _convolutional(tf.constant(whole)))
            found["appearance"].append(appearance)
            found["motion"].append(np.concatenate([change, np.stack(list(flow))], axis=1))
            advance(count)
    return {name: np.concatenate(parts) for name, parts in found.items()}


@dataclass(frozen=True, eq=False)
class Scale:
    """Brings raw features to the scale of real clips.

    Attributes:
        means: float64 [D] by name.
        transforms: float64 [D, D] by name.
    """

    means: Mapping[str, np.ndarray]
    transforms: Mapping[str, np.ndarray]

    def __call__(self, raw: Raw) -> dict[str, np.ndarray]:
        """Scaled features, float32 [N, D] for `appearance`, `motion` and `joint`, which is both side by side."""
        scaled = {name: ((values - self.means[name]) @ self.transforms[name]).astype(np.float32)
                  for name, values in raw.items()}
        return {**scaled, "joint": np.concatenate(list(scaled.values()), axis=1)}


def fit_scale(clips: np.ndarray, raw: Raw) -> Scale:
    """The scale of real clips.

    Args:
        clips: uint8 [N, T, H, W, 3], of which a few are changed in ways that nobody can see.
        raw: their raw features, or those of more clips of the same kind that begin with them.
    """
    few = clips[:_UNSEEN_CLIPS]
    changed = [extract(change(few, np.random.default_rng(number))) for number, change in enumerate(_UNSEEN)]
    means, transforms = {}, {}
    for name, values in raw.items():
        values = values.astype(float)
        deviation = values.std(axis=0)
        deviation += 1e-3 * deviation.max() + 1e-9
        covariance = np.cov(values.T / deviation[:, None])
        for other in changed:
            difference = (other[name] - values[:len(few)]) / deviation
            covariance = covariance + _UNSEEN_STRENGTH * difference.T @ difference / len(few)
        spread, axes = linalg.eigh(covariance + _RIDGE * np.eye(len(deviation)))
        means[name] = values.mean(axis=0)
        transforms[name] = axes / np.sqrt(spread) / deviation[:, None]
    return Scale(means, transforms)


# ---- changes that nobody can see ----

def _noise(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _levels(clips + 3 * random.standard_normal(clips.shape, np.float32))


def _tint(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _levels(clips + random.uniform(-6, 6, (len(clips), 1, 1, 1, 3)))


def _flicker(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _levels(clips + random.uniform(-3, 3, (*clips.shape[:2], 1, 1, 1)))


def _contrast(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _levels(127.5 + (clips - 127.5) * random.uniform(0.95, 1.05, (len(clips), 1, 1, 1, 1)))


def _levels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


_UNSEEN = (_noise, _tint, _flicker, _contrast)


# ---- raw features ----

def _filters(seed: int, shape: Sequence[int]) -> np.ndarray:
    """Random filters without a mean, of norm 1."""
    filters = np.random.default_rng(seed).standard_normal(shape, np.float32)
    filters -= filters.mean(axis=(0, 1, 2), keepdims=True)
    return filters / np.sqrt(np.square(filters).sum(axis=(0, 1, 2), keepdims=True))


def _network(seed: int, heads: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each scale the filters that go on to the next one, and the head that is pooled."""
    inputs = (3, *_CHANNELS[:-1])
    return [(_filters(seed + scale, (3, 3, before, channels)), _filters(seed + 100 + scale, (1, 1, channels, heads)))
            for scale, (before, channels) in enumerate(zip(inputs, _CHANNELS, strict=True))]


_NETWORKS = {name: _network(1000 * number, heads) for number, (name, heads) in enumerate(_HEADS.items())}


@tf.function(autograph=False, reduce_retracing=True)
def _convolutional(clips: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """uint8 [B, T, H, W, 3] → appearance and the convolutional part of motion, float32 [B, D]."""
    frames = tf.cast(clips, tf.float32) / 127.5 - 1.0
    change = frames[:, 1:] - frames[:, :-1]
    bend = change[:, 1:] - change[:, :-1]
    lacking = tf.maximum(0, 3 - tf.shape(frames)[1])  # Two frames have no bend: none at all is 0.
    bend = tf.pad(bend, [[0, 0], [0, lacking], [0, 0], [0, 0], [0, 0]])
    colour = tf.concat([tf.reduce_mean(frames, (1, 2, 3)), tf.reduce_mean(tf.math.reduce_std(frames, (2, 3)), 1)], 1)
    appearance = tf.concat([_respond("appearance", frames), colour], axis=1)
    motion = tf.concat([_respond("change", change), _respond("bend", bend)], axis=1)
    return appearance, motion


def _respond(name: str, frames: tf.Tensor) -> tf.Tensor:
    """Square roots of a network's pooled responses, the mean over frames: [B, T, H, W, 3] → [B, D]."""
    shape = tf.shape(frames)
    signal, pooled = tf.reshape(frames, tf.concat([[-1], shape[2:]], 0)), []
    threshold = _THRESHOLDS[name]
    for filters, head in _NETWORKS[name]:
        signal = tf.nn.relu(tf.nn.conv2d(signal, filters, 1, "SAME") - threshold) * np.float32(np.sqrt(2))
        threshold = 0.0
        pooled.append(tf.reduce_mean(tf.nn.relu(tf.nn.conv2d(signal, head, 1, "SAME")), (1, 2)))
        signal = tf.nn.avg_pool2d(signal, 2, 2, "SAME")
    responses = tf.reshape(tf.concat(pooled, axis=1), [shape[0], shape[1], len(_CHANNELS) * _HEADS[name]])
    return tf.sqrt(tf.reduce_mean(responses, axis=1))


def _of_flow(clip: np.ndarray) -> np.ndarray:
    """Statistics of optical flow: uint8 [T, H, W, 3] → float32 [D]."""
    flow = dense_flow(clip)  # [T - 1, h, w, 2]
    across, down = flow[..., 0], flow[..., 1]
    speed = np.hypot(across, down)
    sector = ((np.arctan2(down, across) / np.float32(2 * np.pi) + 0.5) * _DIRECTIONS).astype(np.uint8) % _DIRECTIONS
    directions = np.bincount(sector.ravel(), speed.ravel(), _DIRECTIONS) / speed.size
    amount, few = speed.mean(axis=(1, 2)), max(1, speed[0].size // 50)
    fastest = np.partition(speed.reshape(len(speed), -1), -few, axis=1)[:, -few:].mean(axis=1)
    drift, turn = flow.mean(axis=(1, 2)), np.diff(flow, axis=0)
    unevenness = [amount.mean(), amount.std(), _mean(np.abs(np.diff(amount))), fastest.mean(), fastest.std(),
                  _mean(np.hypot(turn[..., 0], turn[..., 1])), _mean(np.linalg.norm(np.diff(drift, axis=0), axis=-1))]
    return np.sqrt(np.concatenate([directions, unevenness])).astype(np.float32)


def _mean(values: np.ndarray) -> float:
    """0 for none, as of a clip of two frames, of which the flow is known but once."""
    return values.mean() if values.size else 0.0
