"""What the benchmarks share: programs run in processes of their own, turns taken with a peer, tables.

Imports nothing heavy, so that a benchmark can ask for a table without TensorFlow.
"""

import contextlib
import dataclasses
import json
import resource
import shutil
import socket
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

ROOT = Path(__file__).parents[1]
"""Of the project, where its scripts are."""

TURNS = 5
"""Measurements of a comparison: ours, theirs, ours, theirs, ours."""


@dataclasses.dataclass(frozen=True)
class PeerSettings(Settings):
    """A peer to compare with."""

    peer: str = setting("", "Python script of the peer, measured by turns with ours; empty: none.", path=True)
    peer_python: str = setting(sys.executable, "Interpreter that has what the peer needs.")

    def check(self) -> None:
        """The peer is there."""
        if self.peer and not Path(self.peer).is_file():
            raise UserError(f"`peer` must name a Python script. Received: peer={self.peer}")


class ProgramFailed(UserError):
    """A program that a benchmark ran ended with an exit code other than 0."""


def empty_folder(path: Path) -> Path:
    """The folder, made anew."""
    if path.exists():
        shutil.rmtree(path)
    path.mkdir(parents=True)
    return path


def run(*command: Any) -> str:
    """Runs a program to its end and returns what it printed on stdout.

    Raises:
        ProgramFailed: says the last line it wrote.
    """
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        name = " ".join(Path(part).name for part in map(str, command[:2]))
        raise ProgramFailed(f"{name} failed and said: {last}. Received: exit code={done.returncode}")
    return done.stdout


def script(name: str, *arguments: Any) -> str:
    """Runs a script of the project, e.g. `train.py` or `benchmarks/train_step.py`, with this interpreter."""
    return run(sys.executable, ROOT / name, *arguments)


def last_json(printed: str) -> dict[str, Any]:
    """The last line of a program's output that is a JSON object.

    Raises:
        UserError: there is none.
    """
    for line in reversed(printed.splitlines()):
        if line.startswith("{"):
            return json.loads(line)
    raise UserError(f"A program did not print a JSON line. Received: output={printed[-200:]!r}")


def take_turns(ours: Callable[[], float], theirs: Callable[[], float]) -> dict[str, list[float]]:
    """Measures two programs by turns, so that what else the machine does meets both.

    Args:
        ours: measures ours once, in clips a second.
        theirs: the same of the peer.

    Returns:
        What was measured, as `ours` and `theirs`.
    """
    measured = {"ours": [], "theirs": []}
    for turn in range(TURNS):
        name, measure = (("ours", ours), ("theirs", theirs))[turn % 2]
        measured[name].append(measure())
        print(f"turn {turn + 1} of {TURNS}, {name}: {measured[name][-1]:.2f} clips a second", flush=True)
    return measured


def comparison(turns: dict[str, list[float]], key: str) -> dict[str, Any]:
    """The end of a JSON line: the peer's median under `peer_` + `key`, ours / theirs as `ratio`, and every turn."""
    ours, theirs = (statistics.median(turns[name]) for name in ("ours", "theirs"))
    rounded = {name: [round(value, 2) for value in values] for name, values in turns.items()}
    return {f"peer_{key}": round(theirs, 2), "ratio": round(ours / theirs, 2), "turns": rounded}


def free_ports(count: int) -> list[int]:
    """Of this machine, for processes that listen on its loopback."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("localhost", 0))
        return [each.getsockname()[1] for each in sockets]


def megabytes() -> float:
    """The most memory that this process has held until now."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def passed_on(*own: type[Settings]) -> list[str]:
    """The flags of this command line but those of some groups, as another script takes them."""
    kept = {field.name for group in own for field in dataclasses.fields(group)}
    return [flags.FLAGS[name].serialize() for name in flags.named_settings() if name not in kept]


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table; floats with four significant digits, None as a dash."""
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join(lines + ["| " + " | ".join(map(_cell, row)) + " |" for row in rows])


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
