"""Makes the sample clips of this folder again.

    python data/make_samples.py

takes ten seconds and fills `data/shapes`: 240 clips of a circle, square or triangle that moves on black, a folder for
each shape, most of them `.webm` and every tenth `.mp4`.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gan_keras.data import moving_shapes as shapes
from gan_keras.video.encode import write_clip

FOLDER = Path(__file__).resolve().parent / "shapes"
COUNT, FRAMES, SIZE, SEED = 240, 32, 64, 2


def main() -> None:
    """Draws and writes every clip."""
    for index in range(COUNT):
        frames, factors = shapes.render(SEED, index, FRAMES, SIZE, SIZE)
        suffix = ".mp4" if index % 10 == 9 else ".webm"
        write_clip(FOLDER / factors.shape / f"{index:03d}_{factors.colour}{suffix}", frames, shapes.FPS)
    print(f"{COUNT} clips in {FOLDER}")


if __name__ == "__main__":
    main()
