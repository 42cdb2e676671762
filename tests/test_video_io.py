"""Frames in and out of files."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan_keras.video import containers, io, npz, shapes


def clip(frames=20, height=32, width=48, index=0):
    return shapes.render(7, index, frames, height, width)[0]


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif"])
def test_a_written_video_reads_as_the_same_colours_in_the_same_places(tmp_path, suffix):
    frames = clip()
    io.write_clip(tmp_path / f"clip{suffix}", frames, 10)
    read = np.stack(list(io.read_video(tmp_path / f"clip{suffix}")))
    assert read.shape == frames.shape
    assert np.abs(read.astype(int) - frames).mean() < 3
    header = io.probe(tmp_path / f"clip{suffix}")
    assert (header.width, header.height, header.frames, header.fps) == (48, 32, 20, 10)


def test_red_stays_red(tmp_path):
    frames = np.zeros((3, 16, 16, 3), np.uint8)
    frames[..., 0] = 255
    io.write_clip(tmp_path / "red.mp4", frames, 10)
    io.write_clip(tmp_path / "frames", frames, 10)
    for read in (next(io.read_video(tmp_path / "red.mp4")), io.read_image(tmp_path / "frames" / "00002.png")):
        assert read[8, 8, 0] > 245 and read[8, 8, 1:].max() < 10


def test_arrays_keep_clips_apart_and_every_value(tmp_path):
    clips = np.stack([clip(index=0), clip(index=1)])
    io.write_clip(tmp_path / "deep" / "clips.npz", clips, 10)
    with np.load(tmp_path / "deep" / "clips.npz", allow_pickle=False) as stored:
        np.testing.assert_array_equal(stored["videos"], clips)


def test_a_video_of_odd_size_gets_its_edge_doubled(tmp_path):
    io.write_clip(tmp_path / "odd.webm", clip(5, 31, 33), 10)
    header = io.probe(tmp_path / "odd.webm")
    assert (header.width, header.height) == (34, 32)
    io.write_clip(tmp_path / "odd.gif", clip(5, 31, 33), 10)
    assert next(io.read_video(tmp_path / "odd.gif")).shape == (31, 33, 3)


def test_a_writer_that_loses_frames_is_found_out(tmp_path, monkeypatch):
    real = io.read_video
    monkeypatch.setattr(io, "read_video", lambda path: list(real(path))[:-1])
    with pytest.raises(OSError, match=r"shape \[4, 32, 48, 3\] but reads as \[3, 32, 48, 3\]"):
        io.write_clip(tmp_path / "short.mp4", clip(4), 10)


@pytest.mark.parametrize(("path", "frames", "said"), [
    ("clip.mpeg", clip(), "Received: path="), ("clip.mp4", clip().astype(float), "Received: frames=float64"),
    ("clip.mp4", clip()[..., :1], "Received: frames=uint8")])
def test_what_cannot_be_written_is_said(tmp_path, path, frames, said):
    with pytest.raises(ValueError, match=said):
        io.write_clip(tmp_path / path, frames, 10)


def test_a_contact_sheet_has_a_clip_a_row_and_ends_with_the_last_frame():
    clips = np.stack([clip(index=0), clip(index=1)])
    sheet = io.contact_sheet(clips, columns=4)
    assert sheet.shape == (32 * 2 + 2, 48 * 4 + 6, 3)
    np.testing.assert_array_equal(sheet[:32, :48], clips[0, 0])
    np.testing.assert_array_equal(sheet[34:, -48:], clips[1, -1])


def test_a_grid_plays_clips_side_by_side():
    clips = np.stack([clip(index=index) for index in range(3)])
    played = io.grid(clips)
    assert played.shape == (20, 66, 98, 3)
    np.testing.assert_array_equal(played[5, :32, 50:], clips[1, 5])


def test_fit_takes_the_centre_and_averages_areas():
    frame = np.zeros((4, 8, 3), np.uint8)
    frame[:, :2], frame[:, 2:4], frame[::2, 4:6], frame[:, 6:] = 200, 100, 80, 250
    np.testing.assert_array_equal(io.fit(frame, 2, 2)[..., 0], [[100, 40], [100, 40]])
    assert io.fit(frame, 16, 24).shape == (16, 24, 3)


def rotated(path):
    """Turns the display matrix of an mp4 by a quarter."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 44
    for place, value in enumerate([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]):
        data[start + 4 * place:start + 4 * place + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(data)


def test_a_rotated_video_is_read_upright(tmp_path):
    frames = clip(6, 32, 48)
    io.write_clip(tmp_path / "turned.mp4", frames, 10)
    rotated(tmp_path / "turned.mp4")
    header = io.probe(tmp_path / "turned.mp4")
    assert (header.width, header.height) == (32, 48)
    read = next(io.read_video(tmp_path / "turned.mp4"))
    assert np.abs(read.astype(int) - np.rot90(frames[0], -1)).mean() < 3


def reason(path):
    with pytest.raises(io.ReadError) as caught:
        list(io.read_video(path))
    return str(caught.value)


def test_videos_that_lack_their_end_are_truncated(tmp_path):
    for suffix in (".mp4", ".webm", ".gif"):
        path = tmp_path / f"clip{suffix}"
        io.write_clip(path, clip(30, 64, 64), 10)
        path.write_bytes(path.read_bytes()[:path.stat().st_size * 6 // 10])
        assert reason(path).startswith("truncated"), suffix


def test_an_mp4_of_which_the_middle_is_lost_is_truncated(tmp_path):
    path = tmp_path / "clip.mp4"
    io.write_clip(path, clip(30, 64, 64), 10)
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 1500
    data[start:data.index(b"moov") - 8] = bytes(data.index(b"moov") - 8 - start)
    path.write_bytes(data)
    assert reason(path).startswith("truncated: ")


def test_what_is_no_video_is_unreadable(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n")
    assert reason(tmp_path / "empty.mp4") == "unreadable: empty file"
    assert "not a video that can be opened" in reason(tmp_path / "text.mp4")
    assert reason(tmp_path / "missing.mp4") == "unreadable: No such file or directory"


def test_a_codec_that_is_missing_is_named(request):
    assert reason(request.path.parent / "fixtures" / "av1.mp4") == "unreadable: no frame can be decoded (codec AV01)"


def test_a_playlist_in_disguise_does_not_open_its_neighbour(tmp_path):
    io.write_clip(tmp_path / "other.webm", clip(5), 10)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.webm\n")
    assert reason(tmp_path / "list.mp4").startswith("unreadable")


def test_an_absurd_size_is_refused_before_decoding(tmp_path, monkeypatch):
    io.write_clip(tmp_path / "clip.webm", clip(5), 10)
    monkeypatch.setattr(io, "_MAX_FRAME_PIXELS", 32 * 48 - 1)
    assert reason(tmp_path / "clip.webm") == "too large: declares 5 frames of 48x32"


def test_a_varying_rate_is_not_taken_for_a_missing_end(tmp_path):
    path = tmp_path / "clip.webm"
    io.write_clip(path, clip(5), 10)
    assert not containers.lacks_frames(path, 40, 100, 10.0, 9.9)
    assert containers.lacks_frames(path, 40, 100, 10.0, 3.9)


def test_pictures_that_are_none_are_unreadable(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(io.ReadError, match="not a picture"):
        io.read_image(tmp_path / "text.png")


def test_reading_and_writing_is_silent(tmp_path):
    code = ("import numpy as np; from pathlib import Path; from gan_keras.video import io;"
            "frames = np.zeros((4, 16, 16, 3), np.uint8);"
            "[io.write_clip(f'clip{suffix}', frames, 10) for suffix in ('.webm', '.mp4', '.gif')];"
            "Path('bad.mp4').write_bytes(Path('clip.mp4').read_bytes()[:500]);\n"
            "try: io.probe(Path('bad.mp4'))\nexcept io.ReadError: pass")
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)},
                          capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("suffix", [".webm", ".gif", ""])
def test_a_clip_that_comes_in_pieces_is_the_clip(tmp_path, suffix):
    clips = np.stack([clip(), clip(index=1)])
    io.write_clip(tmp_path / f"whole{suffix}", clips, 10)
    io.write_pieces(tmp_path / f"pieces{suffix}", iter([clips[:, :7], clips[:, 7:8], clips[:, 8:]]), 10)
    if suffix:
        read = [list(io.read_video(tmp_path / f"{name}{suffix}")) for name in ("whole", "pieces")]
    else:
        read = [[io.read_image(path) for path in sorted((tmp_path / name).iterdir())] for name in ("whole", "pieces")]
    assert len(read[0]) == 20
    np.testing.assert_array_equal(read[0], read[1])


def test_frames_that_end_in_the_middle_leave_a_file_that_plays(tmp_path):
    def pieces():
        yield clip()[None]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        io.write_pieces(tmp_path / "cut.webm", pieces(), 10)
    assert len(list(io.read_video(tmp_path / "cut.webm"))) == 20


def test_an_array_of_another_size_than_announced_is_found_out(tmp_path):
    frames = clip()[None]
    npz.write_array(tmp_path / "good.npz", frames.shape, [frames[:, :3], frames[:, 3:]])
    np.testing.assert_array_equal(np.load(tmp_path / "good.npz")["videos"], frames)
    with pytest.raises(OSError, match="was written with shape"):
        npz.write_array(tmp_path / "short.npz", frames.shape, [frames[:, :3]])
