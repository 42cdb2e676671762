"""From a video to segments, from which training clips are cut: resampled, cropped, resized, within one shot, clean.

A segment has at least `num_frames` frames, so that a training clip can begin anywhere in it, and at most about four
times as many, so that records stay small and are shuffled well. Nothing here holds more than one segment in memory.
"""

import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import cleaning
from gan_keras.data.sources.source_video import SkippedVideo, SourceVideo
from gan_keras.errors import UserError
from gan_keras.video import cuts
from gan_keras.video.errors import DecodeError, as_decode_error
from gan_keras.video.frames import Frame
from gan_keras.video.pictures import crop_and_resize

_MAX_CLIPS = 4
_MAX_BYTES = 2**26
_MAX_PATCHES = 8
"""Of a segment, where `crop` is `patches`: neighbours are alike, and whole films would fill disks."""
_DESCRIBED = 3  # segments that are skipped for the same reason
_ROUNDING = 1e-6  # of an interval: half way between two frames the later one is taken
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
        skipped: its unusable segments, what is missing of it, or the whole video.
        notes: what a reader should know of how it was read.
    """

    video_id: str
    fps: float | None
    decoded: int
    size: tuple[int, int] | None
    segments: tuple
    skipped: tuple[SkippedVideo, ...]
    notes: tuple[str, ...] = ()


def extract(video: SourceVideo, clip: ClipSettings, store: Callable[[int, np.ndarray], object]) -> SegmentedVideo:
    """Decodes a video and stores each usable segment; what can be decoded is used.

    Args:
        video: to be decoded; only its `id` and `open()` are used.
        clip: settings of the clips.
        store: called with the index of a segment's first frame in the video and its frames, uint8 `[T, H, W, 3]`.
    """
    stored: list[object] = []
    unusable: dict[str, list[tuple[int, int]]] = defaultdict(list)
    decoder = _Decoder()
    try:
        with _as_decode_errors():
            opened = video.open((clip.height, clip.width) if clip.crop == "whole" else None)
    except DecodeError as error:
        return SegmentedVideo(video.id, None, 0, None, (), (SkippedVideo(video.id, error.reason, error.detail),))
    taken: list[int] = []
    for indices, frames in split_into_segments(decoder.decode(opened.frames), opened.rate, clip):
        taken += indices
        first = indices[0]
        for patch in patches(frames, clip, first):
            reason = cleaning.defect(patch, clip.keep) if len(frames) >= clip.num_frames else "too short"
            if reason:
                _add_place(unusable[reason], first, len(frames), reason)
            else:
                stored.append(store(first, patch))
    skipped = [SkippedVideo(video.id, reason, _describe(places, reason, clip)) for reason, places in unusable.items()]
    skipped += [SkippedVideo(video.id, loss.reason, loss.detail) for loss in opened.losses]
    error = decoder.error
    if error and stored:
        skipped.append(SkippedVideo(video.id, error.reason,
                                    f"{error.detail}: the {decoder.frames} frames before it were used"))
    elif error:
        skipped = [SkippedVideo(video.id, error.reason, error.detail)]
    notes = (*opened.notes, *_note_repeats(taken, clip))
    return SegmentedVideo(video.id, clip_fps(opened.rate, clip), decoder.frames, opened.size, tuple(stored),
                          tuple(skipped), notes)


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


def patches(frames: np.ndarray, clip: ClipSettings, seed: int) -> list[np.ndarray]:
    """What of the frames of a segment is used: all, or where `crop` says so a few patches at their own scale.

    Args:
        frames: uint8 `[T, H, W, 3]`.
        clip: settings of the clips.
        seed: chooses the patches, which do not overlap; the same ones always.

    Returns:
        Each uint8 `[T, height, width, 3]`; frames that are smaller than a patch are enlarged to one.
    """
    if clip.crop == "whole":
        return [frames]
    height, width = frames.shape[1:3]
    if height < clip.height or width < clip.width:
        return [np.stack([crop_and_resize(frame, clip.height, clip.width) for frame in frames])]
    corners = [(top, left) for top in _starts(height, clip.height) for left in _starts(width, clip.width)]
    chosen = sorted(np.random.default_rng(seed).permutation(len(corners))[:_MAX_PATCHES])
    return [frames[:, top:top + clip.height, left:left + clip.width] for top, left in (corners[i] for i in chosen)]


def _starts(side: int, patch: int) -> range:
    """Where patches of a side begin, that lie next to each other about its middle."""
    count = side // patch
    first = (side - count * patch) // 2
    return range(first, first + count * patch, patch)


class _Decoder:
    """Frames that a decoder yields until it fails.

    Attributes:
        frames: how many.
        error: why there are no more; None at the end of the video.
    """

    def __init__(self) -> None:
        self.frames, self.error = 0, None

    def decode(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The frames, one by one."""
        frames = iter(frames)
        while True:
            try:
                with _as_decode_errors():
                    frame = next(frames, None)
            except DecodeError as error:
                self.error = error
                return
            if frame is None:
                return
            self.frames += 1
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
        raise as_decode_error(error) from error


