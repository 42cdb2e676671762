"""Log lines for the user, and a filter for the notices of native libraries.

Libraries log with `absl.logging`; commands print what was asked for.
"""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from absl import logging as absl_logging
from tqdm import tqdm

_PACKAGE = str(Path(__file__).parent)


class _ProgressSafeHandler(logging.Handler):
    """Writes this package's lines, and warnings of others, to stderr without tearing a progress bar."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING or record.pathname.startswith(_PACKAGE)

    def emit(self, record: logging.LogRecord) -> None:
        prefix = "WARNING: " if record.levelno >= logging.WARNING else ""
        with suppress(OSError):  # the terminal was closed: what is done meanwhile goes on, and saves
            tqdm.write(prefix + record.getMessage(), file=sys.stderr)
            sys.stderr.flush()


def show_log_lines() -> None:
    """Shows the lines that libraries log from level INFO on, plainly, on stderr."""
    logger = absl_logging.get_absl_logger()
    logger.handlers = [_ProgressSafeHandler()]
    logger.propagate = False
    absl_logging.set_verbosity(absl_logging.INFO)


@contextmanager
def native_log_filter() -> Iterator[None]:
    """Sets aside what is written to stderr, by C code too; it is shown after all if the block fails."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(terminal, aside.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)


def import_tensorflow() -> None:
    """Imports TensorFlow for the whole process without its notices, which come before any level can be set."""
    # Level 3: what fails raises; what is logged as an error below that is an optimizer that did without a rewrite.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_log_filter():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
