"""The program `gan-keras`, and that the scripts at the top are the same commands."""

import configparser
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gan_keras.commands import COMMANDS
from gan_keras.config.command_line import command_line, next_command
from tests.processes import ROOT, finish, start


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
    assert done.returncode == code == 0
    scripts = ROOT / f"{name}.py"
    assert f"    {sys.executable} {scripts} --" in out and f"    gan-keras {name} --" in done.stdout
    assert done.stdout == out.replace(f"{sys.executable} {ROOT}/", "gan-keras ").replace(".py --", " --")
    assert out.count("\n  --") > 2


def test_a_mistake_is_one_line_under_the_name_of_the_program():
    done = gan_keras("export")
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("gan-keras export: `run_dir` must name") and done.stderr.count("\n") == 1


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("sing",), 2)])
def test_without_a_command_there_is_a_list_of_them(arguments, code):
    done = gan_keras(*arguments)
    assert done.returncode == code and "|".join(COMMANDS) in done.stdout + done.stderr


@pytest.mark.parametrize(("started", "printed"), [
    (["python3", "train.py"], "python3 export.py"),
    (["python", "-O", "../my code/train.py"], "python '../my code/export.py'"),
    (["python", "/bin/gan-keras", "train"], "gan-keras export"),
    (["python", ".venv/bin/gan-keras", "train"], ".venv/bin/gan-keras export")])
def test_the_next_command_is_printed_as_this_one_was_started(monkeypatch, started, printed):
    monkeypatch.setattr(sys, "orig_argv", started)
    monkeypatch.setattr(sys, "argv", [word for word in started[1:] if word != "-O"])
    monkeypatch.setattr(shutil, "which", lambda name: f"/bin/{name}")
    assert next_command("export", run_dir=Path("runs/it's #1"), checkpoint=0) == (
        f"{printed} --run_dir='runs/it'\"'\"'s #1' --checkpoint=0")


def test_a_printed_command_is_what_a_shell_takes():
    words = ["a b", "--x", "$HOME", "`ls`", "*", "\\", "ä"]
    printed = command_line(*words, classes=("a, b", 'x"y'), data="my videos", out="")
    assert shlex.split(printed) == [*words, '--classes="a, b","x""y"', "--data=my videos", "--out="]


def run_unheard(code, closed):
    """Runs a program one of whose outputs nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run([sys.executable, "-c", code, closed], check=False, cwd=ROOT, env=buffered,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, closed: writer})
    os.close(writer)
    return done


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_who_no_longer_listens_does_not_change_the_exit_code(closed):
    done = run_unheard(
        "import sys; from gan_keras.config import flags; from gan_keras.errors import UserError\n"
        "def main():\n"
        "    print('a clip'); print('a line', end='', file=sys.stderr if sys.argv[1] == 'stdout' else sys.stdout)\n"
        "    raise UserError('no more')\n"
        "flags.run(main, ['command'], '')", closed)
    assert done.returncode == 2
    assert b"no more" in done.stderr if closed == "stdout" else b"a clip" in done.stdout


@pytest.mark.parametrize("closed", ["stdout", "stderr"])
def test_nor_does_what_a_library_writes_to_them_at_the_very_end(closed):
    done = run_unheard(
        "import atexit, sys; from gan_keras.config import flags\n"
        "def main():\n"
        "    atexit.register(lambda: getattr(sys, sys.argv[1]).write('Goodbye'))\n"
        "flags.run(main, ['command'], '')", closed)
    assert done.returncode == 0
