"""Patterns of files that lie elsewhere. Where Apache Beam is not installed, what is said then."""

import sys

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError

CLIP = ClipSettings(resolution="16", num_frames=4)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """A file system of its own scheme, over a folder here."""
    local = pytest.importorskip("apache_beam.io.localfilesystem")
    folder = tmp_path_factory.mktemp("elsewhere")

    class Elsewhere(local.LocalFileSystem):
        @classmethod
        def scheme(cls):
            return "elsewhere"

        def match(self, patterns, limits=None):
            found = super().match([here(pattern) for pattern in patterns], limits)
            for result in found:
                for entry in result.metadata_list:
                    entry.path = entry.path.replace(str(folder), "elsewhere://bucket")
            return found

        def open(self, path, *arguments, **more):
            return super().open(here(path), *arguments, **more)

    def here(path):
        return path.replace("elsewhere://bucket", str(folder))

    for name in ("walk/a.mp4", "wave/b.mp4", "wave/notes.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        if name.endswith("mp4"):
            write_clip(folder / name, np.random.default_rng(0).integers(0, 256, (1, 8, 16, 16, 3), np.uint8), 10.0)
        else:
            (folder / name).write_text("no video")
    yield folder
    del Elsewhere


@pytest.mark.filterwarnings("ignore")
def test_files_of_a_pattern_are_videos_with_the_classes_of_their_folders(elsewhere):
    source = list_source("elsewhere://bucket/*/*", CLIP)
    assert [(video.id, video.label) for video in source.videos] == [("walk/a.mp4", "walk"), ("wave/b.mp4", "wave")]
    assert [(entry.video_id, entry.reason) for entry in source.skipped] == [("wave/notes.txt", "not a video")]
    assert len({video.key for video in source.videos}) == 2
    same, = list_source(str(elsewhere / "walk" / "a.mp4"), CLIP).videos
    there, here = (np.stack([frame.pixels for frame in video.open(None).frames]) for video in (source.videos[0], same))
    np.testing.assert_array_equal(there, here)


@pytest.mark.filterwarnings("ignore")
def test_a_file_that_is_gone_is_tried_again(elsewhere):
    write_clip(elsewhere / "c.mp4", np.zeros((1, 8, 16, 16, 3), np.uint8), 10.0)
    video, = list_source("elsewhere://bucket/c.mp4", CLIP).videos
    (elsewhere / "c.mp4").unlink()
    with pytest.raises(DecodeError) as raised:
        video.open(None)
    assert raised.value.reason == "not reachable"


def test_an_unknown_file_system_is_named():
    pytest.importorskip("apache_beam")
    with pytest.raises(UserError, match=r"nowhere://bucket/\* cannot be read: Unable to get filesystem"):
        list_source("nowhere://bucket/*", CLIP)


def test_without_beam_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam.io.filesystems", None)
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UserError, match=r"gs://bucket/\*\.mp4 is read by Apache Beam: pip install 'gan_keras\[beam\]'"):
        list_source("gs://bucket/*.mp4", CLIP)
