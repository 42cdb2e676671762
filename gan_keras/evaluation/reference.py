"""Real clips that others are compared with: training clips in two halves, held-out clips, and their features.

The train split is divided in two *by video*. All clips are compared with one half; the other half, in the place of
generated clips, gives the noise floor, the distance between real clips and other real ones. Both halves have equally
many windows, as far apart as their videos allow, because most distances depend on the number of clips.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from gan_keras.data import records
from gan_keras.data.input_pipeline import first_clips
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError
from gan_keras.evaluation import features
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips, TrainingSegment
from gan_keras.evaluation.thumbnails import thumbnails
from gan_keras.evaluation.user_features import UserFeatures
from gan_keras.progress import Progress

MIN_CLIPS = 8
"""Clips in a half below which nothing can be measured."""

MAX_FRAMES = 2**19
"""Frames of a split that are read. The shards are in random order, so the first ones represent all."""

_MIN_VIDEOS = 4


@dataclass(frozen=True)
class _Record:
    """A record of a split, without its frames.

    Attributes:
        number: of the record in the split.
        video: id of the video that it is a segment of.
        label: class, -1 for none.
        frames: number of its frames.
    """

    number: int
    video: str
    label: int
    frames: int


class Reference:
    """Real clips, and the whitening of all clips' features; `load` makes it.

    Attributes:
        real: one half of the training clips.
        other: the other half, as many clips.
        held_out: clips of the test split, or None.
        labels: int64 [N], classes of `other`, -1 for none.
        training_segments: the train split as thumbnails.
        num_frames: frames of a clip.
        fps: frames per second.
        notes: what a reader of the metrics must know.
    """

    real: ClipSet
    other: ClipSet
    held_out: ClipSet | None
    labels: np.ndarray
    training_segments: Sequence[TrainingSegment]

    def __init__(self, folder: Path, manifest: Manifest, num_frames: int, user_features: UserFeatures | None) -> None:
        self._folder, self._manifest, self._user_features = folder, manifest, user_features
        self.num_frames, self.fps, self.notes = num_frames, manifest.playback_fps, []
        self._given: ClipSet | None = None

    @classmethod
    def load(cls, folder: Path, manifest: Manifest, num_frames: int, count: int,
             user_features: UserFeatures | None = None, given: tuple[Path, Manifest] | None = None) -> Self:
        """Reads real clips and extracts their features.

        Args:
            folder: of prepared clips.
            manifest: of that folder.
            num_frames: frames of a clip.
            count: clips in each half, at most.
            user_features: the user's own features, beside the built-in ones.
            given: folder of prepared clips that models are given, with its manifest, where they are of another domain.

        Raises:
            UserError: clips of one frame, or too few training clips to compare anything with.
        """
        if num_frames < 2:
            raise UserError("Clips of one frame have no motion to be measured: evaluation takes at least 2 frames. "
                            f"Received: num_frames={num_frames}")
        reference = cls(folder, manifest, num_frames, user_features)
        reference._load(count)
        if given:
            split = "test" if given[1].count("test") else "train"
            clips = first_clips(*given, num_frames, count, split)
            reference._given = ClipSet(clips, np.arange(len(clips)), {})
        return reference

    @property
    def given_clips(self) -> ClipSet:
        """Inputs of models that take clips: of another domain; held-out clips; or `other` where there are none."""
        return self._given or self.held_out or self.other

    def _load(self, count: int) -> None:
        self._video_ids: dict[str, int] = {}
        train, self.training_segments = self._read_train_split()
        halves = self._split_in_halves(train)
        count = min(count, *(sum(self._count_windows(record) for record in half) for half in halves))
        if count < MIN_CLIPS:
            raise UserError(f"{self._folder} holds too few training clips to compare with: each half of its videos "
                            f"gives {count} windows of {self.num_frames} frames, and {MIN_CLIPS} are needed.")
        chosen = [self._choose_windows(half, count) for half in halves]
        clips = self._read_windows("train", [window for half in chosen for window in half])
        test_windows = self._choose_windows([record for record, _ in self._read_split("test")], count)
        held_out = self._read_windows("test", test_windows) if test_windows else None
        with Progress("real clips", 2 * count + len(test_windows), "clips") as progress:
            raw = features.extract(clips, progress.advance)
            self._whitening = features.fit_whitening(clips, raw)
            all_features = self._all_features(raw, clips)
            video_ids = np.array([self._video_ids[record.video] for half in chosen for record, _ in half])
            self.real, self.other = (
                ClipSet(clips[half], video_ids[half], {name: values[half] for name, values in all_features.items()})
                for half in (slice(0, count), slice(count, None)))
            self.held_out = held_out if held_out is None else self.extract_features(
                held_out, np.array([self._video_ids[record.video] for record, _ in test_windows]), progress.advance)
        self.labels = np.array([record.label for record, _ in chosen[1]])
        self._note_counts(count, len({record.video for record in train}))

    def extract_features(self, clips: np.ndarray, video_ids: np.ndarray | None = None,
                         advance: Callable[[int], None] = lambda count: None) -> ClipSet:
        """Extracts the features of clips of the same shape as the real ones.

        Args:
            clips: uint8 [N, T, H, W, 3].
            video_ids: int64 [N], as in `ClipSet`; None for clips that come from no video.
            advance: called with the number of further clips done.
        """
        return self.with_features(clips, features.extract(clips, advance), video_ids)

    def with_features(self, clips: np.ndarray, raw: features.Raw, video_ids: np.ndarray | None = None) -> ClipSet:
        """Clips with the features that belong to their raw ones; see `extract_features`."""
        if video_ids is None:
            video_ids = -1 - np.arange(len(clips))
        return ClipSet(clips, video_ids, self._all_features(raw, clips))

    def metric_inputs(self, generated: ClipSet, paired: PairedClips | None = None) -> MetricInputs:
        """Inputs of metrics: generated clips beside the real ones."""
        return MetricInputs(generated, self.real, self.other, self.held_out, self.training_segments, self.fps, paired)

    def training_clip(self, record: int, first: int) -> np.ndarray:
        """A window of the train split, uint8 [T, H, W, 3].

        Args:
            record: number of the record in the split.
            first: frame of the record that the window starts at.
        """
        dataset = tf.data.TFRecordDataset(self._paths("train")).skip(record).take(1)
        frames = next(dataset.map(records.parse).as_numpy_iterator())["frames"]
        return frames[first:first + self.num_frames]

    # ---- reading ----

    def _paths(self, split: str) -> list[str]:
        return [str(path) for path in self._manifest.paths(self._folder, split)]

    def _read_train_split(self) -> tuple[list[_Record], list[TrainingSegment]]:
        train, segments = [], []
        for record, frames in self._read_split("train"):
            train.append(record)
            segments.append(TrainingSegment(self._video_ids[record.video], record.number, thumbnails(frames)))
        return train, segments

    def _read_split(self, split: str) -> Iterator[tuple[_Record, np.ndarray]]:
        """The records of a split up to `MAX_FRAMES`, with their frames; numbers their videos."""
        frames = 0
        for number, record in enumerate(_read(self._paths(split))):
            if frames >= MAX_FRAMES:
                self.notes.append(f"Only the first {number} of the {self._manifest.count(split)} {split} records were "
                                  "read, which are a random choice.")
                return
            video = record["video_id"].decode()
            self._video_ids.setdefault(video, len(self._video_ids))
            yield _Record(number, video, int(record["label"]), len(record["frames"])), record["frames"]
            frames += len(record["frames"])

    def _split_in_halves(self, train: Sequence[_Record]) -> tuple[list[_Record], list[_Record]]:
        """Divides records in two by video, every class evenly; where videos are too few, by record."""
        def unit(record: _Record) -> str:
            return record.video if by_video else f"{record.video}/{record.number}"

        by_video = len({record.video for record in train}) >= _MIN_VIDEOS
        if not by_video:
            self.notes.append(f"There are fewer than {_MIN_VIDEOS} training videos: both halves of the real clips "
                              "come from the same ones, so the floor is lower than new videos would have it.")
        units = {unit(record): record.label for record in train}
        order = sorted(units, key=lambda name: (units[name], hashlib.sha256(name.encode()).hexdigest()))
        first = set(order[::2])
        return ([record for record in train if unit(record) in first],
                [record for record in train if unit(record) not in first])

    def _count_windows(self, record: _Record) -> int:
        return max(0, record.frames - self.num_frames + 1)

    def _choose_windows(self, split: Sequence[_Record], count: int) -> list[tuple[_Record, int]]:
        """Windows in random order, equally many of each record and evenly spread in it: records and first frames."""
        shares = share_evenly([self._count_windows(record) for record in split], count)
        windows = [(record, int(first)) for record, share in zip(split, shares, strict=True)
                   for first in spread_evenly(self._count_windows(record), share)]
        return [windows[index] for index in np.random.default_rng(0).permutation(len(windows))]

    def _read_windows(self, split: str, windows: Sequence[tuple[_Record, int]]) -> np.ndarray:
        """The windows, uint8 [N, T, H, W, 3], read in one pass through the split."""
        pending: dict[int, list[tuple[int, int]]] = {}
        for index, (record, first) in enumerate(windows):
            pending.setdefault(record.number, []).append((index, first))
        clip = self._manifest.clip
        clips = np.empty((len(windows), self.num_frames, clip.height, clip.width, 3), np.uint8)
        for number, record in enumerate(_read(self._paths(split))):
            for index, first in pending.pop(number, ()):
                clips[index] = record["frames"][first:first + self.num_frames]
            if not pending:
                break
        return clips

    # ---- features ----

    def _all_features(self, raw: Mapping[str, np.ndarray], clips: np.ndarray) -> dict[str, np.ndarray]:
        """Built-in features of clips, whitened, and the user's own."""
        all_features = self._whitening(raw)
        if self._user_features:
            all_features[self._user_features.name] = self._user_features(clips)
        return all_features

    def _note_counts(self, count: int, videos: int) -> None:
        sizes = {name: values.shape[1] for name, values in self.real.features.items()}
        short = {name: size for name, size in sizes.items() if count < 2 * size}
        if short:
            listed = ", ".join(f"{name} has {size}" for name, size in short.items())
            self.notes.append(f"Distances were measured on {count} clips, fewer than twice the dimension of a feature "
                              f"({listed}): they are biased upwards, as is the floor beside them.")
        if videos < count / 4:
            self.notes.append(f"The {2 * count} training windows come from {videos} videos: windows of one video are "
                              "alike, so intervals are by video, and wide.")
        if self.held_out is None:
            self.notes.append("There is no test split: nothing can be compared with held-out clips.")
        elif len(self.held_out) < count:
            self.notes.append(f"Only {len(self.held_out)} held-out clips stand beside the {count} of each other kind: "
                              "their Fréchet distances are higher for that alone.")


def _read(paths: Sequence[str]) -> "tf.data.NumpyIterator":
    return tf.data.TFRecordDataset(paths).map(records.parse).prefetch(8).as_numpy_iterator()


def share_evenly(limits: Sequence[int], count: int) -> list[int]:
    """Shares of `count`, or of what there is, as even as the limit of each share allows.

    Args:
        limits: the most that each can have.
        count: to be shared.
    """
    shares, limits = np.zeros(len(limits), int), np.array(limits)
    while (left := count - shares.sum()) > 0 and (open_ := np.flatnonzero(shares < limits)).size:
        each = max(1, left // open_.size)
        receivers = open_[:left] if left < open_.size else open_
        shares[receivers] = np.minimum(limits[receivers], shares[receivers] + each)
    return shares.tolist()


def spread_evenly(length: int, count: int) -> np.ndarray:
    """Positions, int [count], evenly spread over 0 to `length` - 1 and none twice; off both ends where there is space.

    Args:
        length: number of positions to choose from.
        count: number of positions to choose, at most `length`.
    """
    positions = np.linspace(0, length - 1, count + 2)[1:-1] if count + 1 < length else np.linspace(0, length - 1, count)
    return positions.round().astype(int)
