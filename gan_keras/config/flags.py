"""absl flags derived from the settings, and the frame that every command runs in.

Exit codes: 0 done; 2 the user's mistake, in one line; 1 a failure of ours, with its traceback.
"""

import dataclasses
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from absl import flags

from gan_keras.config.settings import Settings, rules_of
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.logging import show_log_lines

FLAGS = flags.FLAGS
_DEFINE = {str: flags.DEFINE_string, int: flags.DEFINE_integer, float: flags.DEFINE_float, bool: flags.DEFINE_bool,
           tuple: flags.DEFINE_list}
_TITLES: list[str] = []
"""Of the groups whose flags are defined, which absl has as modules."""


def define(settings: type[Settings], only: Iterable[str] | None = None) -> None:
    """Defines one flag for each setting of a group, or for the named ones."""
    title = (settings.__doc__ or "").split("\n")[0]
    _TITLES.append(title)
    for field in dataclasses.fields(settings):
        if only is None or field.name in only:
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            _DEFINE[type(field.default)](field.name, default, _help(field), module_name=title)


def define_config() -> None:
    """Defines the flags of every setting of a training run."""
    for group in dataclasses.fields(Config):
        define(group.type)


def named_settings() -> dict[str, Any]:
    """Settings that the user named on the command line or in a flagfile, and only those."""
    modules = FLAGS.flags_by_module_dict()
    return {flag.name: _value(flag.name) for title in _TITLES for flag in modules[title] if flag.present}


def named_config() -> dict[str, Any]:
    """Settings of a training run that the user named, and only those."""
    return {name: value for name, value in named_settings().items() if name in Config.names()}


def settings(group: type[Settings]) -> Any:
    """A group of settings from its flags, defaults included."""
    return group(**{field.name: _value(field.name) for field in dataclasses.fields(group) if field.name in FLAGS})


def run(main: Callable[[], None], arguments: list[str], documentation: str) -> NoReturn:
    """Parses the command line, runs `main`, and exits with an exit code and at most one line.

    Args:
        main: what the command does.
        arguments: name of the program, then its arguments.
        documentation: what `--help` prints before the flags; nothing heavy is imported for it.
    """
    sys.exit(_exit_code(main, arguments, documentation))


def _exit_code(main: Callable[[], None], arguments: list[str], documentation: str) -> int:
    if {"--help", "-help", "-h"} & set(arguments[1:]):
        print(f"{documentation.strip()}\n\n{_flags_help()}")
        return 0
    try:
        rest = FLAGS(arguments)[1:]
        if rest:
            raise UserError(f"Not a flag: {rest[0]} (flags look like --name=value; --help lists them)")
        show_log_lines()
        main()
    except (UserError, flags.Error) as error:
        print(f"{arguments[0].rsplit('/', 1)[-1]}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    return 0


def _value(name: str) -> Any:
    value = FLAGS[name].value
    return tuple(value) if isinstance(value, list) else value


def _help(field: dataclasses.Field) -> str:
    rules = rules_of(field)
    lines = [rules.help]
    if any(rules.choices.values()):
        lines += [f"{name}: {meaning}" if meaning else name for name, meaning in rules.choices.items()]
    elif rules.choices:
        lines.append(" | ".join(filter(None, rules.choices)))
    return "\n".join(lines)


def _flags_help() -> str:
    lines = ["Flags (also from a file, one a line: --flagfile=PATH):"]
    modules = FLAGS.flags_by_module_dict()
    for title in _TITLES:
        lines.append(f"\n{title}")
        for flag in modules[title]:
            default = ",".join(flag.default) if isinstance(flag.default, list) else flag.default
            lines.append(f"  --{flag.name}={default}")
            for line in flag.help.split("\n"):
                lines += textwrap.wrap(line, 100, initial_indent="      ", subsequent_indent="        ")
    return "\n".join(lines)
