"""Segments of videos: within one shot, at the rate of the settings, without defects."""

import dataclasses

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data import cleaning, segments
from gan_keras.data.moving_shapes import render
from gan_keras.data.sources import list_source
from gan_keras.errors import UserError
from gan_keras.video.errors import DecodeError

CLIP = ClipSettings(resolution="16", num_frames=8)


class Video:
    """A video whose decoder yields the frames given, and fails where one is an exception."""

    id = "video"

    def __init__(self, *frames):
        self._frames = frames

    def open(self):
        def decode():
            for frame in self._frames:
                if isinstance(frame, Exception):
                    raise frame
                yield frame

        return 10.0, decode()


def extract(video, clip=CLIP):
    """The outcome, and its segments as (first frame, frames)."""
    stored = []
    outcome = segments.extract(video, clip, lambda first, frames: stored.append((first, frames)))
    return outcome, stored


def test_a_video_becomes_segments_with_its_rate_and_size():
    frames = render(7, 0, 10, 16, 16)[0]
    outcome, [(first, stored)] = extract(Video(*frames))
    assert (outcome.video_id, outcome.fps, outcome.decoded, outcome.size, first) == ("video", 10.0, 10, (16, 16), 0)
    assert len(outcome.segments) == 1 and not outcome.skipped
    np.testing.assert_array_equal(stored, frames)


def test_an_error_of_the_decoder_skips_the_video_and_one_of_the_disk_does_not():
    def store_on_a_full_disk(first, frames):
        raise OSError("No space left on device")

    frames = render(7, 0, 10, 16, 16)[0]
    with pytest.raises(OSError, match="No space left"):
        segments.extract(Video(*frames), CLIP, store_on_a_full_disk)
    for error, text in ((ZeroDivisionError("division by zero"), "unreadable (ZeroDivisionError: division by zero)"),
                        (DecodeError("truncated", "3 of 9 frames"), "truncated (3 of 9 frames)")):
        outcome, _ = extract(Video(*frames, error))
        assert (outcome.segments, [str(entry) for entry in outcome.skipped]) == ((), [f"video: {text}"])
        assert (outcome.decoded, outcome.size) == (10, (16, 16))


@pytest.mark.parametrize("length", [8, 31, 32, 33, 39, 40, 41, 71, 72, 100])
def test_long_shots_are_split_without_losing_a_frame(length):
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    parts = list(segments.split_into_segments(frames, None, CLIP))
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), frames)
    assert [first for first, _ in parts] == [int(part[0, 0, 0, 0]) for _, part in parts]
    assert all(8 <= len(part) <= 32 for _, part in parts)


@pytest.mark.parametrize(("fps", "settings", "expected"), [
    (30.0, {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (30.0, {"frame_stride": 3}, [0, 3, 6, 9]),
    (30.0, {"fps": 15.0}, [0, 2, 4, 6, 8]), (30.0, {"fps": 12.0}, [0, 3, 5, 8]),
    (30.0, {"fps": 60.0}, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]),
    (30.0, {"fps": 15.0, "frame_stride": 2}, [0, 4, 8]), (None, {"fps": 15.0}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])])
def test_frames_are_resampled_to_the_rate_of_the_settings(fps, settings, expected):
    frames = [(np.full((2, 2, 3), index, np.uint8), index == 5) for index in range(10)]
    resampled = list(segments.resample(frames, fps, dataclasses.replace(CLIP, **settings)))
    assert [index for index, _, _ in resampled] == expected
    # A shot that starts at a frame which is not taken starts at the next one that is.
    assert [index for index, _, cut in resampled if cut] == [next(index for index in expected if index >= 5)]


@pytest.mark.parametrize(("fps", "settings", "expected"), [
    (30.0, {}, 30.0), (30.0, {"fps": 12.0, "frame_stride": 2}, 6.0), (None, {"fps": 12.0}, None)])
def test_the_rate_of_clips(fps, settings, expected):
    assert segments.clip_fps(fps, dataclasses.replace(CLIP, **settings)) == expected


def test_a_clip_that_fits_no_record_is_refused():
    assert segments.max_segment_frames(CLIP) == 32
    with pytest.raises(UserError, match=r"too large for a record .* Received: num_frames=1024, resolution=2048"):
        segments.max_segment_frames(ClipSettings(resolution="2048", num_frames=1024))


def test_defects_can_be_ignored():
    fade = np.arange(0, 80, 20, np.uint8)[:, None, None, None] * np.ones((4, 8, 8, 3), np.uint8)
    still = np.repeat(render(0, 0, 1, 8, 8)[0], 4, axis=0)
    moving = render(0, 0, 4, 8, 8)[0]
    assert [cleaning.defect(frames, ()) for frames in (fade, still, moving)] == ["blank", "frozen", ""]
    assert cleaning.defect(fade, ("blank",)) == cleaning.defect(0 * fade, ("blank",)) == ""
    assert cleaning.defect(still, ("frozen",)) == cleaning.defect(still[:1], ()) == ""


def test_the_content_hash_is_of_shape_and_pixels():
    frames = render(0, 0, 4, 8, 8)[0]
    other = frames.copy()
    other[-1, -1, -1, -1] ^= 1
    assert cleaning.content_hash(frames) == cleaning.content_hash(frames.copy())
    assert len({cleaning.content_hash(clip) for clip in (frames, other, frames.reshape(2, 8, 16, 3))}) == 3


def test_drawn_clips_are_one_segment_each():
    for video in list_source("shapes:3", CLIP).videos:
        outcome, stored = extract(video)
        assert [(first, len(frames)) for first, frames in stored] == [(0, 16)] and not outcome.skipped
