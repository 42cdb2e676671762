"""Sources: what `--data` and `--source` may name."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data import moving_shapes as shapes
from gan_keras.data.sources import list_source
from gan_keras.errors import UserError
from gan_keras.video import arrays
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import encode_png
from tests.conftest import ROOT

DATASETS = ROOT.parent / "shared" / "datasets"
CLIP = ClipSettings(resolution="16", num_frames=4)


def clip(index=0, frames=6, height=16, width=16):
    return shapes.render(7, index, frames, height, width)[0]


def list_labels(path):
    """Labels of the videos of a source by id, and the lines on what was skipped."""
    source = list_source(str(path), CLIP)
    return {video.id: video.label for video in source.videos}, [str(entry) for entry in source.skipped]


def read_first(path):
    """Rate and frames of the first video of a source."""
    fps, frames = list_source(str(path), CLIP).videos[0].open()
    return fps, np.stack(list(frames))


def test_the_folders_at_the_first_level_are_the_classes(tmp_path):
    for name in ("run/a.mp4", "run/far/b.webm", "walk/a.mp4"):
        write_clip(tmp_path / name, clip(), 10)
    assert list_labels(tmp_path) == ({"run/a.mp4": "run", "run/far/b.webm": "run", "walk/a.mp4": "walk"}, [])


def test_without_folders_there_are_no_classes(tmp_path):
    write_clip(tmp_path / "a.mp4", clip(), 10)
    assert list_labels(tmp_path) == ({"a.mp4": None}, [])
    assert list_labels(tmp_path / "a.mp4") == ({"a.mp4": None}, [])


def test_a_folder_of_numbered_pictures_is_one_video_in_the_order_of_the_numbers(tmp_path):
    frames = clip(frames=12)
    (tmp_path / "jump" / "first").mkdir(parents=True)
    for index, frame in enumerate(frames):
        (tmp_path / "jump" / "first" / f"frame{index}.png").write_bytes(encode_png(frame))
    assert list_labels(tmp_path) == ({"jump/first": "jump"}, [])
    fps, decoded = read_first(tmp_path)
    assert fps is None
    np.testing.assert_array_equal(decoded, frames)


def test_frames_of_different_sizes_are_no_video(tmp_path):
    for index, size in enumerate((16, 16, 24)):
        (tmp_path / f"{index}.png").write_bytes(encode_png(np.zeros((size, 16, 3), np.uint8)))
    with pytest.raises(DecodeError, match=r"2\.png is of another size"):
        read_first(tmp_path)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_strip_is_split_into_square_frames_along_either_axis(tmp_path, axis):
    frames = clip()
    (tmp_path / "strip.png").write_bytes(encode_png(np.concatenate(frames, axis=axis)))
    fps, decoded = read_first(tmp_path)
    assert fps is None
    np.testing.assert_array_equal(decoded, frames)


def test_a_picture_that_is_no_strip_is_unsupported(tmp_path):
    (tmp_path / "photo.png").write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    with pytest.raises(DecodeError, match="a picture of 30x20 is no strip of square frames"):
        read_first(tmp_path)


@pytest.mark.parametrize("name", ["clips.npy", "clips.npz"])
def test_each_row_of_an_array_is_a_video_and_grey_becomes_colour(tmp_path, name):
    clips = np.stack([clip(0), clip(1)])[..., :1]
    if name.endswith("npy"):
        np.save(tmp_path / name, clips)
    else:
        np.savez(tmp_path / name, videos=clips)
    assert list_labels(tmp_path / name)[0] == {f"{name}/000000": None, f"{name}/000001": None}
    _, frames = list_source(str(tmp_path), CLIP).videos[1].open()
    np.testing.assert_array_equal(np.stack(list(frames)), clips[1].repeat(3, -1))


def test_arrays_of_another_kind_are_skipped(tmp_path):
    np.save(tmp_path / "float.npy", np.zeros((1, 4, 8, 8, 3)))
    np.savez(tmp_path / "other.npz", frames=np.zeros((1, 4, 8, 8, 3), np.uint8))
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npy").write_text("no array")
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive, archive.open("videos.npy", "w") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 100, 512, 512, 3)})
    labels, skipped = list_labels(tmp_path)
    assert labels == {}
    assert [line.split(" (")[0] for line in skipped] == [
        "empty.npz: unreadable", "float.npy: unreadable", "huge.npz: too large", "other.npz: unreadable",
        "pickled.npy: unreadable", "text.npy: unreadable"]
    assert arrays.load.cache_info().currsize <= 1


def test_drawn_clips_have_the_size_of_the_settings_and_their_shape_as_class():
    source = list_source("shapes:7", CLIP)
    assert [video.label for video in source.videos[:4]] == ["circle", "square", "triangle", "circle"]
    fps, frames = source.videos[6].open()
    np.testing.assert_array_equal(np.stack(list(frames)), shapes.render(0, 6, 8, 16, 16)[0])
    assert (fps, len(source.videos)) == (shapes.FPS, 7)
    _, frames = list_source("shapes:count=2,seed=3,frames=5,motion=sine", CLIP).videos[1].open()
    np.testing.assert_array_equal(np.stack(list(frames)), shapes.render(3, 1, 5, 16, 16, ("sine",))[0])


@pytest.mark.parametrize(("name", "message"), [
    ("shapes:size=3", "Received: size=3"), ("shapes:motion=fly", "Received: motion=fly"), ("shapes:0", "count from 1"),
    ("nowhere/at/all", "There is no file or folder nowhere/at/all"), ("", "Received: source=")])
def test_a_name_that_is_no_source_is_refused(name, message):
    with pytest.raises(UserError, match=message):
        list_source(name, CLIP)


def test_nothing_is_skipped_silently_but_hidden_files(tmp_path):
    write_clip(tmp_path / "good.mp4", clip(), 10)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "README").write_text("read me")
    (tmp_path / ".hidden.mp4").touch()
    assert list_labels(tmp_path) == ({"good.mp4": None}, [
        "README: unsupported (no suffix is no known kind of video)",
        "notes.txt: unsupported (.txt is no known kind of video)"])


def test_odd_entries_of_a_folder_are_not_read_first(tmp_path):
    write_clip(tmp_path / "good.mp4", clip(), 10)
    os.mkfifo(tmp_path / "pipe.mp4")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4")).touch()
    labels, skipped = list_labels(tmp_path)
    assert list(labels) == ["good.mp4"]
    assert skipped == ["bad\\udcff.mp4: unsupported (its name holds characters that are not text)",
                       "pipe.mp4: unsupported (no regular file)"]


def test_links_do_not_lead_out_of_the_source(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    write_clip(inside / "good.mp4", clip(), 10)
    write_clip(outside / "other.mp4", clip(), 10)
    (inside / "away.mp4").symlink_to(outside / "other.mp4")
    (inside / "folder").symlink_to(outside)
    (inside / "nowhere.mp4").symlink_to(tmp_path / "missing")
    (inside / "here.mp4").symlink_to(inside / "good.mp4")
    labels, skipped = list_labels(inside)
    assert sorted(labels) == ["good.mp4", "here.mp4"]
    assert skipped == ["away.mp4: link (leads out of the source folder)",
                       "folder: link (links to folders are not followed)", "nowhere.mp4: link (leads nowhere)"]


def test_the_sample_clips_are_those_that_are_drawn():
    source = list_source(str(ROOT / "data" / "shapes"), CLIP)
    assert (len(source.videos), {video.label for video in source.videos}, source.skipped) == (
        240, {"circle", "square", "triangle"}, ())
    fps, frames = source.videos[0].open()
    clip, factors = shapes.render(2, 0, 32, 64, 64)
    decoded = np.stack(list(frames))
    assert (source.videos[0].id, fps, factors.colour) == ("circle/000_red.webm", 15.0, "red")
    assert decoded.shape == clip.shape and np.abs(decoded.astype(int) - clip).mean() < 2


@pytest.mark.skipif(not DATASETS.exists(), reason="needs the shared clips")
def test_the_shared_clips_are_strips_of_both_directions():
    for name, count, classes in (("actions", 72, 4), ("shapes", 2000, 2)):
        labels, skipped = list_labels(DATASETS / name)
        assert (len(labels), len(set(labels.values())), skipped) == (count, classes, [])
    assert read_first(DATASETS / "actions")[1].shape == (61, 64, 64, 3)


def test_where_clips_have_one_frame_every_picture_is_a_clip(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/wide.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_clip(tmp_path / name, clip(frames=1, width=32)[None], 10)
    videos = list_source(str(tmp_path), ClipSettings(resolution="16", num_frames=1)).videos
    assert {video.id: video.label for video in videos} == {"a/1.png": "a", "a/2.png": "a", "b/wide.png": "b"}
    assert all(len(list(video.open()[1])) == 1 for video in videos)


@pytest.mark.parametrize(("label", "names"), [
    ("shape", ["circle", "square", "triangle", "circle"]), ("colour", ["red", "red", "red", "green"]),
    ("motion", ["bounce"] * 4)])
def test_drawn_clips_are_labelled_by_the_factor_named(label, names):
    videos = list_source(f"shapes:count=4,label={label}", CLIP).videos
    assert [video.label for video in videos] == names
    assert shapes.draw_factors(0, 3, 4, 16, 16).colour == "green"


def test_a_label_that_is_no_factor_is_refused():
    with pytest.raises(UserError, match="label: shape, colour, motion"):
        list_source("shapes:count=4,label=size", CLIP)


def test_drawn_clips_of_one_combination_and_of_all_but_one():
    def combinations(name):
        factors = [shapes.draw_factors(0, video.index, 4, 16, 16) for video in list_source(name, CLIP).videos]
        return {(entry.shape, entry.colour) for entry in factors}

    assert combinations("shapes:count=20,shape=triangle,colour=blue") == {("triangle", "blue")}
    others = combinations("shapes:count=40,without=triangle-blue")
    assert len(others) == 17 and ("triangle", "blue") not in others
    assert len(list_source("shapes:count=20,shape=square", CLIP).videos) == 20
    with pytest.raises(UserError, match="cannot be without the only combination"):
        list_source("shapes:shape=square,colour=red,without=square-red", CLIP)
