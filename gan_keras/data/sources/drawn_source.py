"""Sources of drawn clips with known factors: `shapes:` and `skies:`.

`skies:`, `skies:400` or `skies:count=400,seed=1,label=ground`: `label=` says which of the factors is the class. Factors
that can be chosen, as in `shape=triangle` or `daytime=night`, leave clips of that value only, and
`without=triangle-blue` all but those of one combination.
"""

import itertools

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn.drawn_clips import DRAWN, DrawnClips
from gan_keras.data.sources.source_video import SourceVideo
from gan_keras.errors import UserError


def list_drawn(name: str, parameters: str, clip: ClipSettings) -> tuple[SourceVideo, ...]:
    """Drawn clips, at the size of the clips to train on and twice as long.

    Args:
        name: of the kind in `DRAWN`.
        parameters: what follows the name and the colon.
        clip: settings of the clips.

    Raises:
        UserError: parameters that it does not have.
    """
    kind = DRAWN[name]
    values = _parse(name, kind, parameters, 2 * clip.num_frames * clip.frame_stride)
    options = [values[option] for option in kind.options]
    spec = ",".join([values["seed"], values["frames"], str(clip.height), str(clip.width), *options])

    def matches(index: int) -> bool:
        factors = kind.factors_of(index, *options)
        return (all(values[factor] in ("any", factors[factor]) for factor in kind.choices)
                and values["without"] != "-".join(factors[factor] for factor in kind.choices))

    folder, label = "-".join([name, values["seed"], *options]), values["label"]
    return tuple(SourceVideo(f"{folder}/{index:07d}", name, kind.factors_of(index, *options)[label], spec, index)
                 for index in itertools.islice(filter(matches, itertools.count()), int(values["count"])))


def _parse(name: str, kind: DrawnClips, parameters: str, frames: int) -> dict[str, str]:
    """Values of all parameters, where `frames` is the default of the number of frames."""
    combinations = ("-".join(values) for values in itertools.product(*kind.choices.values()))
    choices = {**kind.options, "label": kind.labels,
               **{factor: (*factor_values, "any") for factor, factor_values in kind.choices.items()},
               "without": ("none", *combinations)}
    values = {"count": "1000", "seed": "0", "frames": str(frames),
              **{option: option_values[0] for option, option_values in kind.options.items()}, "label": kind.labels[0],
              **dict.fromkeys(kind.choices, "any"), "without": "none"}
    for part in filter(None, parameters.split(",")):
        key, equals, value = part.partition("=")
        key, value = (key, value) if equals else ("count", key)
        if key not in values or value not in choices.get(key, (value if value.isdecimal() else None,)):
            known = "; ".join(f"{key}: {', '.join(names)}" for key, names in choices.items() if key != "without")
            raise UserError(f"`{name}:` takes {', '.join(values)}, as in {name}:count=2000,seed=1,"
                            f"label={kind.labels[-1]} ({known}; without: {'-'.join(kind.choices).upper()}). "
                            f"Received: {part}")
        values[key] = value
    if values["without"] == "-".join(values[factor] for factor in kind.choices):
        raise UserError(f"`{name}:` cannot be without the only combination that it draws. "
                        f"Received: {name}:{parameters}")
    if not 1 <= int(values["count"]) <= 10**7 or not 1 <= int(values["frames"]) <= 10**5:
        raise UserError(f"`{name}:` needs a count from 1 to 10000000 and frames from 1 to 100000. "
                        f"Received: {name}:{parameters}")
    return values
