"""Data sets of the TensorFlow Datasets catalogue: `tfds:NAME`, its train and test split. Needs the extra `tfds`.

The first feature that is a video is the clip, the first class label its class. A data set that is not on this machine
is downloaded and prepared by TensorFlow Datasets, where it can do that by itself.
"""

import hashlib
from collections.abc import Iterator
from typing import Any

from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.list_file import SPLITS
from gan_keras.data.sources.source_video import TFDS, SourceVideo
from gan_keras.data.sources.tfds_clips import find_features
from gan_keras.errors import UserError, error_text


def list_tfds(name: str, clip: ClipSettings) -> tuple[SourceVideo, ...]:
    """The clips of a data set.

    Args:
        name: as the catalogue has it, `NAME`, `NAME/CONFIG` or with `:VERSION`.
        clip: not looked at: a clip has the size that it has.

    Raises:
        UserError: TensorFlow Datasets is not installed, has no such data set, or cannot make it; or it has no videos.
    """
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise UserError(f"tfds:{name} needs TensorFlow Datasets: pip install 'gan_keras[tfds]'.") from error
    try:
        builder = tfds.builder(name)
        builder.download_and_prepare()
    except Exception as error:  # of any kind, by data set
        raise UserError(f"TensorFlow Datasets cannot give {name}: {error_text(error)}") from error
    video, label = find_features(builder.info.features)
    if video is None:
        raise UserError(f"tfds:{name} has no videos. Its features: {', '.join(builder.info.features)}")
    version = hashlib.sha256(f"{builder.info.full_name}".encode()).digest()
    stamp, names = int.from_bytes(version[:7], "big"), builder.info.features[label].names if label else []
    meanings = {split: SPLITS.get(split.partition("_")[0], "") for split in builder.info.splits}
    videos = []
    for split, meaning in meanings.items():
        if meaning or not any(meanings.values()):  # beside a train and a test split, others are parts of these
            labels = _labels(builder, split, video, label)
            for index in range(builder.info.splits[split].num_examples):
                of_class = names[labels[index]] if label else None
                videos.append(SourceVideo(f"{split}/{index:06d}", TFDS, of_class, f"{name}@{split}", index, 0, stamp,
                                          meaning))
    return tuple(sorted(videos, key=lambda entry: entry.id))


def _labels(builder: Any, split: str, video: str, label: str | None) -> list[int]:
    """The class of each clip of a split; videos are not decoded for it."""
    import tensorflow_datasets as tfds

    if not label:
        return []
    examples: Iterator = tfds.as_numpy(builder.as_dataset(
        split=split, shuffle_files=False, decoders={video: tfds.decode.SkipDecoding()}))
    return [int(example[label]) for example in examples]
