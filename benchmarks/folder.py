"""Whether a folder as people have it is used as it should be: files of many kinds, a third of them odd.

    python benchmarks/folder.py
    python benchmarks/folder.py --files=60 --kills=1 --keep_in=/tmp/folder

Takes about two minutes. The folder is made and prepared in a process of its own, with a bar; a table says what became
of each kind. What is not as it should be is named, and the exit code is 1 then. Another preparation is killed at random
moments and started again until it ends: all that it leaves must equal the first one to the byte. Ends with one JSON
line.
"""

import dataclasses
import json
import os
import pty
import random
import subprocess
import sys
import tempfile
import termios
import time
from collections import Counter
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

CLIPS = ("--resolution=32", "--num_frames=8")
_POLL = 0.01  # seconds
_BAR = b"prepare:"


@dataclasses.dataclass(frozen=True)
class FolderSettings(Settings):
    """The folder."""

    files: int = setting(300, "Files and series to make; every kind comes at least once.", minimum=1)
    kills: int = setting(5, "Moments at which the second preparation is killed.", minimum=0)
    seed: int = setting(0, "Of the files and the moments.", minimum=0)
    keep_in: str = setting("", "Folder for the source and what is prepared of it; empty: a temporary one.", path=True)


def main() -> None:
    """Makes the folder, prepares it, looks, and prepares it again under kills."""
    settings = flags.settings(FolderSettings)
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(settings.keep_in or temporary)
        if (root / "source").exists():
            raise UserError(f"`keep_in` must name a folder without a `source` in it. Received: keep_in={root}")
        wrong = measure(settings, root)
    if wrong:
        sys.exit(1)


def measure(settings: FolderSettings, root: Path) -> list[str]:
    """What is not as it should be, after it was printed."""
    logging.import_tensorflow()
    from benchmarks import folder_kinds
    from gan_keras.data.records import load_manifest

    expected = folder_kinds.write_folder(root / "source", settings.files, settings.seed)
    watched = prepare_on_terminal(root / "source", root / "prepared")
    accounts = folder_kinds.check(load_manifest(root / "prepared"), expected)
    print(harness.table(("kind", "files", *folder_kinds.OUTCOMES, "reasons"), rows(accounts, folder_kinds.OUTCOMES)))
    wrong = [text for account in accounts.values() for text in account.wrong]
    wrong += [] if watched.has_bar else ["no bar was seen"]
    if settings.kills:
        moments = prepare_under_kills(root / "source", root / "killed", watched.working_seconds, settings)
        print("killed after " + ", ".join(f"{moment:.1f}" for moment in moments) + " s of work")
        wrong += differences(root / "prepared", root / "killed")
    for text in wrong:
        print(f"wrong: {text}")
    total = sum((account.outcomes for account in accounts.values()), Counter())
    print(json.dumps({"benchmark": "folder", "kinds": len(accounts), "files": total.total(),
                      **{name.replace(" ", "_"): total[name] for name in folder_kinds.OUTCOMES},
                      "prepare_seconds": round(watched.seconds, 1), "kills": settings.kills, "wrong": len(wrong)}))
    return wrong


def rows(accounts: dict, outcomes: tuple[str, ...]) -> list[tuple]:
    """Rows of the table, one for each kind."""
    return [(kind, account.outcomes.total(), *(account.outcomes[outcome] or None for outcome in outcomes),
             ", ".join(sorted(account.reasons)) or None) for kind, account in accounts.items()]


class Watched(NamedTuple):
    """A preparation that was watched.

    Attributes:
        has_bar: whether a bar reached its end.
        seconds: of the process.
        working_seconds: of these, from when the bar was seen first.
    """

    has_bar: bool
    seconds: float
    working_seconds: float


def prepare_on_terminal(source: Path, out: Path) -> Watched:
    """Prepares on a terminal whose text goes to stderr.

    Raises:
        ProgramFailed: the preparation failed.
    """
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    begun = bar_seen = time.perf_counter()
    process = subprocess.Popen(_command(source, out), stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    text = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # its error when the other end is closed
        while part := terminal.read(2**12):
            if _BAR not in text:
                bar_seen = time.perf_counter()
            text += part
            sys.stderr.buffer.write(part)
            sys.stderr.flush()
    exit_code = process.wait()
    if exit_code:
        lines = text.decode(errors="replace").strip().splitlines() or ["nothing"]
        raise harness.ProgramFailed(f"prepare.py failed and said: {lines[-1]}. Received: exit code={exit_code}")
    end = time.perf_counter()
    return Watched(_BAR + b" 100%" in text, end - begun, end - bar_seen)


def prepare_under_kills(source: Path, out: Path, working_seconds: float, settings: FolderSettings) -> list[float]:
    """Kills a preparation at random moments, and starts it again until it ends.

    Args:
        source: of the clips.
        out: folder to make.
        working_seconds: that it works undisturbed. The moments are of this time: starting takes longer than working.
        settings: number of kills, seed.

    Returns:
        After how many seconds of work, in all, it was killed.

    Raises:
        ProgramFailed: the last start failed.
    """
    chance = random.Random(settings.seed)
    moments = sorted(chance.uniform(0, working_seconds) for _ in range(settings.kills))
    killed = []
    for before, moment in pairwise([0.0, *moments]):
        state = _state_of_work(out)
        process = subprocess.Popen(_command(source, out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and _state_of_work(out) == state:
            time.sleep(_POLL)
        time.sleep(moment - before)
        process.kill()
        if process.wait() < 0:  # it had not come to its end
            killed.append(moment)
    harness.script("prepare.py", *_command(source, out)[2:])
    return killed


def _command(source: Path, out: Path) -> list[str]:
    return [sys.executable, str(harness.ROOT / "prepare.py"), f"--source={source}", f"--out={out}", *CLIPS]


def _state_of_work(out: Path) -> set[tuple[str, int]]:
    """Names and times of the files in a work folder: a process that begins to work changes them."""
    from gan_keras.data.records import WORK_FOLDER

    state = set()
    with suppress(FileNotFoundError):  # of the folder, or of a file that was there a moment before
        for path in (out / WORK_FOLDER).iterdir():
            state.add((path.name, path.stat().st_mtime_ns))
    return state


def differences(one: Path, other: Path) -> list[str]:
    """Files of two folders that are not the same to the byte."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    return [f"{name} differs after the kills" for name in sorted(names)
            if not (one / name).is_file() or not (other / name).is_file()
            or (one / name).read_bytes() != (other / name).read_bytes()]


if __name__ == "__main__":
    flags.define(FolderSettings)
    flags.run(main, sys.argv, __doc__)
