"""Encoding of clips: what is written decodes as it was."""

import errno
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from gan_keras.data.drawn.moving_shapes import render
from gan_keras.video import encode
from gan_keras.video.decode import read_video
from gan_keras.video.encode import write_clip, write_segments
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import read_picture


def clip(frames=20, height=32, width=48, index=0):
    return render(7, index, frames, height, width)[0]


def decode(path):
    """Frames of a file as a player shows them."""
    return np.stack(list(read_video(path)))


def stream_of(path):
    """First frame and facts of a video: codec, pixel format, frames per second."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        frame = next(container.decode(stream))
        return frame, stream.codec_context.name, stream.codec_context.pix_fmt, stream.average_rate


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif"])
def test_a_written_video_decodes_to_the_same_colours_in_the_same_places(tmp_path, suffix):
    frames = clip()
    write_clip(tmp_path / f"clip{suffix}", frames, 10)
    decoded = decode(tmp_path / f"clip{suffix}")
    assert decoded.shape == frames.shape
    assert np.abs(decoded.astype(int) - frames).mean() < 3


def test_an_mp4_is_h264_and_a_webm_vp9_and_both_say_which_colours_they_hold(tmp_path):
    for suffix, codec in ((".mp4", "h264"), (".webm", "vp9")):
        write_clip(tmp_path / f"clip{suffix}", clip(3), 10)
        frame, *facts = stream_of(tmp_path / f"clip{suffix}")
        assert facts == [codec, "yuv420p", 10]
        assert (frame.colorspace, frame.color_primaries, frame.color_trc) == (1, 1, 1)  # BT.709
        assert frame.color_range == ColorRange.MPEG


def test_an_mp4_is_vp9_where_there_is_no_encoder_of_h264(tmp_path, monkeypatch):
    monkeypatch.setattr(av, "codecs_available", {"libvpx-vp9"})
    write_clip(tmp_path / "clip.mp4", clip(3), 10)
    assert stream_of(tmp_path / "clip.mp4")[1] == "vp9"


def test_an_mp4_begins_with_its_index_so_that_it_plays_while_it_loads(tmp_path):
    write_clip(tmp_path / "clip.mp4", clip(3), 10)
    content = (tmp_path / "clip.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_an_animation_reads_back_with_its_colours_and_times(tmp_path, suffix):
    frames = clip()
    write_clip(tmp_path / f"clip{suffix}", frames, 10)
    animation = cv2.imreadanimation(str(tmp_path / f"clip{suffix}"))[1]
    decoded = np.stack([frame[..., 2::-1] for frame in animation.frames])
    assert decoded.shape == frames.shape and list(animation.durations) == [100] * len(frames)
    assert np.abs(decoded.astype(int) - frames).mean() < 3


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif", ".webp"])
@pytest.mark.parametrize("frames", [np.repeat(clip(1), 5, axis=0), clip(1)], ids=["frozen", "one frame"])
def test_clips_in_which_nothing_moves_are_written(tmp_path, suffix, frames):
    write_clip(tmp_path / f"clip{suffix}", frames, 10)


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
def test_saturated_colours_stay_what_they_are(tmp_path, suffix):
    colours = np.uint8([[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0], [255, 255, 255], [128, 128, 128]])
    frames = np.broadcast_to(colours.repeat(16, axis=0), (3, 32, 96, 3))
    write_clip(tmp_path / f"colours{suffix}", frames, 10)
    decoded = decode(tmp_path / f"colours{suffix}")
    assert np.abs(decoded[:, 8:24, 8::16].astype(int) - colours).max() <= 4


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
@pytest.mark.parametrize("fps", [15, 30000 / 1001, 12.5, 0.25, 240])
def test_any_rate_is_kept(tmp_path, suffix, fps):
    write_clip(tmp_path / f"clip{suffix}", clip(4), fps)
    assert float(stream_of(tmp_path / f"clip{suffix}")[-1]) == pytest.approx(fps)


def test_a_video_of_odd_size_gets_its_edge_doubled_and_a_gif_does_not(tmp_path):
    for suffix, shape in ((".webm", (5, 32, 34, 3)), (".mp4", (5, 32, 34, 3)), (".gif", (5, 31, 33, 3))):
        write_clip(tmp_path / f"odd{suffix}", clip(5, 31, 33), 10)
        assert decode(tmp_path / f"odd{suffix}").shape == shape


def test_a_path_is_never_a_protocol_or_a_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_clip(Path("http:a %03d.mp4"), clip(2), 10)
    assert [path.name for path in tmp_path.iterdir()] == ["http:a %03d.mp4"]


def test_what_stops_the_writing_is_named_with_the_path(tmp_path):
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(IsADirectoryError, match=r"folder\.mp4"):
        write_clip(tmp_path / "folder.mp4", clip(2), 10)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
def test_a_full_disk_is_an_error_of_that_number(tmp_path, suffix):
    (tmp_path / f"clip{suffix}").symlink_to("/dev/full")
    with pytest.raises(OSError) as caught:
        write_clip(tmp_path / f"clip{suffix}", clip(2), 10)
    assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(tmp_path / f"clip{suffix}")


def test_a_writer_that_loses_frames_is_detected(tmp_path, monkeypatch):
    monkeypatch.setattr(encode, "read_video", lambda path: list(read_video(path))[:-1])
    with pytest.raises(OSError, match=r"shape \[4, 32, 48, 3\] but reads as \[3, 32, 48, 3\]"):
        write_clip(tmp_path / "short.mp4", clip(4), 10)


@pytest.mark.parametrize(("path", "frames", "message"), [
    ("clip.mpeg", clip(2), "Received: path="), ("clip.mp4", clip(2).astype(float), "Received: frames=float64"),
    ("clip.mp4", clip(2)[..., :1], "Received: frames=uint8")])
def test_what_cannot_be_written_is_refused(tmp_path, path, frames, message):
    with pytest.raises(ValueError, match=message):
        write_clip(tmp_path / path, frames, 10)


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif", ""])
def test_a_clip_written_segment_by_segment_is_the_whole_clip(tmp_path, suffix):
    clips = np.stack([clip(), clip(index=1)])
    write_clip(tmp_path / f"whole{suffix}", clips, 10)
    write_segments(tmp_path / f"segments{suffix}", iter([clips[:, :7], clips[:, 7:8], clips[:, 8:]]), 10)
    whole, segmented = (
        decode(tmp_path / f"{name}{suffix}") if suffix else
        [read_picture(path) for path in sorted((tmp_path / name).iterdir())] for name in ("whole", "segments"))
    assert len(whole) == 20
    np.testing.assert_array_equal(whole, segmented)


@pytest.mark.parametrize("suffix", [".webm", ".mp4"])
def test_an_interrupted_writer_leaves_a_video_that_plays(tmp_path, suffix):
    def segments():
        yield clip()[None]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segments(tmp_path / f"interrupted{suffix}", segments(), 10)
    assert len(decode(tmp_path / f"interrupted{suffix}")) == 20
