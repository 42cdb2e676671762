"""Videos in archives."""

import dataclasses
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.sources.listing import list_source
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError

CLIP = ClipSettings(resolution="16", num_frames=4)


def film(path, seed):
    frames = np.random.default_rng(seed).integers(0, 256, (1, 8, 16, 16, 3), np.uint8)
    write_clip(path, frames, 10.0)
    return path


@pytest.fixture
def archive(tmp_path):
    """Three samples: of a class by number, by name, and without one; and the videos that are in there."""
    videos = [film(tmp_path / f"{number}.mp4", number) for number in range(3)]
    with tarfile.open(tmp_path / "in.tar", "w") as file:
        def add(name, data):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))

        add("a/0001.cls", b"3\n")
        add("a/0001.mp4", videos[0].read_bytes())
        add("a/0002.mp4", videos[1].read_bytes())
        add("a/0002.json", b'{"label": "wave", "url": "x"}')
        add("b.mp4", videos[2].read_bytes())
        add("notes.txt", b"no video")
    folder = tmp_path / "source"
    folder.mkdir()
    return (tmp_path / "in.tar").rename(folder / "in.tar"), videos


def pixels(video):
    return np.stack([frame.pixels for frame in video.open(None).frames])


def test_each_video_of_a_tar_is_one_with_the_class_beside_it(archive):
    path, videos = archive
    listed = list_source(str(path.parent), CLIP).videos
    assert [(video.id, video.label) for video in listed] == [
        ("in.tar/a/0001.mp4", "3"), ("in.tar/a/0002.mp4", "wave"), ("in.tar/b.mp4", None)]
    for video, file in zip(listed, videos, strict=True):
        alone, = list_source(str(file), CLIP).videos
        np.testing.assert_array_equal(pixels(video), pixels(alone))


def test_it_is_prepared_and_nothing_is_left_behind(archive, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    Path(tmp_path / "temporary").mkdir()
    path, _ = archive
    for video in list_source(str(path), CLIP).videos:
        assert len(pixels(video)) == 8
    assert not list((tmp_path / "temporary").iterdir())
    assert prepare(str(path), tmp_path / "out", CLIP, 1).videos == {"train": 2, "test": 1}


def test_an_archive_that_ends_early_gives_what_is_whole(archive):
    path, _ = archive
    with tarfile.open(path) as file:
        last = file.getmember("b.mp4")
    path.write_bytes(path.read_bytes()[:last.offset_data + last.size // 2])
    listed = list_source(str(path), CLIP).videos
    assert [video.id for video in listed] == ["in.tar/a/0001.mp4", "in.tar/a/0002.mp4"]
    assert [len(pixels(video)) for video in listed] == [8, 8]
    path.write_bytes(path.read_bytes()[:last.offset_data - 2000])  # changed since it was listed
    with pytest.raises(DecodeError, match="the archive ends before it"):
        pixels(dataclasses.replace(listed[0], index=last.offset_data))


@pytest.mark.parametrize(("text", "label"), [(b'{"label": null}', None), (b'{"label": ["a"]}', None), (b"[1]", None),
                                             (b'{"label": 7}', "7"), (b"{", None)])
def test_a_class_is_text_or_a_number(tmp_path, text, label):
    with tarfile.open(tmp_path / "in.tar", "w") as file:
        for name, data in (("a.mp4", film(tmp_path / "a.mp4", 0).read_bytes()), ("a.json", text), ("._a.mp4", b"x")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            file.addfile(entry, io.BytesIO(data))
    video, = list_source(str(tmp_path / "in.tar"), CLIP).videos
    assert video.label == label


def test_what_is_no_archive_of_videos_is_named(tmp_path):
    (tmp_path / "text.tar").write_text("no archive")
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    assert [(entry.video_id, entry.reason) for entry in list_source(str(tmp_path), CLIP).skipped] == [
        ("empty.tar", "not a video"), ("text.tar", "unreadable")]
