"""How a signature is asked for clips: by seeds, and by classes where it takes them."""

from collections.abc import Sequence

import numpy as np

BY_SEED = -1
"""In place of a class: the one that the seed draws."""


def question(takes: Sequence[str], seeds: Sequence[int], labels: int | Sequence[int] = BY_SEED
             ) -> dict[str, np.ndarray]:
    """What to give a signature.

    Args:
        takes: names of its inputs.
        seeds: of the clips.
        labels: classes of the clips, or one of all; not looked at where the signature takes none.
    """
    given = {"seed": seeds, "label": np.broadcast_to(labels, [len(seeds)])}
    return {name: np.asarray(value, np.int64) for name, value in given.items() if name in takes}
