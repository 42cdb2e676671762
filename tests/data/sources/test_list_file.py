"""Lists of clips, as data sets come with them."""

import dataclasses

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import encode_png

CLIP = ClipSettings(resolution="16", num_frames=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Videos of 20 frames, ten a second, that grow brighter by 10 from frame to frame."""
    folder = tmp_path_factory.mktemp("films")
    frames = np.repeat(np.arange(20, dtype=np.uint8) * 10, 16 * 16 * 3).reshape(1, 20, 16, 16, 3)
    frames[..., :8, :] //= 2
    for name in ("a.mp4", "b/c.mp4", "ID1.mp4", "ID-2_000003_000013.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        write_clip(folder / name, frames, 10.0)
    return folder


def listed(folder, text, name="list.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return list_source(str(folder / name), CLIP)


def test_rows_are_clips_with_class_part_and_split(folder):
    source = listed(folder, "path,label,start,end,split\na.mp4,walk,0.5,1.25,train\nb/c.mp4,,,,val\na.mp4,wave,1.5,,\n")
    assert [(video.id, video.label, video.split, video.start, video.end) for video in source.videos] == [
        ("a.mp4@0.5-1.25", "walk", "train", 0.5, 1.25), ("a.mp4@1.5-0", "wave", "", 1.5, 0.0),
        ("b/c.mp4", None, "test", 0.0, 0.0)]
    assert len({video.key for video in source.videos}) == 3
    first, second, _ = ([round(float(frame.pixels[0, 8].mean()), -1) for frame in video.open(None).frames]
                        for video in source.videos)
    assert first == [50, 60, 70, 80, 90, 100, 110, 120]
    assert second == [150, 160, 170, 180, 190]


def test_a_list_without_parts_gives_the_videos_as_they_are(folder):
    video, = listed(folder, "\ufeffPATH, Label\nb/c.mp4, x\n").videos
    alone, = list_source(str(folder / "b" / "c.mp4"), CLIP).videos
    frames, same = (np.stack([frame.pixels for frame in each.open(None).frames]) for each in (video, alone))
    np.testing.assert_array_equal(frames, same)


def test_lists_of_kinetics_name_videos_by_id_whole_or_cut(folder):
    source = listed(folder, "label,youtube_id,time_start,time_end,split\nx,ID1,1,2,train\ny,ID-2,3,13,validate\n")
    assert [(video.id, video.label, video.split) for video in source.videos] == [
        ("ID-2_000003_000013.mp4", "y", "test"), ("ID1.mp4@1-2", "x", "train")]


def test_a_film_of_kinetics_that_is_whole_is_cut_by_the_row_and_one_that_was_cut_fits_its_own_times_alone(folder):
    source = listed(folder, "label,youtube_id,time_start,time_end\nx,ID-2,50,60\ny,ID-2,,\n")
    assert [video.id for video in source.videos] == ["ID-2_000003_000013.mp4"] and source.videos[0].label == "y"
    assert [(entry.video_id, entry.reason) for entry in source.skipped] == [("ID-2", "missing")]


def test_a_clip_of_two_classes_is_named_and_a_row_that_comes_twice_is_one(folder):
    source = listed(folder, "path,label,start,end\na.mp4,x,0,1\na.mp4,x,0,1\na.mp4,y,0,1\na.mp4,y,0,1.0000001\n")
    assert [(video.id, video.label) for video in source.videos] == [("a.mp4@0-1", "x")]
    assert [(entry.video_id, entry.reason) for entry in source.skipped] == [("a.mp4@0-1", "duplicate")]


def test_parts_of_a_film_are_all_trained_on_or_all_held_out(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (6, 40, 16, 16, 3), np.uint8)
    for number, film in enumerate(frames):
        write_clip(tmp_path / f"{number}.mp4", film[np.newaxis], 10.0)
    rows = [f"{number}.mp4,{begin},{begin + 1}" for number in range(6) for begin in range(4)]
    (tmp_path / "list.csv").write_text("\n".join(["path,start,end", *rows]))
    manifest = prepare(str(tmp_path / "list.csv"), tmp_path / "out", dataclasses.replace(CLIP, test_fraction=0.4), 1)
    splits = {}
    for entry in manifest.sources:
        splits.setdefault(entry.video_id.partition("@")[0], set()).add(entry.split)
    assert all(len(found) == 1 for found in splits.values()) and {*map(min, splits.values())} == {"train", "test"}


def test_paths_may_be_absolute_or_of_windows_and_what_is_left_out_says_why(folder):
    (folder / "notes.txt").touch()
    source = listed(folder, f"path\n{folder / 'a.mp4'}\nb\\c.mp4\nnotes.txt\n/elsewhere/d.mp4\n")
    assert [video.id for video in source.videos] == ["a.mp4", "b/c.mp4"]
    assert [(entry.video_id, entry.reason) for entry in source.skipped] == [
        ("/elsewhere/d.mp4", "missing"), ("notes.txt", "not a video")]


def test_what_is_not_there_is_named_and_the_rest_is_prepared(folder, tmp_path):
    source = listed(folder, "path,start,end\na.mp4,0,1\ngone.mp4,,\na.mp4,1,1.2\na.mp4,5,\n")
    assert [(entry.video_id, entry.reason) for entry in source.skipped] == [("gone.mp4", "missing")]
    manifest = prepare(str(folder / "list.csv"), tmp_path / "out", CLIP, 1)
    assert manifest.count("train") + manifest.count("test") == 1
    assert {(entry.video_id, entry.reason) for entry in manifest.skipped} == {
        ("gone.mp4", "missing"), ("a.mp4@1-1.2", "too short"), ("a.mp4@5-0", "too short")}


def test_a_part_of_frames_without_times_cannot_be_read(tmp_path):
    (tmp_path / "strip.png").write_bytes(encode_png(np.zeros((16, 64, 3), np.uint8)))
    (tmp_path / "list.csv").write_text("path,start\nstrip.png,1\n")
    video, = list_source(str(tmp_path / "list.csv"), CLIP).videos
    with pytest.raises(DecodeError, match="its frames have no times"):
        video.open(None)


@pytest.mark.parametrize(("text", "message"), [
    ("a.mp4,walk\n", "must start with a row that names its columns"), ("", "must start with a row"),
    ("path,start\na.mp4,soon\n", "row 2: `start` and `end` must be seconds"),
    ("path,start\na.mp4,nan\n", "row 2: `start` and `end` must be seconds"),
    ("path,split\na.mp4,fold1\n", "row 2: `split` must be empty or one of train, training, val"),
    ("path,start,end\na.mp4,2,1\n", "row 2: `start` and `end` must be seconds, the second one later. "
                                    "Received: start=2, end=1")])
def test_a_list_that_cannot_be_read_is_refused(folder, text, message):
    with pytest.raises(UserError, match=message):
        listed(folder, text, "wrong.csv")
