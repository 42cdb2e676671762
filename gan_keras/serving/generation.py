"""Clips from a SavedModel alone: no run folder, no Keras.

Clips are generated a few at a time and written as they come, so any number of them needs the same memory, and so does
any number of frames where the model's sequences have no end. Only files that show all clips at once, and so at most
100, have a few frames of all of them in memory; GIFs and contact sheets all frames.
"""

import dataclasses
import errno
import itertools
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.script_settings import GenerateSettings
from gan_keras.serving.description import Description
from gan_keras.serving.versions import find_version
from gan_keras.video import io, npz

SEED = "{seed}"
"""Stands for the seed in the name of a file for each clip."""

_AT_ONCE = 8
_MOST_IN_ONE_PICTURE = 100
_MOST_HELD = 2**28
"""Bytes of frames beyond a clip's own that are gathered for a file of `io.HELD_SUFFIXES`."""
_MOST_SEED = 2**63 - 1
_USERS_ERRNO = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR,
                errno.EEXIST, errno.ENAMETOOLONG)

class SavedGenerator:
    """A version that `export.py` made, loaded. Loading runs what is in it: a SavedModel is code.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Attributes:
        path: the version folder.
        description: what the version says of itself.
        endless: whether a sequence may have more frames than a clip.

    Raises:
        UserError: no such version, or one that is damaged or of another make.
    """

    def __init__(self, path: Path) -> None:
        self.path = find_version(path)
        self.description = Description.load(self.path)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
            self._generate = self._loaded.signatures["serving_default"]
            self.endless = "continue" in self._loaded.signatures
        except (OSError, ValueError, LookupError, TypeError, AttributeError, tf.errors.OpError) as error:
            raise UserError(f"{self.path} cannot be loaded: {error}") from error

    def clips(self, seeds: Sequence[int]) -> np.ndarray:
        """The clips of some seeds, uint8 [B, T, H, W, 3]."""
        return self._generate(seed=tf.constant(seeds, tf.int64))["video"].numpy()

    def pieces(self, seeds: Sequence[int], frames: int) -> Iterator[np.ndarray]:
        """The first frames of some seeds' sequences, piece by piece.

        Args:
            seeds: of the sequences.
            frames: how many; above the frames of a clip only where the model is `endless`.

        Yields:
            uint8 [B, t, H, W, 3], the next frames of all.
        """
        length = self.description.num_frames
        if frames <= length:
            yield self.clips(seeds)[:, :frames]
            return
        state = self._loaded.signatures["start"](seed=tf.constant(seeds, tf.int64))
        for first in range(0, frames, length):
            state = dict(self._loaded.signatures["continue"](**state))
            yield state.pop("video").numpy()[:, :frames - first]


@dataclasses.dataclass(frozen=True)
class _Sequences:
    """What is to be generated: the first `frames` frames of each of `count` seeds. Tells `progress` of every frame."""

    model: SavedGenerator
    seeds: list[range]
    count: int
    frames: int
    progress: Progress

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.model.description.height, self.model.description.width, 3

    def together(self) -> Iterator[np.ndarray]:
        """All seeds at once, uint8 [N, t, H, W, 3], the next frames of all."""
        remaining = itertools.chain.from_iterable(self.seeds)
        groups = list(iter(lambda: list(itertools.islice(remaining, _AT_ONCE)), []))
        for pieces in zip(*(self.model.pieces(group, self.frames) for group in groups), strict=True):
            piece = np.concatenate(pieces)
            self.progress.advance(piece.shape[0] * piece.shape[1])
            yield piece

    def one_by_one(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        """Each seed with its pieces, uint8 [1, t, H, W, 3]; they are to be used up before the next seed is."""
        for seed in itertools.chain.from_iterable(self.seeds):
            yield seed, self._pieces(seed)

    def _pieces(self, seed: int) -> Iterator[np.ndarray]:
        for piece in self.model.pieces([seed], self.frames):
            self.progress.advance(piece.shape[1])
            yield piece


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
        _check_long(settings, model, count)
    try:
        with Progress("generate", count * frames, "frames") as progress:
            write(_Sequences(model, seeds, count, frames, progress), settings.fps or model.description.fps)
    except OSError as error:
        if error.errno in _USERS_ERRNO:
            raise UserError(f"{settings.out} cannot be written: {error.strerror}") from error
        raise
    return model


def _check_long(settings: GenerateSettings, model: SavedGenerator, count: int) -> None:
    """Raises UserError where sequences longer than a clip cannot be had, or not in such a file."""
    facts = model.description
    if not model.endless:
        raise UserError(f"`num_frames` must be at most {facts.num_frames}, the frames that {model.path} makes; "
                        f"sequences without end take a recurrent generator. Received: num_frames={settings.num_frames}")
    shown = 1 if SEED in settings.out else count
    if Path(settings.out).suffix.lower() in io.HELD_SUFFIXES:
        most = max(facts.num_frames, _MOST_HELD // (shown * facts.height * facts.width * 3))
        if settings.num_frames > most:
            raise UserError(f"`num_frames` must be at most {most} for {settings.out}, which is made in memory; a .webm "
                            f"may have any number of frames. Received: num_frames={settings.num_frames}")


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


# ---- writing ----

def _writer(out: str, count: int) -> Callable[[_Sequences, float], None]:
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
        return lambda sequences, fps: _write_each(out, sequences, fps)
    if not suffix:
        folder = str(path / SEED) if count > 1 else str(path)
        return lambda sequences, fps: _write_each(folder, sequences, fps)
    if suffix == ".npz":
        return lambda sequences, _: _write_array(path, sequences)
    if count > _MOST_IN_ONE_PICTURE:
        raise UserError(f"{out} would show {count} clips side by side; at most {_MOST_IN_ONE_PICTURE} are. Put {SEED} "
                        "into its name, for a file each, or name an .npz.")
    return lambda sequences, fps: io.write_pieces(path, sequences.together(), fps)


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


def _write_each(pattern: str, sequences: _Sequences, fps: float) -> None:
    for seed, pieces in sequences.one_by_one():
        path = Path(pattern.replace(SEED, str(seed)))
        if not path.suffix and path.is_dir() and any(path.iterdir()):
            raise UserError(f"{path} is not empty: frames of two clips would mix in it. Delete it, or name another "
                            "--out.")
        if path.suffix.lower() == ".npz":
            npz.write_array(path, (1, sequences.frames, *sequences.frame_shape), pieces)
        else:
            io.write_pieces(path, pieces, fps)


def _write_array(path: Path, sequences: _Sequences) -> None:
    pieces = itertools.chain.from_iterable(pieces for _, pieces in sequences.one_by_one())
    npz.write_array(path, (sequences.count, sequences.frames, *sequences.frame_shape), pieces)
