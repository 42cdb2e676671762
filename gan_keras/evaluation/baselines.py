"""Answers that need no trained model, to stand beside those of one: what a library does, or next to nothing.

Each is a function of what was given and gives uint8 [T, H, W, 3]. Which ones there are follows from what was given:
smaller frames (to be enlarged), a mask (to be filled), fewer frames (to be gone on with), or the clip in other quality.
"""


import numpy as np
import tensorflow as tf

from gan_keras.data import filling
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.video.flow import frame_flow, warped
from gan_keras.video.opencv import cv2

_RADIUS = 3
"""Pixels around a hole that `cv2.inpaint` looks at."""
_BLUR, _SHARPER = 1.0, 0.5


def baselines(given: np.ndarray, mask: np.ndarray | None, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """All baselines by name.

    Args:
        given: uint8 [t, h, w, 3].
        mask: uint8 [T, H, W, 1], 1 where something is to be made; None: all over.
        shape: (T, H, W) that is wanted.

    Returns:
        uint8 [T, H, W, 3] by name.
    """
    frames, height, width = shape
    if len(given) < frames:
        return _continued(given, frames)
    if given.shape[1:3] != (height, width):
        return _enlarged(given, height, width)
    return _in_other_quality(given) if mask is None else _filled(given, mask)


def _enlarged(given: np.ndarray, height: int, width: int) -> dict[str, np.ndarray]:
    bicubic = np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_CUBIC) for frame in given])
    lanczos = np.stack([cv2.resize(frame, (width, height), interpolation=cv2.INTER_LANCZOS4) for frame in given])
    return {"bicubic": bicubic, "lanczos": lanczos, "unsharp": _unsharp(bicubic)}


def _in_other_quality(given: np.ndarray) -> dict[str, np.ndarray]:
    padded = np.concatenate([given[:1], given, given[-1:]])
    median = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), 0).astype(np.uint8)
    return {"input": given, "temporal_median": median, "non_local_means": _non_local_means(given),
            "unsharp": _unsharp(given)}


def _filled(given: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    clips = to_float(tf.constant(given[np.newaxis]))
    holes = tf.cast(tf.constant(mask[np.newaxis]), tf.float32)
    answers = {name: np.stack([cv2.inpaint(frame, hole[..., 0], _RADIUS, method)
                               for frame, hole in zip(given, mask, strict=True)])
               for name, method in (("telea", cv2.INPAINT_TELEA), ("navier_stokes", cv2.INPAINT_NS))}
    around = [_from_around(frame, hole[..., 0]) for frame, hole in zip(given, mask, strict=True)]
    answers |= {name: np.stack(frames) for name, frames in zip(("replicate", "reflect"), zip(*around, strict=True),
                                                               strict=True)}
    answers["nearest_frame"] = to_uint8(filling.nearest(clips, holes))[0].numpy()
    answers["blend"] = to_uint8(filling.fill(clips, holes)[0])[0].numpy()
    return answers


def _continued(given: np.ndarray, frames: int) -> dict[str, np.ndarray]:
    missing = frames - len(given)
    copy = np.concatenate([given, np.repeat(given[-1:], missing, 0)])
    if len(given) < 2:
        return {"copy": copy}
    backwards = frame_flow(given[-1], given[-2])  # where each pixel of the last frame was before
    moved = [warped(given[-1], (i + 1) * backwards) for i in range(missing)]
    return {"copy": copy, "flow": np.concatenate([given, np.stack(moved)])}


def _unsharp(clip: np.ndarray) -> np.ndarray:
    return np.stack([cv2.addWeighted(frame, 1 + _SHARPER, cv2.GaussianBlur(frame, (0, 0), _BLUR), -_SHARPER, 0)
                     for frame in clip])


def _non_local_means(clip: np.ndarray) -> np.ndarray:
    """Non-local means over three frames, as strong as the noise that is there (median of Laplacians)."""
    grey = clip.astype(np.float32).mean(-1)
    inner = grey[:, 1:-1, 1:-1]
    laplacian = 4 * inner - grey[:, :-2, 1:-1] - grey[:, 2:, 1:-1] - grey[:, 1:-1, :-2] - grey[:, 1:-1, 2:]
    noise = float(np.median(np.abs(laplacian)) / 0.6745 / np.sqrt(20 / 3))
    made = [cv2.fastNlMeansDenoisingColoredMulti(list(clip), i, 3, None, noise, noise, 5, 11)
            for i in range(1, len(clip) - 1)]
    ends = [cv2.fastNlMeansDenoisingColored(clip[i], None, noise, noise, 5, 11) for i in (0, -1)]
    return np.stack([ends[0], *made, ends[1]])


def _from_around(frame: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A frame whose hole shows the nearest pixel that is known, as a border that is replicated does; and one whose hole
    mirrors what is known there, as one that is reflected does."""
    if hole.all() or not hole.any():
        return frame, frame
    _, labels = cv2.distanceTransformWithLabels(hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    known = np.argwhere(hole == 0)
    places = np.zeros((labels.max() + 1, 2), np.intp)
    places[labels[hole == 0]] = known
    nearest = places[labels]
    mirrored = 2 * nearest - np.stack(np.indices(hole.shape), -1)
    inside = ((mirrored >= 0) & (mirrored < hole.shape)).all(-1)
    mirrored = np.where(inside[..., None], mirrored, nearest)
    mirrored = np.where(hole[tuple(np.moveaxis(mirrored, -1, 0))][..., None] == 0, mirrored, nearest)
    return tuple(np.where(hole[..., None] > 0, frame[tuple(np.moveaxis(at, -1, 0))], frame)
                 for at in (nearest, mirrored))
