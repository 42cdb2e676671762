"""Prepared folders for tests of the evaluation."""

from pathlib import Path

from gan_keras.config.train import Config
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.records import Manifest

SIDE = 16


def prepare_folder(folder: Path, source: str, num_frames: int, **settings: object) -> tuple[Path, Manifest]:
    """A folder of small clips and its manifest.

    Args:
        folder: to be made.
        source: of the clips.
        num_frames: of a clip.
        settings: others, by name.
    """
    config = Config().replace(**{"resolution": str(SIDE), "num_frames": num_frames, **settings})
    return folder, prepare(source, folder, config.clip, workers=1)
