"""The clips that are compared, and what is known of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

FEATURES = ("appearance", "motion", "joint")


@dataclass(frozen=True, eq=False)
class ClipSet:
    """Clips and their features.

    Attributes:
        clips: uint8 [N, T, H, W, 3].
        sources: int64 [N], the video a clip was cut from, as `Stretch.source`; a negative number of its own for each
            clip that was cut from none.
        features: float32 [N, D] by name, standardized by the real clips.
    """

    clips: np.ndarray
    sources: np.ndarray
    features: Mapping[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.clips)

    def some(self, count: int) -> Self:
        """So many of them, evenly spread: clips that come from files may be sorted by what they show."""
        if count >= len(self):
            return self
        chosen = np.linspace(0, len(self) - 1, count).round().astype(int)
        return ClipSet(self.clips[chosen], self.sources[chosen],
                       {name: values[chosen] for name, values in self.features.items()})


@dataclass(frozen=True, eq=False)
class Stretch:
    """A record of the train split, small.

    Attributes:
        source: number of the video.
        record: number of the record in the split.
        thumbnails: uint8 [L, h, w, 3], about 16 pixels on the shorter side; L is T or more.
    """

    source: int
    record: int
    thumbnails: np.ndarray


@dataclass(frozen=True, eq=False)
class Evidence:
    """What a family of metrics looks at.

    Attributes:
        generated: the clips in question.
        real: training clips, with which all others are compared.
        other: training clips of other videos than `real`, for the noise floor; as many as `real` and `generated` where
            the split allows it.
        held_out: clips of the test split; None where there is none.
        stretches: the whole train split, small.
        fps: frames per second of the clips.
    """

    generated: ClipSet
    real: ClipSet
    other: ClipSet
    held_out: ClipSet | None
    stretches: Sequence[Stretch]
    fps: float
