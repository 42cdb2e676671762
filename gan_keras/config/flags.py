"""absl flags derived from the settings, and the frame that every command runs in.

What the command line names wins over flagfiles (`config.flagfiles`), wherever on it they stand; of two flagfiles the
later one wins.

Exit codes: 0 done; 2 the user's mistake, in one line; 1 a failure of ours, with its traceback.
"""

import atexit
import dataclasses
import io
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NoReturn

from absl import flags

from gan_keras.config.flagfiles import FlagLine, read_flagfile
from gan_keras.config.settings import Settings, format_value, parse_list, rules_of
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.files import expand_home
from gan_keras.logging import show_log_lines

FLAGS = flags.FLAGS
_EXPECTED = {int: "a whole number", float: "a number", bool: "true or false",
             str: "a path, where ~NAME is the home folder of that user and ./~NAME a file or folder",
             tuple: 'names between commas, a name with commas in double quotes, as in red,"light, blue"'}
"""What the text of a flag must be, by the type of its value, where there is text that it cannot be."""

_TITLES: list[str] = []
"""Of the groups whose flags are defined, which absl has as modules."""


class _ListParser(flags.ArgumentParser):
    """`parse_list` of what absl gives: the text of a flag, or its default."""

    def parse(self, argument: str | tuple[str, ...]) -> tuple[str, ...]:
        return argument if isinstance(argument, tuple) else parse_list(argument)


class _PathParser(flags.ArgumentParser):
    """A path with the home folder in place of `~`."""

    def parse(self, argument: str) -> str:
        return expand_home(argument)


class _Serializer(flags.ArgumentSerializer):
    def serialize(self, value: Any) -> str:
        return format_value(value)


def define(settings: type[Settings], only: Iterable[str] | None = None) -> None:
    """Defines one flag for each setting of a group, or for the named ones."""
    title = (settings.__doc__ or "").split("\n")[0]
    _TITLES.append(title)
    for field in dataclasses.fields(settings):
        if only is None or field.name in only:
            _define(field, title)


def _define(field: dataclasses.Field, title: str) -> None:
    kind, arguments = type(field.default), (field.name, field.default, _help(field))
    parsers = {int: flags.IntegerParser, float: flags.FloatParser, tuple: _ListParser}
    if kind is bool:
        flags.DEFINE_bool(*arguments, module_name=title)
    else:
        parser = _PathParser() if rules_of(field).path else parsers.get(kind, flags.ArgumentParser)()
        flags.DEFINE(parser, *arguments, serializer=_Serializer(), module_name=title)


def define_config() -> None:
    """Defines the flags of every setting of a training run."""
    for group in dataclasses.fields(Config):
        define(group.type)


def named_settings() -> dict[str, Any]:
    """Settings that the user named on the command line or in a flagfile, and only those."""
    modules = FLAGS.flags_by_module_dict()
    return {flag.name: flag.value for title in _TITLES for flag in modules[title] if flag.present}


def named_config() -> dict[str, Any]:
    """Settings of a training run that the user named, and only those."""
    return {name: value for name, value in named_settings().items() if name in Config.names()}


def settings(group: type[Settings]) -> Any:
    """A group of settings from its flags, defaults included."""
    return group(**{field.name: FLAGS[field.name].value for field in dataclasses.fields(group) if field.name in FLAGS})


def run(main: Callable[[], None], arguments: list[str], documentation: str) -> NoReturn:
    """Parses the command line, runs `main`, and exits with an exit code and at most one line.

    Args:
        main: what the command does.
        arguments: name of the program, then its arguments.
        documentation: what `--help` prints before the flags; nothing heavy is imported for it.
    """
    atexit.register(_leave_closed_streams)  # registered first, it runs last: after what libraries write at the end
    sys.exit(_exit_code(main, arguments, documentation))


def _leave_closed_streams() -> None:
    """Flushes what is printed, where somebody is there to read; else Python fails to, and exits with 120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a terminal or a pipe that was closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _exit_code(main: Callable[[], None], arguments: list[str], documentation: str) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal, or a path, of another encoding
    if {"--help", "-help", "-h"} & set(arguments[1:]):
        print(f"{documentation.strip()}\n\n{_flags_help()}")
        return 0
    try:
        _parse(arguments)
        show_log_lines()
        main()
    except UserError as error:
        line = " ".join(part.strip() for part in str(error).splitlines())
        _say(f"{arguments[0].rsplit('/', 1)[-1]}: {line}")
        return error.exit_code
    except KeyboardInterrupt:
        _say("Interrupted.")
        return 130
    return 0


def _say(line: str) -> None:
    """Writes to stderr, where somebody is there to read."""
    with suppress(OSError):  # a terminal that was closed
        print(line, file=sys.stderr)


def _parse(arguments: Sequence[str]) -> None:
    """Sets the flags.

    Args:
        arguments: name of the program, then its arguments.

    Raises:
        UserError: an argument that is no flag, or a value that a flag cannot have.
    """
    flagfiles, own = [], []
    remaining = iter(arguments[1:])
    for argument in remaining:
        name, equals, value = argument.removeprefix("-").removeprefix("-").partition("=")
        if not argument.startswith("-") or not name:
            raise UserError(f"Not a flag: {argument}. Flags look like --name=value, a value with spaces in quotes; "
                            "--help lists them.")
        if not equals and (name == "flagfile" or (name in FLAGS and not FLAGS[name].boolean)):
            value = next(remaining, None)
            if value is None:
                raise UserError(f"`{name}` must have a value, as in --{name}=VALUE. Received: {argument}")
            argument = f"{argument}={value}"
        if name == "flagfile":
            flagfiles.append(value)
        else:
            own.append(FlagLine(argument, ""))
    for line in (*(line for path in flagfiles for line in read_flagfile(path)), *own):
        _set_flag(line)
    FLAGS.mark_as_parsed()


def _set_flag(line: FlagLine) -> None:
    name, _, value = line.argument.lstrip("-").partition("=")
    try:
        FLAGS(["", line.argument])
    except flags.IllegalFlagValueError as error:
        raise UserError(f"{line.place}`{name}` must be {_EXPECTED[type(FLAGS[name].default)]}. "
                        f"Received: {name}={value}") from error
    except (flags.Error, ValueError) as error:
        raise UserError(f"{line.place}{error}") from error


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
            lines.append(f"  --{flag.name}={format_value(flag.default)}")
            for line in flag.help.split("\n"):
                lines += textwrap.wrap(line, 100, initial_indent="      ", subsequent_indent="        ")
    return "\n".join(lines)
