"""What `--data` may be."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gan_keras.errors import UserError
from gan_keras.train_settings import ClipSettings
from gan_keras.video import arrays, io, shapes
from gan_keras.video.sources import list_source

DATASETS = Path(__file__).parents[2] / "shared" / "datasets"
CLIPS = ClipSettings(resolution="16", num_frames=4)


def clip(index=0, frames=6, height=16, width=16):
    return shapes.render(7, index, frames, height, width)[0]


def listed(path):
    source = list_source(str(path), CLIPS)
    return {item.id: item.label for item in source.items}, [str(entry) for entry in source.left_out]


def opened(path):
    fps, frames = list_source(str(path), CLIPS).items[0].open()
    return fps, np.stack(list(frames))


def test_the_first_folders_are_the_classes(tmp_path):
    for name in ("run/a.mp4", "run/far/b.webm", "walk/a.mp4"):
        io.write_clip(tmp_path / name, clip(), 10)
    assert listed(tmp_path) == ({"run/a.mp4": "run", "run/far/b.webm": "run", "walk/a.mp4": "walk"}, [])


def test_without_folders_there_are_no_classes(tmp_path):
    io.write_clip(tmp_path / "a.mp4", clip(), 10)
    assert listed(tmp_path) == ({"a.mp4": None}, [])
    assert listed(tmp_path / "a.mp4") == ({"a.mp4": None}, [])


def test_a_folder_of_numbered_pictures_is_one_video_in_the_order_of_the_numbers(tmp_path):
    frames = clip(frames=12)
    (tmp_path / "jump" / "first").mkdir(parents=True)
    for index, frame in enumerate(frames):
        (tmp_path / "jump" / "first" / f"frame{index}.png").write_bytes(io.encode_png(frame))
    assert listed(tmp_path) == ({"jump/first": "jump"}, [])
    fps, read = opened(tmp_path)
    assert fps is None
    np.testing.assert_array_equal(read, frames)


def test_frames_of_different_sizes_are_no_video(tmp_path):
    for index, size in enumerate((16, 16, 24)):
        (tmp_path / f"{index}.png").write_bytes(io.encode_png(np.zeros((size, 16, 3), np.uint8)))
    with pytest.raises(io.ReadError, match=r"2\.png is of another size"):
        opened(tmp_path)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_strip_is_cut_into_square_frames_whichever_way_it_lies(tmp_path, axis):
    frames = clip()
    (tmp_path / "strip.png").write_bytes(io.encode_png(np.concatenate(frames, axis=axis)))
    fps, read = opened(tmp_path)
    assert fps is None
    np.testing.assert_array_equal(read, frames)


def test_a_picture_that_is_no_strip_is_named(tmp_path):
    (tmp_path / "photo.png").write_bytes(io.encode_png(np.zeros((20, 30, 3), np.uint8)))
    with pytest.raises(io.ReadError, match="a picture of 30x20 is no strip of square frames"):
        opened(tmp_path)


@pytest.mark.parametrize("name", ["clips.npy", "clips.npz"])
def test_arrays_hold_a_video_each_row_and_grey_becomes_colour(tmp_path, name):
    clips = np.stack([clip(0), clip(1)])[..., :1]
    if name.endswith("npy"):
        np.save(tmp_path / name, clips)
    else:
        np.savez(tmp_path / name, videos=clips)
    assert listed(tmp_path / name)[0] == {f"{name}/000000": None, f"{name}/000001": None}
    _, frames = list_source(str(tmp_path), CLIPS).items[1].open()
    np.testing.assert_array_equal(np.stack(list(frames)), clips[1].repeat(3, -1))


def test_arrays_of_another_kind_are_named(tmp_path):
    np.save(tmp_path / "float.npy", np.zeros((1, 4, 8, 8, 3)))
    np.savez(tmp_path / "other.npz", frames=np.zeros((1, 4, 8, 8, 3), np.uint8))
    np.save(tmp_path / "pickled.npy", np.array([{}], object), allow_pickle=True)
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npy").write_text("no array")
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive, archive.open("videos.npy", "w") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": (10**6, 100, 512, 512, 3)})
    items, left_out = listed(tmp_path)
    assert items == {}
    assert [entry.split(" (")[0] for entry in left_out] == [
        "empty.npz: unreadable", "float.npy: unreadable", "huge.npz: too large", "other.npz: unreadable",
        "pickled.npy: unreadable", "text.npy: unreadable"]
    assert arrays.load.cache_info().currsize <= 1


def test_drawn_clips_fit_the_settings_and_carry_their_shape_as_class():
    source = list_source("shapes:7", CLIPS)
    assert [item.label for item in source.items[:4]] == ["circle", "square", "triangle", "circle"]
    fps, frames = source.items[6].open()
    np.testing.assert_array_equal(np.stack(list(frames)), shapes.render(0, 6, 8, 16, 16)[0])
    assert (fps, len(source.items)) == (shapes.FPS, 7)
    _, frames = list_source("shapes:count=2,seed=3,frames=5,motion=sine", CLIPS).items[1].open()
    np.testing.assert_array_equal(np.stack(list(frames)), shapes.render(3, 1, 5, 16, 16, ("sine",))[0])


@pytest.mark.parametrize(("name", "said"), [
    ("shapes:size=3", "Received: size=3"), ("shapes:motion=fly", "Received: motion=fly"), ("shapes:0", "count from 1"),
    ("nowhere/at/all", "There is no file or folder nowhere/at/all"), ("", "Received: source=")])
def test_what_is_no_source_is_said(name, said):
    with pytest.raises(UserError, match=said):
        list_source(name, CLIPS)


def test_nothing_is_left_out_in_silence_but_hidden_files(tmp_path):
    io.write_clip(tmp_path / "good.mp4", clip(), 10)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "README").write_text("read me")
    (tmp_path / ".hidden.mp4").touch()
    assert listed(tmp_path) == ({"good.mp4": None}, [
        "README: unsupported (no suffix is no known kind of video)",
        "notes.txt: unsupported (.txt is no known kind of video)"])


def test_odd_entries_of_a_folder_are_not_opened(tmp_path):
    io.write_clip(tmp_path / "good.mp4", clip(), 10)
    os.mkfifo(tmp_path / "pipe.mp4")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4")).touch()
    items, left_out = listed(tmp_path)
    assert list(items) == ["good.mp4"]
    assert left_out == ["bad\\udcff.mp4: unsupported (its name holds characters that are not text)",
                        "pipe.mp4: unsupported (no regular file)"]


def test_links_do_not_lead_out_of_the_source(tmp_path):
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    io.write_clip(inside / "good.mp4", clip(), 10)
    io.write_clip(outside / "other.mp4", clip(), 10)
    (inside / "away.mp4").symlink_to(outside / "other.mp4")
    (inside / "folder").symlink_to(outside)
    (inside / "nowhere.mp4").symlink_to(tmp_path / "missing")
    (inside / "here.mp4").symlink_to(inside / "good.mp4")
    items, left_out = listed(inside)
    assert sorted(items) == ["good.mp4", "here.mp4"]
    assert left_out == ["away.mp4: link (leads out of the source folder)",
                        "folder: link (links to folders are not followed)", "nowhere.mp4: link (leads nowhere)"]


def test_the_sample_clips_are_what_is_drawn():
    source = list_source(str(Path(__file__).parents[1] / "data" / "shapes"), CLIPS)
    assert (len(source.items), {item.label for item in source.items}, source.left_out) == (
        240, {"circle", "square", "triangle"}, ())
    fps, frames = source.items[0].open()
    drawn, factors = shapes.render(2, 0, 32, 64, 64)
    read = np.stack(list(frames))
    assert (source.items[0].id, fps, factors.colour) == ("circle/000_red.webm", 15.0, "red")
    assert read.shape == drawn.shape and np.abs(read.astype(int) - drawn).mean() < 2


@pytest.mark.skipif(not DATASETS.exists(), reason="needs the shared clips")
def test_the_shared_clips_are_strips_of_both_directions():
    for name, count, classes in (("actions", 72, 4), ("shapes", 2000, 2)):
        items, left_out = listed(DATASETS / name)
        assert (len(items), len(set(items.values())), left_out) == (count, classes, [])
    assert opened(DATASETS / "actions")[1].shape == (61, 64, 64, 3)


def test_where_clips_are_of_one_frame_every_picture_is_one(tmp_path):
    for name in ("a/1.png", "a/2.png", "b/wide.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        io.write_clip(tmp_path / name, clip(frames=1, width=32)[None], 10)
    items = list_source(str(tmp_path), ClipSettings(resolution="16", num_frames=1)).items
    assert {item.id: item.label for item in items} == {"a/1.png": "a", "a/2.png": "a", "b/wide.png": "b"}
    assert all(len(list(item.open()[1])) == 1 for item in items)


@pytest.mark.parametrize(("label", "names"), [
    ("shape", ["circle", "square", "triangle", "circle"]), ("colour", ["red", "red", "red", "green"]),
    ("motion", ["bounce"] * 4)])
def test_drawn_clips_are_labelled_by_the_factor_named(label, names):
    items = list_source(f"shapes:count=4,label={label}", CLIPS).items
    assert [item.label for item in items] == names
    assert shapes.draw_factors(0, 3, 4, 16, 16).colour == "green"


def test_a_label_that_is_no_factor_is_refused():
    with pytest.raises(UserError, match="label: shape, colour, motion"):
        list_source("shapes:count=4,label=size", CLIPS)


def test_drawn_clips_of_one_combination_and_of_all_but_one():
    def combinations(name):
        return {(each.shape, each.colour) for each in (shapes.draw_factors(0, item.index, 4, 16, 16)
                                                       for item in list_source(name, CLIPS).items)}

    assert combinations("shapes:count=20,shape=triangle,colour=blue") == {("triangle", "blue")}
    left = combinations("shapes:count=40,without=triangle-blue")
    assert len(left) == 17 and ("triangle", "blue") not in left
    assert len(list_source("shapes:count=20,shape=square", CLIPS).items) == 20
    with pytest.raises(UserError, match="nothing but what it is to be without"):
        list_source("shapes:shape=square,colour=red,without=square-red", CLIPS)
