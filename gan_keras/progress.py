"""Progress on long work: a bar with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any

from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Counts work done out of a total.

    On a terminal it draws a bar; in a log file or a pipe it prints a line at most every 15 seconds.

    Args:
        label: what is being done, e.g. `"prepare"`.
        total: how many units there are.
        unit: the name of one unit.
        initial: units done before (a resumed run).

    Attributes:
        note: shown behind the numbers.
    """

    def __init__(self, label: str, total: int, unit: str, initial: int = 0) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(desc=label, total=total, unit=unit, initial=initial, dynamic_ncols=True,
                         disable=not self._terminal, file=sys.stderr)
        self._label, self._unit, self.note = label, unit, ""
        self._done, self._initial, self._total = initial, initial, total
        self._start = self._told = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """Tells that `count` more units are done."""
        self.reach(self._done + count)

    def reach(self, done: int) -> None:
        """Tells that `done` units in all are done."""
        more, self._done = done - self._done, done
        if self._terminal:
            self._bar.set_postfix_str(self.note, refresh=False)
            self._bar.update(more)
        elif time.monotonic() - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = time.monotonic()
            self.say(f"{self._label}: {self._done}/{self._total} {self._unit}, {self._left()} left"
                     + (f", {self.note}" if self.note else ""))

    def say(self, line: str) -> None:
        """Prints a line without tearing the bar."""
        tqdm.write(line, file=sys.stderr)
        sys.stderr.flush()

    def _left(self) -> str:
        done = self._done - self._initial
        seconds = (time.monotonic() - self._start) / max(done, 1) * (self._total - self._done)
        return tqdm.format_interval(max(seconds, 0))

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()

