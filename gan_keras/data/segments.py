"""From a video to segments, from which training clips are cut: resampled, cropped, resized, within one shot, clean.

A segment has at least `num_frames` frames, so that a training clip can begin anywhere in it, and at most about four
times as many, so that records stay small and are shuffled well. Nothing here holds more than one segment in memory.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data import cleaning
from gan_keras.data.source_video import SkippedVideo, SourceVideo
from gan_keras.errors import UserError
from gan_keras.video import cuts
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import crop_and_resize

_MAX_CLIPS = 4
_MAX_BYTES = 2**26
_MAX_RECORD_BYTES = 2**30  # half of what a TFRecord's message may have


@dataclass(frozen=True)
class SegmentedVideo:
    """What became of a source video.

    Attributes:
        video_id: of the video.
        fps: frames per second of its segments; None when unknown.
        decoded: frames that were decoded.
        size: (height, width) of its frames before resizing; None where there is none.
        segments: its usable segments, as `store` returned them.
        skipped: its unusable segments, or the whole video.
        notes: what a reader should know of how it was read: where it is damaged, how many frames were left out and why.
    """

    video_id: str
    fps: float | None
    decoded: int
    size: tuple[int, int] | None
    segments: tuple
    skipped: tuple[SkippedVideo, ...]
    notes: tuple[str, ...] = ()


def extract(video: SourceVideo, clip: ClipSettings, store: Callable[[int, np.ndarray], object]) -> SegmentedVideo:
    """Decodes a video and stores each usable segment.

    A video that cannot be decoded to its end has no segments: the caller drops those that were stored.

    Args:
        video: to be decoded; only its `id` and `open()` are used.
        clip: settings of the clips.
        store: called with the index of a segment's first frame in the video and its frames, uint8 `[T, H, W, 3]`.
    """
    stored, skipped = [], []
    counter = _FrameCounter()
    try:
        with _as_decode_errors():
            fps, decoded = video.open()
        for first, frames in split_into_segments(counter.count(decoded), fps, clip):
            reason = cleaning.defect(frames, clip.keep) if len(frames) >= clip.num_frames else "too short"
            if reason:
                skipped.append(SkippedVideo(video.id, reason, _describe(first, len(frames), clip, reason)))
            else:
                stored.append(store(first, frames))
    except DecodeError as error:
        return SegmentedVideo(video.id, None, counter.frames, counter.size, (),
                              (SkippedVideo(video.id, error.reason, error.detail),))
    return SegmentedVideo(video.id, clip_fps(fps, clip), counter.frames, counter.size, tuple(stored), tuple(skipped))


def clip_fps(fps: float | None, clip: ClipSettings) -> float | None:
    """Frames per second of the segments of a video with this rate; None when unknown."""
    if fps is None:
        return None
    return (clip.fps or fps) / clip.frame_stride


def max_segment_frames(clip: ClipSettings) -> int:
    """Number of frames of the longest segment.

    Raises:
        UserError: one clip alone is too large for a record.
    """
    frame_bytes = clip.height * clip.width * 3
    if 2 * clip.num_frames * frame_bytes > _MAX_RECORD_BYTES:
        raise UserError("A clip is too large for a record of 512 MiB; lower `num_frames` or `resolution`. Received: "
                        f"num_frames={clip.num_frames}, resolution={clip.resolution}")
    return max(2 * clip.num_frames, min(_MAX_CLIPS * clip.num_frames, _MAX_BYTES // frame_bytes))


class _FrameCounter:
    """Number and size of the frames that a decoder yields."""

    def __init__(self) -> None:
        self.frames, self.size = 0, None

    def count(self, frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        with _as_decode_errors():
            for frame in frames:
                self.frames += 1
                self.size = self.size or frame.shape[:2]
                yield frame


@contextmanager
def _as_decode_errors() -> Iterator[None]:
    """Turns every error of a decoder into a DecodeError, because hostile files break decoders in unforeseen ways.

    Errors outside of the decoder, such as a full disk, are not the file's fault and stay what they are.
    """
    try:
        yield
    except DecodeError:
        raise
    except Exception as error:
        raise DecodeError("unreadable", f"{type(error).__name__}: {error}") from error


def _describe(first: int, length: int, clip: ClipSettings, reason: str) -> str:
    text = f"{length} of {clip.num_frames} frames" if reason == "too short" else f"{length} frames"
    return f"{text}, from frame {first}" if first else text


def split_into_segments(frames: Iterable[np.ndarray], fps: float | None,
                        clip: ClipSettings) -> Iterator[tuple[int, np.ndarray]]:
    """Splits a video into segments, each within one shot.

    Args:
        frames: uint8 `[H, W, 3]`, of any size.
        fps: their rate; None when unknown.
        clip: settings of the clips.

    Yields:
        (index of the first frame in the video, frames uint8 `[T, height, width, 3]`), also of segments that are shorter
        than a clip.
    """
    max_frames = max_segment_frames(clip)
    resized = (crop_and_resize(frame, clip.height, clip.width) for frame in frames)
    pending: list[tuple[int, np.ndarray]] = []
    for index, frame, starts_shot in resample(cuts.split_shots(resized, clip.cut_threshold), fps, clip):
        if starts_shot:
            yield from _flush(pending, max_frames)
            pending = []
        pending.append((index, frame))
        # At least a clip is held back, so that the rest of the shot is a segment too.
        if len(pending) == max_frames + clip.num_frames:
            yield _stack(pending[:max_frames])
            pending = pending[max_frames:]
    yield from _flush(pending, max_frames)


def _flush(pending: list[tuple[int, np.ndarray]], max_frames: int) -> Iterator[tuple[int, np.ndarray]]:
    middle = len(pending) // 2 if len(pending) > max_frames else len(pending)
    for part in (pending[:middle], pending[middle:]):
        if part:
            yield _stack(part)


def _stack(pending: list[tuple[int, np.ndarray]]) -> tuple[int, np.ndarray]:
    return pending[0][0], np.stack([frame for _, frame in pending])


def resample(frames: Iterable[tuple[np.ndarray, bool]], fps: float | None,
             clip: ClipSettings) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Resamples frames to `clip.fps`, then takes every `clip.frame_stride`-th.

    The frame nearest in time is taken: where the new rate is higher than the video's, frames repeat.

    Args:
        frames: each with whether a shot starts with it.
        fps: their rate; None when unknown, and then it is not changed.
        clip: settings of the clips.

    Yields:
        (index in the video, frame, whether a shot started since the last one).
    """
    step = clip.frame_stride * (fps / clip.fps if fps and clip.fps else 1.0)  # frames of the video for each one taken
    number, cut = 0, False
    for index, (frame, starts_shot) in enumerate(frames):
        cut = cut or starts_shot
        while math.floor(number * step + 0.5) == index:
            yield index, frame, cut
            number, cut = number + 1, False
