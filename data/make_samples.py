"""Makes the sample clips of this folder.

    python data/make_samples.py

writes those that are missing, in two minutes if all are: `skies`, 240 clips of skies over hills or water, a
folder for each part of the day; and `shapes`, 240 clips of a circle, square or triangle that moves on black, a folder
for each shape. Encoders of other versions write other bytes; what is there stays as it is.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan_keras.data.drawn import moving_shapes, skies, sky_scene
from gan_keras.video.encode import write_clip

FOLDER = Path(__file__).resolve().parent
COUNT = 240
SKIES_SEED, SKIES_FRAMES, SKIES_SIZE = 7, 45, 160
SHAPES_SEED, SHAPES_FRAMES, SHAPES_SIZE = 2, 32, 64


def sky_path(index: int) -> Path:
    """File of a clip of skies; every tenth is a `.webm`."""
    factors = skies.factors_of(index)
    suffix = ".webm" if index % 10 == 9 else ".mp4"
    return FOLDER / "skies" / factors["daytime"] / f"{index:03d}_{factors['ground']}{suffix}"


def shape_path(index: int) -> Path:
    """File of a clip of shapes; every tenth is a `.mp4`."""
    factors = moving_shapes.factors_of(index, ("bounce",))
    suffix = ".mp4" if index % 10 == 9 else ".webm"
    return FOLDER / "shapes" / factors["shape"] / f"{index:03d}_{factors['colour']}{suffix}"


def write_missing(path_of: Callable[[int], Path], draw: Callable[[int], np.ndarray], fps: float) -> None:
    """Draws and writes the clips that are not there.

    Args:
        path_of: file of a clip by its index.
        draw: frames uint8 [T, H, W, 3] by the index.
        fps: frames per second.
    """
    missing = [index for index in range(COUNT) if not path_of(index).exists()]
    for index in missing:
        write_clip(path_of(index), draw(index), fps)
    print(f"{path_of(0).parents[1]}: {len(missing)} clips written, {COUNT - len(missing)} were there")


def main() -> None:
    """Writes the clips of both sets that are missing."""
    write_missing(sky_path, lambda index: sky_scene.render(SKIES_SEED, index, SKIES_FRAMES, SKIES_SIZE, SKIES_SIZE)[0],
                  skies.FPS)
    write_missing(shape_path, lambda index: moving_shapes.render(SHAPES_SEED, index, SHAPES_FRAMES, SHAPES_SIZE,
                                                                 SHAPES_SIZE)[0], moving_shapes.FPS)


if __name__ == "__main__":
    main()
