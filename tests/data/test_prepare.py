"""From videos to shards."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import ClipSettings
from gan_keras.data import decode_jobs, records
from gan_keras.data.moving_shapes import render
from gan_keras.data.prepare import assign_splits, prepare, split_of
from gan_keras.errors import UserError
from gan_keras.video.encode import write_clip
from tests.conftest import ROOT, finish, start
from tests.video.test_decode import rotate_display_matrix

CLIP = ClipSettings(resolution="16", num_frames=8, test_fraction=0.0)


def clip(index=0, frames=10, height=16, width=16):
    return render(7, index, frames, height, width)[0]


def write_source(folder, **videos):
    """Writes an array file for each name that begins with n, a video for each other one; returns the folder's path."""
    for name, frames in videos.items():
        write_clip(folder / f"{name}.npz" if name[0] == "n" else folder / f"{name}.webm", frames, 10)
    return str(folder)


def read_records(folder, split="train"):
    paths = [str(path) for path in records.load_manifest(folder).paths(folder, split)]
    parsed = [{name: value.numpy() for name, value in record.items()}
              for record in tf.data.TFRecordDataset(paths, buffer_size=2**20).map(records.parse)]
    return sorted(parsed, key=lambda record: (record["video_id"], record["first"]))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def reasons(manifest):
    return {entry.video_id: entry.reason for entry in manifest.skipped}


def test_a_record_holds_the_frames_of_a_video_and_its_id(tmp_path):
    clips = np.stack([clip(0), clip(1)])
    write_source(tmp_path / "in" / "some", n=clips)
    prepare(str(tmp_path / "in"), tmp_path / "out", CLIP, 1)
    prepared = read_records(tmp_path / "out")
    assert [(record["video_id"], record["first"], record["label"]) for record in prepared] == [
        (b"some/n.npz/000000", 0, 0), (b"some/n.npz/000001", 0, 0)]
    np.testing.assert_array_equal(np.stack([record["frames"] for record in prepared]), clips)
    assert records.verify(tmp_path / "out").classes == ("some",)


def test_hostile_files_are_skipped_by_name_and_the_good_ones_prepared(tmp_path):
    folder = tmp_path / "in"
    for name in ("good.mp4", "good.webm", "good.gif", "cut.mp4", "cut.webm"):
        write_clip(folder / name, clip(len(name) + ord(name[-1]), 30, 64, 64), 10)
    for name in ("cut.mp4", "cut.webm"):
        (folder / name).write_bytes((folder / name).read_bytes()[:(folder / name).stat().st_size // 2])
    write_clip(folder / "odd.webm", clip(4, 12, 31, 45), 10)
    write_clip(folder / "rotated.mp4", clip(5, 12, 32, 48), 10)
    rotate_display_matrix(folder / "rotated.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile good.webm\n")
    (folder / "av1.mp4").write_bytes((ROOT / "tests" / "fixtures" / "av1.mp4").read_bytes())
    (folder / "notes.txt").write_text("notes")
    write_clip(folder / "short.mp4", clip(0, 7, 64, 64), 10)
    manifest = prepare(str(folder), tmp_path / "out", CLIP, 2)
    assert reasons(manifest) == {
        "cut.mp4": "truncated", "cut.webm": "truncated", "empty.mp4": "unreadable", "text.mp4": "unreadable",
        "list.mp4": "unreadable", "av1.mp4": "unreadable", "notes.txt": "unsupported", "short.mp4": "too short"}
    assert {record["video_id"] for record in read_records(tmp_path / "out")} == {
        b"good.mp4", b"good.webm", b"good.gif", b"odd.webm", b"rotated.mp4"}
    report = (tmp_path / "out" / "report.html").read_text()
    assert all(entry.video_id in report and entry.reason in report for entry in manifest.skipped)
    assert "data:image/png;base64," in report and "http" not in report
    assert manifest.reasons() == {"unreadable": 4, "truncated": 2, "too short": 1, "unsupported": 1}


def test_blank_frozen_and_duplicate_clips_are_skipped_unless_kept(tmp_path):
    fade = np.arange(0, 200, 20, np.uint8)[:, None, None, None] * np.ones((10, 16, 16, 3), np.uint8)
    still = np.repeat(clip()[:1], 10, 0)
    source = write_source(tmp_path / "in", n0=clip(1), n1=fade, n2=still, n3=clip(1))
    manifest = prepare(source, tmp_path / "out", CLIP, 1)
    assert reasons(manifest) == {"n1.npz/000000": "blank", "n2.npz/000000": "frozen", "n3.npz/000000": "duplicate"}
    for keep, file in (("blank", "n1"), ("frozen", "n2"), ("duplicate", "n3")):
        manifest = prepare(source, tmp_path / "out", dataclasses.replace(CLIP, keep=(keep,)), 1)
        assert len(manifest.skipped) == 2
        assert not any(entry.video_id.startswith(file) for entry in manifest.skipped)


def test_no_clip_crosses_a_cut_and_a_shot_that_is_too_short_is_named(tmp_path):
    long_shot, short_shot = 40 + clip(0, 12) // 2, 255 - clip(3, 5) // 2
    source = write_source(tmp_path / "in", n=np.concatenate([long_shot, short_shot])[None])
    manifest = prepare(source, tmp_path / "out", CLIP, 1)
    np.testing.assert_array_equal(read_records(tmp_path / "out")[0]["frames"], long_shot)
    assert [str(entry) for entry in manifest.skipped] == ["n.npz/000000: too short (5 of 8 frames, from frame 12)"]
    uncut = prepare(source, tmp_path / "out", dataclasses.replace(CLIP, cut_threshold=1.0), 1)
    assert (uncut.frames("train"), uncut.skipped) == (17, ())


def test_bytes_do_not_depend_on_workers_and_the_second_call_does_nothing(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", **{f"v{index}": clip(index) for index in range(6)},
                          n=np.stack([clip(8), clip(9)]))
    for workers in (1, 2):
        prepare(source, tmp_path / f"out{workers}", CLIP, workers)
    assert contents(tmp_path / "out1") == contents(tmp_path / "out2")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out1").iterdir()}
    monkeypatch.setattr(decode_jobs, "map_in_processes", None)
    assert prepare(source, tmp_path / "out1", CLIP, 1) == records.load_manifest(tmp_path / "out1")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out1").iterdir()} == times


def test_other_settings_or_another_source_prepare_again_and_leave_no_old_shard(tmp_path):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1))
    first = prepare(source, tmp_path / "out", dataclasses.replace(CLIP, test_fraction=0.5), 1)
    second = prepare(source, tmp_path / "out", CLIP, 1)
    assert (first.count("test"), second.count("test"), second.count("train")) == (1, 0, 2)
    assert sorted(contents(tmp_path / "out")) == ["manifest.json", "report.html", "train-00000-of-00001.tfrecord"]
    write_source(tmp_path / "in", v2=clip(2))
    assert prepare(source, tmp_path / "out", CLIP, 1).count("train") == 3


