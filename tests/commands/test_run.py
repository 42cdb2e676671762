"""The program `gan-keras`, and that the scripts at the top are the same commands."""

import configparser
import os
import subprocess
import sys

import pytest

from gan_keras.commands import COMMANDS
from tests.conftest import ROOT, finish, start


def gan_keras(*arguments):
    code = "import sys; sys.argv[0] = 'gan-keras'; from gan_keras.commands.run import main; main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": str(ROOT)})


def test_the_package_installs_the_program():
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert setup["options.entry_points"]["console_scripts"].strip() == "gan-keras = gan_keras.commands.run:main"


def test_there_is_a_script_for_each_command():
    for name in COMMANDS:
        assert f'run_command("{name}", sys.argv)' in (ROOT / f"{name}.py").read_text()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_script_have_the_same_help_at_once(name):
    done = gan_keras(name, "--help")
    code, out, _ = finish(start("--help", script=f"{name}.py"))
    assert done.returncode == code == 0 and done.stdout == out and f"python {name}.py --" in out
    assert out.count("\n  --") > 2


def test_a_mistake_is_one_line_under_the_name_of_the_program():
    done = gan_keras("export")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("gan-keras export: `run_dir` must name") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("sing",), 2)])
def test_without_a_command_there_is_a_list_of_them(arguments, code):
    done = gan_keras(*arguments)
    assert done.returncode == code and "|".join(COMMANDS) in done.stdout + done.stderr
