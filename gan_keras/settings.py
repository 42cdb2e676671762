"""How a setting is declared: default, help and bounds in one place, checked on construction.

A group of settings is a frozen dataclass of `setting` fields. Flags, `config.json` and error messages derive from the
fields. Nothing here imports TensorFlow.
"""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

from gan_keras import catalog
from gan_keras.errors import UserError


def setting(default: Any, help: str, **rules: Any) -> Any:
    """A dataclass field with its help text and rules.

    Args:
        default: the default; its type is the type of the setting (a tuple holds names).
        help: one sentence for `--help`.
        **rules: any of `minimum`, `maximum`, `above` (exclusive minimum), `choices` (names), `room` (a catalog room
            whose names are the choices), `weighted` (items may end in `:weight`), `changeable` (may differ when a run
            is resumed), `stands_for_found` (an item that stands for what the data has; a resumed run keeps that).
    """
    return dataclasses.field(default=default, metadata={"help": help, **rules})


def allowed(field: dataclasses.Field) -> dict[str, str]:
    """The names a field may take, each with a line of help; empty when any value of its type will do."""
    if "room" in field.metadata:
        return {**dict.fromkeys(field.metadata.get("choices", ()), ""), **catalog.choices(field.metadata["room"])}
    return dict.fromkeys(field.metadata.get("choices", ()), "")


def split_weight(item: str) -> tuple[str, float]:
    """`"frame:0.5"` → `("frame", 0.5)`; without a colon the weight is 1."""
    name, _, weight = item.partition(":")
    return name, float(weight) if weight else 1.0


class Settings:
    """What every group can do: check itself on construction."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            _check_field(field, getattr(self, field.name))
        self.check()

    def check(self) -> None:
        """Rules that involve more than one setting; raises `UserError`."""


def _check_field(field: dataclasses.Field, value: Any) -> None:
    def fail(what: str) -> None:
        shown = ",".join(value) if isinstance(value, tuple) else value
        raise UserError(f"`{field.name}` must be {what}. Received: {field.name}={shown}")

    expected = type(field.default)
    if type(value) is not expected:
        fail(f"of type {expected.__name__}")
    if expected is float and not math.isfinite(value):
        fail("a finite number")
    rules = field.metadata
    if "minimum" in rules and value < rules["minimum"]:
        fail(f"at least {rules['minimum']}")
    if "maximum" in rules and value > rules["maximum"]:
        fail(f"at most {rules['maximum']}")
    if "above" in rules and value <= rules["above"]:
        fail(f"above {rules['above']}")
    names = allowed(field)
    if names:
        _check_names(value, names, rules.get("weighted", False), fail)


def _check_names(value: Any, names: dict[str, str], weighted: bool, fail: Callable[[str], None]) -> None:
    items = value if isinstance(value, tuple) else (value,)
    bare = []
    for item in items:
        try:
            name, weight = split_weight(item) if weighted else (item, 1.0)
        except ValueError:
            name, weight = "", 0.0
        if name not in names or not 0 < weight < float("inf"):
            fail(("a list of " if isinstance(value, tuple) else "one of ") + ", ".join(filter(None, names))
                 + (", each alone or with a weight above 0 as in NAME:0.5" if weighted else ""))
        bare.append(name)
    if len(set(bare)) < len(bare):
        fail("a list without repetition")
