"""Training data of `--data`, and the classes that it has."""

import os
import shutil
from pathlib import Path

import pytest

from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.training_data import training_data
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder, TrainingData
from gan_keras.video.encode import write_clip
from tests.conftest import TINY

CLASSES = ("circle", "square", "triangle")


def classes_of(prepared, tiny, tmp_path, *classes):
    return training_data(tiny.replace(data=str(prepared[0]), classes=classes), (), tmp_path)[2].model.classes


def test_all_means_the_classes_of_the_data(prepared, tiny, tmp_path):
    assert classes_of(prepared, tiny, tmp_path, "all") == CLASSES == classes_of(prepared, tiny, tmp_path, *CLASSES)
    assert classes_of(prepared, tiny, tmp_path) == ()
    with pytest.raises(UserError, match="circle,square,triangle"):
        classes_of(prepared, tiny, tmp_path, "circle")


def test_a_resumed_run_keeps_the_classes_of_its_data(tiny, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    run.save_config(tiny.replace(classes=CLASSES), TrainingData("shapes", 12.0, list(CLASSES), {"train": 24}))
    assert run.resolve({"classes": ("all",)}).model.classes == CLASSES
    with pytest.raises(UserError, match="cannot change within a run"):
        run.resolve({"classes": ("circle",)})


def test_data_without_classes_cannot_be_trained_with_classes(tiny, tmp_path):
    for index in range(3):
        write_clip(tmp_path / "videos" / f"{index}.mp4", render(0, index, 8, 16, 16)[0], 10)
    config = tiny.replace(data=str(tmp_path / "videos"), classes=("all",), workers=1)
    with pytest.raises(UserError, match="has no classes"):
        training_data(config, (), tmp_path / "prepared")


def test_a_raw_source_is_prepared_once_for_all_runs_with_the_same_clips(tiny, tmp_path, log):
    config = tiny.replace(data="shapes:6", workers=1)
    folder, manifest, _ = training_data(config, (), tmp_path)
    assert folder.parent == tmp_path and manifest.clip == tiny.clip
    assert any(message == f"{manifest.count('train')} training clips of {manifest.videos['train']} videos, prepared in "
               f"{folder}" for message in log.messages)
    assert training_data(config, (), tmp_path)[:2] == (folder, manifest)
    assert training_data(config.replace(num_frames=6), (), tmp_path)[0] != folder


def test_a_run_and_its_data_must_be_different_folders(tiny, tmp_path):
    config = tiny.replace(data=str(tmp_path), run_dir=str(tmp_path / ".." / tmp_path.name))
    with pytest.raises(UserError, match="`run_dir` must be another folder than `data`"):
        training_data(config, (), tmp_path)


def test_named_clip_settings_must_be_those_of_a_prepared_folder(prepared, tiny, tmp_path):
    folder, manifest = prepared
    config = tiny.replace(data=str(folder), num_frames=8)
    assert training_data(config, (), tmp_path)[2].clip == manifest.clip != config.clip
    with pytest.raises(UserError, match=r"`num_frames` must be that of .*, 4\. Received: num_frames=8"):
        training_data(config, ("num_frames",), tmp_path)


@pytest.fixture
def begun(tiny, tmp_path):
    """A run folder that began with the clips of a raw source, a function that goes on with it, and the source."""
    source = tmp_path / "work" / "videos"
    for index in range(3):
        write_clip(source / f"v{index}.npz", render(0, index, 8, 16, 16)[0], 10)
    folder = tmp_path / "work" / "runs" / "run"

    def go_on(run=folder, **changes):
        run = RunFolder(run)
        config = run.resolve({"run_dir": str(run.path), **changes})
        prepared, manifest, config = training_data(config, changes.keys(), run.path.parent / "prepared",
                                                   run.prepared_clips())
        run.make()
        run.save_config(config, TrainingData.of(manifest, prepared, run.path), manifest)
        return prepared, manifest

    settings = {name: value for name, value in TINY.items() if name in ("resolution", "num_frames")}
    first = go_on(**settings, data=str(source), workers=1)
    return folder, go_on, source, first


def test_a_run_goes_on_with_the_clips_that_it_began_with(begun, log):
    _, go_on, source, first = begun
    write_clip(source / "new.npz", render(0, 5, 8, 16, 16)[0], 10)
    log.clear()
    assert go_on() == go_on(data=str(source)) == first
    assert any("the run goes on with those that it began with" in message for message in log.messages)
    shutil.rmtree(source)
    assert go_on() == go_on(data=str(source)) == first


def test_a_relative_source_is_found_from_another_working_folder(begun, tmp_path, monkeypatch):
    _, go_on, source, first = begun
    monkeypatch.chdir(source.parent)
    other = source.parent / "runs" / "other"
    assert go_on(other, data="videos", resolution="16", num_frames=4, workers=1) == first
    monkeypatch.chdir(tmp_path)
    shutil.rmtree(first[0])
    assert go_on(other) == first
    assert RunFolder(other).load_config().run.data == str(source)
    assert f"--data={source}\n" in RunFolder(other).flag_file.read_text()


def test_a_source_whose_name_is_no_utf_8_is_a_source(begun, tmp_path):
    _, go_on, source, (_, manifest) = begun
    renamed = source.rename(tmp_path / "V\udcf6gel")  # as Python has the bytes V\xf6gel
    other = tmp_path / "runs" / "other"
    prepared, found = go_on(other, data=str(renamed), resolution="16", num_frames=4, workers=1)
    assert prepared.name.startswith("V-gel-16-4-") and found.splits == manifest.splits
    assert go_on(other) == (prepared, found) and found.source == str(renamed)


def test_a_run_finds_its_clips_after_it_was_moved_with_them_or_without(begun, tmp_path):
    folder, go_on, source, (prepared, manifest) = begun
    shutil.rmtree(source)
    alone = folder.rename(tmp_path / "alone")
    assert go_on(alone) == (prepared, manifest)
    alone.rename(folder)
    go_on(folder)
    (tmp_path / "work").rename(tmp_path / "elsewhere")
    moved = tmp_path / "elsewhere" / "runs"
    assert go_on(moved / "run") == (moved / "prepared" / prepared.name, manifest)


def test_a_run_whose_clips_are_gone_prepares_the_same_ones_or_says_what_changed(begun, log):
    folder, go_on, source, (prepared, manifest) = begun
    shutil.rmtree(prepared)
    log.clear()
    assert go_on() == (prepared, manifest)
    assert any("are no longer in" in message for message in log.messages)
    shutil.rmtree(prepared)
    write_clip(source / "new.npz", render(0, 5, 8, 16, 16)[0], 10)
    with pytest.raises(UserError, match=r"videos is not the data that .*run began with: 1 video is new, such as "
                       rf"new\.npz/000000\. .*--init_from={folder}"):
        go_on()
    assert not prepared.exists()


def test_a_copy_of_the_source_with_other_times_gives_the_same_clips(begun, tmp_path):
    _, go_on, source, (prepared, manifest) = begun
    copy = shutil.copytree(source, tmp_path / "copy")
    for path in copy.iterdir():
        os.utime(path, (1e9, 1e9))
    shutil.rmtree(prepared)
    again = go_on(data=str(copy))
    assert again[1].splits == manifest.splits and again[1].fingerprint != manifest.fingerprint
    assert go_on() == again
    write_clip(copy / "v0.npz", render(0, 9, 8, 16, 16)[0], 10)
    shutil.rmtree(again[0])
    with pytest.raises(UserError, match=r"began with: 1 video is changed, such as v0\.npz/000000\."):
        go_on()


def test_runs_below_their_source_are_no_part_of_it(begun, monkeypatch):
    _, go_on, source, _ = begun
    monkeypatch.chdir(source)
    settings = {"data": ".", "resolution": "16", "num_frames": 4, "workers": 1}
    prepared, manifest = go_on(Path("runs/mine"), **settings)
    write_clip(Path("runs/mine/samples/step-000002.webm"), render(0, 7, 8, 16, 16)[0], 10)
    assert go_on(Path("runs/mine"), data=".")[1] == manifest
    assert go_on(Path("runs/other"), **settings) == (prepared, manifest)
    shutil.rmtree(prepared)
    assert go_on(Path("runs/mine"), data=".")[1] == manifest and len(manifest.sources) == 3


def test_another_source_is_refused_unless_it_is_the_same(begun, tmp_path):
    _, go_on, source, (prepared, manifest) = begun
    with pytest.raises(UserError, match=r"is not the data that .* began with: 6 videos are new"):
        go_on(data="shapes:6")
    moved = source.rename(tmp_path / "moved")
    assert go_on(data=str(moved)) == (prepared, manifest)
    assert go_on(data=str(prepared)) == (prepared, manifest)
    copy = shutil.copytree(prepared, tmp_path / "copy")
    assert go_on(data=str(copy)) == (copy, manifest)
