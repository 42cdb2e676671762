"""What a user asks of a generator, from the command line's words: seeds and classes."""

import itertools

from gan_keras.errors import UserError
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.settings import split_weight

_MOST_SEED = 2**63 - 1


def parse_label(items: tuple[str, ...], model: SavedGenerator) -> dict[str, float]:
    """`("walk",)` or `("walk:0.7", "wave:0.3")` as names with weights.

    Raises:
        UserError: the model is told no class, or not such a one; a weight that is none; a class named twice.
    """
    names = model.description.classes
    if items and not names:
        raise UserError(f"`label` must be empty: {model.path} was trained without --classes. "
                        f"Received: label={','.join(items)}")
    try:
        found = dict(split_weight(item) for item in items)
    except ValueError:
        found = {}
    sensible = all(0 < weight < 100 for weight in found.values())
    if len(found) < len(items) or not set(found) <= set(names) or not sensible:
        raise UserError(f"`label` must be of {', '.join(names)}, each alone or with a weight as in NAME:0.5. "
                        f"Received: label={','.join(items)}")
    return found


def parse_seeds(text: str) -> list[range]:
    """`"0-15"`, `"1,5,9"` or both mixed, as ranges in the order named.

    Raises:
        UserError: anything else, or a seed named twice.
    """
    def fail(what: str) -> None:
        raise UserError(f"`seeds` must be {what}. Received: seeds={text}")

    parts = []
    for part in text.replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if not (_is_seed(first) and _is_seed(last)):
            fail(f"numbers from 0 to {_MOST_SEED} and ranges of them, as in 0-15 or 1,5,9")
        if int(first) > int(last):
            fail("ranges from the smaller to the larger number")
        parts.append(range(int(first), int(last) + 1))
    ordered = sorted(parts, key=lambda part: part.start)
    if any(before.stop > after.start for before, after in itertools.pairwise(ordered)):
        fail("a list without repetition")
    return parts


def _is_seed(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= _MOST_SEED