def test_a_killed_preparation_is_resumed_and_ends_with_the_same_bytes(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", **{f"n{index:02d}": clip(index, 60, 128, 128)[None] for index in range(20)})
    code = ("import sys; from pathlib import Path; from gan_keras.config.train import ClipSettings;"
            "from gan_keras.data.prepare import prepare;"
            "prepare(sys.argv[1], Path(sys.argv[2]), "
            "ClipSettings(resolution='16', num_frames=8, test_fraction=0.0), 1)")
    process = subprocess.Popen([sys.executable, "-c", code, source, str(tmp_path / "killed")],
                               env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    work = tmp_path / "killed" / ".work"
    deadline = time.monotonic() + 60
    while len(list(work.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)  # for the worker process, which ends with its parent
    count = len(list(work.glob("*.json")))
    assert 3 <= count < 20 and not records.is_prepared(tmp_path / "killed")
    resumed, map_in_processes = [], decode_jobs.map_in_processes
    monkeypatch.setattr(decode_jobs, "map_in_processes", lambda function, tasks, workers: resumed.extend(tasks)
                        or map_in_processes(function, tasks, workers))
    prepare(source, tmp_path / "killed", CLIP, 2)
    assert len(resumed) == 20 - count
    prepare(source, tmp_path / "whole", CLIP, 1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_videos_keep_their_split_whatever_other_videos_there_are():
    names = [f"class/{index}.mp4" for index in range(400)]
    splits = assign_splits(set(names), 0.25)
    assert splits == {name: split_of(name, 0.25) for name in names}
    assert 70 < sum(split == "test" for split in splits.values()) < 130
    assert set(assign_splits({"a"}, 0.9).values()) == {"train"}
    for some in (names[:2], names[5:8]):
        assert set(assign_splits(set(some), 0.1).values()) == set(assign_splits(set(some), 0.9).values()) == {
            "train", "test"}
    assert set(assign_splits(set(names), 0.0).values()) == {"train"}


def test_segments_of_a_video_are_all_in_the_same_split(tmp_path):
    source = write_source(tmp_path / "in", **{f"n{index}": clip(index, 100)[None] for index in range(6)})
    prepare(source, tmp_path / "out", dataclasses.replace(CLIP, test_fraction=0.4), 1)
    train, test = ({record["video_id"] for record in read_records(tmp_path / "out", split)} for split in records.SPLITS)
    assert train and test and not train & test and len(train | test) == 6


@pytest.mark.parametrize(("source", "out", "message"), [
    ("empty", "out", "There is no video in"), ("texts", "out", "1 unsupported, such as a.txt"),
    ("nine", "out", "1 too short, such as v.webm (9 of 16 frames)"), ("nowhere", "out", "There is no file or folder"),
    ("nine", "nine", "`out` must be another folder"), ("nine", "file", "cannot be written"),
    ("prepared", "out", "is a prepared folder already")])
def test_what_the_user_can_fix_is_one_line_and_leaves_no_folder(tmp_path, source, out, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    write_source(tmp_path / "nine", v=clip(0, 9))
    (tmp_path / "file").touch()
    (tmp_path / "prepared").mkdir()
    (tmp_path / "prepared" / "manifest.json").touch()
    with pytest.raises(UserError) as caught:
        prepare(str(tmp_path / source), tmp_path / out, ClipSettings(), 1)
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_script_ends_with_the_paths_and_the_next_command_or_with_one_line(tmp_path):
    write_source(tmp_path / "in" / "red", v=clip(0), w=clip(1))
    arguments = ("--resolution=16", "--num_frames=8", "--workers=1")
    processes = [start(f"--source={tmp_path / source}", f"--out={tmp_path / 'out'}", *arguments, script="prepare.py")
                 for source in ("in", "nowhere")]
    (code, out, _), (error_code, _, error) = map(finish, processes)
    assert code == 0
    assert f"python train.py --data={tmp_path / 'out'}" in out and "report.html" in out
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["classes"] == ["red"]
    assert error_code == 2 and "There is no file or folder" in error and len(error.strip().splitlines()) == 1
