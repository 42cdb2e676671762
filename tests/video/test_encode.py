"""Encoding of clips: what is written decodes as it was."""

import numpy as np
import pytest

from gan_keras.data.moving_shapes import render
from gan_keras.video import encode
from gan_keras.video.decode import probe, read_video
from gan_keras.video.encode import write_clip, write_segments
from gan_keras.video.pictures import read_picture


def clip(frames=20, height=32, width=48, index=0):
    return render(7, index, frames, height, width)[0]


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif"])
def test_a_written_video_decodes_to_the_same_colours_in_the_same_places(tmp_path, suffix):
    frames = clip()
    write_clip(tmp_path / f"clip{suffix}", frames, 10)
    decoded = np.stack(list(read_video(tmp_path / f"clip{suffix}")))
    assert decoded.shape == frames.shape
    assert np.abs(decoded.astype(int) - frames).mean() < 3
    header = probe(tmp_path / f"clip{suffix}")
    assert (header.width, header.height, header.frames, header.fps) == (48, 32, 20, 10)


def test_red_stays_red(tmp_path):
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    frames[..., 0] = 255
    write_clip(tmp_path / "red.mp4", frames, 10)
    write_clip(tmp_path / "frames", frames, 10)
    for decoded in (next(read_video(tmp_path / "red.mp4")), read_picture(tmp_path / "frames" / "00002.png")):
        assert decoded[8, 8, 0] > 245 and decoded[8, 8, 1:].max() < 10


def test_a_video_of_odd_size_gets_its_edge_doubled_and_a_gif_does_not(tmp_path):
    write_clip(tmp_path / "odd.webm", clip(5, 31, 33), 10)
    header = probe(tmp_path / "odd.webm")
    assert (header.width, header.height) == (34, 32)
    write_clip(tmp_path / "odd.gif", clip(5, 31, 33), 10)
    assert next(read_video(tmp_path / "odd.gif")).shape == (31, 33, 3)


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


@pytest.mark.parametrize("suffix", [".webm", ".gif", ""])
def test_a_clip_written_segment_by_segment_is_the_whole_clip(tmp_path, suffix):
    clips = np.stack([clip(), clip(index=1)])
    write_clip(tmp_path / f"whole{suffix}", clips, 10)
    write_segments(tmp_path / f"segments{suffix}", iter([clips[:, :7], clips[:, 7:8], clips[:, 8:]]), 10)
    whole, segmented = (
        list(read_video(tmp_path / f"{name}{suffix}")) if suffix else
        [read_picture(path) for path in sorted((tmp_path / name).iterdir())] for name in ("whole", "segments"))
    assert len(whole) == 20
    np.testing.assert_array_equal(whole, segmented)


def test_an_interrupted_writer_leaves_a_video_that_plays(tmp_path):
    def segments():
        yield clip()[None]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_segments(tmp_path / "interrupted.webm", segments(), 10)
    assert len(list(read_video(tmp_path / "interrupted.webm"))) == 20
