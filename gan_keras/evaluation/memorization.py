"""The nearest training clips: whether what comes out was only learned by heart.

Clips are compared as thumbnails, by the root of the mean squared difference in levels of 255, with every window of
every training record and both ways round. Windows of the video that a clip was itself cut from do not count, so real
clips can stand in the place of generated ones, and say how near to a training clip one comes without copying.

A clip without contrast or detail is near to everything, so a small distance alone proves little. A copy is much nearer
to one video than to most: the ratio of its distance to that of the fifth nearest video tells it from what is merely
dull [1]; not of the second, because the same video is often there twice, or mirrored. For the same reason real clips
that are training clips themselves do not decide what counts as near.

Where there is much to search, it is done at half the size of thumbnails first, and the best windows of the best videos
are compared at full size. The difference of averages is never more than that of what was averaged, so a copy is hardly
ever missed; a distance that is no copy's may come out a little too great, by 0.3 % on average for real clips.

[1] Carlini et al., Extracting Training Data from Diffusion Models, 2023: distances relative to those of
other neighbours.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from gan_keras.evaluation.evidence import ClipSet, Evidence, Stretch
from gan_keras.evaluation.findings import AS_REAL, LOWER, Estimate, Estimates, Metric, Plot, draw_weights, estimate_mean
from gan_keras.evaluation.thumbnails import block_means, thumbnails

RARE = 0.01
MIN_REAL_CLIPS = 50
SAME = 1.0
RIVAL = 5

# More videos are kept than are compared, because their order at half the size is not quite that at full size.
_VIDEOS_KEPT = 8
_NEAR_OFFSETS = 2
_WINDOWS_AT_ONCE = 1024
# Multiplications up to which thumbnails of full size are searched at once; about a second.
_SMALL_SEARCH = 5e10

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
        candidate: which clip.
        record: number of the record in the train split.
        offset: frame of the record that the training clip starts at.
        flipped: whether the training clip has to be mirrored left to right.
        distance: root of the mean squared difference of thumbnails, in levels of 255.
        ratio: to the distance of the fifth nearest video, or the last where there are fewer; NaN where there is no
            other or that distance is 0.
    """

    candidate: int
    record: int
    offset: int
    flipped: bool
    distance: float
    ratio: float


@dataclass(frozen=True)
class _Nearest:
    """The matches of all clips as arrays [N]; those of a clip that has none hold NaN as their distance."""

    stretch: np.ndarray
    offset: np.ndarray
    flipped: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray


_done: WeakKeyDictionary[ClipSet, tuple[Sequence[Stretch], _Nearest]] = WeakKeyDictionary()


def measure(candidate: ClipSet, evidence: Evidence) -> Estimates:
    """The numbers named in `METRICS`; NaN where no training clip can be compared.

    Raises:
        ValueError: the training thumbnails are of another size than those of the clips.
    """
    found = _search(candidate, evidence.stretches)
    return {"memorization/distance": _estimate_median(found.distance, candidate.sources),
            "memorization/ratio": estimate_mean(found.ratio, candidate.sources),
            "memorization/copied": estimate_mean(_copied(found, evidence), candidate.sources)}


def plots(evidence: Evidence) -> list[Plot]:
    """Distances to the nearest training clip and their ratios, of generated clips and of real ones in their place."""
    held_out = evidence.held_out
    sets = {"generated": evidence.generated, **({"held out": held_out} if held_out else {"real": evidence.other})}
    found = {name: _search(clips, evidence.stretches) for name, clips in sets.items()}
    return [Plot("Distance to the nearest training clip", "levels of 255", "clips", "histogram",
                 {name: matches.distance[np.isfinite(matches.distance)] for name, matches in found.items()}),
            Plot("Distance to the nearest training clip, divided by that to the fifth nearest video", "ratio", "clips",
                 "histogram", {name: matches.ratio[np.isfinite(matches.ratio)] for name, matches in found.items()})]


def nearest(candidate: ClipSet, evidence: Evidence) -> list[Match]:
    """The training clip nearest to each clip, in the order of the clips; one that cannot be compared is left out."""
    found = _search(candidate, evidence.stretches)
    return [Match(index, evidence.stretches[found.stretch[index]].record, int(found.offset[index]),
                  bool(found.flipped[index]), float(found.distance[index]), float(found.ratio[index]))
            for index in np.flatnonzero(np.isfinite(found.distance))]


