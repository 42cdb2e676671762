"""Sources: what `--data` and `--source` may name."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data import records
from gan_keras.data.drawn import moving_shapes as shapes
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder
from gan_keras.video import arrays
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import encode_png, read_picture
from tests.processes import ROOT

DATASETS = ROOT.parent / "shared" / "datasets"
CLIP = ClipSettings(resolution="16", num_frames=4)


def clip(index=0, frames=6, height=16, width=16):
    return shapes.render(7, index, frames, height, width)[0]


def touch(folder, *names):
    """Makes empty files, and the folders that they are in."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def write_picture(path, height=8, width=8):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, np.full((height, width, 3), 99, np.uint8))[1].tobytes())


def write_frames(folder, *names, count=3, suffix=".png"):
    """Writes numbered pictures for each name, or numbers alone."""
    for name in names or ("",):
        for number in range(count):
            write_picture(folder / f"{name}{number:03d}{suffix}")


def list_labels(path, settings=CLIP):
    """Labels of the videos of a source by id, and the lines on what was skipped."""
    source = list_source(str(path), settings)
    return {video.id: video.label for video in source.videos}, [str(entry) for entry in source.skipped]


def read(video, size=64):
    """Rate and frames of a source video."""
    opened = video.open((size, size))
    return opened.rate, np.stack([frame.pixels for frame in opened.frames])


def read_first(path):
    """Rate and frames of the first video of a source."""
    return read(list_source(str(path), CLIP).videos[0])


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
    assert list_labels(tmp_path) == ({"jump/first/frame*.png": "jump"}, [])
    fps, decoded = read_first(tmp_path)
    assert fps is None
    np.testing.assert_array_equal(decoded, frames)


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
    np.testing.assert_array_equal(read(list_source(str(tmp_path), CLIP).videos[1])[1], clips[1].repeat(3, -1))


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


@pytest.mark.parametrize(("name", "message"), [
    ("shapes:size=3", "Received: size=3"), ("shapes:motion=fly", "Received: motion=fly"), ("shapes:0", "count from 1"),
    ("nowhere/at  all", "There is no file or folder nowhere/at  all"), ("", "Received: source=")])
def test_a_name_that_is_no_source_is_refused(name, message):
    with pytest.raises(UserError, match=message):
        list_source(name, CLIP)


def test_nothing_is_skipped_silently_but_hidden_files(tmp_path):
    write_clip(tmp_path / "good.mp4", clip(), 10)
    (tmp_path / "notes.txt").write_text("notes")
    (tmp_path / "README").write_text("read me")
    (tmp_path / ".hidden.mp4").touch()
    assert list_labels(tmp_path) == ({"good.mp4": None}, [
        "README: not a video (its name has no suffix, such as .mp4, that says what it is)",
        "notes.txt: not a video"])


def test_odd_entries_of_a_folder_are_not_read_first(tmp_path):
    write_clip(tmp_path / "good.mp4", clip(), 10)
    os.mkfifo(tmp_path / "pipe.mp4")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.mp4")).touch()
    labels, skipped = list_labels(tmp_path)
    assert list(labels) == ["good.mp4"]
    assert skipped == ["bad\\udcff.mp4: unsupported (its name holds characters that are not text)",
                       "pipe.mp4: unsupported (neither a file nor a folder)"]


