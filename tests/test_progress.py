"""Progress where there is no terminal, and silence where C code talks."""

import os

import pytest

from gan_keras import progress
from gan_keras.progress import Progress
from gan_keras.quiet import quiet


def test_lines_are_printed_now_and_then_without_a_terminal(capsys, monkeypatch):
    clock = iter([0.0, 10.0, 20.0, 20.0, 20.0, 25.0, 40.0, 40.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with Progress("prepare", 10, "videos", initial=2) as bar:
        bar.advance()
        bar.note = "all well"
        bar.advance(3)
        bar.advance()
        bar.reach(10)
    assert capsys.readouterr().err.splitlines() == ["prepare: 6/10 videos, 00:20 left, all well",
                                                    "prepare: 10/10 videos, 00:00 left, all well"]


def test_what_c_code_writes_is_set_aside_unless_the_block_fails(capfd):
    with quiet():
        os.write(2, b"chatter\n")
    assert capfd.readouterr().err == ""
    with pytest.raises(RuntimeError), quiet():
        os.write(2, b"the reason\n")
        raise RuntimeError
    assert capfd.readouterr().err == "the reason\n"
