"""Data sets of TensorFlow Datasets. Where that is not installed, what is said then."""

import sys

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.sources.listing import list_source
from gan_keras.data.sources.source_video import TFDS, SourceVideo
from gan_keras.data.sources.tfds_clips import find_features
from gan_keras.errors import UserError

CLIP = ClipSettings(resolution="16", num_frames=4)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(UserError, match=r"tfds:ucf101 needs TensorFlow Datasets: pip install 'gan_keras\[tfds\]'"):
        list_source("tfds:ucf101", CLIP)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "features"), [("ucf101/ucf101_1_256", ("video", "label")),
                                                ("moving_mnist", ("image_sequence", None))])
def test_clips_of_the_catalogue_are_opened(name, features):
    """Mock data: the features of a real data set, with random values; it has no splits to list."""
    tfds = pytest.importorskip("tensorflow_datasets")
    with tfds.testing.mock_data(num_examples=3):
        assert find_features(tfds.builder(name).info.features) == features
        frames = [frame.pixels for frame in SourceVideo("x", TFDS, None, f"{name}@test", 1).open(None).frames]
    assert frames[0].dtype == np.uint8 and frames[0].ndim == 3 and frames[0].shape[-1] == 3


@pytest.mark.filterwarnings("ignore")
def test_a_data_set_on_disk_is_prepared_with_its_classes_and_splits(tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    random = np.random.default_rng(0)
    clips = random.integers(0, 256, (6, 6, 16, 16, 3), np.uint8)

    class TinyClips(tfds.core.GeneratorBasedBuilder):
        """Random clips of two classes."""

        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict({
                "video": tfds.features.Video(shape=(None, 16, 16, 3)),
                "label": tfds.features.ClassLabel(names=["walk", "wave"])}))

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(0, 4), "test": self._generate_examples(4, 6)}

        def _generate_examples(self, begin, end):
            for index in range(begin, end):
                yield index, {"video": clips[index], "label": index % 2}

    TinyClips(data_dir=str(tmp_path / "tfds")).download_and_prepare()
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    listed = list_source("tfds:tiny_clips", CLIP).videos
    assert [(video.id, video.split) for video in listed] == [
        (f"{split}/{index:06d}", split) for split, count in (("test", 2), ("train", 4)) for index in range(count)]
    assert sorted(video.label for video in listed) == ["walk"] * 3 + ["wave"] * 3
    opened = [np.stack([frame.pixels for frame in video.open(None).frames]) for video in listed]
    assert sorted(clip.tobytes() for clip in opened) == sorted(clip.tobytes() for clip in clips)
    manifest = prepare("tfds:tiny_clips", tmp_path / "out", CLIP, 1)
    assert manifest.videos == {"train": 4, "test": 2} and manifest.classes == ("walk", "wave")