def _add_place(places: list[tuple[int, int]], first: int, length: int, reason: str) -> None:
    """Adds a place, to the last one where it goes on with it; of what is too short each shot is one."""
    if places and reason != "too short" and sum(places[-1]) == first:
        first, length = places[-1][0], places.pop()[1] + length
    places.append((first, length))


def _note_repeats(taken: Sequence[int], clip: ClipSettings) -> list[str]:
    """Says how many frames of the segments stand for others that are missing, where no new rate asks for repeats.

    Args:
        taken: index in the video of each frame of the segments.
        clip: settings of the clips.
    """
    repeats = sum(index == before for before, index in itertools.pairwise(taken))
    if clip.fps or not repeats:
        return []
    return [f"not evenly spaced in time: {repeats} of {len(taken)} frames are missing, and the one that is nearest in "
            "time stands in for each"]


def _describe(places: list[tuple[int, int]], reason: str, clip: ClipSettings) -> str:
    """What is skipped at these places, each (first frame, number of frames); many are counted."""
    if len(places) > _DESCRIBED:
        text = f"{sum(length for _, length in places)} frames in {len(places)} places"
        return f"{text}, none of them of {clip.num_frames} frames" if reason == "too short" else text
    of = f" of {clip.num_frames}" if reason == "too short" else ""
    return "; ".join(f"{length}{of} frames" + (f", from frame {first}" if first else "") for first, length in places)


def split_into_segments(frames: Iterable[Frame], rate: float | None,
                        clip: ClipSettings) -> Iterator[tuple[list[int], np.ndarray]]:
    """Splits a video into segments, each within one shot, of evenly spaced frames.

    Args:
        frames: of any size.
        rate: frames per second; None when unknown.
        clip: settings of the clips.

    Yields:
        (index in the video of each frame, frames uint8 `[T, height, width, 3]`, or of the video's size where `crop` is
        `patches`), also of segments that are shorter than a clip.
    """
    max_frames = max_segment_frames(clip)
    resized = frames
    if clip.crop == "whole":
        resized = (frame._replace(pixels=crop_and_resize(frame.pixels, clip.height, clip.width)) for frame in frames)
    else:  # segments of whole frames are held in memory
        max_frames = min(max_frames, 2 * clip.num_frames)
    pending: list[tuple[int, np.ndarray]] = []
    for index, pixels, starts_shot in resample(cuts.split_shots(resized, clip.cut_threshold), rate, clip):
        if starts_shot:
            yield from _flush(pending, max_frames)
            pending = []
        pending.append((index, pixels))
        # At least a clip is held back, so that the rest of the shot is a segment too.
        if len(pending) == max_frames + clip.num_frames:
            yield _stack(pending[:max_frames])
            pending = pending[max_frames:]
    yield from _flush(pending, max_frames)


def _flush(pending: list[tuple[int, np.ndarray]], max_frames: int) -> Iterator[tuple[list[int], np.ndarray]]:
    middle = len(pending) // 2 if len(pending) > max_frames else len(pending)
    for part in (pending[:middle], pending[middle:]):
        if part:
            yield _stack(part)


def _stack(pending: list[tuple[int, np.ndarray]]) -> tuple[list[int], np.ndarray]:
    return [index for index, _ in pending], np.stack([frame for _, frame in pending])


def resample(frames: Iterable[Frame], rate: float | None, clip: ClipSettings) -> Iterator[tuple[int, np.ndarray, bool]]:
    """Resamples each shot to evenly spaced frames: to `clip.fps`, or else its own rate, and every `frame_stride`-th.

    At each time the frame that is nearest is taken: frames repeat where the new rate is higher than the video's, or a
    frame is missing in it. A shot ends where a frame stands for longer than a clip lasts: there, no clip would move.

    Args:
        frames: of a video, each with whether a shot starts with it.
        rate: frames per second; None when unknown, and then it is not changed.
        clip: settings of the clips.

    Yields:
        (index in the video, pixels, whether a shot starts with it).
    """
    interval = 1 / rate if rate else 1.0  # of the video, in its units of time
    step = clip.frame_stride * (1 / clip.fps if rate and clip.fps else interval)
    hold = clip.num_frames * step + _ROUNDING * interval
    before: tuple[int, Frame] | None = None
    start = number = 0
    for index, frame in itertools.chain(enumerate(frames), [(0, None)]):
        if before:
            ends = frame is None or frame.starts_shot or not 0 <= frame.time - before[1].time <= hold
            until = before[1].time + interval / 2 if ends else (before[1].time + frame.time) / 2
            while start + number * step < until - _ROUNDING * interval:
                yield before[0], before[1].pixels, number == 0
                number += 1
            if ends and frame:
                start, number = frame.time, 0
        elif frame:
            start = frame.time
        before = frame and (index, frame)
