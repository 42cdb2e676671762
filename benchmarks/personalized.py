"""How well a trained run takes to a handful of new clips: a combination of colour and shape that it never saw.

    python benchmarks/personalized.py
    python benchmarks/personalized.py --base_minutes=10 --minutes=3 --clips=512

Trains a run on moving shapes without blue triangles (`configs/families/r3gan.flags`), then `personalized.flags` from it
on 20 blue triangles, and counts how many clips of either show one. 20 more blue triangles are held out: beside how near
generated clips come to the nearest training clip stands how near those come. Takes 20 minutes, ends with one JSON line;
what `--out` has is not trained again.
"""

import dataclasses
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import comparison, harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import setting
from gan_keras.runs.run_folder import RunFolder

_SHAPE, _COLOUR = "triangle", "blue"
_NEW_CLIPS = 20
_SIZE = "--resolution=64"  # as fast as 32, and forms differ by more than a pixel or two
_FAMILIES = harness.ROOT / "configs" / "families"
_MEMORIZATION = ("memorization/copied", "memorization/ratio", "memorization/distance")


@dataclasses.dataclass(frozen=True)
class PersonalizedSettings(comparison.ComparisonSettings):
    """The two runs."""

    out: str = setting("runs/personalizing", "Folder of the two runs.", path=True)
    base_minutes: float = setting(12.0, "Minutes of training on all but the new combination.", above=0.0)
    minutes: float = setting(3.0, "Minutes of training on the new clips.", above=0.0)


def main() -> None:
    """Trains both runs, counts, and says how near to the training clips the new ones are."""
    settings = flags.settings(PersonalizedSettings)
    base, mine = (RunFolder(Path(settings.out) / name) for name in ("base", "mine"))
    comparison.train(base, settings.base_minutes, f"--flagfile={_FAMILIES / 'r3gan.flags'}", _SIZE,
                     f"--data=shapes:count=2000,without={_SHAPE}-{_COLOUR}")
    # As many are held out as there are to learn from.
    comparison.train(mine, settings.minutes, f"--flagfile={_FAMILIES / 'personalized.flags'}", _SIZE,
                     f"--data=shapes:count={2 * _NEW_CLIPS},shape={_SHAPE},colour={_COLOUR}", "--test_fraction=0.5",
                     f"--init_from={base.path}")
    comparison.evaluate(mine, settings.clips)
    found = comparison.evaluation(mine.metrics())
    numbers = {"base": shown(base, settings.clips), "mine": shown(mine, settings.clips)}
    for name in _MEMORIZATION:
        numbers |= {name: found[name], f"{name}.held_out": found.get(f"{name}.held_out")}
    print(json.dumps({"benchmark": "personalized", "combination": f"{_COLOUR} {_SHAPE}", **numbers}))


def shown(run: RunFolder, clips: int) -> dict[str, float]:
    """Of a run's clips: shares that are valid, and that are valid and show the combination."""
    logging.import_tensorflow()
    from gan_keras.data.drawn import moving_shapes as shapes
    from gan_keras.evaluation.metrics import factors
    from gan_keras.evaluation.samples import RunSamples

    found = factors.read_factors(RunSamples(run, None).clips(clips))
    right = (found.shape == shapes.SHAPES.index(_SHAPE)) & (found.colour == list(shapes.COLOURS).index(_COLOUR))
    return {"valid": float(found.valid.mean()), "shown": float((found.valid & right).mean()),
            "shown_of_valid": float(right[found.valid].mean()) if found.valid.any() else 0.0}


if __name__ == "__main__":
    flags.define(PersonalizedSettings)
    flags.run(main, sys.argv, __doc__)
