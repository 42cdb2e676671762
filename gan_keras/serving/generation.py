"""Clips from a SavedModel into files.

Clips are generated a few at a time and written as they come, so any number of them needs the same memory, and so does
any number of frames where the model's sequences have no end. Only files that show all clips at once, and so at most
100, have a few frames of all of them in memory; GIFs and contact sheets all frames.
"""

import dataclasses
import errno
import itertools
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.script_settings import GenerateSettings
from gan_keras.serving.remaking import remade
from gan_keras.serving.requests import parse_label, parse_seeds
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.video import io, npz

SEED = "{seed}"
"""Stands for the seed in the name of a file for each clip."""

_AT_ONCE = 8
_MOST_IN_ONE_PICTURE = 100
_MOST_HELD = 2**28
"""Bytes of frames beyond a clip's own that are gathered for a file of `io.HELD_SUFFIXES`."""
_USERS_ERRNO = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR,
                errno.EEXIST, errno.ENAMETOOLONG)


@dataclasses.dataclass(frozen=True)
class _Sequences:
    """What is to be generated: the first `frames` frames of each of `count` seeds. Tells `progress` of every frame."""

    model: SavedGenerator
    seeds: list[range]
    count: int
    frames: int
    classes: Mapping[str, float]
    progress: Progress

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.model.description.height, self.model.description.width, 3

    def together(self) -> Iterator[np.ndarray]:
        """All seeds at once, uint8 [N, t, H, W, 3], the next frames of all."""
        remaining = itertools.chain.from_iterable(self.seeds)
        groups = list(iter(lambda: list(itertools.islice(remaining, _AT_ONCE)), []))
        for pieces in zip(*(self.model.pieces(group, self.frames, self.classes) for group in groups), strict=True):
            piece = np.concatenate(pieces)
            self.progress.advance(piece.shape[0] * piece.shape[1])
            yield piece

    def one_by_one(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        """Each seed with its pieces, uint8 [1, t, H, W, 3]; they are to be used up before the next seed is."""
        for seed in itertools.chain.from_iterable(self.seeds):
            yield seed, self._pieces(seed)

    def _pieces(self, seed: int) -> Iterator[np.ndarray]:
        for piece in self.model.pieces([seed], self.frames, self.classes):
            self.progress.advance(piece.shape[1])
            yield piece


@dataclasses.dataclass(frozen=True)
class _Made:
    """Clips that are there already, uint8 [N, T, H, W, 3], for what writes `_Sequences`; numbers stand for seeds."""

    clips: np.ndarray

    @property
    def count(self) -> int:
        return len(self.clips)

    @property
    def frames(self) -> int:
        return self.clips.shape[1]

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return self.clips.shape[2:]

    def together(self) -> Iterator[np.ndarray]:
        yield self.clips

    def one_by_one(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        for number in range(self.count):
            yield number, iter([self.clips[number:number + 1]])


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
    if settings.input:
        clips = remade(model, settings.input, settings.between)
        _write(settings, lambda: _writer(settings.out, len(clips))(_Made(clips), settings.fps or model.description.fps))
        return model
    classes = parse_label(settings.label, model)
    frames = settings.num_frames or model.description.num_frames
    if frames > model.description.num_frames:
        _check_long(settings, model, count)
    with Progress("generate", count * frames, "frames") as progress:
        sequences = _Sequences(model, seeds, count, frames, classes, progress)
        _write(settings, lambda: write(sequences, settings.fps or model.description.fps))
    return model


def _write(settings: GenerateSettings, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        if error.errno in _USERS_ERRNO:
            raise UserError(f"{settings.out} cannot be written: {error.strerror}") from error
        raise


def _check_long(settings: GenerateSettings, model: SavedGenerator, count: int) -> None:
    """Raises UserError where sequences longer than a clip cannot be had, or not in such a file."""
    facts = model.description
    if not model.endless:
        raise UserError(f"`num_frames` must be at most {facts.num_frames}, the frames that {model.path} makes; "
                        f"sequences without end take a recurrent generator. Received: num_frames={settings.num_frames}")
    if len(settings.label) > 1:
        raise UserError(f"`num_frames` must be at most {facts.num_frames} where classes are mixed. "
                        f"Received: num_frames={settings.num_frames}, label={','.join(settings.label)}")
    shown = 1 if SEED in settings.out else count
    if Path(settings.out).suffix.lower() in io.HELD_SUFFIXES:
        most = max(facts.num_frames, _MOST_HELD // (shown * facts.height * facts.width * 3))
        if settings.num_frames > most:
            raise UserError(f"`num_frames` must be at most {most} for {settings.out}, which is made in memory; a .webm "
                            f"may have any number of frames. Received: num_frames={settings.num_frames}")


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
