"""Kinds of clips that are drawn: a source each (see `drawn_source`), named as the kind.

A new kind is a module with a `render`, and an entry in `DRAWN`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from gan_keras.data.drawn import moving_shapes, skies, sky_scene


@dataclass(frozen=True)
class DrawnClips:
    """A kind of drawn clips.

    Attributes:
        fps: frames per second.
        labels: factors that can be the class of a clip; the first is, unless another is named.
        choices: values of the factors that can be chosen: clips of one value only.
        factors_of: values of the factors in `labels` of a clip, from its index and the options.
        draw: frames uint8 [T, H, W, 3], from seed, index, T, H, W and the options.
        options: what all clips of a set are drawn with, and its values; the first is the default.
    """

    fps: float
    labels: tuple[str, ...]
    choices: dict[str, tuple[str, ...]]
    factors_of: Callable[..., dict[str, str]]
    draw: Callable[..., np.ndarray]
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def render(self, parameters: str, index: int) -> np.ndarray:
        """A clip, uint8 [T, H, W, 3].

        Args:
            parameters: of the set, as `drawn_source` writes them: SEED,T,H,W, then values of the options.
            index: of the clip in the set.
        """
        seed, frames, height, width, *options = parameters.split(",")
        return self.draw(int(seed), index, int(frames), int(height), int(width), *options)


def _motions(name: str) -> tuple[str, ...]:
    return moving_shapes.MOTIONS if name == "all" else (name,)


DRAWN = {
    "shapes": DrawnClips(
        moving_shapes.FPS, moving_shapes.LABELS,
        {"shape": moving_shapes.SHAPES, "colour": tuple(moving_shapes.COLOURS)},
        lambda index, motion: moving_shapes.factors_of(index, _motions(motion)),
        lambda seed, index, frames, height, width, motion: moving_shapes.render(
            seed, index, frames, height, width, _motions(motion))[0],
        {"motion": (*moving_shapes.MOTIONS, "all")}),
    "skies": DrawnClips(
        skies.FPS, skies.LABELS, {"daytime": tuple(skies.DAYTIMES), "ground": skies.GROUNDS}, skies.factors_of,
        lambda *arguments: sky_scene.render(*arguments)[0])}
"""Kinds by name."""
