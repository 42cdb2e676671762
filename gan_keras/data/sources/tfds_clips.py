"""Clips of a data set of TensorFlow Datasets, one by one."""

from typing import Any

import numpy as np


def load_clip(path: str, index: int) -> np.ndarray:
    """One clip, uint8 [T, H, W, C]: `path` is NAME@SPLIT."""
    import tensorflow_datasets as tfds

    name, _, split = path.rpartition("@")
    builder = tfds.builder(name)
    video, _ = find_features(builder.info.features)
    part = builder.as_dataset(split=f"{split}[{index}:{index + 1}]", shuffle_files=False)
    return next(iter(tfds.as_numpy(part)))[video]


def find_features(features: Any) -> tuple[str | None, str | None]:
    """Names of the video and of the class in a data set's features."""
    import tensorflow_datasets as tfds

    def first(kind: type) -> str | None:
        return next((name for name, feature in features.items() if isinstance(feature, kind)), None)

    return first(tfds.features.Video), first(tfds.features.ClassLabel)
