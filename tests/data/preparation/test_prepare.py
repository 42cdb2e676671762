"""From videos to shards."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import ClipSettings
from gan_keras.data import records
from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.preparation import decode_jobs
from gan_keras.data.preparation.prepare import list_videos, prepare, prepare_below
from gan_keras.data.preparation.report import summary
from gan_keras.data.preparation.splits import assign_splits, split_of
from gan_keras.data.preparation.usage import size
from gan_keras.data.sources.source_video import SkippedVideo
from gan_keras.errors import UserError
from gan_keras.video.encode import write_clip
from tests.processes import ROOT, finish, start
from tests.video.videos import encode, turn

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


def start_preparation(source, out, has_locks=True):
    """Starts another process that prepares with `CLIP`."""
    code = ("import errno, fcntl, sys; from pathlib import Path; from gan_keras.config.train import ClipSettings;"
            "from gan_keras.data.preparation.prepare import prepare; from gan_keras.logging import show_log_lines;\n"
            "def refuse(*_): raise OSError(errno.ENOLCK, 'No locks available')\n"
            + ("" if has_locks else "fcntl.flock = refuse\n") +
            "show_log_lines(); prepare(sys.argv[1], Path(sys.argv[2]), "
            "ClipSettings(resolution='16', num_frames=8, test_fraction=0.0), 1)")
    return subprocess.Popen([sys.executable, "-c", code, source, str(out)],
                            env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True)


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
        (folder / name).write_bytes((folder / name).read_bytes()[:(folder / name).stat().st_size * 6 // 10])
    encode(folder / "index.mp4", clip(9, 30, 64, 64))  # its index is at its end
    (folder / "index.mp4").write_bytes((folder / "index.mp4").read_bytes()[:-3000])
    write_clip(folder / "odd.webm", clip(4, 12, 31, 45), 10)
    write_clip(folder / "rotated.mp4", clip(5, 12, 32, 48), 10)
    turn(folder / "rotated.mp4", 0, 1, -1, 0)
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile good.webm\n")
    (folder / "av1.mp4").write_bytes((ROOT / "tests" / "fixtures" / "av1.mp4").read_bytes())
    (folder / "notes.txt").write_text("notes")
    write_clip(folder / "short.mp4", clip(0, 7, 64, 64), 10)
    manifest = prepare(str(folder), tmp_path / "out", CLIP, 2)
    assert reasons(manifest) == {
        "index.mp4": "truncated", "empty.mp4": "unreadable", "text.mp4": "unreadable", "list.mp4": "unreadable",
        "notes.txt": "not a video", "short.mp4": "too short", "cut.mp4": "truncated", "cut.webm": "truncated"}
    assert {record["video_id"] for record in read_records(tmp_path / "out")} == {
        b"good.mp4", b"good.webm", b"good.gif", b"odd.webm", b"rotated.mp4", b"av1.mp4", b"cut.mp4", b"cut.webm"}
    report = (tmp_path / "out" / "report.html").read_text()
    assert all(entry.video_id in report and entry.reason.capitalize() in report for entry in manifest.skipped)
    assert "data:image/png;base64," in report and "http" not in report
    assert manifest.reasons() == {"unreadable": 3, "not a video": 1, "too short": 2, "truncated": 3}


def test_blank_frozen_and_duplicate_clips_are_skipped_unless_kept(tmp_path):
    fade = np.arange(0, 200, 20, np.uint8)[:, None, None, None] * np.ones((10, 16, 16, 3), np.uint8)
    still = np.repeat(clip()[:1], 10, 0)
    source = write_source(tmp_path / "in", n0=clip(1), n1=fade, n2=still, n3=clip(1))
    manifest = prepare(source, tmp_path / "out", CLIP, 1)
    assert reasons(manifest) == {"n1.npz/000000": "blank", "n2.npz/000000": "frozen", "n3.npz/000000": "duplicate"}
    for keep, file in (("blank", "n1"), ("frozen", "n2"), ("duplicate", "n3")):
        manifest = prepare(source, tmp_path / keep, dataclasses.replace(CLIP, keep=(keep,)), 1)
        assert len(manifest.skipped) == 2
        assert not any(entry.video_id.startswith(file) for entry in manifest.skipped)


def test_no_clip_crosses_a_cut_and_a_shot_that_is_too_short_is_named(tmp_path):
    long_shot, short_shot = 40 + clip(0, 12) // 2, 255 - clip(3, 5) // 2
    source = write_source(tmp_path / "in", n=np.concatenate([long_shot, short_shot])[None])
    manifest = prepare(source, tmp_path / "out", CLIP, 1)
    np.testing.assert_array_equal(read_records(tmp_path / "out")[0]["frames"], long_shot)
    assert [str(entry) for entry in manifest.skipped] == ["n.npz/000000: too short (5 of 8 frames, from frame 12)"]
    uncut = prepare(source, tmp_path / "uncut", dataclasses.replace(CLIP, cut_threshold=1.0), 1)
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


def test_a_folder_of_other_clips_is_refused_with_what_changed_and_kept(tmp_path):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1), v2=clip(2))
    prepare(source, tmp_path / "out", CLIP, 1)
    before = contents(tmp_path / "out")
    with pytest.raises(UserError, match=r"out holds other clips, .*: `fps` was 0\.0 and is 5\.0; `keep` was empty and "
                       r"is blank\. Name another --out, or delete that folder first"):
        prepare(source, tmp_path / "out", dataclasses.replace(CLIP, fps=5.0, keep=("blank",)), 1)
    write_source(tmp_path / "in", v1=clip(3, 20), v3=clip(4), v4=clip(5))
    (tmp_path / "in" / "v0.webm").unlink()
    with pytest.raises(UserError, match=r": 2 videos are new, such as v3\.webm; 1 video is gone, such as v0\.webm; "
                       r"1 video is changed, such as v1\.webm\."):
        prepare(source, tmp_path / "out", CLIP, 1)
    assert contents(tmp_path / "out") == before


def test_shards_of_an_interrupted_preparation_with_other_settings_are_removed(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "train-00001-of-00007.tfrecord").write_bytes(b"old")
    prepare("shapes:2", tmp_path / "out", CLIP, 1)
    assert sorted(contents(tmp_path / "out")) == ["manifest.json", "report.html", "train-00000-of-00001.tfrecord"]


def test_a_file_that_is_no_video_changes_the_account_but_not_the_clips(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1))
    first = prepare(source, tmp_path / "out", CLIP, 1)
    (tmp_path / "in" / "notes.txt").write_text("notes")
    with monkeypatch.context() as patch:
        patch.setattr(decode_jobs, "map_in_processes", None)
        second = prepare(source, tmp_path / "out", CLIP, 1)
    assert (reasons(first), reasons(second)) == ({}, {"notes.txt": "not a video"})
    prepare(source, tmp_path / "anew", CLIP, 1)
    assert contents(tmp_path / "out") == contents(tmp_path / "anew")


def test_every_video_is_accounted_for(tmp_path):
    shots = np.concatenate([40 + clip(0, 12) // 2, 255 - clip(3, 5) // 2])
    source = write_source(tmp_path / "in" / "red", n=np.stack([shots, shots]), v=clip(1, 8, 24, 32))
    write_source(tmp_path / "in" / "blue", short=clip(2, 5))
    (tmp_path / "in" / "blue" / "notes.txt").write_text("notes")
    manifest = prepare(str(tmp_path / "in"), tmp_path / "out", CLIP, 1)
    assert source and records.load_manifest(tmp_path / "out") == manifest
    facts = {entry.video_id: (entry.label, entry.frames, entry.fps, entry.size, entry.segments, entry.records,
                              entry.split) for entry in manifest.sources}
    assert facts == {
        "blue/short.webm": ("blue", 5, 10.0, (16, 16), 0, 0, ""),
        "red/n.npz/000000": ("red", 17, None, (16, 16), 1, 1, "train"),
        "red/n.npz/000001": ("red", 17, None, (16, 16), 1, 0, ""),
        "red/v.webm": ("red", 8, 10.0, (24, 32), 1, 1, "train")}
    usage = manifest.usage
    assert (usage.count, len(usage.used), [entry.video_id for entry in usage.in_part]) == (4, 2, ["red/n.npz/000000"])
    assert usage.missing == {
        "too short": [SkippedVideo("red/n.npz/000000", "too short", "5 of 8 frames, from frame 12")]}
    assert usage.unused == {
        "duplicate": [SkippedVideo(
            "red/n.npz/000001", "duplicate", "12 frames that are in red/n.npz/000000 as well; "
            "too short (5 of 8 frames, from frame 12)")],
        "too short": [SkippedVideo("blue/short.webm", "too short", "5 of 8 frames")]}
    assert usage.others == {"not a video": [SkippedVideo("blue/notes.txt", "not a video")]}


def test_how_a_video_was_read_does_not_make_it_one_that_is_used_in_part(tmp_path):
    frames = list(np.stack([clip(0), clip(1)]).reshape(-1, 16, 16, 3))
    (tmp_path / "in").mkdir()
    encode(tmp_path / "in" / "hdr.mp4", frames, pix_fmt="yuv420p10le", colorspace=9, color_trc=16)
    encode(tmp_path / "in" / "early.mkv", [np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8) // 4 + frame
                                           for frame in np.arange(30, dtype=np.uint8).reshape(-1, 1, 1, 1)])
    whole = (tmp_path / "in" / "early.mkv").read_bytes()
    (tmp_path / "in" / "early.mkv").write_bytes(whole[:len(whole) * 6 // 10])
    usage = prepare(str(tmp_path / "in"), tmp_path / "out", CLIP, 1).usage
    assert usage.notes["HDR (PQ)"] == [("hdr.mp4", "its colours were not tone-mapped")]
    assert [entry.video_id for entry in usage.in_part] == ["early.mkv"] and list(usage.missing) == ["truncated"]


def test_files_alike_are_counted_each(tmp_path):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1))
    for index in range(12):
        (tmp_path / "in" / f"{index}.heic").write_bytes(b"picture")
        (tmp_path / "in" / f"{index}.txt").write_text("notes")
    usage = prepare(source, tmp_path / "out", CLIP, 1).usage
    assert (usage.count, len(usage.used)) == (14, 2)
    assert {reason: size({reason: entries}) for reason, entries in (usage.unused | usage.others).items()} == {
        "unsupported": 12, "not a video": 12}


def test_the_report_says_what_to_do_and_escapes_every_name(tmp_path):
    name = "<b onclick='x'>&amp;\"</b>"
    folder = tmp_path / "in"
    write_source(folder, v=clip(0))
    (folder / f"{name.replace('/', '-')}.txt").write_text("notes")
    write_clip(folder / "short.webm", clip(0, 5), 10)
    manifest = prepare(str(folder), tmp_path / "out", CLIP, 1)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<b onclick" not in page and "&lt;b onclick=&#x27;x&#x27;&gt;&amp;amp;&quot;" in page
    assert "1 of 2" in page and "Lower --num_frames" in page and "<script" not in page
    for text in ("Used: 1 of 2 videos", "not a video: 1, <b onclick",
                 "too short: 1, short.webm (5 of 8 frames)\n    Lower --num_frames"):
        assert text in summary(manifest)


def fail(monkeypatch, *video_ids):
    """Makes worker processes of jobs with these videos crash; returns the ids of all videos that are decoded."""
    decoded = []

    def map_here(function, tasks, workers):
        for job in tasks:
            names = {video.id for video in job.videos}
            decoded.extend(sorted(names))
            yield job, decode_jobs.CRASHED if names & set(video_ids) else function(job)

    monkeypatch.setattr(decode_jobs, "map_in_processes", map_here)
    return decoded


def test_what_failed_for_a_reason_that_may_pass_is_tried_again_and_makes_a_new_folder(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1), v2=clip(2))
    listed = list_videos(source, CLIP, tmp_path / "prepared")
    fail(monkeypatch, "v1.webm")
    folder, manifest = prepare_below(listed, tmp_path / "prepared", CLIP)
    assert (manifest.failed, reasons(manifest)) == (["v1.webm"], {"v1.webm": "crashed"})
    before = contents(folder)
    decoded = fail(monkeypatch, "v1.webm")
    assert prepare_below(listed, tmp_path / "prepared", CLIP) == (folder, manifest)
    assert decoded == ["v1.webm"] and list((tmp_path / "prepared").iterdir()) == [folder]
    decoded = fail(monkeypatch)
    new_folder, new_manifest = prepare_below(listed, tmp_path / "prepared", CLIP)
    assert decoded == ["v1.webm", "v0.webm", "v2.webm"]
    assert new_folder != folder and new_manifest.failed == [] and new_manifest.count("train") == 3
    assert contents(folder) == before
    decoded = fail(monkeypatch)
    assert prepare_below(listed, tmp_path / "prepared", CLIP) == (new_folder, new_manifest) and decoded == []


def test_a_named_folder_in_which_a_video_failed_stays_as_it_is(tmp_path, monkeypatch, log):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1), v2=clip(2))
    fail(monkeypatch, "v1.webm")
    manifest = prepare(source, tmp_path / "out", CLIP)
    before = contents(tmp_path / "out")
    fail(monkeypatch)
    assert prepare(source, tmp_path / "out", CLIP) == manifest and contents(tmp_path / "out") == before
    assert any("1 videos that failed can be decoded now, such as v1.webm" in message for message in log.messages)


def test_folders_named_by_content_follow_the_source_and_its_changes(tmp_path):
    source = Path(write_source(tmp_path / "a b" / "in", v0=clip(0), v1=clip(1)))
    parent = tmp_path / "prepared"

    def folder_of(path, settings=CLIP):
        return prepare_below(list_videos(str(path), settings, parent), parent, settings, 1)[0]

    first = folder_of(source)
    assert first.name.startswith("in-16-8-") and len(first.name) == len("in-16-8-") + 8
    moved = source.rename(tmp_path / "moved")
    assert folder_of(moved) == first
    assert folder_of(moved, dataclasses.replace(CLIP, num_frames=4)) != first
    before = contents(first)
    write_source(moved, v2=clip(2))
    second = folder_of(moved)
    assert second != first and contents(first) == before and records.load_manifest(second).count("train") == 3
    (moved / "v2.webm").unlink()
    assert folder_of(moved) == first


@pytest.mark.slow
@pytest.mark.parametrize("has_locks", [True, False])
def test_processes_that_prepare_the_same_folder_all_end_with_it(tmp_path, has_locks):
    source = write_source(tmp_path / "in", **{f"n{index:02d}": clip(index, 60, 64, 64)[None] for index in range(12)})
    processes = [start_preparation(source, tmp_path / "out", has_locks) for _ in range(2)]
    logs = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], logs
    waited = [f"Another process is preparing {tmp_path / 'out'}: waiting for it." in text for text in logs]
    assert sum(waited) == (1 if has_locks else 0)
    prepare(source, tmp_path / "alone", CLIP, 1)
    assert contents(tmp_path / "out") == contents(tmp_path / "alone")


def test_a_work_folder_that_another_process_removes_is_no_error_if_that_one_is_done(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", v0=clip(0), v1=clip(1))
    run_jobs, out = decode_jobs.run_jobs, tmp_path / "out"

    def overtaken(*arguments):
        run_jobs(*arguments)
        prepare(source, tmp_path / "other", CLIP, 1)
        shutil.rmtree(out)
        shutil.copytree(tmp_path / "other", out)
        return run_jobs(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(decode_jobs, "run_jobs", lambda *arguments: (patch.setattr(decode_jobs, "run_jobs", run_jobs),
                                                                   overtaken(*arguments))[1])
        manifest = prepare(source, out, CLIP, 1)
    assert manifest == records.load_manifest(tmp_path / "other") and contents(out) == contents(tmp_path / "other")


def test_a_report_that_cannot_be_brought_up_to_date_is_no_error(tmp_path, monkeypatch, log):
    source = write_source(tmp_path / "in", v0=clip(0))
    prepare(source, tmp_path / "out", CLIP, 1)
    (tmp_path / "in" / "notes.txt").write_text("notes")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("gan_keras.data.preparation.prepare.write_atomically", refuse)
    assert reasons(prepare(source, tmp_path / "out", CLIP, 1)) == {"notes.txt": "not a video"}
    assert any("is not of today's source" in message for message in log.messages)


def test_a_parent_that_cannot_be_written_is_named_with_what_to_do(tmp_path):
    (tmp_path / "prepared").touch()
    listed = list_videos("shapes:2", CLIP, tmp_path / "prepared")
    with pytest.raises(UserError, match=r"prepared/shapes-2-16-8-\w+ cannot be written: .*prepare elsewhere"):
        prepare_below(listed, tmp_path / "prepared", CLIP)


def test_a_killed_preparation_is_resumed_and_ends_with_the_same_bytes(tmp_path, monkeypatch):
    source = write_source(tmp_path / "in", **{f"n{index:02d}": clip(index, 60, 128, 128)[None] for index in range(20)})
    process = start_preparation(source, tmp_path / "killed")
    work = tmp_path / "killed" / ".work"
    deadline = time.monotonic() + 60
    while len(list(work.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.kill()
    process.communicate()
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


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_a_preparation_killed_at_any_moments_ends_with_the_same_bytes(tmp_path, seed):
    source = write_source(tmp_path / "in", **{f"n{index:02d}": clip(index, 60, 128, 128)[None] for index in range(16)})
    write_source(tmp_path / "in", v0=clip(0), v1=clip(0), v2=clip(1, 4))
    random, out = np.random.default_rng(seed), tmp_path / "killed"
    for _ in range(5):
        process = start_preparation(source, out)
        deadline = time.monotonic() + 60
        while not out.exists() and process.poll() is None and time.monotonic() < deadline:  # past the imports
            time.sleep(0.005)
        time.sleep(random.uniform(0, 4))
        process.kill()
        process.communicate()
    prepare(source, out, CLIP, 2)
    prepare(source, tmp_path / "whole", CLIP, 1)
    assert contents(out) == contents(tmp_path / "whole")


def splits_of(names, test_fraction, named=None):
    """Of whole videos."""
    return assign_splits({name: name for name in names}, test_fraction, named or {})


def test_videos_keep_their_split_whatever_other_videos_there_are():
    names = [f"class/{index}.mp4" for index in range(400)]
    splits = splits_of(names, 0.25)
    assert splits == {name: split_of(name, 0.25) for name in names}
    assert 70 < sum(split == "test" for split in splits.values()) < 130
    assert set(splits_of("a", 0.9).values()) == {"train"}
    for some in (names[:2], names[5:8]):
        assert set(splits_of(some, 0.1).values()) == {"train", "test"}
        assert set(splits_of(some, 0.9).values()) == {"train", "test"}
    assert set(splits_of(names, 0.0).values()) == {"train"}


BY_HASH = {"1": "test", "2": "train", "3": "test", "4": "test", "5": "train"}
"""At a half."""


@pytest.mark.parametrize(("named", "splits"), [
    ({}, BY_HASH),
    ({"1": "train", "2": "test", "3": "train", "4": "train", "5": "train"},
     {"1": "train", "2": "test", "3": "train", "4": "train", "5": "train"}),
    ({"2": "test", "4": "train"}, {**BY_HASH, "2": "test", "4": "train"}),
    (dict.fromkeys("12345", "train"), BY_HASH),
    (dict.fromkeys("12345", ""), BY_HASH),
    ({"gone": "test", **{str(index): "train" for index in range(1, 6)}}, dict.fromkeys("12345", "train")),
    (dict.fromkeys("12345", "test"), dict.fromkeys("12345", "test"))])
def test_splits_that_folders_name_win_over_the_hash(named, splits):
    assert splits_of("12345", 0.5, named) == splits


def test_segments_of_a_video_are_all_in_the_same_split(tmp_path):
    source = write_source(tmp_path / "in", **{f"n{index}": clip(index, 100)[None] for index in range(6)})
    prepare(source, tmp_path / "out", dataclasses.replace(CLIP, test_fraction=0.4), 1)
    train, test = ({record["video_id"] for record in read_records(tmp_path / "out", split)} for split in records.SPLITS)
    assert train and test and not train & test and len(train | test) == 6


@pytest.mark.parametrize(("source", "out", "message"), [
    ("empty", "out", "There is no video in"), ("texts", "out", "1 not a video, such as a.txt"),
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
    (tmp_path / "prepared" / "manifest.json").write_text(f'{{\n "format": "{records.FORMAT}"')
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
    assert f"train.py --data={tmp_path / 'out'}" in out and "report.html" in out
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["classes"] == ["red"]
    assert error_code == 2 and "There is no file or folder" in error and len(error.strip().splitlines()) == 1
