"""What is evaluated: the generator of a run, an exported version, or anybody's clips."""

import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.data.records import is_prepared
from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.run_folder import RunFolder
from gan_keras.sampling import draw_latents
from gan_keras.script_settings import FEWEST_CLIPS
from gan_keras.serving.export import restore_average
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.serving.signatures import ServedGenerator
from gan_keras.train_settings import ClipSettings
from gan_keras.video import arrays, io
from gan_keras.video.items import Item
from gan_keras.video.sources import list_source

AT_ONCE = 8
"""Clips that are generated together."""

_FPS_WHERE_UNKNOWN = 15.0
"""The speed at which the trainer, too, shows clips that came without one."""

Advance = Callable[[int], object]
"""Is told how many clips more are done."""


def _silent(done: int) -> None:
    pass


class Subject:
    """Clips to be had.

    Attributes:
        name: for people; the path as the user gave it, and the step where it is known.
        step: training steps behind it; None where unknown.
        shape: (T, H, W, 3) of a clip.
        fps: frames per second.
        count: how many clips there are; None where any number can be made.
        generates: whether clips are made when asked for.
    """

    name: str
    step: int | None = None
    shape: tuple[int, int, int, int]
    fps: float
    count: int | None = None
    generates: bool = True

    def clips(self, count: int, first_seed: int = 0, advance: Advance = _silent) -> np.ndarray:
        """Clips of the seeds `first_seed` to `first_seed + count - 1`. Other seeds are other clips.

        Args:
            count: how many.
            first_seed: the first seed.
            advance: is told of progress.

        Returns:
            uint8 [count, T, H, W, 3]. Raises UserError where a file cannot be read to its end.
        """
        clips = np.empty((count, *self.shape), np.uint8)
        for start in range(0, count, AT_ONCE):
            few = range(start, min(start + AT_ONCE, count))
            clips[few.start:few.stop] = self._few([first_seed + place for place in few])
            advance(len(few))
        return clips

    def _few(self, seeds: list[int]) -> np.ndarray:
        """uint8 [B, T, H, W, 3] of a few seeds, for `clips`."""
        raise NotImplementedError


class RunSubject(Subject):
    """The running average of a run's generator. Its clips are, bit by bit, those of the version exported from it.

    Args:
        run: the run folder; also an attribute, as `classes`, the names of the classes that the generator is told.
        checkpoint: its step; None for the newest that is whole.
        say: is told of damaged checkpoints.

    Raises:
        UserError: no such run or checkpoint, or weights that are not finite.
    """

    def __init__(self, run: RunFolder, checkpoint: int | None, say: Callable[[str], None]) -> None:
        self.run = run
        config = run.load_config()
        clips, self.classes = config.clips, config.model.classes
        generator, self.step = restore_average(run, checkpoint, say)
        self._latents = generator.latents
        self.name, self.shape, self.fps = f"{run.path} at step {self.step}", clips.shape, run.load_data()["fps"]
        self._served = ServedGenerator(generator, clips)

    def told(self, seeds: Sequence[int]) -> dict[str, np.ndarray]:
        """What the generator is told for each seed: `label`, `category`, `code`, those that there are, [N, size]."""
        drawn = draw_latents(self._latents, tf.constant(seeds, tf.int64), 1)
        return {name: value.numpy() for name, value in drawn.items() if name in ("label", "category", "code")}

    def _few(self, seeds: list[int]) -> np.ndarray:
        return self._served.video(seeds)


class ModelSubject(Subject):
    """A version that export.py made. Loading runs what is in it: a SavedModel is code.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Raises:
        UserError: no such version, or one that is damaged or of another make.
    """

    def __init__(self, path: str) -> None:
        self._generator = SavedGenerator(Path(path))
        facts = self._generator.description
        self.name, self.step, self.fps = f"{self._generator.path} at step {facts.step}", facts.step, facts.fps
        self.shape = facts.num_frames, facts.height, facts.width, 3

    def _few(self, seeds: list[int]) -> np.ndarray:
        return self._generator.clips(seeds)


