"""Commands for a user to copy into a shell."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

from gan_keras.commands import COMMANDS
from gan_keras.config.settings import format_value

_PROGRAM = "gan-keras"


def command_line(*words: str, **flags: Any) -> str:
    """A command, quoted for POSIX shells.

    Args:
        words: program and arguments.
        flags: values by name, as flags of ours take them; they follow as `--name=value`.
    """
    return " ".join([shlex.join(words), *(flag(name, value) for name, value in flags.items())])


def flag(name: str, value: Any) -> str:
    """`--name=value`, quoted for POSIX shells."""
    return f"--{name}={shlex.quote(format_value(value))}"


def next_command(name: str, **flags: Any) -> str:
    """A command of ours to copy, in the form in which this one was started.

    It is `python evaluate.py --run_dir=runs/mine` after a script, and `gan-keras evaluate ...` else.

    Args:
        name: of `COMMANDS`.
        flags: values by name.
    """
    program = Path(sys.argv[0])
    if program.suffix == ".py" and program.stem in COMMANDS:
        return command_line(sys.orig_argv[0], str(program.with_name(f"{name}.py")), **flags)
    word = _PROGRAM
    if program.stem == _PROGRAM:
        installed = shutil.which(program.name)
        word = program.name if installed and Path(installed).resolve() == program.resolve() else str(program)
    return command_line(word, name, **flags)
