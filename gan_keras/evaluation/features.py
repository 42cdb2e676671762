"""Built-in features of clips: no weights to fetch, the same numbers for everybody.

**Appearance** describes frames one by one, averaged over the clip, so the order of frames does not matter: pooled
responses of a small convolutional network of fixed random filters at four scales, mean colour and its spread. Random
filters rank generators of other things than photographs at least as well as filters trained on ImageNet do (Naeem et
al. 2020, arXiv:2002.09797).

**Motion** describes changes: the same kind of network on first and second differences of frames in time, and
statistics of dense optical flow (Farneback 2003): amount, direction and evenness of motion.

Responses below a threshold, such as faint noise on a plain background, are set to 0. What is left enters as its square
root, because energies are skewed.

**Whitening.** Raw features are decorrelated and divided by a standard deviation. Its variance is that of the real clips
plus what imperceptible changes would add (a trace of noise, a shade brighter, slightly more contrast, see
`_IMPERCEPTIBLE`). So a difference counts by how unlike real clips it is, unless it is invisible.
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
"""Version of everything here that a feature depends on; distances of different versions cannot be compared."""

_CHANNELS = (16, 24, 32, 48)
"""Channels of the network at each scale; each scale has half the side of the one before."""
_HEADS = {"appearance": 14, "change": 6, "bend": 6}
"""Pooled responses at each scale of the networks on frames, first differences and second differences. The names are
part of the declaration."""
_THRESHOLDS = {"appearance": 0.1, "change": 0.2, "bend": 0.35}
"""Thresholds of responses, for clips in [-1, 1]: several standard deviations of noise of 4 levels of 255."""
_DIRECTIONS = 8
_RIDGE = 0.03
"""Share of a feature's variance added before features are decorrelated, so that directions in which real clips hardly
vary are not amplified without limit."""
_IMPERCEPTIBLE_CLIPS = 64
_IMPERCEPTIBLE_STRENGTH = 4.0
"""Factor of the variance that imperceptible changes add."""
_MAX_BATCH, _MAX_BATCH_PIXELS = 16, 2**20
"""Clips of a batch, and pixels of all their frames: half a gigabyte of responses."""

Raw = Mapping[str, np.ndarray]


def dimensions() -> dict[str, int]:
    """Dimension D of each built-in feature."""
    appearance = len(_CHANNELS) * _HEADS["appearance"] + 6
    motion = len(_CHANNELS) * (_HEADS["change"] + _HEADS["bend"]) + _DIRECTIONS + 7
    return {"appearance": appearance, "motion": motion, "joint": appearance + motion}


def declaration() -> str:
    """Version and SHA-256 of filters and constants, for the protocol of a report."""
    digest = hashlib.sha256(repr((VERSION, _CHANNELS, _HEADS, _THRESHOLDS, _DIRECTIONS, _RIDGE, _IMPERCEPTIBLE_CLIPS,
                                  _IMPERCEPTIBLE_STRENGTH)).encode())
    for network in _NETWORKS.values():
        for filters, head in network:
            digest.update(filters.tobytes() + head.tobytes())
    return f"built in, version {VERSION}, {digest.hexdigest()[:16]}"


def extract(clips: np.ndarray, advance: Callable[[int], None] = lambda count: None) -> dict[str, np.ndarray]:
    """Raw features.

    Args:
        clips: uint8 [N, T, H, W, 3], T at least 2; features that need three frames are 0 for two.
        advance: called with the number of further clips done.

    Returns:
        float32 [N, D] for `appearance` and `motion`.
    """
    batches: dict[str, list[np.ndarray]] = {"appearance": [], "motion": []}
    size = min(_MAX_BATCH, max(1, _MAX_BATCH_PIXELS // math.prod(clips.shape[1:4])))
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(clips), size):
            batch = clips[start:start + size]
            flow, count = pool.map(_flow_statistics, batch), len(batch)
            # All batches have one shape: each new one would be traced anew.
            padded = np.concatenate([batch, batch[-1:].repeat(size - count, axis=0)]) if count < size else batch
            appearance, change = (values[:count] for values in _convolutional_features(tf.constant(padded)))
            batches["appearance"].append(appearance)
            batches["motion"].append(np.concatenate([change, np.stack(list(flow))], axis=1))
            advance(count)
    return {name: np.concatenate(values) for name, values in batches.items()}


@dataclass(frozen=True, eq=False)
class Whitening:
    """Whitening of raw features by the statistics of real clips; `fit_whitening` makes it.

    Attributes:
        means: float64 [D] by name.
        transforms: float64 [D, D] by name.
    """

    means: Mapping[str, np.ndarray]
    transforms: Mapping[str, np.ndarray]

    def __call__(self, raw: Raw) -> dict[str, np.ndarray]:
        """Whitened features, float32 [N, D] for `appearance`, `motion` and `joint`, which is both side by side."""
        whitened = {name: ((values - self.means[name]) @ self.transforms[name]).astype(np.float32)
                    for name, values in raw.items()}
        return {**whitened, "joint": np.concatenate(list(whitened.values()), axis=1)}


def fit_whitening(clips: np.ndarray, raw: Raw) -> Whitening:
    """Whitening by the covariance of real clips and of imperceptible changes to them.

    Args:
        clips: uint8 [N, T, H, W, 3]; the first ones are changed imperceptibly.
        raw: their raw features, or those of more clips of the same kind that begin with them.
    """
    subset = clips[:_IMPERCEPTIBLE_CLIPS]
    changed = [extract(change(subset, np.random.default_rng(seed))) for seed, change in enumerate(_IMPERCEPTIBLE)]
    means, transforms = {}, {}
    for name, values in raw.items():
        values = values.astype(float)
        deviation = values.std(axis=0)
        deviation += 1e-3 * deviation.max() + 1e-9
        covariance = np.cov(values.T / deviation[:, None])
        for changed_features in changed:
            difference = (changed_features[name] - values[:len(subset)]) / deviation
            covariance = covariance + _IMPERCEPTIBLE_STRENGTH * difference.T @ difference / len(subset)
        variances, axes = linalg.eigh(covariance + _RIDGE * np.eye(len(deviation)))
        means[name] = values.mean(axis=0)
        transforms[name] = axes / np.sqrt(variances) / deviation[:, None]
    return Whitening(means, transforms)


# ---- imperceptible changes ----

def _noise(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _to_uint8(clips + 3 * random.standard_normal(clips.shape, np.float32))


def _tint(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _to_uint8(clips + random.uniform(-6, 6, (len(clips), 1, 1, 1, 3)))


def _flicker(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _to_uint8(clips + random.uniform(-3, 3, (*clips.shape[:2], 1, 1, 1)))


def _contrast(clips: np.ndarray, random: np.random.Generator) -> np.ndarray:
    return _to_uint8(127.5 + (clips - 127.5) * random.uniform(0.95, 1.05, (len(clips), 1, 1, 1, 1)))


def _to_uint8(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


_IMPERCEPTIBLE = (_noise, _tint, _flicker, _contrast)


# ---- raw features ----

def _filters(seed: int, shape: Sequence[int]) -> np.ndarray:
    """Random filters without a mean, of norm 1."""
    filters = np.random.default_rng(seed).standard_normal(shape, np.float32)
    filters -= filters.mean(axis=(0, 1, 2), keepdims=True)
    return filters / np.sqrt(np.square(filters).sum(axis=(0, 1, 2), keepdims=True))


def _network(seed: int, heads: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each scale the filters that lead to the next one, and the head that is pooled."""
    input_channels = (3, *_CHANNELS[:-1])
    return [(_filters(seed + scale, (3, 3, before, channels)), _filters(seed + 100 + scale, (1, 1, channels, heads)))
            for scale, (before, channels) in enumerate(zip(input_channels, _CHANNELS, strict=True))]


