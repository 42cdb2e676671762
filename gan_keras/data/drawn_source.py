"""The source `shapes:`: drawn clips of moving shapes with known factors.

`shapes:`, `shapes:2000` or `shapes:count=2000,seed=1,motion=sine`: `label=` says which of the factors is the class,
`shape=` and `colour=` draw only one, `without=triangle-blue` all but one combination.
"""

import itertools

from gan_keras.config.train import ClipSettings
from gan_keras.data import moving_shapes as shapes
from gan_keras.data.source_video import SourceVideo, motions_of
from gan_keras.errors import UserError


def list_shapes(parameters: str, clip: ClipSettings) -> tuple[SourceVideo, ...]:
    """Drawn clips, at the size of the clips to train on and twice as long.

    Args:
        parameters: what follows `shapes:`.
        clip: settings of the clips.

    Raises:
        UserError: parameters that it does not have.
    """
    values = {"count": "1000", "seed": "0", "frames": str(2 * clip.num_frames * clip.frame_stride),
              "motion": "bounce", "label": "shape", "shape": "any", "colour": "any", "without": "none"}
    for part in filter(None, parameters.split(",")):
        key, equals, value = part.partition("=")
        key, value = (key, value) if equals else ("count", key)
        if key not in values or value not in _CHOICES.get(key, (value if value.isdecimal() else None,)):
            choices = "; ".join(f"{name}: {', '.join(names)}" for name, names in _CHOICES.items()
                                if name != "without")
            raise UserError(f"`shapes:` takes {', '.join(values)}, as in shapes:count=2000,seed=1,motion=sine "
                            f"({choices}; without: SHAPE-COLOUR). Received: {part}")
        values[key] = value
    if values["without"] == f"{values['shape']}-{values['colour']}":
        raise UserError("`shapes:` cannot be without the only combination that it draws. "
                        f"Received: shapes:{parameters}")
    if not 1 <= int(values["count"]) <= 10**7 or not 1 <= int(values["frames"]) <= 10**5:
        raise UserError("`shapes:` needs a count from 1 to 10000000 and frames from 1 to 100000. "
                        f"Received: shapes:{parameters}")
    motions = motions_of(values["motion"])
    spec = f"{values['seed']},{values['frames']},{clip.height},{clip.width},{values['motion']}"

    def matches(index: int) -> bool:
        factors = shapes.factors_of(index, motions)
        return (all(values[name] in ("any", factors[name]) for name in ("shape", "colour"))
                and values["without"] != f"{factors['shape']}-{factors['colour']}")

    return tuple(SourceVideo(f"shapes-{values['seed']}-{values['motion']}/{index:07d}", "shapes",
                             shapes.factors_of(index, motions)[values["label"]], spec, index)
                 for index in itertools.islice(filter(matches, itertools.count()), int(values["count"])))


_CHOICES = {
    "motion": (*shapes.MOTIONS, "all"), "label": shapes.LABELS, "shape": (*shapes.SHAPES, "any"),
    "colour": (*shapes.COLOURS, "any"),
    "without": ("none", *(f"{shape}-{colour}" for shape in shapes.SHAPES for colour in shapes.COLOURS))}
"""Values of the parameters of `shapes:` that are no numbers."""
