"""The work folder of a prepared folder in the making.

Processes that prepare the same folder wait for each other by a lock in its work folder, which the system releases
when a process dies. Where a file system has no locks they work side by side: what they write has names of its own and
appears by renaming, and who finds the work folder gone looks whether the other one is done.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from absl import logging

from gan_keras.data.records import WORK_FOLDER
from gan_keras.files import write_atomically

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


@contextmanager
def work_folder(out: Path) -> Iterator[Path]:
    """The work folder, for one process at a time where the file system has locks."""
    work = out / WORK_FOLDER
    while True:
        work.mkdir(parents=True, exist_ok=True)
        try:
            lock = (work / "lock").open("w")
        except FileNotFoundError:  # removed by the process that has just finished, and so below
            continue
        with lock:
            if _lock(lock, out) and not _is_same_file(lock, work / "lock"):
                continue
            yield work
            return


def _lock(file: TextIO, out: Path) -> bool:
    """Locks a file, and waits for a process that has locked it; whether the file system has locks."""
    if fcntl is None:
        return False
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            logging.info("Another process is preparing %s: waiting for it.", out)
            fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        return False
    return True


def _is_same_file(file: TextIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def remove_work(work: Path) -> None:
    """Removes a work folder as far as no other process writes there, and the folder that it is in if that is empty."""
    shutil.rmtree(work, ignore_errors=True)
    with suppress(OSError):
        work.parent.rmdir()


def publish(work: Path, path: Path, text: str) -> None:
    """Writes a file that appears whole; a kill leaves nothing but in the work folder."""
    write_atomically(work / path.name, text)
    (work / path.name).replace(path)