class ClipsSubject(Subject):
    """Anybody's clips in files.

    A clip is a video of the source (see `video.sources`), its first frames where it is longer than others. Seeds number
    the clips in a random order that is always the same, because a folder is often sorted by what its clips show; what
    `clips` returns is in the order of the files, so that no file is opened twice.

    Args:
        path: a folder of videos, of folders of frames, of image strips or of arrays; `.npy` or `.npz`, uint8
            [N, T, H, W, 3 or 1]; `shapes:COUNT`.
        num_frames: frames of a clip; 0 for those of the shortest.
        say: is told what was left out.

    Raises:
        UserError: no such path, fewer than `FEWEST_CLIPS` clips in it, frames of different sizes, clips that are too
            short.
    """

    generates = False

    def __init__(self, path: str, num_frames: int = 0, say: Callable[[str], None] = print) -> None:
        if is_prepared(Path(path)):
            raise UserError(f"{path} is prepared data, not clips to be judged: name it as --data.")
        source = list_source(path, ClipSettings(num_frames=num_frames or ClipSettings().num_frames))
        left_out = [str(entry) for entry in source.left_out]
        _check_enough(path, len(source.items), left_out)
        looks = _look(source.items, num_frames, left_out)
        _check_enough(path, len(looks), left_out)
        if left_out:
            say(f"WARNING: {path}: {len(left_out)} left out, first {left_out[0]}")
        rates = [fps for _, fps, _ in looks if fps]
        self.name, self.count = path, len(looks)
        self.shape = _common_shape(path, {item.id: shape for item, _, shape in looks}, num_frames)
        self.fps = float(np.median(rates)) if rates else _FPS_WHERE_UNKNOWN
        self._items = [item for item, _, _ in looks]
        self._order = np.random.default_rng(0).permutation(self.count)

    def clips(self, count: int, first_seed: int = 0, advance: Advance = _silent) -> np.ndarray:
        """See `Subject.clips`; raises ValueError where there are not so many clips."""
        if first_seed + count > self.count:
            raise ValueError(f"{self.name} holds {self.count} clips. Received: count={count}, first_seed={first_seed}")
        items = [self._items[index] for index in sorted(self._order[first_seed:first_seed + count])]
        item = self._items[0]
        try:
            if self._is_one_archive() and count == self.count:
                # Returned as it was read: a copy would be a second array of the size of all clips.
                clips = np.ascontiguousarray(arrays.load(item.path, item.stamp))
                advance(count)
                return clips
            clips = np.empty((count, *self.shape), np.uint8)
            for clip, item in zip(clips, items, strict=True):
                frames = item.open()[1]
                for place in range(len(clip)):
                    clip[place] = next(frames)
                advance(1)
            return clips
        except io.ReadError as error:
            raise UserError(f"{item.path} cannot be read: {error}") from error
        finally:
            arrays.load.cache_clear()  # or the last file would stay in memory

    def _is_one_archive(self) -> bool:
        """Whether all clips are, whole and as they are, one `.npz`."""
        first = self._items[0]  # where it declares as many clips as there are, all are of it
        return (first.kind == "array" and first.path.lower().endswith(".npz")
                and _array_shape(first.path, first.stamp) == (self.count, *self.shape))


def open_subject(run_dir: str, model: str, videos: str, checkpoint: int, num_frames: int,
                 say: Callable[[str], None] = print) -> Subject:
    """Opens what the user named, which is one of the three.

    Args:
        run_dir: a run folder, or empty.
        model: a version, or a folder of versions, or empty.
        videos: anybody's clips, or empty.
        checkpoint: step of the run's checkpoint; 0 for the newest.
        num_frames: frames of a clip of `videos`; 0 for those of the shortest.
        say: is told of what is damaged or left out.

    Raises:
        UserError: what is named cannot be used.
    """
    if videos:
        return ClipsSubject(videos, num_frames, say)
    subject = RunSubject(RunFolder(Path(run_dir)), checkpoint or None, say) if run_dir else ModelSubject(model)
    if num_frames not in (0, subject.shape[0]):
        raise UserError(f"`num_frames` is for `videos`; {subject.name} makes {subject.shape[0]} frames. "
                        f"Received: num_frames={num_frames}")
    return subject


def _check_enough(path: str, count: int, left_out: Sequence[str]) -> None:
    if not count:
        raise UserError(f"{path} holds no clips that can be read" + (f": {left_out[0]}" if left_out else "")
                        + ". Name videos, or arrays saved as uint8, 0 to 255.")
    if count < FEWEST_CLIPS:
        raise UserError(f"At least {FEWEST_CLIPS} clips are needed to measure anything; {path} holds {count}"
                        + (f", and {len(left_out)} left out, first {left_out[0]}" if left_out else "") + ".")


def _look(items: Sequence[Item], num_frames: int, left_out: list[str]
          ) -> list[tuple[Item, float | None, tuple[int, int, int]]]:
    """The frame rate and (T, H, W) of each video that can be read; `left_out` is told of the others."""
    looks = []
    with Progress("look at clips", len(items), "clips") as progress:
        for item in items:
            try:
                looks.append((item, *_look_at(item, num_frames)))
            except io.ReadError as error:
                left_out.append(f"{item.id}: {error}")
            progress.advance()
    return looks


def _look_at(item: Item, num_frames: int) -> tuple[float | None, tuple[int, int, int]]:
    """Counts frames by decoding them, the first `num_frames` or (0) all: what headers say is often wrong."""
    if item.kind == "array":
        return None, _array_shape(item.path, item.stamp)[1:4]
    fps, frames = item.open()
    sizes = [frame.shape[:2] for frame in itertools.islice(frames, num_frames or None)]
    if len(set(sizes)) > 1:
        raise io.ReadError("unreadable", "its frames are of different sizes")
    return fps, (len(sizes), *sizes[0])


@functools.lru_cache(maxsize=1)
def _array_shape(path: str, stamp: int) -> tuple[int, ...]:
    """[N, T, H, W, C] of an array file; of `.npy`, which costs nothing, also whether all of it is there."""
    return arrays.load(path, stamp).shape if path.lower().endswith(".npy") else arrays.declared_shape(Path(path))


def _common_shape(path: str, shapes: dict[str, tuple[int, int, int]], num_frames: int) -> tuple[int, int, int, int]:
    """(T, H, W, 3) of all clips, from (T, H, W) by name."""
    first, *_ = shapes
    length = num_frames or max(2, min(shape[0] for shape in shapes.values()))
    for name, shape in shapes.items():
        if shape[1:] != shapes[first][1:]:
            raise UserError(f"{path} holds frames of different sizes, {shown_size(shapes[first][1:])} in {first} and "
                            f"{shown_size(shape[1:])} in {name}: bring all to one size.")
        if shape[0] < length:
            raise UserError(f"{path}: {name} has {shape[0]} of the {length} frames that are needed. "
                            f"Received: num_frames={num_frames}")
    return length, *shapes[first][1:], 3


def shown_size(size: Sequence[int]) -> str:
    """(H, W, ...) as people say it."""
    return f"{size[1]}x{size[0]}"
