"""Sources of clips to evaluate: the generator of a run, an exported version, or clips in files."""

import functools
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from absl import logging

from gan_keras.config.commands import MIN_EVALUATED_CLIPS
from gan_keras.config.train import ClipSettings
from gan_keras.data.records import is_prepared
from gan_keras.data.sources.listing import list_source
from gan_keras.data.sources.source_video import SourceVideo
from gan_keras.errors import UserError
from gan_keras.evaluation.metrics.inputs import ClipSet, PairedClips
from gan_keras.models.conditioning import CONDITIONS
from gan_keras.models.latents import draw_latents
from gan_keras.progress import Progress
from gan_keras.runs.restore import restore_ema
from gan_keras.runs.run_folder import RunFolder
from gan_keras.serving.requests import clip_request
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.serving.signatures import ServedGenerator
from gan_keras.tasks.registry import find_task
from gan_keras.video import arrays
from gan_keras.video.encode import DEFAULT_FPS
from gan_keras.video.errors import DecodeError

BATCH_SIZE = 8
"""Clips of a batch."""

Advance = Callable[[int], object]
"""Called with the number of further clips done."""


def _ignore(done: int) -> None:
    pass


class SampleSource:
    """Source of clips by seed.

    Attributes:
        name: for people; the path as the user gave it, and the step where it is known.
        step: training steps; None where unknown.
        shape: (T, H, W, 3) of a clip.
        fps: frames per second.
        count: number of clips; None where any number can be generated.
        generates: whether clips are generated on request.
    """

    name: str
    step: int | None = None
    shape: tuple[int, int, int, int]
    fps: float
    count: int | None = None
    generates: bool = True

    def clips(self, count: int, first_seed: int = 0, advance: Advance = _ignore, given: np.ndarray | None = None
              ) -> np.ndarray:
        """Clips of the seeds `first_seed` to `first_seed + count - 1`. Other seeds are other clips.

        Args:
            count: number of clips.
            first_seed: the first seed.
            advance: called after each batch.
            given: real clips uint8 [N, T, H, W, 3], given to models that take clips, in turn.

        Returns:
            uint8 [count, T, H, W, 3].

        Raises:
            UserError: a file cannot be read to its end.
        """
        clips = np.empty((count, *self.shape), np.uint8)
        for start in range(0, count, BATCH_SIZE):
            rows = range(start, min(start + BATCH_SIZE, count))
            inputs = None if given is None else given[[row % len(given) for row in rows]]
            clips[rows.start:rows.stop] = self._batch([first_seed + row for row in rows], inputs)
            advance(len(rows))
        return clips

    def pairs(self, clips: ClipSet) -> PairedClips | None:
        """What is made of clips and what it should equal; None for models of which that is not known."""
        return None

    def _batch(self, seeds: Sequence[int], given: np.ndarray | None) -> np.ndarray:
        """A batch of clips, uint8 [B, T, H, W, 3], for `clips`."""
        raise NotImplementedError


class ModelSamples(SampleSource):
    """Samples of a model by its signatures.

    Args:
        model: answers requests of its signatures.
        paired_signature: see `Task.paired_signature`.
    """

    def __init__(self, model: ServedGenerator | SavedGenerator, paired_signature: str) -> None:
        self._model, self._paired_signature = model, paired_signature
        needs_clips = "video" in model.inputs["serving_default"]
        self._signature = paired_signature if needs_clips and paired_signature else "serving_default"

    def pairs(self, clips: ClipSet) -> PairedClips | None:
        """See `SampleSource.pairs`."""
        if not self._paired_signature:
            return None
        answers = [self._request(self._paired_signature, [seed], clips.clips[seed:seed + 1])
                   for seed in range(len(clips))]
        together = {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}
        return PairedClips.of(together, clips, np.arange(len(clips)))

    def _batch(self, seeds: Sequence[int], given: np.ndarray | None) -> np.ndarray:
        return self._request(self._signature, seeds, given)["video"]

    def _request(self, signature: str, seeds: Sequence[int], clips: np.ndarray | None) -> dict[str, np.ndarray]:
        return self._model(signature, clip_request(self._model.inputs[signature], seeds, clips=clips))


