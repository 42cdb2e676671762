"""The real side of an evaluation: training clips in two halves, held-out clips, and what is known of them.

The train split is cut in two *by video*: everything is compared with the one half, and the other half, in the place of
generated clips, shows what a distance is worth that nobody could be blamed for. Both give equally many windows, as far
apart as their videos allow, because most distances depend on how many clips there are.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.data import records
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError
from gan_keras.evaluation import features
from gan_keras.evaluation.evidence import ClipSet, Evidence, Stretch
from gan_keras.evaluation.saved_features import SavedFeatures
from gan_keras.evaluation.thumbnails import thumbnails
from gan_keras.progress import Progress

FEWEST = 8
"""Clips in a half without which nothing can be measured."""

_FEWEST_VIDEOS = 4
_MOST_FRAMES = 2**19
"""Of a split that are looked at: the shards are in random order, so the first ones stand for all."""
_UNKNOWN_FPS = 15.0


@dataclass(frozen=True)
class _Record:
    """A record of a split, without its frames."""

    number: int
    video: str
    label: int
    frames: int


class Reference:
    """Real clips, and the scale on which all clips are looked at.

    Args:
        folder: of prepared clips.
        manifest: of that folder.
        num_frames: frames of a clip.
        count: clips in each half, at most.
        saved: the user's own features, beside the built-in ones.

    Raises:
        UserError: clips of one frame, or too few training clips to compare anything with.

    Attributes:
        real: one half of the training clips.
        other: the other half.
        held_out: clips of the test split, or None.
        labels: int64, the classes of `other`, -1 where there are none.
        stretches: the train split, small.
        fps: frames per second.
        notes: what a reader of the numbers must know.
    """

    def __init__(self, folder: Path, manifest: Manifest, num_frames: int, count: int,
                 saved: SavedFeatures | None = None) -> None:
        if num_frames < 2:
            raise UserError("Clips of one frame have no motion to be measured: evaluation takes at least 2 frames. "
                            f"Received: num_frames={num_frames}")
        self._folder, self._manifest, self._saved = folder, manifest, saved
        self.num_frames, self.fps, self.notes = num_frames, manifest.fps or _UNKNOWN_FPS, []
        train, self.stretches = self._survey()
        halves = self._halves(train)
        count = min(count, *(sum(self._windows(record) for record in half) for half in halves))
        if count < FEWEST:
            raise UserError(f"{folder} holds too few training clips to compare with: each half of its videos gives "
                            f"{count} windows of {num_frames} frames, and {FEWEST} are needed.")
        chosen = [self._choose(half, count) for half in halves]
        cut = self._cut("train", [place for half in chosen for place in half])
        tests = self._choose(self._survey("test")[0], count)
        held_out = self._cut("test", tests) if tests else None
        self._scale: features.Scale | None = None
        with Progress("real clips", 2 * count + len(tests), "clips") as progress:
            raw = features.extract(cut, progress.advance)
            self._scale = features.fit_scale(cut, raw)
            scaled = self._complete(raw, cut)
            sources = np.array([self._sources[record.video] for half in chosen for record, _ in half])
            self.real, self.other = (
                ClipSet(cut[part], sources[part], {name: values[part] for name, values in scaled.items()})
                for part in (slice(0, count), slice(count, None)))
            self.held_out = held_out if held_out is None else self.observe(
                held_out, np.array([self._sources[record.video] for record, _ in tests]), progress.advance)
        self.labels = np.array([record.label for record, _ in chosen[1]])
        self._note_counts(count, len({record.video for record in train}))

    def observe(self, clips: np.ndarray, sources: np.ndarray | None = None,
                advance: Callable[[int], None] = lambda count: None) -> ClipSet:
        """Looks at any clips of the same shape.

        Args:
            clips: uint8 [N, T, H, W, 3].
            sources: int64 [N], as in `ClipSet`; without them the clips come from no video.
            advance: is told how many more clips are done.
        """
        if sources is None:
            sources = -1 - np.arange(len(clips))
        return ClipSet(clips, sources, self._complete(features.extract(clips, advance), clips))

    def evidence(self, generated: ClipSet) -> Evidence:
        """Generated clips beside the real ones."""
        return Evidence(generated, self.real, self.other, self.held_out, self.stretches, self.fps)

    def training_clip(self, record: int, first: int) -> np.ndarray:
        """A window of the train split, uint8 [T, H, W, 3], by number of the record and of its first frame."""
        wanted = tf.data.TFRecordDataset(self._paths("train")).skip(record).take(1)
        frames = next(wanted.map(records.parse).as_numpy_iterator())["frames"]
        return frames[first:first + self.num_frames]

    # ---- reading ----

    def _paths(self, split: str) -> list[str]:
        return [str(path) for path in self._manifest.paths(self._folder, split)]

    def _survey(self, split: str = "train") -> tuple[list[_Record], list[Stretch]]:
        """Every record of a split and its thumbnails, or as many as are looked at."""
        found, stretches, frames = [], [], 0
        if split == "train":
            self._sources: dict[str, int] = {}
        for number, record in enumerate(_read(self._paths(split))):
            if frames >= _MOST_FRAMES:
                self.notes.append(f"Of the {self._manifest.count(split)} {split} records the first {number} were "
                                  "looked at, which are a random choice.")
                break
            video = record["source"].decode()
            source = self._sources.setdefault(video, len(self._sources))
            found.append(_Record(number, video, int(record["label"]), len(record["frames"])))
            if split == "train":
                stretches.append(Stretch(source, number, thumbnails(record["frames"])))
            frames += len(record["frames"])
        return found, stretches

    def _halves(self, found: Sequence[_Record]) -> tuple[list[_Record], list[_Record]]:
        """Cuts the records in two by video, every class evenly; where videos are too few, by record."""
        def unit(record: _Record) -> str:
            return record.video if by_video else f"{record.video}/{record.number}"

        by_video = len({record.video for record in found}) >= _FEWEST_VIDEOS
        if not by_video:
            self.notes.append(f"There are fewer than {_FEWEST_VIDEOS} training videos: both halves of the real clips "
                              "come from the same ones, so the floor is lower than new videos would have it.")
        units = {unit(record): record.label for record in found}
        order = sorted(units, key=lambda name: (units[name], hashlib.sha256(name.encode()).hexdigest()))
        first = set(order[::2])
        return ([record for record in found if unit(record) in first],
                [record for record in found if unit(record) not in first])

    def _windows(self, record: _Record) -> int:
        return max(0, record.frames - self.num_frames + 1)

    def _choose(self, found: Sequence[_Record], count: int) -> list[tuple[_Record, int]]:
        """Windows, equally many of each record and evenly spread in it, in random order: records and first frames."""
        shares = _share([self._windows(record) for record in found], count)
        places = [(record, int(first)) for record, share in zip(found, shares, strict=True)
                  for first in _spread(self._windows(record), share)]
        return [places[index] for index in np.random.default_rng(0).permutation(len(places))]

    def _cut(self, split: str, places: Sequence[tuple[_Record, int]]) -> np.ndarray:
        """The windows, uint8 [N, T, H, W, 3], read in one go through the split."""
        wanted: dict[int, list[tuple[int, int]]] = {}
        for index, (record, first) in enumerate(places):
            wanted.setdefault(record.number, []).append((index, first))
        clips = self._manifest.clips
        cut = np.empty((len(places), self.num_frames, clips.height, clips.width, 3), np.uint8)
        for number, record in enumerate(_read(self._paths(split))):
            for index, first in wanted.pop(number, ()):
                cut[index] = record["frames"][first:first + self.num_frames]
            if not wanted:
                break
        return cut

    # ---- looking ----

    def _complete(self, raw: Mapping[str, np.ndarray], clips: np.ndarray) -> dict[str, np.ndarray]:
        scaled = self._scale(raw)
        if self._saved:
            scaled[self._saved.name] = self._saved(clips)
        return scaled

    def _note_counts(self, count: int, videos: int) -> None:
        sizes = {name: values.shape[1] for name, values in self.real.features.items()}
        short = {name: size for name, size in sizes.items() if count < 2 * size}
        if short:
            listed = ", ".join(f"{name} has {size}" for name, size in short.items())
            self.notes.append(f"Distances were measured on {count} clips, fewer than twice the numbers of a feature "
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


def _share(room: Sequence[int], count: int) -> list[int]:
    """Deals `count` windows out to records, as evenly as the room in each allows."""
    shares = np.zeros(len(room), int)
    limits = np.array(room)
    while (left := count - shares.sum()) > 0 and (open_ := np.flatnonzero(shares < limits)).size:
        each = max(1, left // open_.size)
        takers = open_[:left] if left < open_.size else open_
        shares[takers] = np.minimum(limits[takers], shares[takers] + each)
    return shares.tolist()


def _spread(room: int, count: int) -> np.ndarray:
    """So many of the numbers from 0 to `room` - 1, evenly spread and none twice; off both ends where there is room."""
    inner = count + 1 < room
    return (np.linspace(0, room - 1, count + 2)[1:-1] if inner else np.linspace(0, room - 1, count)).round().astype(int)
