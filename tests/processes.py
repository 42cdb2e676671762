"""Scripts of the checkout in processes of their own, as a user starts them."""

import multiprocessing
import os
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
# BLAS threads that wait for each other would take most of a busy machine.
_ENVIRONMENT = {"CUDA_VISIBLE_DEVICES": "-1", "PYTHONWARNINGS": "default", "OPENBLAS_NUM_THREADS": "1"}
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.with_tensorflow"])


class Script:
    """A script in a process that is forked from one that has imported TensorFlow, which takes longer than most of what
    tests let scripts do.

    Has what tests need of a `subprocess.Popen`, and its exit codes. What a program registers for its end (`atexit`) is
    not done.
    """

    def __init__(self, script, arguments, folder):
        self._written = Path(tempfile.mkdtemp())
        self._process = _FORKS.Process(target=_run, args=(
            [str(ROOT / script), *map(str, arguments)], str(folder or Path.cwd()), {**os.environ, **_ENVIRONMENT},
            str(self._written)))
        self._process.start()

    @property
    def returncode(self):
        return self._process.exitcode

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self._process.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout=None):
        """Waits for its end; what it wrote on stdout and on stderr."""
        self._process.join(timeout)
        written = tuple((self._written / name).read_text() for name in ("out", "err"))
        assert self.poll() is not None, f"It has not ended after {timeout} s: {written}"
        shutil.rmtree(self._written)
        return written


def _run(arguments, folder, environment, written):
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(Path(written) / name, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv, sys.path[0] = arguments, str(ROOT)
    warnings.simplefilter("default")
    runpy.run_path(arguments[0], run_name="__main__")


def start(*arguments, script="train.py", folder=None):
    """Starts a script in a folder."""
    return Script(script, arguments, folder)


def start_anew(*arguments, script="train.py", folder=None):
    """Starts a script, of whatever checkout, all that it imports and what that writes included."""
    return subprocess.Popen([sys.executable, ROOT / script, *map(str, arguments)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env={**os.environ, **_ENVIRONMENT}, cwd=folder)


def finish(process):
    """Its exit code and what it printed on stdout and stderr."""
    out, err = process.communicate(timeout=240)
    return process.returncode, out, err
