import errno
import os
from pathlib import Path

import pytest

from gan_keras.errors import UserError
from gan_keras.serving import versions


def put(folder, name="saved_model.pb"):
    (folder / "variables").mkdir()
    (folder / name).write_text("content")


def test_versions_count_up_and_are_readable(tmp_path):
    folder = tmp_path / "models" / "name"
    for number in (1, 2):
        with versions.unpublished(folder) as hidden:
            put(hidden)
            assert versions.publish(hidden) == folder / str(number)
    (folder / "9").mkdir()
    with versions.unpublished(folder) as hidden:
        put(hidden)
        version = versions.publish(hidden)
    assert version.name == "10" and versions.version_numbers(folder) == [1, 2, 9, 10]
    assert oct(version.stat().st_mode & 0o777) == oct((version / "variables").stat().st_mode & 0o777) == "0o755"
    assert oct((version / "saved_model.pb").stat().st_mode & 0o777) == "0o644"


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_a_file_system_without_modes_and_without_synchronization_loses_no_version(tmp_path, monkeypatch, log, code):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "chmod", refuse)
    monkeypatch.setattr(os, "fsync", refuse)
    with versions.unpublished(tmp_path) as hidden:
        put(hidden)
        assert versions.publish(hidden) == tmp_path / "1"
    assert f"saved_model.pb keeps its mode ({os.strerror(code)})" in log.text


def test_what_is_not_published_is_never_a_version_and_goes_away(tmp_path):
    with pytest.raises(KeyError), versions.unpublished(tmp_path) as hidden:
        put(hidden)
        assert hidden.name.startswith(".") and versions.version_numbers(tmp_path) == []
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_number_taken_meanwhile_gives_the_next(tmp_path, monkeypatch):
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "saved_model.pb").write_text("of somebody faster")
    (tmp_path / "2").write_text("a file")
    monkeypatch.setattr(versions, "version_numbers", lambda _: [])
    with versions.unpublished(tmp_path) as hidden:
        put(hidden)
        assert versions.publish(hidden) == tmp_path / "3"
    assert (tmp_path / "1" / "saved_model.pb").read_text() == "of somebody faster"


def test_finds_a_version_or_the_newest_whole_one(tmp_path):
    for number in ("2", "10"):
        (tmp_path / number).mkdir()
        put(tmp_path / number)
    (tmp_path / "11").mkdir()
    (tmp_path / ".unpublished-12").mkdir()
    put(tmp_path / ".unpublished-12")
    assert versions.find_version(tmp_path) == tmp_path / "10"
    assert versions.find_version(tmp_path / "2") == tmp_path / "2"


@pytest.mark.parametrize(("name", "message"), [("nowhere", "There is no "), ("empty", "holds no SavedModel")])
def test_no_version_is_the_users_mistake(tmp_path, name, message):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=message):
        versions.find_version(tmp_path / name)


def test_a_folder_that_cannot_be_written_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"), versions.unpublished(tmp_path / "file" / "models"):
        pass
