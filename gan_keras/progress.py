"""Progress of long work: a bar with the time left on a terminal, log lines elsewhere."""

import sys
import time
from typing import Any, Self

from absl import logging
from tqdm import tqdm

_SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Counts work done out of a total.

    On a terminal it draws a bar; in a log file or a pipe it logs a line at most every 15 seconds.

    Args:
        title: of the work, e.g. `"prepare"`.
        total: how many units there are.
        unit: name of the units.
        initial: units done before (a resumed run).

    Attributes:
        note: shown behind the numbers.
    """

    def __init__(self, title: str, total: int, unit: str, initial: int = 0) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar = tqdm(desc=title, total=total, unit=unit, initial=initial, dynamic_ncols=True,
                         disable=not self._terminal, file=sys.stderr)
        self._title, self._unit, self.note = title, unit, ""
        self._done, self._initial, self._total = initial, initial, total
        self._start = self._last_line = time.monotonic()

    def advance(self, count: int = 1) -> None:
        """Counts `count` more units as done."""
        self.reach(self._done + count)

    def reach(self, done: int) -> None:
        """Counts `done` units in all as done."""
        more, self._done = done - self._done, done
        if self._terminal:
            self._bar.set_postfix_str(self.note, refresh=False)
            self._bar.update(more)
        elif time.monotonic() - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            logging.info("%s: %d/%d %s, %s left%s", self._title, self._done, self._total, self._unit, self._left(),
                         f", {self.note}" if self.note else "")

    def _left(self) -> str:
        done = self._done - self._initial
        seconds = (time.monotonic() - self._start) / max(done, 1) * (self._total - self._done)
        return tqdm.format_interval(max(seconds, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()
