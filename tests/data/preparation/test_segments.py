"""Segments of videos: within one shot, at the rate of the settings, without defects."""

import dataclasses

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.preparation import cleaning, segments
from gan_keras.data.sources.listing import list_source
from gan_keras.data.sources.source_video import OpenedVideo
from gan_keras.errors import UserError
from gan_keras.video.errors import DecodeError
from gan_keras.video.frames import Frame

CLIP = ClipSettings(resolution="16", num_frames=8)


class Video:
    """A video whose decoder yields the frames given, and fails where one is an exception."""

    id = "video"

    def __init__(self, *frames, times=None):
        self._frames, self._times = frames, times or [index / 10.0 for index in range(len(frames))]

    def open(self, size):
        def decode():
            for index, pixels in enumerate(self._frames):
                if isinstance(pixels, Exception):
                    raise pixels
                yield Frame(pixels, self._times[index], index == 0)

        return OpenedVideo(10.0, decode(), size=(20, 30), notes=["as it was read"])


def extract(video, clip=CLIP):
    """The outcome, and its segments as (first frame, frames)."""
    stored = []
    outcome = segments.extract(video, clip, lambda first, frames: stored.append((first, frames)))
    return outcome, stored


def test_a_video_becomes_segments_with_its_rate_and_size():
    frames = render(7, 0, 10, 16, 16)[0]
    outcome, [(first, stored)] = extract(Video(*frames))
    assert (outcome.video_id, outcome.fps, outcome.decoded, outcome.size, first) == ("video", 10.0, 10, (20, 30), 0)
    assert len(outcome.segments) == 1 and not outcome.skipped and outcome.notes == ("as it was read",)
    np.testing.assert_array_equal(stored, frames)


def test_what_was_decoded_before_an_error_is_used():
    frames = render(7, 0, 10, 16, 16)[0]
    for error, text in ((ZeroDivisionError("division by zero"), "unreadable: ZeroDivisionError: division by zero"),
                        (DecodeError("truncated", "3 of 9 frames"), "truncated: 3 of 9 frames")):
        outcome, [(_, stored)] = extract(Video(*frames, error))
        np.testing.assert_array_equal(stored, frames)
        [entry] = outcome.skipped
        assert f"{entry.reason}: {entry.detail}" == f"{text}: the 10 frames before it were used"
        outcome, stored = extract(Video(*frames[:3], error))
        assert (stored, outcome.segments, outcome.decoded) == ([], (), 3)
        assert [f"{entry.reason}: {entry.detail}" for entry in outcome.skipped] == [text]


def test_frames_that_stand_for_missing_ones_are_counted():
    frames, times = render(7, 0, 40, 16, 16)[0], [index / 10 for index in range(50) if index % 5 != 4]
    outcome, stored = extract(Video(*frames, times=times))
    assert sum(len(part) for _, part in stored) == 49 and outcome.decoded == 40
    assert outcome.notes == ("as it was read", "not evenly spaced in time: 9 of 49 frames are missing, and the one "
                             "that is nearest in time stands in for each")
    for settings in ({"fps": 30.0}, {"fps": 5.0}, {"frame_stride": 2}):
        outcome, _ = extract(Video(*frames, times=times), dataclasses.replace(CLIP, **settings))
        assert outcome.notes == ("as it was read",), settings


def test_an_error_of_the_disk_is_not_one_of_the_video():
    def store_on_a_full_disk(first, frames):
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        segments.extract(Video(*render(7, 0, 10, 16, 16)[0]), CLIP, store_on_a_full_disk)


def test_segments_that_are_skipped_for_the_same_reason_are_one_entry():
    random = np.random.default_rng(0)
    shots = [random.integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1) for _ in range(5)]
    outcome, _ = extract(Video(*np.repeat(shots[:2], 3, axis=0)))
    assert [str(entry) for entry in outcome.skipped] == [
        "video: too short (3 of 8 frames; 3 of 8 frames, from frame 3)"]
    outcome, _ = extract(Video(*np.repeat(shots, 3, axis=0)))
    assert [str(entry) for entry in outcome.skipped] == [
        "video: too short (15 frames in 5 places, none of them of 8 frames)"]


def test_segments_of_one_shot_that_are_skipped_are_one_place():
    outcome, _ = extract(Video(*np.full((40, 16, 16, 3), 90, np.uint8)))
    assert [str(entry) for entry in outcome.skipped] == ["video: blank (40 frames)"]