def closest_pairs(evidence: Evidence, count: int) -> list[Match]:
    """The `count` generated clips that most look copied, the most suspicious first: by ratio, then by distance."""
    matches = nearest(evidence.generated, evidence)
    return sorted(matches, key=lambda match: (np.nan_to_num(match.ratio, nan=1.0), match.distance))[:count]


def _estimate_median(values: np.ndarray, sources: np.ndarray) -> Estimate:
    """As `findings.estimate_mean`, for the median."""
    known = np.isfinite(values)
    values, sources = values[known], sources[known]
    if not len(values):
        return Estimate(np.nan, np.nan, np.nan)
    order = np.argsort(values)
    weights = np.cumsum(draw_weights(sources)[:, order], axis=1)
    medians = values[order][(weights >= weights[:, -1:] / 2).argmax(axis=1)]
    low, high = np.quantile(medians, [0.025, 0.975])
    return Estimate(float(np.median(values)), float(low), float(high))


def _copied(found: _Nearest, evidence: Evidence) -> np.ndarray:
    """1.0 for a clip that looks copied, 0.0 for another, NaN for one that cannot be compared: float64 [N]."""
    near, low = _limits(evidence)
    # Without a ratio there is no fifth video to compare with: then the distance decides.
    suspicious = (found.distance < near) & ~(found.ratio >= low)
    return np.where(np.isfinite(found.distance), (found.distance <= SAME) | suspicious, np.nan)


def _limits(evidence: Evidence) -> tuple[float, float]:
    """Distance and ratio that only a hundredth of the real clips are below: of held-out ones where there are enough.

    Real clips that are training clips themselves, perhaps mirrored, are passed over.
    """
    for clips in filter(None, (evidence.held_out, evidence.other)):
        real = _search(clips, evidence.stretches)
        new = real.distance > SAME
        if new.sum() >= (MIN_REAL_CLIPS if clips is evidence.held_out else 1):
            ratios = real.ratio[new & np.isfinite(real.ratio)]
            low = float(np.quantile(ratios, RARE)) if len(ratios) else 1.0
            return float(np.quantile(real.distance[new], RARE)), low
    return 0.0, 0.0


def _search(candidate: ClipSet, stretches: Sequence[Stretch]) -> _Nearest:
    """The nearest window of each clip; remembered as long as the clips are."""
    kept = _done.get(candidate)
    if kept is None or kept[0] is not stretches:
        kept = _done[candidate] = (stretches, _find(thumbnails(candidate.clips), candidate.sources, stretches))
    return kept[1]


def _find(clips: np.ndarray, sources: np.ndarray, stretches: Sequence[Stretch]) -> _Nearest:
    for stretch in stretches:
        if stretch.thumbnails.shape[1:] != clips.shape[2:]:
            raise ValueError(f"Training thumbnails must be of the size of the clips' own, {clips.shape[2:]}. "
                             f"Received: {stretch.thumbnails.shape[1:]} in record {stretch.record}")
    windows = sum(max(0, len(stretch.thumbnails) - clips.shape[1] + 1) for stretch in stretches)
    even = clips.shape[2] % 2 == 0 == clips.shape[3] % 2
    shrink = 2 if even and 2.0 * windows * clips.size > _SMALL_SEARCH else 1
    videos = _best_windows(clips, sources, stretches, shrink)  # [N, videos, (stretch, offset, flipped)]
    found = np.full((len(clips), videos.shape[1], 2), np.inf)
    for index, (clip, windows_of_clip) in enumerate(zip(clips, videos, strict=True)):
        for video, (stretch, offset, flipped) in enumerate(windows_of_clip):
            if stretch >= 0:
                found[index, video] = _compare(clip[..., ::-1, :] if flipped else clip, stretches[stretch].thumbnails,
                                               offset, _NEAR_OFFSETS if shrink > 1 else 0)
    ranked = np.argsort(found[..., 0], axis=1, kind="stable")
    first, rows = ranked[:, 0], np.arange(len(clips))
    distance = np.sqrt(np.take_along_axis(found[..., 0], ranked, axis=1))
    distance[np.isinf(distance)] = np.nan
    compared = np.isfinite(distance[:, :RIVAL]).sum(axis=1)
    rival = distance[rows, np.maximum(compared, 1) - 1]
    rival[(compared < 2) | (rival == 0)] = np.nan
    stretch, _, flipped = np.moveaxis(videos[rows, first], -1, 0)
    return _Nearest(stretch, found[rows, first, 1], flipped.astype(bool), distance[:, 0], distance[:, 0] / rival)


