"""Training data of `--data`, and the classes that it has."""

import pytest

from gan_keras.data.moving_shapes import render
from gan_keras.data.training_data import training_data
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder, TrainingData
from gan_keras.video.encode import write_clip

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


def test_named_clip_settings_must_be_those_of_a_prepared_folder(prepared, tiny, tmp_path):
    folder, manifest = prepared
    config = tiny.replace(data=str(folder), num_frames=8)
    assert training_data(config, (), tmp_path)[2].clip == manifest.clip != config.clip
    with pytest.raises(UserError, match=r"`num_frames` must be that of .*, 4\. Received: num_frames=8"):
        training_data(config, ("num_frames",), tmp_path)
