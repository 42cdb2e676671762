"""Flagfiles: flags from a text file, one a line, read and written.

| line | meaning |
|---|---|
| `--name=value`, `--name value`, `--name = value` | the value is the rest of the line, spaces and backslashes too |
| `--name="value"`, `--name='value'` | a value with `#`, line breaks or space at its ends; in it, the quote is doubled |
| `--name`, `--noname` | a switch |
| `--flagfile=path` | the flags of that file; a relative path begins at the folder of the file that names it |
| `# comment`, `// comment`, empty | nothing; ` #` after a value begins a comment too |

Other relative paths begin at the working folder, as on the command line. Text is UTF-8, or UTF-16 with its byte order
mark; lines may end as on Windows.
"""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from gan_keras.config.settings import format_value
from gan_keras.errors import UserError
from gan_keras.files import expand_home

MAX_BYTES = 2**20
"""Bytes that a flagfile may have."""

_IGNORED = re.compile(r"[^\S\n]*(?:(?:#|//)[^\n]*)?(?:\n|\Z)")
_NAME = re.compile(r"\s*--?[^\s=-]")
_FLAG = re.compile(r"""
    [^\S\n]*(?P<name>--?[^\s=-][^\s=]*+)
    (?P<equals>[^\S\n]*=)?+(?:[^\S\n]+(?![\s\#]))?
    (?: (?P<quote>["'])(?P<quoted>(?:(?!(?P=quote)).|(?P=quote){2})*+)(?P=quote)
      | (?![^\S\n]*["'])(?P<plain>(?:"[^"\n]*"|(?!\s\#)[^\n])*) )
    [^\S\n]*(?:[^\S\n]\#[^\n]*)?(?:\n|\Z)""", re.VERBOSE | re.DOTALL)
_TO_QUOTE = re.compile(r"""^["']|^\s|\s$|\s\#|\s--\w|[\r\n]|(?:^|\s)\\$""")


class FlagLine(NamedTuple):
    """A flag of a flagfile.

    Attributes:
        argument: as on a command line, `--name=value` or `--name`.
        place: file and line, as a message begins with them.
    """

    argument: str
    place: str


def read_flagfile(path: str) -> Iterator[FlagLine]:
    """Flags of a flagfile and of those that it names, in their order.

    Args:
        path: of the file; a `~` at its start is the home folder.

    Raises:
        UserError: a file that is not there, that is no text or that names itself, or a line that is no flag.
    """
    yield from _read(path, Path(), (), "")


def format_flag(name: str, value: Any) -> str:
    """The text in a flagfile that sets a flag to a value."""
    text = format_value(value)
    return f'--{name}="' + text.replace('"', '""') + '"' if _TO_QUOTE.search(text) else f"--{name}={text}"


def _read(name: str, folder: Path, above: tuple[Path, ...], named_at: str) -> Iterator[FlagLine]:
    try:
        path = folder / expand_home(name)
        text = _text(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{named_at}`flagfile` must name a text file in UTF-8 with a flag on each line. Received: "
                        f"flagfile={name} ({getattr(error, 'strerror', None) or error})") from error
    if path.resolve() in above:
        raise UserError(f"{named_at}`flagfile` must not lead back to the file that it is in. Received: flagfile={name}")
    start = 0
    while start < len(text):
        number = text.count("\n", 0, start) + 1
        place = f"{path}, line {number}: "
        match = _IGNORED.match(text, start)
        if not match:
            match = _FLAG.match(text, start)
            argument = _argument(match, text[start:].partition("\n")[0].strip(), place)
            if match["name"].lstrip("-") == "flagfile":
                yield from _read(argument.partition("=")[2], path.parent, (*above, path.resolve()), place)
            else:
                yield FlagLine(argument, place)
        start = match.end()


def _text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    encoding = "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8"
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {number} is not {encoding.upper()}") from error
    if "\0" in text:
        raise ValueError("not text")
    return text.replace("\r\n", "\n")


def _argument(match: re.Match | None, line: str, place: str) -> str:
    if not match:
        expected = "A line must be a flag, as in --name=value"
        if _NAME.match(line):
            expected = "A value that begins with a quote must end with it, as in 'red,\"light, blue\"'"
        raise UserError(f"{place}{expected}. Received: {line}")
    if match["quote"]:
        value = match["quoted"].replace(match["quote"] * 2, match["quote"])
        return f"{match['name']}={value}"
    value = match["plain"].strip()
    if re.search(r"\s--\w|(?:^|\s)\\$", value):
        raise UserError(f"{place}A line must be one flag, and must not end in a backslash; a value that does, or that "
                        f"has -- in it, must be in quotes. Received: {line}")
    return f"{match['name']}={value}" if match["equals"] or value else match["name"]
