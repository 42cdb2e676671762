"""What is saved comes back, and damage is seen before it does harm."""

import errno
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.runs import checkpoints


@pytest.fixture
def variables():
    return {"a/kernel": keras.Variable(np.arange(6.0).reshape(2, 3), name="kernel"),
            "b": keras.Variable(np.array(3, "int64"), dtype="int64", name="count")}


def assign(variables, value):
    for variable in variables.values():
        variable.assign(tf.cast(tf.fill(variable.shape, value), variable.dtype))


def test_the_newest_is_restored_and_only_so_many_are_kept(tmp_path, variables):
    for step in (1, 2, 3):
        assign(variables, step)
        checkpoints.save(tmp_path, step, variables, keep=2)
    assign(variables, 9)
    assert checkpoints.saved_steps(tmp_path) == [2, 3]
    assert checkpoints.restore(tmp_path, variables) == 3
    assert (variables["a/kernel"].numpy() == 3).all() and variables["b"].numpy() == 3
    assert checkpoints.restore(tmp_path, variables, step=2) == 2
    assert variables["b"].numpy() == 2


def test_the_checkpoint_of_one_step_can_be_kept(tmp_path, variables):
    for step, kept in ((1, None), (2, None), (3, 2), (4, 2), (5, 2)):
        assign(variables, step)
        checkpoints.save(tmp_path, step, variables, keep=2, keep_step=kept)
    assert checkpoints.saved_steps(tmp_path) == [2, 4, 5]
    assert checkpoints.restore(tmp_path, variables, step=2) == 2 and variables["b"].numpy() == 2
    checkpoints.save(tmp_path, 6, variables, keep=2, keep_step=5)
    assert checkpoints.saved_steps(tmp_path) == [5, 6]
    checkpoints.save(tmp_path, 7, variables, keep=2, keep_step=1)
    assert checkpoints.saved_steps(tmp_path) == [6, 7]


def test_an_empty_folder_restores_nothing(tmp_path, variables):
    assert checkpoints.restore(tmp_path, variables) is None


@pytest.mark.parametrize("damage", ["flip", "cut", "no data", "empty index"])
def test_a_damaged_newest_falls_back_to_the_one_before_loudly(tmp_path, variables, damage, log):
    for step in (1, 2):
        assign(variables, step)
        checkpoints.save(tmp_path, step, variables, keep=3)
    data, index = tmp_path / "ckpt-2.data-00000-of-00001", tmp_path / "ckpt-2.index"
    content = bytearray(data.read_bytes())
    if damage == "flip":
        content[5] ^= 1
        data.write_bytes(content)
    elif damage == "cut":
        data.write_bytes(content[:-4])
    elif damage == "no data":
        data.unlink()
    else:
        index.write_bytes(b"")
    assign(variables, 9)
    assert checkpoints.restore(tmp_path, variables) == 1
    assert variables["b"].numpy() == 1
    assert len(log.messages) == 1 and "ckpt-2 is damaged" in log.messages[0]


def test_nothing_is_touched_when_all_are_damaged(tmp_path, variables):
    prefix = checkpoints.save(tmp_path, 1, variables, keep=2)
    prefix.with_name(prefix.name + ".data-00000-of-00001").write_bytes(b"x")
    assign(variables, 9)
    with pytest.raises(UserError, match="Every checkpoint"):
        checkpoints.restore(tmp_path, variables)
    assert variables["b"].numpy() == 9


def test_another_model_is_the_users_mistake(tmp_path, variables):
    checkpoints.save(tmp_path, 1, variables, keep=2)
    other = {"a/kernel": keras.Variable(np.zeros((3, 3)), name="kernel")}
    with pytest.raises(UserError, match="another model: a/kernel"):
        checkpoints.restore(tmp_path, other)
    with pytest.raises(UserError, match="no checkpoint of step 5"):
        checkpoints.restore(tmp_path, variables, step=5)


def test_leftovers_of_a_killed_save_are_ignored_and_removed(tmp_path, variables):
    checkpoints.save(tmp_path, 1, variables, keep=2)
    orphan = tmp_path / "ckpt-2.data-00000-of-00001.tempstate123"
    orphan.write_bytes(b"half")
    assert checkpoints.restore(tmp_path, variables) == 1
    checkpoints.save(tmp_path, 3, variables, keep=2)
    assert not orphan.exists()


def test_a_full_disk_keeps_the_older_checkpoint_and_is_told(tmp_path, small_files):
    large = {"a": keras.Variable(np.zeros(50000))}
    checkpoints.save(tmp_path, 1, large, keep=2)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with small_files(10000), pytest.raises(UserError, match=r"Checkpoint \S+ckpt-2 cannot be written: [^{\[]*\. "
                                           r"Checkpoint 1 is kept: the same command goes on from there\.$"):
        checkpoints.save(tmp_path, 2, large, keep=1)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    assert checkpoints.restore(tmp_path, large) == 1


def test_a_file_that_cannot_be_deleted_costs_no_work(tmp_path, variables, monkeypatch, log):
    checkpoints.save(tmp_path, 1, variables, keep=1)

    def refuse(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "unlink", refuse)
    checkpoints.save(tmp_path, 2, variables, keep=1)
    assert checkpoints.restore(tmp_path, variables) == 2
    assert "ckpt-1.index cannot be deleted: Operation not permitted" in log.text


def test_another_run_initializes_what_fits(tmp_path, variables):
    checkpoints.save(tmp_path, 7, variables, keep=1)
    ours = {"a/kernel": keras.Variable(np.zeros((2, 3))), "b": keras.Variable(np.zeros(2)), "c": keras.Variable(5.0)}
    assert checkpoints.initialize_from(tmp_path, ours) == 1
    np.testing.assert_array_equal(ours["a/kernel"], variables["a/kernel"])
    assert float(ours["c"]) == 5.0 and (ours["b"].numpy() == 0).all()


def test_nothing_that_fits_and_nothing_at_all_are_said(tmp_path, variables):
    with pytest.raises(UserError, match="no checkpoint to initialize from"):
        checkpoints.initialize_from(tmp_path, variables)
    checkpoints.save(tmp_path, 7, variables, keep=1)
    with pytest.raises(UserError, match="another architecture"):
        checkpoints.initialize_from(tmp_path, {"d": keras.Variable(1.0)})