@pytest.fixture
def linked(tmp_path):
    """A source with links of every kind, to what is inside and outside of it."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    touch(inside, "good.mp4", "real/in.mp4")
    touch(outside, "far.mp4", "deep/down.mp4")
    for name, target in (("away.mp4", outside / "far.mp4"), ("folder", outside), ("again", outside / "deep"),
                         ("nowhere.mp4", tmp_path / "missing"), ("here.mp4", inside / "good.mp4"),
                         ("twin", inside / "real"), ("up", tmp_path), ("self", inside), ("round.mp4", "round.mp4"),
                         ("real/back", inside)):
        (inside / name).symlink_to(target)
    (outside / "deep" / "loop").symlink_to(outside)
    return inside


def test_links_that_lead_out_of_the_source_are_named(linked):
    labels, skipped = list_labels(linked)
    assert sorted(labels) == ["good.mp4", "here.mp4", "real/in.mp4"]
    out = "link (leads out of the source folder; --follow_links follows it)"
    assert skipped == [
        f"again: {out}", f"away.mp4: {out}", f"folder: {out}", "nowhere.mp4: link (leads nowhere)",
        "real/back: link (leads to a folder that the source is in)", "round.mp4: link (leads nowhere)",
        "self: link (leads to a folder that the source is in)", "twin: link (leads to another folder of the source)",
        "up: link (leads to a folder that the source is in)"]


def test_links_are_followed_where_the_settings_say_so_and_each_folder_is_read_once(linked):
    labels, skipped = list_labels(linked, ClipSettings(num_frames=4, follow_links=True))
    assert labels == {"again/down.mp4": "again", "away.mp4": None, "folder/far.mp4": "folder", "good.mp4": None,
                      "here.mp4": None, "real/in.mp4": "real"}
    already = "link (leads to a folder that is listed already)"
    assert [line for line in skipped if "source is in" not in line] == [
        f"again/loop: {already}", f"folder/deep: {already}", "nowhere.mp4: link (leads nowhere)",
        "round.mp4: link (leads nowhere)", f"twin: {already}"]


def test_the_sample_clips_are_those_that_are_drawn():
    source = list_source(str(ROOT / "data" / "shapes"), CLIP)
    assert (len(source.videos), {video.label for video in source.videos}, source.skipped) == (
        240, {"circle", "square", "triangle"}, ())
    fps, decoded = read(source.videos[0])
    clip, factors = shapes.render(2, 0, 32, 64, 64)
    assert (source.videos[0].id, fps, factors.colour) == ("circle/000_red.webm", 15.0, "red")
    assert decoded.shape == clip.shape and np.abs(decoded.astype(int) - clip).mean() < 2


def test_numbered_strips_are_a_video_each_whatever_their_classes(tmp_path):
    """As the clips of MoCoGAN, whose names are numbers."""
    for name in ("0/00000092.png", "0/00000553.png", "0/00001005.png", "1/a_1.jpg", "1/a_2.jpg", "1/b_1.jpg",
                 "1/b_2.jpg"):
        write_picture(tmp_path / name, height=8, width=8 * 5)
    write_picture(tmp_path / "1" / "walk.png", height=8, width=8 * 2)
    source = list_source(str(tmp_path), CLIP)
    assert [(video.id, video.label, video.kind) for video in source.videos] == [
        ("0/00000092.png", "0", "numbered_strip"), ("0/00000553.png", "0", "numbered_strip"),
        ("0/00001005.png", "0", "numbered_strip"), ("1/a_1.jpg", "1", "numbered_strip"),
        ("1/a_2.jpg", "1", "numbered_strip"), ("1/b_1.jpg", "1", "numbered_strip"),
        ("1/b_2.jpg", "1", "numbered_strip"), ("1/walk.png", "1", "strip")]
    assert source.skipped == () and read(source.videos[0])[1].shape == (5, 8, 8, 3)


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
    assert all(len(read(video)[1]) == 1 for video in videos)


def test_what_lies_beside_numbered_frames_does_not_spoil_them(tmp_path):
    write_frames(tmp_path / "jump", "frame_", count=5)
    write_picture(tmp_path / "jump" / "thumbnail.png")
    write_picture(tmp_path / "jump" / "cover_7.jpg")
    np.save(tmp_path / "jump" / "more.npy", clip()[None])
    touch(tmp_path / "jump", "clip.mp4", "Thumbs.db", "desktop.ini", ".DS_Store", "._frame_000.png", "labels.json",
          "@eaDir/frame_000.png/SYNOPHOTO_THUMB_XL.jpg", "__MACOSX/x.png", "lost+found/y.mp4", "$RECYCLE.BIN/z.mp4")
    labels, skipped = list_labels(tmp_path)
    assert labels == {"jump/clip.mp4": "jump", "jump/frame_*.png": "jump", "jump/more.npy/000000": "jump"}
    system = "system file (an operating system or a storage device put it there)"
    other = "beside frames (a picture whose name does not go on with the numbers of the frames beside it)"
    assert skipped == [f"jump/$RECYCLE.BIN: {system}", f"jump/@eaDir: {system}", f"jump/Thumbs.db: {system}",
                       f"jump/__MACOSX: {system}", f"jump/cover_7.jpg: {other}", f"jump/desktop.ini: {system}",
                       "jump/labels.json: not a video", f"jump/lost+found: {system}", f"jump/thumbnail.png: {other}"]
    assert len(read(list_source(str(tmp_path), CLIP).videos[1])[1]) == 5


def test_masks_under_the_numbers_of_the_frames_are_left_out_in_one_line(tmp_path):
    write_frames(tmp_path / "a", count=30)
    write_frames(tmp_path / "a", count=30, suffix=".jpg")
    left_out = ["a/*.png: beside frames (30 pictures with the same numbers as *.jpg; in a folder of their own they "
                "are a video)"]
    assert list_labels(tmp_path) == ({"a/*.jpg": None}, left_out)
    labels, skipped = list_labels(tmp_path, ClipSettings(num_frames=1))
    assert (list(labels), skipped) == ([f"a/{number:03d}.jpg" for number in range(30)], left_out)


def test_what_is_left_out_of_a_series_is_named_once_and_not_read(tmp_path, monkeypatch):
    inside, outside = tmp_path / "in", tmp_path / "out"
    write_frames(inside, count=8)
    outside.mkdir()
    (inside / "002.png").rename(outside / "002.png")
    (inside / "002.png").symlink_to(outside / "002.png")
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "004.png" and allowed(path, mode))
    [video], skipped = list_source(str(inside), CLIP).videos, list_labels(inside)[1]
    assert skipped == ["002.png: link (leads out of the source folder; --follow_links follows it)",
                       "004.png: no permission (you may not read it)"]
    opened = video.open((16, 16))
    assert [frame.time for frame in opened.frames] == [0, 1, 3, 5, 6, 7] and opened.notes == []
    [video] = list_source(str(inside), ClipSettings(num_frames=4, follow_links=True)).videos
    assert [frame.time for frame in video.open((16, 16)).frames] == [0, 1, 2, 3, 5, 6, 7]


def test_series_of_different_names_in_one_folder_are_videos_of_their_own(tmp_path):
    write_frames(tmp_path, "walk_", "jump_")
    write_frames(tmp_path / "below")
    assert list_labels(tmp_path) == ({"below/*.png": None, "jump_*.png": None, "walk_*.png": None}, [])
    write_frames(tmp_path / "below", "more_")
    assert list_labels(tmp_path)[0] == {"below/*.png": "below", "below/more_*.png": "below", "jump_*.png": None,
                                        "walk_*.png": None}


def test_one_picture_of_a_series_is_decoded_and_nothing_else(tmp_path, monkeypatch):
    write_frames(tmp_path, "walk_", "jump_", count=4)
    (tmp_path / "jump_000.png").write_bytes(b"damaged")
    touch(tmp_path, "clip.mp4", "photo.png")
    decoded = []

    def read(path):
        decoded.append(path.name)
        return read_picture(path)

    monkeypatch.setattr("gan_keras.data.sources.folder_listing.read_picture", read)
    list_source(str(tmp_path), CLIP)
    assert decoded == ["jump_000.png", "jump_001.png", "walk_000.png"]


def test_a_series_changes_when_any_of_its_frames_does(tmp_path):
    write_frames(tmp_path)

    def first():
        return list_source(str(tmp_path), CLIP).videos[0]

    before = first()
    assert before == first() and before.size == sum(path.stat().st_size for path in tmp_path.iterdir())
    os.utime(tmp_path / "001.png", ns=(1, 1))
    touched = first()
    (tmp_path / "002.png").rename(tmp_path / "003.png")
    assert len({before.stamp, touched.stamp, first().stamp}) == 3


@pytest.mark.parametrize("names", [("train", "val", "test"), ("Training", "VALID"), ("train", "dev"), ("train",)])
def test_folders_named_as_splits_are_the_split_and_those_below_the_classes(tmp_path, names):
    for name in names:
        touch(tmp_path, f"{name}/run/a.mp4", f"{name}/b.mp4")
        write_frames(tmp_path / name / "frames")
    touch(tmp_path, "papers/notes.txt")
    videos = list_source(str(tmp_path), CLIP).videos
    assert {video.id: (video.label, video.split) for video in videos} == {
        f"{name}/{rest}": (label, "train" if name.lower().startswith("train") else "test")
        for name in names for rest, label in (("run/a.mp4", "run"), ("b.mp4", None), ("frames/*.png", None))}


@pytest.mark.parametrize("names", [("train", "plane"), ("test", "val"), ("test", "walk")])
def test_classes_may_be_named_as_splits_are(tmp_path, names):
    touch(tmp_path, *(f"{name}/far/a.mp4" for name in names))
    videos = list_source(str(tmp_path), CLIP).videos
    assert {video.id: (video.label, video.split) for video in videos} == {
        f"{name}/far/a.mp4": (name, "") for name in names}


def test_what_runs_make_below_a_source_is_no_part_of_it(tmp_path):
    touch(tmp_path, "walk/a.mp4", "manifest.json")
    first = list_source(str(tmp_path), CLIP)
    run = RunFolder(tmp_path / "runs" / "mine")
    run.make()
    assert list_source(str(tmp_path), CLIP).videos == first.videos
    write_clip(run.samples / "000500.webm", clip(), 10)
    touch(tmp_path, "models/export/1/saved_model.pb", "models/export/1/samples/a.mp4", "runs/prepared/begun/.work/lock",
          "runs/prepared/begun/train-00000-of-00001.tfrecord")
    touch(tmp_path, "runs/prepared/done/train-00000-of-00001.tfrecord")
    (tmp_path / "runs" / "prepared" / "done" / "manifest.json").write_text(f'{{\n "format": "{records.FORMAT}",\n')
    again = list_source(str(tmp_path), CLIP)
    assert (again.videos, again.skipped) == (first.videos, first.skipped)
    assert [str(entry) for entry in again.outputs] == [
        "models/export/1: made by gan_keras (an exported model)",
        "runs/mine: made by gan_keras (a run of gan_keras)",
        "runs/prepared/begun: made by gan_keras (prepared clips)",
        "runs/prepared/done: made by gan_keras (prepared clips)"]
    for entry in again.outputs:
        with pytest.raises(UserError, match="is no source of videos: it is"):
            list_source(str(tmp_path / entry.video_id), CLIP)
    assert len(list_source(str(run.samples), CLIP).videos) == 1


def test_a_file_of_ones_own_named_as_a_manifest_hides_nothing(tmp_path):
    touch(tmp_path, "walk/a.mp4", "walk/config.json", "walk/versions.json")
    (tmp_path / "walk" / "manifest.json").write_text('{"clips": []}')
    assert list_labels(tmp_path)[0] == {"walk/a.mp4": "walk"}


def test_many_files_alike_are_one_line(tmp_path):
    touch(tmp_path, "a.mp4", *(f"{number:02d}.txt" for number in range(30)), "x.heic", "y.braw", "z.zip", "w.blob")
    for number in range(11):
        touch(tmp_path, f"clip{number:02d}/@eaDir/x", f"clip{number:02d}/0.mp4")
    assert list_labels(tmp_path)[1] == [
        "00.txt: not a video (and 29 more like it)",
        "clip00/@eaDir: system file (an operating system or a storage device put it there; and 10 more like it)",
        "w.blob: not a video (.blob is no known kind of video)",
        "x.heic: unsupported (.heic: this format is not read; ffmpeg -i FILE FILE.png makes one that is)",
        "y.braw: unsupported (.braw: a camera's raw recording: export it as .mp4 with the program of the camera's "
        "maker)",
        "z.zip: unsupported (.zip: an archive: unpack it)"]


def test_listing_and_reading_are_silent(tmp_path, capfd):
    write_clip(tmp_path / "cut.webm", clip(), 10)
    for suffix in (".webp", ".avif", ".tif", ".jpg", ".png"):
        whole = cv2.imencode(suffix, clip()[0])[1].tobytes()
        (tmp_path / f"cut{suffix}").write_bytes(whole[:len(whole) // 2])
    np.save(tmp_path / "old.npy", clip()[None])
    content = (tmp_path / "old.npy").read_bytes()  # Python 2 wrote long numbers so
    (tmp_path / "old.npy").write_bytes(content.replace(b"(1, 6,", b"(1L,6,", 1))
    videos = list_source(str(tmp_path), CLIP).videos
    assert [video.id for video in videos] == [
        "cut.avif", "cut.jpg", "cut.png", "cut.tif", "cut.webm", "cut.webp", "old.npy/000000"]
    for video in videos[:4]:
        with pytest.raises(DecodeError):
            read(video)
    np.testing.assert_array_equal(read(videos[-1])[1], clip())
    assert capfd.readouterr() == ("", "")


def test_what_may_not_be_read_is_named_until_it_may(tmp_path, monkeypatch):
    touch(tmp_path, "a.mp4", "b.mp4", "secret/c.mp4")
    readable = list_source(str(tmp_path), CLIP)
    allowed = os.access
    with monkeypatch.context() as patch:
        patch.setattr(os, "access",
                      lambda path, mode: Path(path).name not in ("b.mp4", "secret") and allowed(path, mode))
        assert list_labels(tmp_path) == ({"a.mp4": None}, ["b.mp4: no permission (you may not read it)",
                                                           "secret: no permission (you may not read it)"])
        assert list_labels(tmp_path / "b.mp4") == ({}, ["b.mp4: no permission (you may not read it)"])
    assert list_source(str(tmp_path), CLIP) == readable and len(readable.videos) == 3


def test_names_may_have_any_letters(tmp_path):
    names = sorted(("caf\u00e9/a.mp4", "cafe\u0301/a.mp4", "Putting something, something/b.mp4",
                    "a:b/\u00e9 'x' \"y\".mp4"))
    touch(tmp_path, *names, "Icon\r", "tab\t.mp4")
    labels, skipped = list_labels(tmp_path)
    assert labels == {name: name.split("/")[0] for name in names} and list(labels) == names
    assert skipped == ["Icon\\x0d: system file (an operating system or a storage device put it there)",
                       "tab\\x09.mp4: unsupported (its name holds characters that are not text)"]


@pytest.mark.parametrize("frames", [1, 4])
def test_one_picture_of_a_series_is_a_source_of_its_own(tmp_path, frames):
    write_frames(tmp_path)
    videos = list_source(str(tmp_path / "001.png"), ClipSettings(num_frames=frames)).videos
    assert [(video.id, video.kind) for video in videos] == [("001.png", "picture" if frames == 1 else "strip")]


def test_files_of_several_frames_are_videos_of_their_own(tmp_path):
    for name in ("walk_1.tif", "walk_2.tif", "stack.tiff"):
        assert cv2.imwritemulti(str(tmp_path / name), [np.full((8, 8, 3), level, np.uint8) for level in (0, 99, 200)])
    write_frames(tmp_path, "frame_")
    for frames, kind in ((4, "frames"), (1, "picture")):
        videos = list_source(str(tmp_path), ClipSettings(num_frames=frames)).videos
        assert {video.kind for video in videos if video.id.startswith("frame_")} == {kind}
        assert [(video.id, video.kind) for video in videos if not video.id.startswith("frame_")] == [
            ("stack.tiff", "animation"), ("walk_1.tif", "animation"), ("walk_2.tif", "animation")]
