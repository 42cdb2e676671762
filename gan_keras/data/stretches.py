"""From a video to the stretches that clips are drawn from: sampled, cropped, resized, within one shot, clean.

A stretch has at least `num_frames` frames, so that training can begin a clip anywhere in it, and about four times as
many at most, so that records stay small and are shuffled well. Nothing here holds more than a stretch in memory.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from gan_keras.data import cleaning
from gan_keras.errors import UserError
from gan_keras.train_settings import ClipSettings
from gan_keras.video import cuts, io
from gan_keras.video.items import Item, LeftOut

_MOST_CLIPS = 4
_MOST_BYTES = 2**26
_RECORD_BYTES = 2**30  # a TFRecord's message ends at twice as many


@dataclass(frozen=True)
class Outcome:
    """What became of a video.

    Attributes:
        id: of the item.
        fps: frames per second of its stretches; None when unknown.
        decoded: frames that it has.
        size: (height, width) of its frames before resizing.
        stretches: what was kept, as `keep` returned it.
        left_out: what was not kept.
    """

    id: str
    fps: float | None
    decoded: int
    size: tuple[int, int] | None
    stretches: tuple
    left_out: tuple[LeftOut, ...]


def extract(item: Item, clips: ClipSettings, keep: Callable[[int, np.ndarray], object]) -> Outcome:
    """Reads a video and hands each good stretch to `keep(first frame, frames uint8 [T, H, W, 3])`.

    A video that cannot be read to its end gives nothing: the caller drops what `keep` was handed.
    """
    kept, left_out = [], []
    counter = _Counter()
    try:
        with _blame_the_file():
            fps, decoded = item.open()
        for first, frames in _stretches(counter.watch(decoded), fps, clips):
            problem = cleaning.trouble(frames, clips.keep) if len(frames) >= clips.num_frames else "too short"
            if problem:
                left_out.append(LeftOut(item.id, problem, _where(first, len(frames), clips, problem)))
            else:
                kept.append(keep(first, frames))
    except io.ReadError as error:
        return Outcome(item.id, None, counter.count, counter.size, (), (LeftOut(item.id, error.reason, error.detail),))
    return Outcome(item.id, clip_fps(fps, clips), counter.count, counter.size, tuple(kept), tuple(left_out))


def clip_fps(fps: float | None, clips: ClipSettings) -> float | None:
    """Frames per second of the stretches of a video with this rate."""
    if fps is None:
        return None
    return (clips.fps or fps) / clips.frame_stride


def longest(clips: ClipSettings) -> int:
    """Frames of the longest stretch.

    Raises:
        UserError: one clip alone is too large for a record.
    """
    frame_bytes = clips.height * clips.width * 3
    if 2 * clips.num_frames * frame_bytes > _RECORD_BYTES:
        raise UserError("A clip is too large for a record of 512 MiB; lower `num_frames` or `resolution`. Received: "
                        f"num_frames={clips.num_frames}, resolution={clips.resolution}")
    return max(2 * clips.num_frames, min(_MOST_CLIPS * clips.num_frames, _MOST_BYTES // frame_bytes))


class _Counter:
    """Counts frames that pass and remembers their size."""

    def __init__(self) -> None:
        self.count, self.size = 0, None

    def watch(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        with _blame_the_file():
            for frame in frames:
                self.count += 1
                self.size = self.size or frame.shape[:2]
                yield frame


@contextmanager
def _blame_the_file() -> Iterator[None]:
    """A hostile file may break a decoder in ways nobody foresaw: that costs this file, never the others.

    What goes wrong outside of the decoder, such as a full disk, is not the file's fault and passes.
    """
    try:
        yield
    except io.ReadError:
        raise
    except Exception as error:
        raise io.ReadError("unreadable", f"{type(error).__name__}: {error}") from error


def _where(first: int, length: int, clips: ClipSettings, problem: str) -> str:
    said = f"{length} of {clips.num_frames} frames" if problem == "too short" else f"{length} frames"
    return f"{said}, from frame {first}" if first else said


def _stretches(frames: Iterable[np.ndarray], fps: float | None,
               clips: ClipSettings) -> Iterator[tuple[int, np.ndarray]]:
    """Yields (first frame, frames [T, H, W, 3]) of every stretch, those shorter than a clip included."""
    most = longest(clips)
    fitted = (io.fit(frame, clips.height, clips.width) for frame in frames)
    held: list[tuple[int, np.ndarray]] = []
    for index, frame, starts_shot in sample(cuts.split_shots(fitted, clips.cut_threshold), fps, clips):
        if starts_shot:
            yield from _flush(held, most)
            held = []
        held.append((index, frame))
        # Enough is held back that what is left at the end of the shot is a stretch too.
        if len(held) == most + clips.num_frames:
            yield _stack(held[:most])
            held = held[most:]
    yield from _flush(held, most)


def _flush(held: list[tuple[int, np.ndarray]], most: int) -> Iterator[tuple[int, np.ndarray]]:
    middle = len(held) // 2 if len(held) > most else len(held)
    for part in (held[:middle], held[middle:]):
        if part:
            yield _stack(part)


def _stack(held: list[tuple[int, np.ndarray]]) -> tuple[int, np.ndarray]:
    return held[0][0], np.stack([frame for _, frame in held])


def sample(frames: Iterable[tuple[np.ndarray, bool]], fps: float | None,
           clips: ClipSettings) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Brings frames to the wanted rate, then keeps every n-th.

    A wanted frame is the one nearest in time: where the wanted rate is higher than the video's, frames repeat.

    Args:
        frames: each with whether a shot starts with it.
        fps: their rate; when unknown it is left alone.
        clips: `fps` and `frame_stride`.

    Yields:
        (index in the source, frame, whether a shot started since the last one).
    """
    step = clips.frame_stride * (fps / clips.fps if fps and clips.fps else 1.0)  # source frames between two kept ones
    number, cut = 0, False
    for index, (frame, starts_shot) in enumerate(frames):
        cut = cut or starts_shot
        while math.floor(number * step + 0.5) == index:
            yield index, frame, cut
            number, cut = number + 1, False