def _compare(clip: np.ndarray, record: np.ndarray, offset: int, reach: int) -> tuple[float, int]:
    """The least mean squared difference at offsets up to `reach` from the given one, and where it is."""
    length = len(clip)
    nearby = range(max(0, offset - reach), min(len(record) - length, offset + reach) + 1)
    # int16 holds the differences but not their squares, and is twice as fast as float32.
    differences = [(np.subtract(clip, record[start:start + length], dtype=np.int16).ravel().astype(np.float32), start)
                   for start in nearby]
    return min((float(difference @ difference) / difference.size, start) for difference, start in differences)


def _best_windows(clips: np.ndarray, sources: np.ndarray, stretches: Sequence[Stretch], shrink: int) -> np.ndarray:
    """The best window of each of the best videos, in no order: int [N, videos, (stretch, offset, flipped)]; -1: none.

    Squared distances are |x|² - 2 x·w + |w|², of which the first is the same for all windows of a clip and left out.
    """
    length, count = clips.shape[1], len(clips)
    small = _centred(clips, shrink)
    rows = np.concatenate([small, small[..., ::-1, :]]).reshape(2 * count, -1)  # as they are, then flipped
    scores = np.full((count, _VIDEOS_KEPT), np.inf, np.float32)
    windows = np.full((count, _VIDEOS_KEPT, 3), -1)
    best, best_window, video = np.full(count, np.inf, np.float32), np.full((count, 3), -1), None
    for block in _blocks(stretches, length):
        parts = [_windows(_centred(stretches[number].thumbnails[first:first + size + length - 1], shrink), length)
                 for number, first, size in block]
        values = np.concatenate(parts)
        score = np.einsum("wd,wd->w", values, values) - 2 * (rows @ values.T)
        edge = 0
        for number, first, size in block:
            if stretches[number].source != video:
                _keep(scores, windows, best, best_window)
                best[:], video = np.inf, stretches[number].source
            piece = score[:, edge:edge + size]
            edge += size
            _improve(best, best_window, piece, number, first, (sources == video) & (video >= 0))
    _keep(scores, windows, best, best_window)
    return windows


def _centred(frames: np.ndarray, shrink: int) -> np.ndarray:
    """Thumbnails as float32 around 0, so that their products stay small and exact enough."""
    return block_means(frames, shrink) - np.float32(127.5)


def _windows(frames: np.ndarray, length: int) -> np.ndarray:
    """[L, h, w, 3] → all windows of so many frames, float32 [L - length + 1, length h w 3]."""
    flat = np.ascontiguousarray(frames).reshape(-1)
    size = frames[0].size
    return np.lib.stride_tricks.sliding_window_view(flat, length * size)[::size]


def _blocks(stretches: Sequence[Stretch], length: int) -> Iterator[list[tuple[int, int, int]]]:
    """Pieces of stretches (number, first offset, offsets), video by video, as many as fit into one product."""
    block, windows = [], 0
    for number in sorted(range(len(stretches)), key=lambda number: stretches[number].source):
        offsets = len(stretches[number].thumbnails) - length + 1
        for first in range(0, offsets, _WINDOWS_AT_ONCE):
            size = min(_WINDOWS_AT_ONCE, offsets - first)
            if windows + size > _WINDOWS_AT_ONCE:
                yield block
                block, windows = [], 0
            block.append((number, first, size))
            windows += size
    if block:
        yield block


def _improve(best: np.ndarray, best_window: np.ndarray, piece: np.ndarray, number: int, first: int,
             own: np.ndarray) -> None:
    """Takes over what a piece of a stretch, scores [2 N, offsets], has that is better than the best [N] so far."""
    count = len(best)
    offsets = piece.argmin(axis=1)
    score = piece[np.arange(2 * count), offsets].reshape(2, count)
    flipped = (score[1] < score[0]).astype(int)
    score = score.min(axis=0)
    better = np.flatnonzero((score < best) & ~own)
    best[better] = score[better]
    best_window[better, 0] = number
    best_window[better, 1] = first + offsets.reshape(2, count)[flipped[better], better]
    best_window[better, 2] = flipped[better]


def _keep(scores: np.ndarray, windows: np.ndarray, best: np.ndarray, best_window: np.ndarray) -> None:
    """Puts the best window of a video in the place of the worst one kept [N, videos], where it is better."""
    worst = scores.argmax(axis=1)
    better = np.flatnonzero(best < scores[np.arange(len(best)), worst])
    scores[better, worst[better]] = best[better]
    windows[better, worst[better]] = best_window[better]
