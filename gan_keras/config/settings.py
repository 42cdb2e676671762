"""Declaration of settings: default, help text and bounds in one place, checked on construction.

A group of settings is a frozen dataclass whose fields are made by `setting`. Flags, `config.json` and error messages
derive from these fields. Nothing here imports TensorFlow.
"""

import dataclasses
import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from gan_keras.errors import UserError

_RULES = "rules"
_ITEM = re.compile(r'\s*+(?:"(?P<quoted>(?:[^"]|"")*)"|(?P<plain>(?!")[^,]*?))\s*(?P<end>,|\Z)')
"""An item of a list on the command line, up to the comma after it."""


@dataclasses.dataclass(frozen=True)
class Rules:
    """Bounds and properties of one setting.

    Attributes:
        help: text of the flag; it has to be understood without the flags around it.
        minimum: smallest value allowed.
        maximum: largest value allowed.
        above: bound that the value must exceed.
        choices: names allowed, with a line of help each; empty for any value of the type.
        weighted: whether each name may end in `:WEIGHT`.
        changeable: whether the value may differ when a run is resumed.
        placeholder: item that stands for a value found in the data; a resumed run keeps the value that it found.
        path: whether the value is a path, or may be one; on the command line a `~` at its start is the home folder.
        only: other settings by name, with the values that they have where this one is used.
    """

    help: str
    minimum: float | None = None
    maximum: float | None = None
    above: float | None = None
    choices: Mapping[str, str] = dataclasses.field(default_factory=dict)
    weighted: bool = False
    changeable: bool = False
    placeholder: str | None = None
    path: bool = False
    only: Mapping[str, Collection[str]] = dataclasses.field(default_factory=dict)


def setting(default: Any, help: str, *, minimum: float | None = None, maximum: float | None = None,
            above: float | None = None, choices: Mapping[str, str] | Collection[str] = (), weighted: bool = False,
            changeable: bool = False, placeholder: str | None = None, path: bool = False,
            only: Mapping[str, Collection[str]] | None = None) -> Any:
    """Dataclass field of a setting.

    Args:
        default: default value; its type is the type of the setting (a tuple holds names).
        help: see `Rules`, as the other arguments.
        minimum: see `Rules`.
        maximum: see `Rules`.
        above: see `Rules`.
        choices: names, or names with a line of help each.
        weighted: see `Rules`.
        changeable: see `Rules`.
        placeholder: see `Rules`.
        path: see `Rules`.
        only: see `Rules`.
    """
    named = dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    rules = Rules(help, minimum, maximum, above, named, weighted, changeable, placeholder, path, only or {})
    return dataclasses.field(default=default, metadata={_RULES: rules})


def rules_of(field: dataclasses.Field) -> Rules:
    """Rules of a field that `setting` made."""
    return field.metadata[_RULES]


def split_weight(item: str) -> tuple[str, float]:
    """`"frame:0.5"` → `("frame", 0.5)`; without a colon the weight is 1. A name may hold colons.

    Raises:
        ValueError: what is after the last colon is not a number.
    """
    name, colon, weight = item.rpartition(":")
    return (name, float(weight)) if colon else (item, 1.0)


def parse_list(text: str) -> tuple[str, ...]:
    """`'pair, "a, b",clip'` → `("pair", "a, b", "clip")`, as in CSV.

    Space around items is dropped. An item in double quotes is taken as it is, a quote inside it doubled.

    Raises:
        ValueError: a quote that is not closed, or text behind one that is.
    """
    items, end, more = [], 0, bool(text.strip())
    while more:
        match = _ITEM.match(text, end)
        if not match:
            raise ValueError(f"not a list: {text}")
        items.append(match["plain"] if match["quoted"] is None else match["quoted"].replace('""', '"'))
        end, more = match.end(), bool(match["end"])
    return tuple(items)


def format_value(value: Any) -> str:
    """Text of a value on the command line; of a tuple, the one that `parse_list` reads back."""
    if isinstance(value, tuple):
        return ",".join(_format_item(str(item)) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _format_item(item: str) -> str:
    plain = item and item == item.strip() and not set(item) & set(',"\r\n')
    return item if plain else '"' + item.replace('"', '""') + '"'


class Settings:
    """Base of every group of settings: checks itself on construction."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_value(field, getattr(self, field.name))
        self.check()

    def check(self) -> None:
        """Checks rules that involve more than one setting; raises `UserError`."""


def _check_value(field: dataclasses.Field, value: Any) -> None:
    def fail(expected: str) -> NoReturn:
        raise UserError(f"`{field.name}` must be {expected}. Received: {field.name}={format_value(value)}")

    rules, expected = rules_of(field), type(field.default)
    if type(value) is not expected:
        fail(f"of type {expected.__name__}")
    if expected is float and not math.isfinite(value):
        fail("a finite number")
    if rules.minimum is not None and value < rules.minimum:
        fail(f"at least {rules.minimum}")
    if rules.maximum is not None and value > rules.maximum:
        fail(f"at most {rules.maximum}")
    if rules.above is not None and value <= rules.above:
        fail(f"above {rules.above}")
    if rules.choices:
        _check_choices(value, rules, fail)


def _check_choices(value: str | tuple[str, ...], rules: Rules, fail: Callable[[str], NoReturn]) -> None:
    items = value if isinstance(value, tuple) else (value,)
    names = []
    for item in items:
        try:
            name, weight = split_weight(item) if rules.weighted else (item, 1.0)
        except ValueError:
            name, weight = "", 0.0
        if name not in rules.choices or not 0 < weight < math.inf:
            fail(("a list of " if isinstance(value, tuple) else "one of ") + ", ".join(filter(None, rules.choices))
                 + (", each alone or with a weight above 0 as in NAME:0.5" if rules.weighted else ""))
        names.append(name)
    if len(set(names)) < len(names):
        fail("a list without repetition")
