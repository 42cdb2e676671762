"""Clips from a SavedModel alone: no run folder, no Keras.

Clips are generated a few at a time and written as they come, so that any number of them needs the same memory; only
files that show all clips at once, and so at most 100, hold all of them.
"""

import errno
import itertools
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.script_settings import GenerateSettings
from gan_keras.serving.description import Description
from gan_keras.serving.versions import find_version
from gan_keras.video import io

SEED = "{seed}"
"""Stands for the seed in the name of a file for each clip."""

_AT_ONCE = 8
_MOST_IN_ONE_PICTURE = 100
_MOST_SEED = 2**63 - 1
_USERS_ERRNO = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR,
                errno.EEXIST, errno.ENAMETOOLONG)

Clips = Iterable[tuple[int, np.ndarray]]
"""Seeds, each with its clip, uint8 [T, H, W, 3]."""


class SavedGenerator:
    """A version that `export.py` made, loaded. Loading runs what is in it: a SavedModel is code.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Attributes:
        path: the version folder.
        description: what the version says of itself.

    Raises:
        UserError: no such version, or one that is damaged or of another make.
    """

    def __init__(self, path: Path) -> None:
        self.path = find_version(path)
        self.description = Description.load(self.path)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
            self._generate = self._loaded.signatures["serving_default"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, tf.errors.OpError) as error:
            raise UserError(f"{self.path} cannot be loaded: {error}") from error

    def clips(self, seeds: Sequence[int]) -> np.ndarray:
        """The clips of some seeds, uint8 [B, T, H, W, 3]."""
        return self._generate(seed=tf.constant(seeds, tf.int64))["video"].numpy()


def generate(settings: GenerateSettings) -> SavedGenerator:
    """Writes the clips of some seeds where the settings say.

    Returns:
        The generator they came from.

    Raises:
        UserError: seeds, model, number of frames or output that cannot be.
    """
    seeds = parse_seeds(settings.seeds)
    count = sum(part.stop - part.start for part in seeds)
    write = _writer(settings.out, count)
    _check_writable(settings.out)
    model = SavedGenerator(Path(settings.model))
    frames = settings.num_frames or model.description.num_frames
    if frames > model.description.num_frames:
        raise UserError(f"`num_frames` must be at most {model.description.num_frames}, the frames that {model.path} "
                        f"makes. Received: num_frames={settings.num_frames}")
    try:
        write(_generate(model, seeds, count, frames), settings.fps or model.description.fps)
    except OSError as error:
        if error.errno in _USERS_ERRNO:
            raise UserError(f"{settings.out} cannot be written: {error.strerror}") from error
        raise
    return model


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


def _generate(model: SavedGenerator, seeds: list[range], count: int, frames: int) -> Iterator[tuple[int, np.ndarray]]:
    with Progress("generate", count, "clips") as progress:
        remaining = itertools.chain.from_iterable(seeds)
        while batch := list(itertools.islice(remaining, _AT_ONCE)):
            clips = model.clips(batch)
            for seed, clip in zip(batch, clips, strict=True):
                yield seed, clip[:frames]
                progress.advance()


# ---- writing ----

def _writer(out: str, count: int) -> Callable[[Clips, float], None]:
    """Decides what `out` means.

    Raises:
        UserError: an extension that is not written, or more clips than one picture can show.
    """
    path = Path(out)
    suffix = path.suffix.lower()
    if suffix not in ("", *io.WRITTEN_SUFFIXES):
        raise UserError(f"`out` must end in one of {', '.join(io.WRITTEN_SUFFIXES)} or have no extension, for a folder "
                        f"of frames. Received: out={out}")
    if SEED in out:
        return lambda clips, fps: _write_each(out, clips, fps)
    if not suffix:
        folder = str(path / SEED) if count > 1 else str(path)
        return lambda clips, fps: _write_each(folder, clips, fps)
    if suffix == ".npz":
        return lambda clips, _: _write_array(path, clips, count)
    if count > _MOST_IN_ONE_PICTURE:
        raise UserError(f"{out} would show {count} clips side by side; at most {_MOST_IN_ONE_PICTURE} are. Put {SEED} "
                        "into its name, for a file each, or name an .npz.")
    return lambda clips, fps: io.write_clip(path, np.stack([clip for _, clip in clips]), fps)


def _check_writable(out: str) -> None:
    """Fails before the work, not after it. What is missing of the folders above is made."""
    path = Path(out.partition(SEED)[0] + "x") if SEED in out else Path(out)
    if path.suffix and path.is_dir():
        raise UserError(f"{out} cannot be written: it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise UserError(f"{out} cannot be written: {error.strerror}") from error


def _write_each(pattern: str, clips: Clips, fps: float) -> None:
    for seed, clip in clips:
        path = Path(pattern.replace(SEED, str(seed)))
        if not path.suffix and path.is_dir() and any(path.iterdir()):
            raise UserError(f"{path} is not empty: frames of two clips would mix in it. Delete it, or name another "
                            "--out.")
        io.write_clip(path, clip, fps)


def _write_array(path: Path, clips: Clips, count: int) -> None:
    """Writes the array `videos` of an `.npz`, clip by clip, and reads its header and checksum again."""
    clips = iter(clips)
    _, first = next(clips)
    shape = (count, *first.shape)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with (zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
          archive.open("videos.npy", "w", force_zip64=True) as file):
        np.lib.format.write_array_header_1_0(file, header)
        for clip in itertools.chain([first], (clip for _, clip in clips)):
            file.write(clip.tobytes())
    with zipfile.ZipFile(path) as archive:
        with archive.open("videos.npy") as file:
            np.lib.format.read_magic(file)
            found = np.lib.format.read_array_header_1_0(file)[0]
        if archive.testzip() or found != shape:
            raise OSError(f"{path} was written with shape {shape} but reads as {found}, or with another checksum")