_NETWORKS = {name: _network(1000 * index, heads) for index, (name, heads) in enumerate(_HEADS.items())}


@tf.function(autograph=False, reduce_retracing=True)
def _convolutional_features(clips: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """uint8 [B, T, H, W, 3] → appearance and the convolutional part of motion, float32 [B, D]."""
    frames = tf.cast(clips, tf.float32) / 127.5 - 1.0
    change = frames[:, 1:] - frames[:, :-1]
    bend = change[:, 1:] - change[:, :-1]
    missing = tf.maximum(0, 3 - tf.shape(frames)[1])  # two frames have no second difference: it is 0
    bend = tf.pad(bend, [[0, 0], [0, missing], [0, 0], [0, 0], [0, 0]])
    colour = tf.concat([tf.reduce_mean(frames, (1, 2, 3)), tf.reduce_mean(tf.math.reduce_std(frames, (2, 3)), 1)], 1)
    appearance = tf.concat([_pooled_responses("appearance", frames), colour], axis=1)
    motion = tf.concat([_pooled_responses("change", change), _pooled_responses("bend", bend)], axis=1)
    return appearance, motion


def _pooled_responses(name: str, frames: tf.Tensor) -> tf.Tensor:
    """Square roots of a network's pooled responses, averaged over frames: [B, T, H, W, 3] → [B, D]."""
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


def _flow_statistics(clip: np.ndarray) -> np.ndarray:
    """Statistics of optical flow: uint8 [T, H, W, 3] → float32 [D]."""
    flow = dense_flow(clip)  # [T - 1, h, w, 2]
    across, down = flow[..., 0], flow[..., 1]
    speed = np.hypot(across, down)
    sector = ((np.arctan2(down, across) / np.float32(2 * np.pi) + 0.5) * _DIRECTIONS).astype(np.uint8) % _DIRECTIONS
    directions = np.bincount(sector.ravel(), speed.ravel(), _DIRECTIONS) / speed.size
    amount, top = speed.mean(axis=(1, 2)), max(1, speed[0].size // 50)
    # The mean of the fastest 2 % of the pixels: a small thing moves without changing the mean of all.
    fastest = np.partition(speed.reshape(len(speed), -1), -top, axis=1)[:, -top:].mean(axis=1)
    drift, acceleration = flow.mean(axis=(1, 2)), np.diff(flow, axis=0)
    statistics = [amount.mean(), amount.std(), _mean(np.abs(np.diff(amount))), fastest.mean(), fastest.std(),
                  _mean(np.hypot(acceleration[..., 0], acceleration[..., 1])),
                  _mean(np.linalg.norm(np.diff(drift, axis=0), axis=-1))]
    return np.sqrt(np.concatenate([directions, statistics])).astype(np.float32)


def _mean(values: np.ndarray) -> float:
    """Mean, 0 of nothing: clips of two frames have one flow, and no differences of flows."""
    return values.mean() if values.size else 0.0
