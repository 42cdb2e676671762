"""What `--data` stands for, and how the data's classes get into the settings."""

import pytest

from gan_keras.data.training_data import training_data
from gan_keras.errors import UserError
from gan_keras.run_folder import RunFolder
from gan_keras.video import io, shapes


def resolved(prepared, tiny, tmp_path, *classes):
    return training_data(tiny.replace(data=str(prepared[0]), classes=classes), (), tmp_path)[2].model.classes


def test_all_stands_for_the_classes_of_the_data(prepared, tiny, tmp_path):
    names = ("circle", "square", "triangle")
    assert resolved(prepared, tiny, tmp_path, "all") == names == resolved(prepared, tiny, tmp_path, *names)
    assert resolved(prepared, tiny, tmp_path) == ()
    with pytest.raises(UserError, match="circle,square,triangle"):
        resolved(prepared, tiny, tmp_path, "circle")


def test_a_resumed_run_keeps_the_classes_that_it_found(prepared, tiny, tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    run.describe(tiny.replace(classes=("circle", "square", "triangle")), {})
    assert run.resolve({"classes": ("all",)}).model.classes == ("circle", "square", "triangle")
    with pytest.raises(UserError, match="cannot change within a run"):
        run.resolve({"classes": ("circle",)})


def test_data_without_classes_has_none_to_train_with(tiny, tmp_path):
    for index in range(3):
        io.write_clip(tmp_path / "videos" / f"{index}.mp4", shapes.render(0, index, 8, 16, 16)[0], 10)
    config = tiny.replace(data=str(tmp_path / "videos"), classes=("all",), workers=1)
    with pytest.raises(UserError, match="has no classes"):
        training_data(config, (), tmp_path / "prepared")
