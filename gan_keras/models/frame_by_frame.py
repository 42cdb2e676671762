"""Generators that draw frame by frame: how levels of resolution are divided between backbone and renderer."""

from typing import NamedTuple

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers.resampling import level_for, resolution_levels


class Levels(NamedTuple):
    """Levels of resolution of a network, from its finest to the one that it begins with.

    Attributes:
        sizes: (height, width) of each.
        widths: channels of each.
    """

    sizes: list[tuple[int, int]]
    widths: list[int]


def divide_levels(clip: ClipSettings, model: ModelSettings, factor: int, max_width: int, base_side: int = 0,
                  growth: int = 2) -> tuple[Levels, Levels | None]:
    """Levels of the backbone and of the renderer.

    Args:
        clip: shape of a clip.
        model: channels at full resolution.
        factor: how many times smaller than full resolution the backbone's pictures are.
        max_width: most channels, as a multiple of those at full resolution.
        base_side: pixels of the shorter side of the first level, at most; 0: the smallest that there is.
        growth: channels of a level, as a multiple of those of the level above it.

    Returns:
        Those of the backbone, whose finest is that of its pictures, and those of the renderer, from full resolution to
        that one; None where they are at full resolution.
    """
    sizes = resolution_levels((clip.height, clip.width))
    widths = [model.generator_width * min(growth**level, max_width) for level in range(len(sizes))]
    split = factor.bit_length() - 1
    end = 1 + (max(split, level_for(sizes, base_side)) if base_side else len(sizes) - 1)
    renderer = Levels(sizes[:split + 1], widths[:split + 1]) if split else None
    return Levels(sizes[split:end], widths[split:end]), renderer
