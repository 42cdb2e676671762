"""Everyday videos with an oddity each, from `shared/field` beside the repository, with the right values for them."""

import av
import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import segments
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.sources.listing import list_source
from gan_keras.video.decode import VideoFile
from tests.processes import ROOT

FIELD = ROOT.parent / "shared" / "field"
CLIP = ClipSettings(resolution="32", num_frames=8)

pytestmark = pytest.mark.skipif(not FIELD.is_dir(), reason="shared/field is not there")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return prepare(str(FIELD), tmp_path_factory.mktemp("field") / "clips", CLIP, workers=1)


def missing(count, total):
    return (f"not evenly spaced in time: {count} of {total} frames are missing, and the one that is nearest in time "
            "stands in for each",)


@pytest.mark.parametrize(("name", "frames", "fps", "size", "notes"), [
    ("trimmed.mp4", 122, 30, (120, 160), missing(2, 124)), ("sound_outlasts_picture.webm", 150, 30, (120, 160), ()),
    ("dropped_frames.avi", 96, 30, (120, 160), missing(23, 119)), ("variable_rate.mp4", 78, 30, (120, 160), ()),
    ("non_square_pixels.mp4", 20, 10, (576, 1024), ()),
    ("interlaced.mkv", 50, 25, (144, 180), ("interlaced: its fields were merged",)),
    ("gif_with_trailing_zeros.gif", 20, 10, (60, 80), ())])
def test_all_frames_that_a_player_shows_are_used(manifest, name, frames, fps, size, notes):
    [entry] = [entry for entry in manifest.sources if entry.video_id == name]
    assert (entry.frames, entry.fps, entry.size, entry.notes) == (frames, fps, size, notes)
    assert entry.records == entry.segments > 0


def test_nothing_but_what_stands_still_is_left_out(manifest):
    assert [str(entry) for entry in manifest.skipped] == [
        "README.md: not a video",
        "variable_rate.mp4: too short (17 frames in 17 places, none of them of 8 frames)"]


def taken(name, **settings):
    """Times of the frames that clips of a video are made of, and at which they are shown there."""
    clip = ClipSettings(resolution="32", num_frames=8, cut_threshold=1.0, **settings)
    [video] = [video for video in list_source(str(FIELD), clip).videos if video.id == name]
    opened = video.open((32, 32))
    frames = list(opened.frames)
    indices = [index for index, _, _ in segments.resample(frames, opened.rate, clip)]
    return (np.array([frames[index].time for index in indices]),
            np.arange(len(indices)) / segments.clip_fps(opened.rate, clip))


def test_frames_stay_where_they_are_in_time_though_others_were_dropped():
    times, shown = taken("dropped_frames.avi")
    assert len(times) == 119 and len(set(times)) == 96
    assert np.abs(times - shown).max() < 1.01 / 30


def test_a_varying_rate_is_sampled_by_time():
    times, shown = taken("variable_rate.mp4", fps=2.0)
    assert len(times) == 39 and times[-1] == 19
    np.testing.assert_allclose(times[:5], [0, 0.5, 1, 1.5, 2], atol=1e-6)
    assert np.abs(times - shown).max() <= 0.5


def test_a_square_is_square():
    for size in (None, (64, 64), (64, 96)):
        for frame in VideoFile(FIELD / "non_square_pixels.mp4", size).frames():
            bright = frame.pixels[..., 1] > 127
            width, height = bright.any(axis=0).sum(), bright.any(axis=1).sum()
            assert width == pytest.approx(height, abs=1) and height > 20 * (size or (576,))[0] // 144


def combs(frames):
    """How far rows are from the mean of their neighbours, on average."""
    frames = np.stack(frames).astype(float)
    return np.abs(frames[:, 1:-1] - (frames[:, :-2] + frames[:, 2:]) / 2).mean()


def test_fields_are_merged():
    frames = [frame.pixels for frame in VideoFile(FIELD / "interlaced.mkv").frames()]
    assert len(frames) == 50 and min(frame.mean() for frame in frames) > 50
    with av.open(str(FIELD / "interlaced.mkv")) as container:
        woven = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert combs(frames) < 0.5 * combs(woven)
