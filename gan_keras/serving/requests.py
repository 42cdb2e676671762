"""Requests of clips: seeds and classes, from the words of the command line to the inputs of a signature."""

import difflib
import itertools
import math
import re
from collections.abc import Collection, Sequence
from typing import NoReturn

import numpy as np

from gan_keras.config.settings import format_value, parse_list, split_weight
from gan_keras.errors import UserError
from gan_keras.tasks.generate import LABEL_BY_SEED

_MAX_SEED = 2**63 - 1
_SHOWN_CLASSES = 20


def clip_request(takes: Collection[str], seeds: Sequence[int], labels: int | Sequence[int] | np.ndarray = LABEL_BY_SEED,
                 clips: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Inputs of a signature that ask for the clips of some seeds.

    Args:
        takes: names of its inputs.
        seeds: of the clips.
        labels: classes of the clips, or one of all; not used where the signature takes none.
        clips: uint8 [B, T, H, W, 3], for a signature that takes `video`.
    """
    values = {"seed": np.asarray(seeds, np.int64), "label": np.full([len(seeds)], labels, np.int64), "video": clips}
    return {name: value for name, value in values.items() if name in takes}


def parse_label(text: str, classes: Sequence[str], model: str) -> dict[str, float]:
    """The classes that are asked for, with weights.

    `"walk"` is one class, `"walk:0.7,wave:0.3"` a mixture, `'"a, b:0.7",wave'` one of `a, b` and `wave`. What is the
    name of a class is that class, whatever is in it; else what is between commas, and before the last colon there.

    Args:
        text: of the flag `label`.
        classes: names that the model knows.
        model: for error messages.

    Raises:
        UserError: the model has no classes, or not such a one; a weight that is none; a class named twice.
    """
    if text and not classes:
        raise UserError(f"`label` must be empty: {model} was trained without --classes. Received: label={text}")
    if text in ("", *classes):
        return {text: 1.0} if text else {}
    try:
        items = parse_list(text)
        weights = dict((item, 1.0) if item in classes else split_weight(item) for item in items)
    except ValueError:
        items, weights = (), {}
    sensible = all(0 < weight < 100 for weight in weights.values())
    if not items or len(weights) < len(items) or not set(weights) <= set(classes) or not sensible:
        shown = ", ".join([*classes[:_SHOWN_CLASSES], *["..."] * (len(classes) > _SHOWN_CLASSES)])
        mixture = format_value(tuple(f"{name}:0.5" for name in classes[:2]))
        close = difflib.get_close_matches(text, classes, 1)
        raise UserError(f"`label` must be one of {shown}; or several, each alone or with a weight, as in {mixture}. "
                        + (f"Did you mean {close[0]}? " if close else "") + f"Received: label={text}")
    return weights


def parse_seeds(text: str) -> list[range]:
    """`"0-15"`, `"1,5,9"` or both mixed, as ranges in the order named.

    Raises:
        UserError: anything else, or a seed named twice.
    """
    def fail(expected: str) -> NoReturn:
        raise UserError(f"`seeds` must be {expected}. Received: seeds={text}")

    ranges = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if not (_is_seed(first) and _is_seed(last)):
            fail(f"numbers from 0 to {_MAX_SEED} and ranges of them, as in 0-15 or 1,5,9")
        if int(first) > int(last):
            fail("ranges from the smaller to the larger number")
        ranges.append(range(int(first), int(last) + 1))
    ordered = sorted(ranges, key=lambda seeds: seeds.start)
    if any(before.stop > after.start for before, after in itertools.pairwise(ordered)):
        fail("a list without repetition")
    return ranges


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _MAX_SEED


def parse_numbers(text: str, count: int, name: str, example: str) -> list[float]:
    """`"3,-1.5"` → [3.0, -1.5].

    Args:
        text: of the flag.
        count: how many there have to be.
        name: of the flag.
        example: of its value, for the error.

    Raises:
        UserError: anything else.
    """
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise UserError(f"`{name}` must be {count} numbers, as in {example}. Received: {name}={text}")
    return numbers


def parse_size(text: str) -> tuple[int, int]:
    """`"1280x720"` (width x height) → (720, 1280); (0, 0) for nothing.

    Raises:
        UserError: anything else, or sides that are not within 8 to 16384 pixels.
    """
    if not text:
        return 0, 0
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if not match or not all(8 <= int(side) <= 2**14 for side in match.groups()):
        raise UserError(f"`size` must be WIDTHxHEIGHT in pixels, as in 1280x720. Received: size={text}")
    return int(match[2]), int(match[1])
