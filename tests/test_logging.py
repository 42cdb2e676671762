"""Progress and log lines where there is no terminal, and silence where C code talks."""

import os
import subprocess
import sys

import pytest

from gan_keras import progress
from gan_keras.logging import native_log_filter
from gan_keras.progress import Progress


def test_progress_is_logged_now_and_then_without_a_terminal(log, monkeypatch):
    clock = iter([0.0, 10.0, 20.0, 20.0, 20.0, 25.0, 40.0, 40.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress("prepare", 10, "videos", initial=2) as bar:
        bar.advance()
        bar.note = "all well"
        bar.advance(3)
        bar.advance()
        bar.reach(10)
    assert log.messages == ["prepare: 6/10 videos, 00:20 left, all well", "prepare: 10/10 videos, 00:00 left, all well"]


def test_log_lines_are_shown_plainly_and_those_of_other_libraries_from_warnings_on():
    program = ("from absl import logging; from gan_keras.logging import show_log_lines; show_log_lines();"
               "from gan_keras.video import encode; logging.info('chatter'); logging.warning('careful');"
               "exec(compile('logging.info(\"3 of %d\", 4)', encode.__file__, 'exec'))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "" and done.stderr.splitlines() == ["WARNING: careful", "3 of 4"]


def test_what_c_code_writes_is_set_aside_unless_the_block_fails(capfd):
    with native_log_filter():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), native_log_filter():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert capfd.readouterr().err == "the reason\n"
