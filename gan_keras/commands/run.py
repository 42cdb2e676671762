"""Entry point of all commands: `gan-keras COMMAND --flags`, and the scripts `COMMAND.py`."""

import importlib
import re
import sys
from typing import NoReturn

from gan_keras.commands import COMMANDS
from gan_keras.config import flags
from gan_keras.config.command_line import next_command


def run_command(name: str, arguments: list[str]) -> NoReturn:
    """Runs a command and exits.

    Args:
        name: of `COMMANDS`.
        arguments: name of the program, then its flags.
    """
    command = importlib.import_module(f"gan_keras.commands.{name}")
    command.define_flags()
    documentation = re.sub(r"python (\w+)\.py", lambda script: next_command(script[1]), command.__doc__)
    flags.run(command.main, arguments, documentation)


def main() -> NoReturn:
    """The program `gan-keras`."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in COMMANDS:
        run_command(name, [f"gan-keras {name}", *sys.argv[2:]])
    usage = f"gan-keras {'|'.join(COMMANDS)} [--flags]; gan-keras COMMAND --help lists them"
    if name in ("", "--help", "-h"):
        print(usage)
        sys.exit(0 if name else 2)
    print(f"gan-keras: There is no command {name}: {usage}", file=sys.stderr)
    sys.exit(2)
