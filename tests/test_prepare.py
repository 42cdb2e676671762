"""From videos to shards."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data import records, stretches, workshop
from gan_keras.data.inspection import inspect
from gan_keras.data.prepare import assign_splits, prepare, split_of
from gan_keras.errors import UserError
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io, items, shapes
from gan_keras.video.sources import list_source
from tests.test_video_io import rotated

ROOT = Path(__file__).parents[1]
CLIPS = ClipSettings(resolution="16", num_frames=8, test_fraction=0.0)


def clip(index=0, frames=10, height=16, width=16):
    return shapes.render(7, index, frames, height, width)[0]


def write(folder, **clips):
    for name, frames in clips.items():
        io.write_clip(folder / f"{name}.npz" if name[0] == "n" else folder / f"{name}.webm", frames, 10)
    return str(folder)


def read(folder, split="train"):
    paths = [str(path) for path in records.load_manifest(folder).paths(folder, split)]
    parsed = [{key: value.numpy() for key, value in record.items()}
              for record in tf.data.TFRecordDataset(paths, buffer_size=2**20).map(records.parse)]
    return sorted(parsed, key=lambda record: (record["source"], record["first"]))


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def left_out(manifest):
    return {entry.source: entry.reason for entry in manifest.left_out}


def test_a_record_holds_the_frames_of_the_video_and_where_they_come_from(tmp_path):
    clips = np.stack([clip(0), clip(1)])
    source = write(tmp_path / "in" / "some", n=clips)
    prepare(str(tmp_path / "in"), tmp_path / "out", CLIPS, 1)
    found = read(tmp_path / "out")
    assert [(record["source"], record["first"], record["label"]) for record in found] == [
        (b"some/n.npz/000000", 0, 0), (b"some/n.npz/000001", 0, 0)]
    np.testing.assert_array_equal(np.stack([record["frames"] for record in found]), clips)
    assert records.verify(tmp_path / "out").classes == ("some",)
    assert source


def test_parse_works_inside_a_graph_and_knows_the_colours():
    frames = clip()
    serialized = records.serialize(frames, 2, "a/b.mp4", 5)
    assert serialized == records.serialize(frames, 2, "a/b.mp4", 5)
    dataset = tf.data.Dataset.from_tensors(serialized).map(records.parse)
    assert dataset.element_spec["frames"].shape.as_list() == [None, None, None, 3]
    record = next(iter(dataset))
    np.testing.assert_array_equal(record["frames"], frames)
    assert (record["label"], record["source"], record["first"]) == (2, b"a/b.mp4", 5)


def test_hostile_files_are_left_out_by_name_and_the_good_ones_prepared(tmp_path, request):
    folder = tmp_path / "in"
    moving = clip(frames=30, height=64, width=64)
    for name in ("good.mp4", "good.webm", "good.gif", "cut.mp4", "cut.webm"):
        io.write_clip(folder / name, shapes.render(7, len(name) + ord(name[-1]), 30, 64, 64)[0], 10)
    for name in ("cut.mp4", "cut.webm"):
        (folder / name).write_bytes((folder / name).read_bytes()[:(folder / name).stat().st_size // 2])
    io.write_clip(folder / "odd.webm", clip(4, 12, 31, 45), 10)
    io.write_clip(folder / "turned.mp4", clip(5, 12, 32, 48), 10)
    rotated(folder / "turned.mp4")
    (folder / "empty.mp4").touch()
    (folder / "text.mp4").write_text("no video")
    (folder / "list.mp4").write_text("ffconcat version 1.0\nfile good.webm\n")
    (folder / "av1.mp4").write_bytes((request.path.parent / "fixtures" / "av1.mp4").read_bytes())
    (folder / "notes.txt").write_text("notes")
    io.write_clip(folder / "short.mp4", moving[:7], 10)
    manifest = prepare(str(folder), tmp_path / "out", CLIPS, 2)
    assert left_out(manifest) == {
        "cut.mp4": "truncated", "cut.webm": "truncated", "empty.mp4": "unreadable", "text.mp4": "unreadable",
        "list.mp4": "unreadable", "av1.mp4": "unreadable", "notes.txt": "unsupported", "short.mp4": "too short"}
    assert {record["source"] for record in read(tmp_path / "out")} == {
        b"good.mp4", b"good.webm", b"good.gif", b"odd.webm", b"turned.mp4"}
    report = (tmp_path / "out" / "report.html").read_text()
    assert all(entry.source in report and entry.reason in report for entry in manifest.left_out)
    assert "data:image/png;base64," in report and "http" not in report
    assert manifest.reasons() == {"unreadable": 4, "truncated": 2, "too short": 1, "unsupported": 1}


def test_blank_frozen_and_repeated_clips_are_left_out_unless_kept(tmp_path):
    fade = np.arange(0, 200, 20, np.uint8)[:, None, None, None] * np.ones((10, 16, 16, 3), np.uint8)
    still = np.repeat(clip()[:1], 10, 0)
    source = write(tmp_path / "in", n0=clip(1), n1=fade, n2=still, n3=clip(1))
    manifest = prepare(source, tmp_path / "out", CLIPS, 1)
    assert left_out(manifest) == {"n1.npz/000000": "blank", "n2.npz/000000": "frozen", "n3.npz/000000": "duplicate"}
    for keep, missing in (("blank", "n1"), ("frozen", "n2"), ("duplicate", "n3")):
        kept = prepare(source, tmp_path / "out", dataclasses.replace(CLIPS, keep=(keep,)), 1)
        assert len(kept.left_out) == 2 and not any(entry.source.startswith(missing) for entry in kept.left_out)


def test_a_decoder_that_breaks_costs_its_file_and_a_full_disk_does_not_blame_it(monkeypatch):
    item = list_source("shapes:1", CLIPS).items[0]

    def full(first, frames):
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        stretches.extract(item, CLIPS, full)
    monkeypatch.setitem(items._READERS, "shapes", lambda item: 1 / 0)
    outcome = stretches.extract(item, CLIPS, full)
    assert [str(entry) for entry in outcome.left_out] == [
        "shapes-0-bounce/0000000: unreadable (ZeroDivisionError: division by zero)"]


def test_no_clip_crosses_a_cut_and_what_is_too_short_beside_one_is_named(tmp_path):
    one, other = 40 + clip(0, 12) // 2, 255 - clip(3, 5) // 2
    source = write(tmp_path / "in", n=np.concatenate([one, other])[None])
    manifest = prepare(source, tmp_path / "out", CLIPS, 1)
    np.testing.assert_array_equal(read(tmp_path / "out")[0]["frames"], one)
    assert [str(entry) for entry in manifest.left_out] == ["n.npz/000000: too short (5 of 8 frames, from frame 12)"]
    whole = prepare(source, tmp_path / "out", dataclasses.replace(CLIPS, cut_threshold=1.0), 1)
    assert (whole.frames("train"), whole.left_out) == (17, ())


@pytest.mark.parametrize("length", [8, 31, 32, 33, 39, 40, 41, 71, 72, 100])
def test_long_shots_are_split_without_losing_a_frame(length):
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    parts = list(stretches._stretches(frames, None, CLIPS))
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), frames)
    assert [first for first, _ in parts] == [int(part[0, 0, 0, 0]) for _, part in parts]
    assert all(8 <= len(part) <= 32 for _, part in parts)


@pytest.mark.parametrize(("fps", "clips", "kept"), [
    (30.0, {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (30.0, {"frame_stride": 3}, [0, 3, 6, 9]),
    (30.0, {"fps": 15.0}, [0, 2, 4, 6, 8]), (30.0, {"fps": 12.0}, [0, 3, 5, 8]),
    (30.0, {"fps": 60.0}, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]),
    (30.0, {"fps": 15.0, "frame_stride": 2}, [0, 4, 8]), (None, {"fps": 15.0}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])])
def test_frames_are_taken_at_the_wanted_rate(fps, clips, kept):
    settings = dataclasses.replace(CLIPS, **clips)
    frames = [(np.full((2, 2, 3), index, np.uint8), index == 5) for index in range(10)]
    taken = list(stretches.sample(frames, fps, settings))
    assert [index for index, _, _ in taken] == kept
    # A shot that starts at a frame which is not taken starts at the next one that is.
    assert [index for index, _, cut in taken if cut] == [min((index for index in kept if index >= 5), default=5)]


def test_bytes_do_not_depend_on_workers_and_the_second_time_costs_nothing(tmp_path, monkeypatch):
    source = write(tmp_path / "in", **{f"v{index}": clip(index) for index in range(6)}, n=np.stack([clip(8), clip(9)]))
    for workers in (1, 2):
        prepare(source, tmp_path / f"out{workers}", CLIPS, workers)
    assert contents(tmp_path / "out1") == contents(tmp_path / "out2")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out1").iterdir()}
    monkeypatch.setattr(workshop, "each", None)
    assert prepare(source, tmp_path / "out1", CLIPS, 1) == records.load_manifest(tmp_path / "out1")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out1").iterdir()} == before


def test_a_change_of_settings_or_source_prepares_again_and_leaves_no_old_shard(tmp_path):
    source = write(tmp_path / "in", v0=clip(0), v1=clip(1))
    first = prepare(source, tmp_path / "out", dataclasses.replace(CLIPS, test_fraction=0.5), 1)
    second = prepare(source, tmp_path / "out", CLIPS, 1)
    assert (first.count("test"), second.count("test"), second.count("train")) == (1, 0, 2)
    assert sorted(contents(tmp_path / "out")) == ["manifest.json", "report.html", "train-00000-of-00001.tfrecord"]
    write(tmp_path / "in", v2=clip(2))
    assert prepare(source, tmp_path / "out", CLIPS, 1).count("train") == 3


def test_killed_and_started_again_it_goes_on_and_ends_with_the_same_bytes(tmp_path, monkeypatch):
    source = write(tmp_path / "in", **{f"v{index:02d}": clip(index, 60, 128, 128) for index in range(30)})
    command = [sys.executable, str(ROOT / "prepare.py"), f"--source={source}", f"--out={tmp_path / 'killed'}",
               "--resolution=16", "--num_frames=8", "--test_fraction=0", "--workers=1"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    work = tmp_path / "killed" / ".work"
    deadline = time.monotonic() + 60
    while len(list(work.glob("*.json"))) < 3 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.3)
    done = len(list(work.glob("*.json")))
    assert 3 <= done < 30 and not records.is_prepared(tmp_path / "killed")
    todo, each = [], workshop.each
    monkeypatch.setattr(workshop, "each", lambda function, tasks, workers: todo.extend(tasks) or each(
        function, tasks, workers))
    prepare(source, tmp_path / "killed", CLIPS, 2)
    assert len(todo) == 30 - done
    prepare(source, tmp_path / "whole", CLIPS, 1)
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_videos_keep_their_split_whatever_else_there_is():
    names = [f"class/{index}.mp4" for index in range(400)]
    splits = assign_splits(set(names), 0.25)
    assert splits == {name: split_of(name, 0.25) for name in names}
    assert 70 < sum(split == "test" for split in splits.values()) < 130
    assert set(assign_splits({"a"}, 0.9).values()) == {"train"}
    for few in (names[:2], names[5:8]):
        assert set(assign_splits(set(few), 0.1).values()) == set(assign_splits(set(few), 0.9).values()) == {
            "train", "test"}
    assert set(assign_splits(set(names), 0.0).values()) == {"train"}


def test_stretches_of_a_video_are_all_on_one_side(tmp_path):
    source = write(tmp_path / "in", **{f"n{index}": clip(index, 100)[None] for index in range(6)})
    prepare(source, tmp_path / "out", dataclasses.replace(CLIPS, test_fraction=0.4), 1)
    train, test = ({record["source"] for record in read(tmp_path / "out", split)} for split in records.SPLITS)
    assert train and test and not train & test and len(train | test) == 6


def test_a_damaged_missing_or_foreign_folder_is_named(tmp_path):
    prepare("shapes:2", tmp_path / "out", CLIPS, 1)
    shard = next((tmp_path / "out").glob("*.tfrecord"))
    good = shard.read_bytes()
    shard.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    with pytest.raises(UserError, match=f"Shard .*{shard.name} is damaged"):
        records.verify(tmp_path / "out")
    shard.unlink()
    with pytest.raises(UserError, match=f"Shard .*{shard.name} is missing"):
        records.verify(tmp_path / "out")
    prepare("shapes:2", tmp_path / "out", CLIPS, 1)
    assert shard.read_bytes() == good
    (tmp_path / "out" / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match="cannot be read"):
        records.load_manifest(tmp_path / "out")
    with pytest.raises(UserError, match=r"has no manifest\.json"):
        records.load_manifest(tmp_path)


def run(*arguments):
    command = [sys.executable, str(ROOT / "prepare.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr.strip().splitlines()


def test_the_script_says_in_one_line_what_the_user_can_mend(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("a")
    write(tmp_path / "nine", v=clip(0, 9))
    (tmp_path / "file").touch()
    for source, out, said in (("empty", "out", "There is no video in"),
                              ("texts", "out", "1 unsupported, such as a.txt"),
                              ("nine", "out", "1 too short, such as v.webm (9 of 16 frames)"),
                              ("nowhere", "out", "There is no file or folder"),
                              ("nine", "nine", "`out` must be another folder"),
                              ("nine", "file", "cannot be written")):
        code, _, error = run(f"--source={tmp_path / source}", f"--out={tmp_path / out}")
        assert (code, len(error)) == (2, 1) and said in error[0], error
        assert not (tmp_path / "out").exists()


def test_the_script_ends_with_where_things_are_and_what_comes_next(tmp_path):
    source = write(tmp_path / "in" / "red", v=clip(0), w=clip(1))
    code, said, _ = run(f"--source={Path(source).parent}", f"--out={tmp_path / 'out'}", "--resolution=16",
                        "--num_frames=8", "--workers=1")
    assert code == 0
    assert f"python train.py --data={tmp_path / 'out'}" in said and "report.html" in said
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["classes"] == ["red"]


def test_inspecting_predicts_what_preparing_makes_and_writes_nothing(tmp_path):
    source = Path(write(tmp_path / "in" / "red", v0=clip(0, 40), v1=clip(1, 20), v2=clip(2, 5))).parent
    (source / "notes.txt").write_text("notes")
    before = sorted(tmp_path.rglob("*"))
    said = inspect(str(source), CLIPS, 1)
    assert sorted(tmp_path.rglob("*")) == before
    manifest = prepare(str(source), tmp_path / "out", CLIPS, 1)
    assert f"7 of 8 frames end to end, in {manifest.count('train')} records" in said
    assert "16x16 (3)" in said and "red" in said and "red/v2.webm: too short (5 of 8 frames)" in said
    assert all(word in said for word in ("Disk", "Memory", "Time", "Frames per second", "1 unsupported"))
    inspect(str(source), CLIPS, 1, tmp_path / "look")
    assert [path.name for path in (tmp_path / "look").iterdir()] == ["report.html"]
    assert "data:image/png;base64," in (tmp_path / "look" / "report.html").read_text()
