"""Files are whole or not there, on file systems of every kind."""

import errno
import os

import pytest

from gan_keras.errors import UserError
from gan_keras.files import check_path, write_atomically


def test_a_path_that_tensorflow_cannot_take_is_refused(tmp_path, monkeypatch):
    check_path(tmp_path / "größe 日本")
    (tmp_path / "V\udcf6gel").mkdir()  # as Python has the bytes V\xf6gel
    monkeypatch.chdir(tmp_path / "V\udcf6gel")
    with pytest.raises(UserError, match="must have another name: TensorFlow takes no path that is not UTF-8"):
        check_path("runs")


def fail(monkeypatch, code):
    def fsync(_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fsync)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_that_does_not_synchronize_loses_nothing(tmp_path, monkeypatch, code):
    fail(monkeypatch, code)
    write_atomically(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_what_fails_on_the_way_to_the_disk_raises_and_keeps_the_old_file_alone(tmp_path, monkeypatch, code):
    write_atomically(tmp_path / "file", "old")
    fail(monkeypatch, code)
    with pytest.raises(OSError) as failed:
        write_atomically(tmp_path / "file", "new")
    assert failed.value.errno == code
    assert (tmp_path / "file").read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_a_full_disk_keeps_the_old_file_alone(tmp_path, small_files):
    write_atomically(tmp_path / "file", "old")
    with small_files(100), pytest.raises(OSError):
        write_atomically(tmp_path / "file", "new" * 100)
    assert (tmp_path / "file").read_text() == "old" and len(list(tmp_path.iterdir())) == 1
