"""absl flags derived from the settings, and the frame every script runs in.

Exit codes: 0 done; 2 the user's mistake, said in one line; 1 a failure of ours, with its traceback.
"""

import dataclasses
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from absl import flags

from gan_keras.config import Config
from gan_keras.errors import UserError
from gan_keras.settings import Settings, allowed

FLAGS = flags.FLAGS
_DEFINE = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float, bool: flags.DEFINE_bool,
           tuple: flags.DEFINE_list}
_OWN_TO_ABSL = ("flagfile", "undefok")


def define(settings: type[Settings], only: Iterable[str] | None = None) -> None:
    """Defines one flag for each setting of a group, or for the named ones."""
    for field in dataclasses.fields(settings):
        if only is None or field.name in only:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            _DEFINE[type(field.default)](field.name, default, _help(field), module_name=settings.__doc__.split("\n")[0])


def define_config() -> None:
    """Defines the flags of every setting of a training run."""
    for group in dataclasses.fields(Config):
        define(group.type)


def given() -> dict[str, Any]:
    """The settings the user named on the command line or in a flagfile, and only those."""
    return {name: _plain(FLAGS[name].value) for name in FLAGS if FLAGS[name].present and name not in _OWN_TO_ABSL}


def settings(group: type[Settings]) -> Any:
    """A settings group built from its flags, defaults included."""
    return group(**{field.name: _plain(FLAGS[field.name].value) for field in dataclasses.fields(group)
                    if field.name in FLAGS})


def run(main: Callable[[], None]) -> None:
    """Parses the command line, runs `main`, and turns its end into an exit code and at most one line.

    `--help` prints the script's docstring and its flags without importing anything heavy.
    """
    sys.exit(_exit_code(main, sys.argv))


def _exit_code(main: Callable[[], None], arguments: list[str]) -> int:
    if {"--help", "-help", "-h"} & set(arguments[1:]):
        print(f"{sys.modules['__main__'].__doc__.strip()}\n\n{_flags_help()}")
        return 0
    try:
        rest = FLAGS(arguments)[1:]
        if rest:
            raise UserError(f"Not a flag: {rest[0]} (flags look like --name=value; --help lists them)")
        main()
    except (UserError, flags.Error) as error:
        print(f"{arguments[0].rsplit('/', 1)[-1]}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _help(field: dataclasses.Field) -> str:
    lines = [field.metadata["help"]]
    for name, meaning in allowed(field).items():
        lines.append(f"{name}: {meaning}" if meaning else name)
    return "\n".join(lines)


def _flags_help() -> str:
    lines = ["Flags (also from a file, one a line: --flagfile=PATH):"]
    by_module = FLAGS.flags_by_module_dict()
    for module, members in by_module.items():
        if module == "absl.flags":
            continue
        lines.append(f"\n{module}")
        for flag in members:
            default = ",".join(flag.default) if isinstance(flag.default, list) else flag.default
            lines.append(f"  --{flag.name}={default}")
            for line in flag.help.split("\n"):
                lines += textwrap.wrap(line, 100, initial_indent="      ", subsequent_indent="        ")
    return "\n".join(lines)
