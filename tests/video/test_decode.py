"""Decoding of videos, damaged ones included."""

import subprocess
import sys

import numpy as np
import pytest

from gan_keras.data.moving_shapes import render
from gan_keras.video import containers, decode
from gan_keras.video.decode import probe, read_video
from gan_keras.video.encode import write_clip
from gan_keras.video.errors import DecodeError
from tests.conftest import ROOT


def clip(frames=20, height=32, width=48):
    return render(7, 0, frames, height, width)[0]


def error_of(path):
    with pytest.raises(DecodeError) as caught:
        list(read_video(path))
    return str(caught.value)


def rotate_display_matrix(path):
    """Rotates an mp4 by a quarter turn, in its header."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    for position, value in enumerate([0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30]):
        content[start + 4 * position:start + 4 * position + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(content)


def test_a_rotated_video_is_decoded_upright(tmp_path):
    frames = clip(6, 32, 48)
    write_clip(tmp_path / "rotated.mp4", frames, 10)
    rotate_display_matrix(tmp_path / "rotated.mp4")
    header = probe(tmp_path / "rotated.mp4")
    assert (header.width, header.height) == (32, 48)
    decoded = next(read_video(tmp_path / "rotated.mp4"))
    assert np.abs(decoded.astype(int) - np.rot90(frames[0], -1)).mean() < 3


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".gif"])
def test_videos_that_lack_their_end_are_truncated(tmp_path, suffix):
    path = tmp_path / f"clip{suffix}"
    write_clip(path, clip(30, 64, 64), 10)
    path.write_bytes(path.read_bytes()[:path.stat().st_size * 6 // 10])
    assert error_of(path).startswith("truncated")


def test_an_mp4_of_which_the_middle_is_lost_is_truncated(tmp_path):
    path = tmp_path / "clip.mp4"
    write_clip(path, clip(30, 64, 64), 10)
    content = bytearray(path.read_bytes())
    start, end = content.index(b"mdat") + 1500, content.index(b"moov") - 8
    content[start:end] = bytes(end - start)
    path.write_bytes(content)
    assert error_of(path).startswith("truncated: ")


def test_files_that_are_no_videos_are_unreadable(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n")
    assert error_of(tmp_path / "empty.mp4") == "unreadable: empty file"
    assert "not a video that can be opened" in error_of(tmp_path / "text.mp4")
    assert error_of(tmp_path / "missing.mp4") == "unreadable: No such file or directory"


def test_a_codec_that_is_missing_is_named():
    path = ROOT / "tests" / "fixtures" / "av1.mp4"
    assert error_of(path) == "unreadable: no frame can be decoded (codec AV01)"


def test_a_playlist_in_disguise_does_not_open_its_neighbour(tmp_path):
    write_clip(tmp_path / "other.webm", clip(5), 10)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.webm\n")
    assert error_of(tmp_path / "list.mp4").startswith("unreadable")


def test_an_absurd_size_is_refused_before_decoding(tmp_path, monkeypatch):
    write_clip(tmp_path / "clip.webm", clip(5), 10)
    monkeypatch.setattr(decode, "MAX_FRAME_PIXELS", 32 * 48 - 1)
    assert error_of(tmp_path / "clip.webm") == "too large: declares 5 frames of 48x32"


def test_a_varying_frame_rate_is_not_mistaken_for_a_missing_end(tmp_path):
    path = tmp_path / "clip.webm"
    write_clip(path, clip(5), 10)
    assert not containers.lacks_frames(path, 40, 100, 10.0, 9.9)
    assert containers.lacks_frames(path, 40, 100, 10.0, 3.9)


def test_decoding_and_encoding_are_silent(tmp_path):
    code = ("import numpy as np; from pathlib import Path; from gan_keras.video.decode import probe;"
            "from gan_keras.video.encode import write_clip; from gan_keras.video.errors import DecodeError;"
            "frames = np.zeros((4, 16, 16, 3), np.uint8);"
            "[write_clip(Path(f'clip{suffix}'), frames, 10) for suffix in ('.webm', '.mp4', '.gif')];"
            "Path('bad.mp4').write_bytes(Path('clip.mp4').read_bytes()[:500]);\n"
            "try: probe(Path('bad.mp4'))\nexcept DecodeError: print('caught')")
    process = subprocess.run([sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                             cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (process.stdout, process.stderr) == ("caught\n", "")
