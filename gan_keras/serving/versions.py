"""The folder a server watches: one child for each version, named by its number.

TF Serving takes up a child whose name is a number within a second of its appearing, so a version is written under a
hidden name and renamed when it is whole. Nothing here imports TensorFlow.
"""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from absl import logging

from gan_keras.errors import UserError
from gan_keras.files import UNSUPPORTED, check_path, synchronize

SAVED_MODEL = "saved_model.pb"
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


def version_numbers(folder: Path) -> list[int]:
    """The versions in a folder, oldest first."""
    return sorted(int(child.name) for child in folder.iterdir() if child.name.isdecimal()) if folder.is_dir() else []


def find_version(path: Path) -> Path:
    """The version folder that a path means: itself, or the newest of the versions in it.

    Raises:
        UserError: there is none.
    """
    check_path(path)
    if (path / SAVED_MODEL).is_file():
        return path
    for number in reversed(version_numbers(path)):
        if (path / str(number) / SAVED_MODEL).is_file():
            return path / str(number)
    raise UserError(f"{path} holds no SavedModel: neither {SAVED_MODEL} nor a version such as 1/{SAVED_MODEL}. "
                    "Name what the command export made." if path.exists() else f"There is no folder {path}.")


@contextlib.contextmanager
def unpublished(folder: Path) -> Iterator[Path]:
    """A hidden folder to write a version in, gone at the end unless `publish` has renamed it.

    Args:
        folder: of the versions; made where it is not there.

    Raises:
        UserError: the folder cannot be written.
    """
    check_path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=".unpublished-", dir=folder))
    except OSError as error:
        raise UserError(f"Export folder {folder} cannot be written: {error.strerror or error}") from error
    try:
        yield hidden
    finally:
        shutil.rmtree(hidden, ignore_errors=True)


def publish(hidden: Path) -> Path:
    """Gives a finished hidden folder the next free version number, at once and for good.

    All is on the disk before the name changes, and readable for the user a server runs as.

    Returns:
        The version folder.
    """
    folder = hidden.parent
    _settle(hidden)
    number = max(version_numbers(folder), default=0) + 1
    while True:
        try:
            hidden.rename(folder / str(number))
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            number += 1  # somebody else was faster
        else:
            _sync(folder)
            return folder / str(number)


def _settle(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        try:
            path.chmod(0o755 if path.is_dir() else 0o644)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            logging.warning("%s keeps its mode (%s): see that the server may read it.", path, error.strerror)
        _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        synchronize(descriptor)
    finally:
        os.close(descriptor)
