"""Keeps the notices of C and C++ libraries from the terminal."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Sets aside what is written to stderr, by C code too; if the block fails it is shown after all."""
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
    with quiet():
        import tensorflow as tf
    tf.get_logger().setLevel("ERROR")