class RunSamples(ModelSamples):
    """The EMA of a run's generator. Its clips equal those of the version exported from it, bit by bit.

    Args:
        run: the run folder; also an attribute, as `classes`, the names of the classes that the generator knows.
        checkpoint: its step; None for the best one where the run keeps it, else the newest that is complete.

    Raises:
        UserError: no such run or checkpoint, or weights that are not finite.
    """

    def __init__(self, run: RunFolder, checkpoint: int | None) -> None:
        self.run = run
        config = run.load_config()
        self.classes = config.model.classes
        generator, self.step = restore_ema(run, checkpoint)
        self._latents = generator.latents
        self.name, self.shape, self.fps = f"{run.path} at step {self.step}", config.clip.shape, run.load_data().fps
        task = find_task(config)
        super().__init__(ServedGenerator(task, generator), task.paired_signature)

    def conditions(self, seeds: Sequence[int]) -> dict[str, np.ndarray]:
        """Conditions of the generator for each seed: `label`, `category` and `code` where it has them, [N, dim]."""
        latents = draw_latents(self._latents, tf.constant(seeds, tf.int64), 1)
        return {name: value.numpy() for name, value in latents.items() if name in CONDITIONS}


class SavedModelSamples(ModelSamples):
    """An exported version. Loading runs its code: load those that you trust.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Raises:
        UserError: no such version, or one that is damaged or was not made by export.py.
    """

    def __init__(self, path: str) -> None:
        model = SavedGenerator(Path(path))
        facts = model.description
        if facts.task == "translate":
            raise UserError("`model` must not be of --task=translate, which needs clips of two domains: name its run, "
                            f"--run_dir. Received: model={path}")
        self.name, self.step, self.fps = f"{model.path} at step {facts.step}", facts.step, facts.fps
        self.shape = facts.num_frames, facts.height, facts.width, 3
        super().__init__(model, facts.paired_signature)


class ClipFiles(SampleSource):
    """Clips in files, of any origin.

    A clip is a video of the source (see `data.sources`), its first frames where it is longer than others. Seeds number
    the clips in a random order that is always the same, because a folder is often sorted by what its clips show; what
    `clips` returns is in the order of the files, so that no file is opened twice.

    Args:
        path: a folder of videos, of folders of frames, of image strips or of arrays; `.npy` or `.npz`, uint8
            [N, T, H, W, 3 or 1]; `shapes:COUNT` or `skies:COUNT`.
        num_frames: frames of a clip; 0 for those of the shortest one.

    Raises:
        UserError: no such path, fewer than `MIN_EVALUATED_CLIPS` clips in it, frames of different sizes, clips that
            are too short.
    """

    generates = False

    def __init__(self, path: str, num_frames: int = 0) -> None:
        if is_prepared(Path(path)):
            raise UserError(f"{path} is prepared data, not clips to evaluate: name it as --data.")
        source = list_source(path, ClipSettings(num_frames=num_frames or ClipSettings().num_frames))
        skipped = [str(entry) for entry in source.skipped]
        _check_enough(path, len(source.videos), skipped)
        shapes = _clip_shapes(source.videos, num_frames, skipped)
        _check_enough(path, len(shapes), skipped)
        if skipped:
            logging.warning("%s: %d skipped, first %s", path, len(skipped), skipped[0])
        rates = [fps for _, fps, _ in shapes if fps]
        self.name, self.count = path, len(shapes)
        self.shape = _common_shape(path, {video.id: shape for video, _, shape in shapes}, num_frames)
        self.fps = float(np.median(rates)) if rates else DEFAULT_FPS
        self._videos = [video for video, _, _ in shapes]
        self._order = np.random.default_rng(0).permutation(self.count)

    def clips(self, count: int, first_seed: int = 0, advance: Advance = _ignore, given: np.ndarray | None = None
              ) -> np.ndarray:
        """See `SampleSource.clips`; raises ValueError where there are fewer clips."""
        if first_seed + count > self.count:
            raise ValueError(f"{self.name} holds {self.count} clips. Received: count={count}, first_seed={first_seed}")
        videos = [self._videos[index] for index in sorted(self._order[first_seed:first_seed + count])]
        video = self._videos[0]
        try:
            if self._is_one_archive() and count == self.count:
                # Returned as it was read: a copy would be a second array of the size of all clips.
                clips = np.ascontiguousarray(arrays.load(video.path, video.stamp))
                advance(count)
                return clips
            clips = np.empty((count, *self.shape), np.uint8)
            for clip, video in zip(clips, videos, strict=True):
                opened = video.open(None)
                for position in range(len(clip)):
                    frame = next(opened.frames, None)
                    if frame is None:
                        raise next(iter(opened.losses), DecodeError("truncated", f"{position} of {len(clip)} frames"))
                    clip[position] = frame.pixels
                advance(1)
            return clips
        except DecodeError as error:
            raise UserError(f"{video.path} cannot be read: {error}") from error
        finally:
            arrays.load.cache_clear()  # or the last file would stay in memory

    def _is_one_archive(self) -> bool:
        """Whether all clips are the unchanged content of one `.npz`."""
        first = self._videos[0]  # if it declares as many clips as there are, all are in it
        return (first.kind == "array" and first.path.lower().endswith(".npz")
                and _array_shape(first.path, first.stamp) == (self.count, *self.shape))