@pytest.mark.parametrize("length", [8, 31, 32, 33, 39, 40, 41, 71, 72, 100])
def test_long_shots_are_split_without_losing_a_frame(length):
    frames = np.arange(length, dtype=np.uint8)[:, None, None, None] * np.ones((1, 16, 16, 3), np.uint8)
    shown = (Frame(pixels, float(index), index == 0) for index, pixels in enumerate(frames))
    parts = list(segments.split_into_segments(shown, None, CLIP))
    np.testing.assert_array_equal(np.concatenate([part for _, part in parts]), frames)
    assert [indices for indices, _ in parts] == [part[:, 0, 0, 0].tolist() for _, part in parts]
    assert all(8 <= len(part) <= 32 for _, part in parts)


def resampled(times, rate, starts=(), **settings):
    """Indices of the frames that are taken, and of those that start a shot."""
    frames = [Frame(np.full((2, 2, 3), index, np.uint8), time, index in (0, *starts))
              for index, time in enumerate(times)]
    taken = list(segments.resample(frames, rate, dataclasses.replace(CLIP, **settings)))
    assert all(pixels[0, 0, 0] == index for index, pixels, _ in taken)
    return [index for index, _, _ in taken], [index for index, _, starts_shot in taken if starts_shot]


@pytest.mark.parametrize(("rate", "settings", "expected"), [
    (30.0, {}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), (30.0, {"frame_stride": 3}, [0, 3, 6, 9]),
    (30.0, {"fps": 15.0}, [0, 2, 4, 6, 8]), (30.0, {"fps": 12.0}, [0, 3, 5, 8]),
    (30.0, {"fps": 60.0}, [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]),
    (30.0, {"fps": 15.0, "frame_stride": 2}, [0, 4, 8]), (None, {"fps": 15.0}, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])])
def test_frames_are_resampled_to_the_rate_of_the_settings(rate, settings, expected):
    assert resampled(np.arange(10) / (rate or 1.0), rate, **settings) == (expected, [0])


def test_every_shot_is_resampled_from_its_first_frame():
    assert resampled(np.arange(10) / 30, 30.0, starts=[5], fps=12.0) == ([0, 3, 5, 8], [0, 5])
    assert resampled(np.arange(10) / 30, 30.0, starts=[4], fps=10.0) == ([0, 3, 4, 7], [0, 4])


def test_frames_are_evenly_spaced_in_time():
    varying = [0.0, 0.04, 0.11, 0.12, 0.2, 0.31, 0.4]
    assert resampled(varying, 10.0) == ([0, 2, 4, 5, 6], [0])
    # A frame that is missing is stood in for by the one before or after it.
    assert resampled([0.0, 0.1, 0.3, 0.4], 10.0) == ([0, 1, 2, 2, 3], [0])
    # 30 frames a second for two seconds, then one a second, sampled twice a second.
    slowing = [*(np.arange(60) / 30), *range(2, 21)]
    taken, _ = resampled(slowing, 30.0, fps=2.0)
    assert len(taken) == 41 and taken[:5] == [0, 15, 30, 45, 60] and taken[-3:] == [77, 78, 78]


def test_a_shot_ends_where_a_frame_stands_for_longer_than_a_clip_or_the_clock_goes_back():
    times = np.arange(20) / 10
    assert resampled([*times, *(times + 2.7)], 10.0)[1] == [0]
    assert resampled([*times, *(times + 3.0)], 10.0) == (list(range(40)), [0, 20])
    assert resampled([*times, *times], 10.0) == (list(range(40)), [0, 20])


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


# ---- parts of frames ----

def test_parts_of_frames_are_at_their_own_scale_next_to_each_other():
    frames = np.random.default_rng(0).integers(0, 256, (6, 40, 70, 3), np.uint8)
    clip = ClipSettings(resolution="16", num_frames=4, crop="patches")
    found = segments.patches(frames, clip, seed=1)
    whole = [frames[:, 4 + 16 * row:20 + 16 * row, 3 + 16 * column:19 + 16 * column]
             for row in range(2) for column in range(4)]
    assert len(found) == 8
    for part, expected in zip(found, whole, strict=True):
        np.testing.assert_array_equal(part, expected)


def test_of_many_parts_some_are_used_the_same_ones_always():
    frames = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 3), np.uint8)
    clip = ClipSettings(resolution="8", num_frames=2, crop="patches")
    one, same, other = (segments.patches(frames, clip, seed) for seed in (1, 1, 2))
    assert len(one) == 8 and len({part.tobytes() for part in one}) == 8
    np.testing.assert_array_equal(one, same)
    assert any((first != second).any() for first, second in zip(one, other, strict=True))


def test_frames_smaller_than_a_part_are_enlarged_and_whole_frames_stay():
    frames = np.full((2, 10, 30, 3), 7, np.uint8)
    assert segments.patches(frames, ClipSettings(resolution="16", crop="patches"), 0)[0].shape == (2, 16, 16, 3)
    assert segments.patches(frames, ClipSettings(resolution="16"), 0)[0] is frames
