"""Generation of clips from a SavedModel into files.

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

from gan_keras.config.commands import GenerateSettings
from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.listing import list_source
from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.serving.requests import parse_label, parse_seeds
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.video.arrays import write_array
from gan_keras.video.encode import HELD_SUFFIXES, WRITTEN_SUFFIXES, write_segments
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import crop_and_resize

DEFAULT_OUT = "clips.webm"
"""File of clips, where none is named."""

FILM_SETTINGS = ("mask", "rotate", "zoom", "shift", "size", "preview")
"""Settings that are looked at by `serving.films` alone."""

SEED = "{seed}"
"""Stands for the seed in the name of a file for each clip."""

MAX_HELD_BYTES = 2**28
"""Bytes of frames beyond a clip's own that are gathered for a file of `HELD_SUFFIXES`."""

_BATCH_SIZE = 8
_MAX_INPUT_CLIPS = 64
_MAX_CLIPS_IN_GRID = 100
_USERS_ERRNO = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOTDIR, errno.EISDIR,
                errno.EEXIST, errno.ENAMETOOLONG)


@dataclasses.dataclass(frozen=True)
class _Sequences:
    """The first `frames` frames of each of `count` seeds, generated as they are iterated; counts them in `progress`."""

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
        groups = list(iter(lambda: list(itertools.islice(remaining, _BATCH_SIZE)), []))
        for segments in zip(*(self.model.segments(group, self.frames, self.classes) for group in groups), strict=True):
            segment = np.concatenate(segments)
            self.progress.advance(segment.shape[0] * segment.shape[1])
            yield segment

    def one_by_one(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        """Each seed with its segments, uint8 [1, t, H, W, 3]; they are to be used up before the next seed is."""
        for seed in itertools.chain.from_iterable(self.seeds):
            yield seed, self._segments(seed)

    def _segments(self, seed: int) -> Iterator[np.ndarray]:
        for segment in self.model.segments([seed], self.frames, self.classes):
            self.progress.advance(segment.shape[1])
            yield segment


@dataclasses.dataclass(frozen=True)
class _Clips:
    """Clips in memory, uint8 [N, T, H, W, 3], in place of `_Sequences`; numbers stand for seeds."""

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
    """Writes the clips of some seeds where the settings say; `serving.films` makes those of whole videos.

    Returns:
        The generator they came from.

    Raises:
        UserError: seeds, model, number of frames or output that cannot be.
    """
    settings = dataclasses.replace(settings, out=settings.out or DEFAULT_OUT)
    seeds = parse_seeds(settings.seeds)
    count = sum(part.stop - part.start for part in seeds)
    write = _writer(settings.out, count)
    _check_writable(settings.out)
    model = SavedGenerator(Path(settings.model))
    if model.description.needs_clips and not settings.input:
        raise UserError(f"`input` must name clips, of which {model.path} makes others. Received: input=")
    for name in FILM_SETTINGS:
        if getattr(settings, name) != getattr(GenerateSettings(model="any"), name):
            raise UserError(f"`{name}` is for models that make films of films; {model.path} is of "
                            f"--task={model.description.task}. Received: {name}={getattr(settings, name)}")
    if settings.input and settings.num_frames:
        raise UserError(f"`num_frames` is for clips of seeds; {model.path} makes clips as long as the given ones. "
                        f"Received: input={settings.input}, num_frames={settings.num_frames}")
    if settings.input:
        clips = reconstruct_or_interpolate(model, settings.input, settings.interpolation_steps)
        write = _writer(settings.out, len(clips))
        _write(settings, lambda: write(_Clips(clips), settings.fps or model.description.fps))
        return model
    classes = parse_label(settings.label, model.description.classes, str(model.path))
    frames = settings.num_frames or model.description.num_frames
    if frames > model.description.num_frames:
        _check_long(settings, model, count, len(classes))
    with Progress("generate", count * frames, "frames") as progress:
        sequences = _Sequences(model, seeds, count, frames, classes, progress)
        _write(settings, lambda: write(sequences, settings.fps or model.description.fps))
    return model


def _write(settings: GenerateSettings, write: Callable[[], None]) -> None:
    try:
        write()
    except OSError as error:
        if error.errno in _USERS_ERRNO:
            raise _not_writable(settings.out, error.strerror) from error
        raise


def _check_long(settings: GenerateSettings, model: SavedGenerator, count: int, classes: int) -> None:
    """Raises UserError where sequences longer than a clip cannot be had, or not in such a file.

    Args:
        settings: of the command.
        model: the generator.
        count: number of clips.
        classes: number of classes that are asked for.
    """
    facts = model.description
    if not model.endless:
        raise UserError(f"`num_frames` must be at most {facts.num_frames}, the frames that {model.path} makes; "
                        f"sequences without end take a recurrent generator. Received: num_frames={settings.num_frames}")
    if classes > 1:
        raise UserError(f"`num_frames` must be at most {facts.num_frames} where classes are mixed. "
                        f"Received: num_frames={settings.num_frames}, label={settings.label}")
    shown = 1 if SEED in settings.out else count
    if Path(settings.out).suffix.lower() in HELD_SUFFIXES:
        most = max(facts.num_frames, MAX_HELD_BYTES // (shown * facts.height * facts.width * 3))
        if settings.num_frames > most:
            raise UserError(f"`num_frames` must be at most {most} for {settings.out}, which is made in memory; a .webm "
                            f"may have any number of frames. Received: num_frames={settings.num_frames}")


# ---- reconstruction ----

def reconstruct_or_interpolate(model: SavedGenerator, source: str, interpolation_steps: int) -> np.ndarray:
    """Reconstructions of the clips of a source, or interpolations between them.

    Args:
        model: the generator.
        source: anything `data.sources` knows; the first frames of each video are taken, the first 64 videos.
        interpolation_steps: clips between each and the next, linear in the latents; 0 for the reconstructions alone.

    Returns:
        uint8 [N, T, H, W, 3]. N is `interpolation_steps` + 1 for each step from a clip to the next, and one more.

    Raises:
        UserError: the model has no encoder, or the source no clip that is long enough.
    """
    if not model.clip_signature:
        raise UserError(f"`input` must be empty: {model.path} makes nothing of clips; one trained with "
                        f"--task=reconstruct does. Received: input={source}")
    if interpolation_steps and not model.encodes:
        raise UserError(f"`interpolation_steps` must be 0: {model.path} does not encode clips. "
                        f"Received: interpolation_steps={interpolation_steps}")
    clips = _read_clips(source, model)
    if not interpolation_steps:
        return np.concatenate([model.clips_of(clip[np.newaxis], [seed]) for seed, clip in enumerate(clips)])
    if len(clips) < 2:
        raise UserError(f"`interpolation_steps` needs two clips or more to go from one to the other; {source} has "
                        f"{len(clips)}. Received: interpolation_steps={interpolation_steps}")
    latents = [model.encode(clip[np.newaxis]) for clip in clips]
    path = [{name: (1 - share) * before[name] + share * after[name] for name in before}
            for before, after in itertools.pairwise(latents)
            for share in np.linspace(0, 1, interpolation_steps + 2)[:-1]]
    return np.concatenate([model.decode(latent) for latent in [*path, latents[-1]]])


def _read_clips(source: str, model: SavedGenerator) -> np.ndarray:
    """The first frames of the videos of a source, at the size of the model's."""
    facts = model.description
    settings = ClipSettings(resolution=f"{facts.width}x{facts.height}", num_frames=facts.num_frames)
    clips, skipped = [], []
    for video in list_source(source, settings).videos[:_MAX_INPUT_CLIPS]:
        try:
            opened = video.open((facts.height, facts.width))
            frames = [crop_and_resize(frame.pixels, facts.height, facts.width)
                      for frame in itertools.islice(opened.frames, facts.num_frames)]
        except DecodeError as error:
            skipped.append(f"{video.id}: {error}")
            continue
        if len(frames) == facts.num_frames:
            clips.append(np.stack(frames))
        else:
            skipped.append(f"{video.id}: {len(frames)} of {facts.num_frames} frames")
    if not clips:
        raise UserError(f"`input` must have clips of {facts.num_frames} frames or more"
                        + (f" ({skipped[0]})" if skipped else "") + f". Received: input={source}")
    return np.stack(clips)


# ---- writing ----

def _writer(out: str, count: int) -> Callable[[_Sequences, float], None]:
    """Decides what `out` means.

    Raises:
        UserError: an extension that is not written, or more clips than one picture can show.
    """
    path = Path(out)
    suffix = path.suffix.lower()
    if suffix not in ("", *WRITTEN_SUFFIXES):
        raise UserError(f"`out` must end in one of {', '.join(WRITTEN_SUFFIXES)} or have no extension, for a folder "
                        f"of frames. Received: out={out}")
    if SEED in out:
        return lambda sequences, fps: _write_each(out, sequences, fps)
    if not suffix:
        folder = str(path / SEED) if count > 1 else str(path)
        return lambda sequences, fps: _write_each(folder, sequences, fps)
    if suffix == ".npz":
        return lambda sequences, _: _write_array(path, sequences)
    if count > _MAX_CLIPS_IN_GRID:
        raise UserError(f"`out` must have {SEED} in it, for a file each, or be an .npz: at most "
                        f"{_MAX_CLIPS_IN_GRID} clips are shown side by side, and {count} are asked for. "
                        f"Received: out={out}")
    return lambda sequences, fps: write_segments(path, sequences.together(), fps)


def _check_writable(out: str) -> None:
    """Fails before the work, not after it. What is missing of the folders above is made."""
    path = Path(out.partition(SEED)[0] + "x") if SEED in out else Path(out)
    if path.suffix and path.is_dir():
        raise _not_writable(out, "it is a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise _not_writable(out, error.strerror) from error


def _not_writable(out: str, reason: str | None) -> UserError:
    return UserError(f"`out` cannot be written: {reason}. Name another. Received: out={out}")


def _write_each(pattern: str, sequences: _Sequences, fps: float) -> None:
    for seed, segments in sequences.one_by_one():
        path = Path(pattern.replace(SEED, str(seed)))
        if not path.suffix and path.is_dir() and any(path.iterdir()):
            raise UserError(f"`out` must be another folder: {path} is not empty, frames of two clips would mix in it. "
                            f"Received: out={pattern}")
        if path.suffix.lower() == ".npz":
            write_array(path, (1, sequences.frames, *sequences.frame_shape), segments)
        else:
            write_segments(path, segments, fps)


def _write_array(path: Path, sequences: _Sequences) -> None:
    segments = itertools.chain.from_iterable(segments for _, segments in sequences.one_by_one())
    write_array(path, (sequences.count, sequences.frames, *sequences.frame_shape), segments)