def open_samples(run_dir: str, model: str, videos: str, checkpoint: int, num_frames: int) -> SampleSource:
    """Opens the run, the version or the clips that the user named.

    Args:
        run_dir: a run folder, or empty.
        model: a version, or a folder of versions, or empty.
        videos: clips in files, or empty.
        checkpoint: step of the run's checkpoint; 0 for the newest.
        num_frames: frames of a clip of `videos`; 0 for those of the shortest.

    Raises:
        UserError: it cannot be used.
    """
    if videos:
        return ClipFiles(videos, num_frames)
    source = RunSamples(RunFolder(Path(run_dir)), checkpoint or None) if run_dir else SavedModelSamples(model)
    if num_frames not in (0, source.shape[0]):
        raise UserError(f"`num_frames` is for `videos`; {source.name} makes {source.shape[0]} frames. "
                        f"Received: num_frames={num_frames}")
    return source


def size_text(size: Sequence[int]) -> str:
    """Text of (H, W, ...): width x height."""
    return f"{size[1]}x{size[0]}"


def _check_enough(path: str, count: int, skipped: Sequence[str]) -> None:
    if not count:
        raise UserError(f"{path} holds no clips that can be read" + (f": {skipped[0]}" if skipped else "")
                        + ". Name videos, or arrays saved as uint8, 0 to 255.")
    if count < MIN_EVALUATED_CLIPS:
        raise UserError(f"At least {MIN_EVALUATED_CLIPS} clips are needed to measure anything; {path} holds {count}"
                        + (f", and {len(skipped)} skipped, first {skipped[0]}" if skipped else "") + ".")


def _clip_shapes(videos: Sequence[SourceVideo], num_frames: int, skipped: list[str]
                 ) -> list[tuple[SourceVideo, float | None, tuple[int, int, int]]]:
    """Frame rate and (T, H, W) of each video that can be read; the others are appended to `skipped`."""
    shapes = []
    with Progress("check clips", len(videos), "clips") as progress:
        for video in videos:
            try:
                shapes.append((video, *_clip_shape(video, num_frames)))
            except DecodeError as error:
                skipped.append(f"{video.id}: {error}")
            progress.advance()
    return shapes


def _clip_shape(video: SourceVideo, num_frames: int) -> tuple[float | None, tuple[int, int, int]]:
    """Frame rate and (T, H, W), from decoding the first `num_frames` or (0) all frames: headers are often wrong."""
    if video.kind == "array":
        return None, _array_shape(video.path, video.stamp)[1:4]
    opened = video.open(None)
    sizes = [frame.pixels.shape[:2] for frame in itertools.islice(opened.frames, num_frames or None)]
    if len(set(sizes)) > 1:
        raise DecodeError("unreadable", "its frames are of different sizes")
    return opened.rate, (len(sizes), *sizes[0])


@functools.lru_cache(maxsize=1)
def _array_shape(path: str, stamp: int) -> tuple[int, ...]:
    """[N, T, H, W, C] of an array file; of `.npy`, which is memory-mapped, also checks that it is complete."""
    return arrays.load(path, stamp).shape if path.lower().endswith(".npy") else arrays.declared_shape(Path(path))


def _common_shape(path: str, shapes: dict[str, tuple[int, int, int]], num_frames: int) -> tuple[int, int, int, int]:
    """(T, H, W, 3) of all clips, from (T, H, W) by name."""
    first, *_ = shapes
    length = num_frames or max(2, min(shape[0] for shape in shapes.values()))
    for name, shape in shapes.items():
        if shape[1:] != shapes[first][1:]:
            raise UserError(f"{path} holds frames of different sizes, {size_text(shapes[first][1:])} in {first} and "
                            f"{size_text(shape[1:])} in {name}: bring all to one size.")
        if shape[0] < length:
            raise UserError(f"{path}: {name} has {shape[0]} of the {length} frames that are needed. "
                            f"Received: num_frames={num_frames}")
    return length, *shapes[first][1:], 3
