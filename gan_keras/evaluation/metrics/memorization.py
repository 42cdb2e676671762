"""Memorization: the nearest training clip of each clip, and whether it is a copy.

Clips are compared as thumbnails, by the root of the mean squared difference in levels of 255, with every window of
every training record, mirrored and not. Windows of the video that a clip is itself a window of do not count, so real
clips can stand in the place of generated ones and give the distance of clips that are no copies.

A clip without contrast or detail is near to everything, so a small distance alone proves little. A copy is much nearer
to one video than to most: the ratio of its distance to that of the fifth nearest video distinguishes it from a dull
clip [1]. The second nearest would not do, because the same video is often in the data twice, or mirrored. For the same
reason real clips that are training clips themselves do not decide which distances are small.

A large search runs at half the size of thumbnails first, and compares the best windows of the best videos at full size.
The difference of averages is never more than that of the averaged pixels, so a copy is hardly ever missed; the distance
of a clip that is no copy may be a little too large, by 0.3 % on average for real clips.

[1] Carlini et al., Extracting Training Data from Diffusion Models, 2023: distances relative to those of other
neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gan_keras.evaluation.metrics.estimates import estimate_mean, estimate_median
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, TrainingSegment
from gan_keras.evaluation.metrics.types import AS_REAL, LOWER, Estimates, Metric, Plot
from gan_keras.evaluation.thumbnails import block_means, thumbnails

MAX_FULL_SIZE_SEARCH = 5e10
"""Multiplications up to which a search runs at the full size of thumbnails; about a second."""

BLOCK_WINDOWS = 1024
"""Windows that are compared in one matrix product."""

_COPY_LEVELS = 1.0
"""Distance up to which a clip is a training clip, whatever real clips have."""

_RARE = 0.01
_MIN_REAL_CLIPS = 50
_RIVAL = 5
"""The video whose distance others are relative to, counted from the nearest."""

_KEPT_VIDEOS = 8
"""Best videos at half the size: more than `_RIVAL`, because their order at full size is not quite the same."""
_OFFSET_TOLERANCE = 2

METRICS = {
    "memorization/distance": Metric(
        AS_REAL, "Median over clips of the distance to the nearest training clip, in levels of 255; much less than for "
        "real clips means copies, or clips without detail."),
    "memorization/ratio": Metric(
        AS_REAL, "Mean over clips of the distance to the nearest training clip divided by that to the fifth nearest "
        "video: 0 for a copy, near 1 for a clip that is like no video in particular."),
    "memorization/copied": Metric(
        LOWER, "Share of clips that are a training clip to within a level, or are nearer to one, both in levels and "
        "compared with the fifth nearest video, than all but 1 % of real clips in their place.", ("repeat",))}


@dataclass(frozen=True)
class Match:
    """A clip and the training clip nearest to it.

    Attributes:
        sample: index of the clip.
        record: number of the record in the train split.
        offset: frame of the record that the training clip starts at.
        flipped: whether the training clip has to be mirrored left to right.
        distance: root of the mean squared difference of thumbnails, in levels of 255.
        ratio: of the distance to that of the fifth nearest video, or of the last one where there are fewer; NaN where
            there is no other video or its distance is 0.
    """

    sample: int
    record: int
    offset: int
    flipped: bool
    distance: float
    ratio: float


@dataclass(frozen=True)
class _Matches:
    """Matches of all clips as arrays [N]; the distance of a clip without a match is NaN."""

    segment: np.ndarray
    offset: np.ndarray
    flipped: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray


_cache: WeakKeyDictionary[ClipSet, tuple[Sequence[TrainingSegment], _Matches]] = WeakKeyDictionary()


def measure(samples: ClipSet, inputs: MetricInputs) -> Estimates:
    """The metrics in `METRICS`; NaN where no training clip can be compared.

    Raises:
        ValueError: the training thumbnails are of another size than those of the clips.
    """
    matches = _find_matches(samples, inputs.training_segments)
    return {"memorization/distance": estimate_median(matches.distance, samples.video_ids),
            "memorization/ratio": estimate_mean(matches.ratio, samples.video_ids),
            "memorization/copied": estimate_mean(_copied(matches, inputs), samples.video_ids)}


def plots(inputs: MetricInputs) -> list[Plot]:
    """Histograms of distances and ratios, of generated clips and of real ones in their place."""
    held_out = inputs.held_out
    sets = {"generated": inputs.generated, **({"held out": held_out} if held_out else {"real": inputs.other})}
    matches = {name: _find_matches(clips, inputs.training_segments) for name, clips in sets.items()}
    return [Plot("Distance to the nearest training clip", "levels of 255", "clips", "histogram",
                 {name: values.distance[np.isfinite(values.distance)] for name, values in matches.items()}),
            Plot("Distance to the nearest training clip, divided by that to the fifth nearest video", "ratio", "clips",
                 "histogram", {name: values.ratio[np.isfinite(values.ratio)] for name, values in matches.items()})]


def nearest(samples: ClipSet, inputs: MetricInputs) -> list[Match]:
    """The training clip nearest to each clip, in the order of the clips; those that cannot be compared are left out."""
    matches = _find_matches(samples, inputs.training_segments)
    return [Match(index, inputs.training_segments[matches.segment[index]].record, int(matches.offset[index]),
                  bool(matches.flipped[index]), float(matches.distance[index]), float(matches.ratio[index]))
            for index in np.flatnonzero(np.isfinite(matches.distance))]


def closest_pairs(inputs: MetricInputs, count: int) -> list[Match]:
    """The `count` generated clips that look most like copies: sorted by ratio, then by distance."""
    matches = nearest(inputs.generated, inputs)
    return sorted(matches, key=lambda match: (np.nan_to_num(match.ratio, nan=1.0), match.distance))[:count]


def _copied(matches: _Matches, inputs: MetricInputs) -> np.ndarray:
    """1.0 for a clip that looks copied, 0.0 for another, NaN for one that cannot be compared: float64 [N]."""
    max_distance, max_ratio = _copy_limits(inputs)
    # Without a ratio there is no other video to compare with: the distance decides.
    near = (matches.distance < max_distance) & ~(matches.ratio >= max_ratio)
    return np.where(np.isfinite(matches.distance), (matches.distance <= _COPY_LEVELS) | near, np.nan)


def _copy_limits(inputs: MetricInputs) -> tuple[float, float]:
    """Distance and ratio that 1 % of the real clips are below: of held-out ones where there are enough.

    Real clips that are training clips themselves, perhaps mirrored, do not count.
    """
    for clips in filter(None, (inputs.held_out, inputs.other)):
        real = _find_matches(clips, inputs.training_segments)
        new = real.distance > _COPY_LEVELS
        if new.sum() >= (_MIN_REAL_CLIPS if clips is inputs.held_out else 1):
            ratios = real.ratio[new & np.isfinite(real.ratio)]
            max_ratio = float(np.quantile(ratios, _RARE)) if len(ratios) else 1.0
            return float(np.quantile(real.distance[new], _RARE)), max_ratio
    return 0.0, 0.0


def _find_matches(samples: ClipSet, segments: Sequence[TrainingSegment]) -> _Matches:
    """The nearest window of each clip; cached as long as the clips are in use."""
    cached = _cache.get(samples)
    if cached is None or cached[0] is not segments:
        matches = _search(thumbnails(samples.clips), samples.video_ids, segments)
        cached = _cache[samples] = (segments, matches)
    return cached[1]


def _search(clips: np.ndarray, video_ids: np.ndarray, segments: Sequence[TrainingSegment]) -> _Matches:
    """The nearest window of each clip, thumbnails uint8 [N, T, h, w, 3]."""
    for segment in segments:
        if segment.thumbnails.shape[1:] != clips.shape[2:]:
            raise ValueError(f"Training thumbnails must be of the size of the clips' own, {clips.shape[2:]}. "
                             f"Received: {segment.thumbnails.shape[1:]} in record {segment.record}")
    num_windows = sum(max(0, len(segment.thumbnails) - clips.shape[1] + 1) for segment in segments)
    even = clips.shape[2] % 2 == 0 == clips.shape[3] % 2
    factor = 2 if even and 2.0 * num_windows * clips.size > MAX_FULL_SIZE_SEARCH else 1
    windows = _best_windows(clips, video_ids, segments, factor)  # [N, videos, (segment, offset, flipped)]
    matches = np.full((len(clips), windows.shape[1], 2), np.inf)  # [N, videos, (squared distance, offset)]
    for index, (clip, windows_of_clip) in enumerate(zip(clips, windows, strict=True)):
        for video, (segment, offset, flipped) in enumerate(windows_of_clip):
            if segment >= 0:
                matches[index, video] = _compare(clip[..., ::-1, :] if flipped else clip, segments[segment].thumbnails,
                                                 offset, _OFFSET_TOLERANCE if factor > 1 else 0)
    ranked = np.argsort(matches[..., 0], axis=1, kind="stable")
    first, rows = ranked[:, 0], np.arange(len(clips))
    distance = np.sqrt(np.take_along_axis(matches[..., 0], ranked, axis=1))
    distance[np.isinf(distance)] = np.nan
    compared = np.isfinite(distance[:, :_RIVAL]).sum(axis=1)
    rival = distance[rows, np.maximum(compared, 1) - 1]
    rival[(compared < 2) | (rival == 0)] = np.nan
    segment, _, flipped = np.moveaxis(windows[rows, first], -1, 0)
    return _Matches(segment, matches[rows, first, 1], flipped.astype(bool), distance[:, 0], distance[:, 0] / rival)


def _compare(clip: np.ndarray, record: np.ndarray, offset: int, tolerance: int) -> tuple[float, int]:
    """The least mean squared difference at offsets up to `tolerance` from the given one, and its offset."""
    length = len(clip)
    offsets = range(max(0, offset - tolerance), min(len(record) - length, offset + tolerance) + 1)
    # int16 holds the differences but not their squares, and is twice as fast as float32.
    differences = [(np.subtract(clip, record[start:start + length], dtype=np.int16).ravel().astype(np.float32), start)
                   for start in offsets]
    return min((float(difference @ difference) / difference.size, start) for difference, start in differences)


def _best_windows(clips: np.ndarray, video_ids: np.ndarray, segments: Sequence[TrainingSegment], factor: int
                  ) -> np.ndarray:
    """Best windows of the best videos, in no order: int [N, videos, (segment, offset, flipped)], -1 for none.

    Squared distances are |x|² - 2 x·w + |w|²; the first term is the same for all windows of a clip and left out.
    """
    length, count = clips.shape[1], len(clips)
    small = _centred(clips, factor)
    rows = np.concatenate([small, small[..., ::-1, :]]).reshape(2 * count, -1)  # as they are, then flipped
    kept_scores = np.full((count, _KEPT_VIDEOS), np.inf, np.float32)
    kept_windows = np.full((count, _KEPT_VIDEOS, 3), -1)
    best, best_window, video = np.full(count, np.inf, np.float32), np.full((count, 3), -1), None
    for block in _blocks(segments, length):
        values = np.concatenate([
            _windows(_centred(segments[number].thumbnails[first:first + size + length - 1], factor), length)
            for number, first, size in block])
        scores = np.einsum("wd,wd->w", values, values) - 2 * (rows @ values.T)
        column = 0
        for number, first, size in block:
            if segments[number].video_id != video:
                _keep(kept_scores, kept_windows, best, best_window)
                best[:], video = np.inf, segments[number].video_id
            own = (video_ids == video) & (video >= 0)
            _update_best(best, best_window, scores[:, column:column + size], number, first, own)
            column += size
    _keep(kept_scores, kept_windows, best, best_window)
    return kept_windows


def _centred(frames: np.ndarray, factor: int) -> np.ndarray:
    """Thumbnails as float32 around 0, so that their products stay small and exact enough."""
    return block_means(frames, factor) - np.float32(127.5)


def _windows(frames: np.ndarray, length: int) -> np.ndarray:
    """All windows of `length` frames, [L, h, w, 3] → float32 [L - length + 1, length h w 3]."""
    values = np.ascontiguousarray(frames).reshape(-1)
    size = frames[0].size
    return np.lib.stride_tricks.sliding_window_view(values, length * size)[::size]


def _blocks(segments: Sequence[TrainingSegment], length: int) -> Iterator[list[tuple[int, int, int]]]:
    """Parts of segments (number, first offset, offsets), video by video, up to `BLOCK_WINDOWS` windows together."""
    block, windows = [], 0
    for number in sorted(range(len(segments)), key=lambda number: segments[number].video_id):
        offsets = len(segments[number].thumbnails) - length + 1
        for first in range(0, offsets, BLOCK_WINDOWS):
            size = min(BLOCK_WINDOWS, offsets - first)
            if windows + size > BLOCK_WINDOWS:
                yield block
                block, windows = [], 0
            block.append((number, first, size))
            windows += size
    if block:
        yield block


def _update_best(best: np.ndarray, best_window: np.ndarray, scores: np.ndarray, number: int, first: int,
                 own: np.ndarray) -> None:
    """Updates the best window of each clip where a part of a segment has a better one.

    Args:
        best: score of the best window [N], updated.
        best_window: (segment, offset, flipped) [N, 3], updated.
        scores: of the part, [2 N, offsets], the second half of flipped clips.
        number: of the segment.
        first: offset of the first column of `scores`.
        own: bool [N], clips of the same video, which keep what they have.
    """
    count = len(best)
    offsets = scores.argmin(axis=1)
    score = scores[np.arange(2 * count), offsets].reshape(2, count)
    flipped = (score[1] < score[0]).astype(int)
    score = score.min(axis=0)
    better = np.flatnonzero((score < best) & ~own)
    best[better] = score[better]
    best_window[better, 0] = number
    best_window[better, 1] = first + offsets.reshape(2, count)[flipped[better], better]
    best_window[better, 2] = flipped[better]


def _keep(kept_scores: np.ndarray, kept_windows: np.ndarray, best: np.ndarray, best_window: np.ndarray) -> None:
    """Replaces the worst kept window [N, videos] by the best window of a video where that is better."""
    worst = kept_scores.argmax(axis=1)
    better = np.flatnonzero(best < kept_scores[np.arange(len(best)), worst])
    kept_scores[better, worst[better]] = best[better]
    kept_windows[better, worst[better]] = best_window[better]
