"""Paths of users, files that are whole or not there, and names by which a run folder is known."""

import errno
import hashlib
import os
import uuid
from pathlib import Path

from gan_keras.errors import UserError

VERSIONS_FILE, CHECKPOINTS_FOLDER = "versions.json", "checkpoints"
"""The first that is made in a run folder; no other folder has both."""


def expand_home(path: str) -> str:
    """The path with the home folder in place of a `~`, or a `~user`, at its start.

    Raises:
        ValueError: there is no such user.
    """
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError as error:
        raise ValueError(f"there is no user {path[1:].partition('/')[0]}") from error


UNSUPPORTED = {errno.EINVAL, errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
"""Error numbers of what a file system cannot do: some network file systems have no `fsync`, no `chmod`."""


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file so that a reader, or a crash, sees the old one or the new one and nothing between.

    Raises:
        OSError: it cannot be written; what was there before stays.
    """
    temporary = temporary_path(path)
    try:
        with temporary.open("w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            synchronize(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def absolute_path(path: Path | str) -> Path:
    """Absolute path without `..`; links in it stay links."""
    return Path(os.path.normpath(Path(path).absolute()))


def check_path(path: Path | str) -> None:
    """Checks that a folder which TensorFlow reads or writes has a path that it takes.

    Raises:
        UserError: its absolute path is not UTF-8.
    """
    absolute = str(Path(path).absolute())
    try:
        absolute.encode()
    except UnicodeEncodeError as error:
        raise UserError(f"{absolute} must have another name: TensorFlow takes no path that is not UTF-8.") from error


def temporary_path(path: Path) -> Path:
    """Path beside a file, hidden, that no other process or machine takes: what is written there is then renamed."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def synchronize(descriptor: int) -> None:
    """Brings an open file or folder to the disk, where the file system does that on request."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
