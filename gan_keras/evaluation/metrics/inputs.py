"""Inputs of metrics: the clips that are compared, and their features."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

FEATURES = ("appearance", "motion", "joint")


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Clips and their features.

    Attributes:
        clips: uint8 [N, T, H, W, 3].
        video_ids: int64 [N], number of the video that a clip is a window of, as `TrainingSegment.video_id`; a clip of
            no video has a negative number of its own.
        features: float32 [N, D] by name; the built-in ones are whitened by the real clips.
    """

    clips: np.ndarray
    video_ids: np.ndarray
    features: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.clips)

    def subsample(self, count: int) -> Self:
        """At most `count` clips, evenly spread over the set: clips from files may be sorted by what they show."""
        if count >= len(self):
            return self
        indices = np.linspace(0, len(self) - 1, count).round().astype(int)
        return ClipSet(self.clips[indices], self.video_ids[indices],
                       {name: values[indices] for name, values in self.features.items()})


@dataclass(frozen=True, eq=False)
class TrainingSegment:
    """A record of the train split as thumbnails.

    Attributes:
        video_id: number of the video.
        record: number of the record in the split.
        thumbnails: uint8 [L, h, w, 3], about 16 pixels on the shorter side, L at least T.
    """

    video_id: int
    record: int
    thumbnails: np.ndarray


class PairedClips(NamedTuple):
    """Outputs and the clips that they should equal, both uint8 [N, T, H, W, 3].

    Attributes:
        outputs: of a model.
        targets: the true clips.
        video_ids: int64 [N], of the targets, as in `ClipSet`.
        given: what the model was given, uint8 [N, t, h, w, 3]; None where that is not of interest.
        mask: where it made something, uint8 [N, T, H, W, 1], 1 there; None: all over.
        features: of outputs and targets, float32 [N, D] each, whitened by the real clips; None where not extracted.
    """

    outputs: np.ndarray
    targets: np.ndarray
    video_ids: np.ndarray
    given: np.ndarray | None = None
    mask: np.ndarray | None = None
    features: tuple[np.ndarray, np.ndarray] | None = None

    @classmethod
    def of(cls, answers: Mapping[str, np.ndarray], clips: ClipSet, rows: np.ndarray) -> Self:
        """From answers of a `paired_signature` by name, for some rows of the clips that were asked about."""
        return cls(answers["video"], answers.get("target", clips.clips[rows]), clips.video_ids[rows],
                   answers.get("given"), answers.get("mask"))


@dataclass(frozen=True, eq=False)
class MetricInputs:
    """Inputs of a module of metrics.

    Attributes:
        generated: the generated clips.
        real: training clips that all others are compared with.
        other: training clips of other videos than `real`, for the noise floor; as many as `real` and `generated` where
            the split allows it.
        held_out: clips of the test split; None where there is no such split.
        training_segments: the whole train split as thumbnails.
        fps: frames per second of the clips.
        paired: outputs that should equal known clips, and these clips; None for models without such outputs.
    """

    generated: ClipSet
    real: ClipSet
    other: ClipSet
    held_out: ClipSet | None
    training_segments: Sequence[TrainingSegment]
    fps: float
    paired: PairedClips | None = None
