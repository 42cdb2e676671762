"""Decoding of videos as people have them: turned, interlaced, cut, damaged, of any rate and kind."""

import itertools
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest

from gan_keras.video import decode
from gan_keras.video.decode import VideoFile, read_video
from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import crop_and_resize
from tests.processes import ROOT
from tests.video.videos import add_cover, encode, moving, turn

FRAMES = moving(60)


def error_of(path):
    with pytest.raises(DecodeError) as caught:
        list(read_video(path))
    return str(caught.value)


def indices(frames, originals=FRAMES):
    """Which of the originals each decoded frame is; an assertion holds that it is one of them."""
    found = []
    for frame in frames:
        pixels = getattr(frame, "pixels", frame).astype(int)
        distances = [np.abs(pixels - original).mean() for original in originals]
        found.append(int(np.argmin(distances)))
        assert min(distances) < 6
    return found


def decoded(path, **settings):
    """The opened file, its frames, and the indices of those that start a shot."""
    file = VideoFile(path, **settings)
    frames = list(file.frames())
    return file, frames, [index for index, frame in enumerate(frames) if frame.starts_shot]


def damage(path, start, count):
    """Overwrites bytes of a file from a share of its length on."""
    content = bytearray(path.read_bytes())
    first = int(len(content) * start)
    content[first:first + count] = np.random.default_rng(0).integers(0, 256, count, np.uint8).tobytes()
    path.write_bytes(content)


def cut(path, share):
    """Leaves a share of a file."""
    path.write_bytes(path.read_bytes()[:int(path.stat().st_size * share)])


# ---- what a player shows ----

@pytest.mark.parametrize("matrix", [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0),
                                    (-1, 0, 0, 1), (1, 0, 0, -1), (0, 1, 1, 0), (0, -1, -1, 0)])
@pytest.mark.parametrize("size", [None, (32, 16)])
def test_a_video_is_turned_and_mirrored_as_its_matrix_says(tmp_path, matrix, size):
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:24, :32], picture[:24, 32:], picture[24:, :32] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    encode(tmp_path / "clip.mp4", [picture] * 2, pix_fmt="yuv444p")
    turn(tmp_path / "clip.mp4", *matrix)
    a, b, c, d = matrix
    y, x = np.mgrid[:48, :64]  # the pixel (x, y) is shown at (a x + c y, b x + d y)
    shown_x, shown_y = a * x + c * y, b * x + d * y
    expected = np.zeros((48, 64, 3) if a else (64, 48, 3), np.uint8)
    expected[shown_y - shown_y.min(), shown_x - shown_x.min()] = picture
    file, [frame, _], _ = decoded(tmp_path / "clip.mp4", size=size)
    assert file.display_size == expected.shape[:2]
    if size:
        expected = crop_and_resize(expected, *size)
    assert frame.pixels.shape == expected.shape
    assert np.abs(frame.pixels.astype(int) - expected).mean() < 8


@pytest.mark.parametrize(("aspect", "size"), [(Fraction(4, 3), (48, 80)), (Fraction(2, 3), (72, 60)),
                                              (Fraction(1, 100), (48, 60))])
def test_pixels_become_square(tmp_path, aspect, size):
    frame = np.zeros((48, 60, 3), np.uint8)
    width = 20 if aspect < Fraction(1, 10) else round(20 / aspect)  # an aspect ratio of 1:100 is no ratio of pixels
    frame[14:34, 15:15 + width] = 255
    encode(tmp_path / "clip.mkv", [frame] * 2, aspect=aspect)
    file, [first, _], _ = decoded(tmp_path / "clip.mkv")
    assert file.display_size == first.pixels.shape[:2] == size
    bright = first.pixels[..., 1] > 127
    assert bright.any(axis=0).sum() == pytest.approx(bright.any(axis=1).sum(), abs=2)
    small = decoded(tmp_path / "clip.mkv", size=(24, 24))[1][0].pixels[..., 1] > 127
    assert small.any(axis=0).sum() == pytest.approx(small.any(axis=1).sum(), abs=1)


@pytest.mark.parametrize("colorspace", [1, 5, 6, 9])
@pytest.mark.parametrize("color_range", [1, 2])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le"])
def test_colours_are_those_of_the_matrix_and_range_of_the_file(tmp_path, colorspace, color_range, pix_fmt):
    colours = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (200, 180, 40)], np.uint8)
    encode(tmp_path / "clip.mkv", [np.tile(colours.repeat(16, 0), (48, 1, 1))] * 2, pix_fmt=pix_fmt,
           options={"crf": "1"}, colorspace=colorspace, color_range=color_range)
    [first, _] = read_video(tmp_path / "clip.mkv")
    np.testing.assert_allclose(first[24, 8::16].astype(int), colours, atol=6)


@pytest.mark.parametrize(("codec", "pix_fmt", "suffix"), [("qtrle", "argb", "mov"), ("png", "rgba", "mov")])
def test_what_is_transparent_is_on_black(tmp_path, codec, pix_fmt, suffix):
    frames = [np.dstack([frame, np.full(frame.shape[:2], 128, np.uint8)]) for frame in FRAMES[:3]]
    encode(tmp_path / f"clip.{suffix}", frames, codec, pix_fmt=pix_fmt)
    np.testing.assert_allclose(next(read_video(tmp_path / f"clip.{suffix}")).astype(float), FRAMES[0] * (128 / 255),
                               atol=2)


@pytest.mark.parametrize(("codec", "suffix"), [("mpeg2video", "mkv"), ("libx264", "mp4")])
def test_fields_are_merged_without_combs(tmp_path, codec, suffix):
    def bar(position):
        frame = np.zeros((64, 96, 3), np.uint8)
        frame[:, position % 80:position % 80 + 16] = 255
        return frame

    woven = []
    for time in range(12):
        frame = bar(8 * time)
        frame[1::2] = bar(8 * time + 4)[1::2]
        woven.append(frame)
    options = {"flags": "+ilme+ildct"} | ({"x264-params": "tff=1"} if codec == "libx264" else {})
    encode(tmp_path / f"clip.{suffix}", woven, codec, options=options)
    file, frames, _ = decoded(tmp_path / f"clip.{suffix}")
    assert len(frames) == 12 and file.notes == ["interlaced: its fields were merged"]
    for frame, comb in zip(frames[2:-2], woven[2:-2], strict=True):
        assert frame.pixels.max() > 200
        combs = [np.abs(np.diff(pixels.astype(int), axis=0)).mean() for pixels in (frame.pixels, comb)]
        assert combs[0] < 0.3 * combs[1]


def test_scaling_while_decoding_equals_scaling_afterwards(tmp_path):
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (6, 10, 3), np.uint8).repeat(24, 0).repeat(24, 1) for _ in range(3)]
    encode(tmp_path / "clip.mp4", frames, options={"crf": "10"})
    for size in ((48, 32), (24, 64), (16, 16), (288, 200)):
        scaled = [frame.pixels for frame in decoded(tmp_path / "clip.mp4", size=size)[1]]
        for one, other in zip(scaled, read_video(tmp_path / "clip.mp4"), strict=True):
            assert np.abs(one.astype(int) - crop_and_resize(other, *size)).mean() < 6


def test_hdr_is_noted(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES[:3], pix_fmt="yuv420p10le", colorspace=9, color_trc=16)
    assert decoded(tmp_path / "clip.mp4")[0].notes == ["HDR (PQ): its colours were not tone-mapped"]


def test_frames_of_another_size_in_the_middle_are_scaled_as_all(tmp_path):
    encode(tmp_path / "one.ts", FRAMES[:10])
    encode(tmp_path / "other.ts", [frame[:32, :40] for frame in FRAMES[10:20]])
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "one.ts").read_bytes() + (tmp_path / "other.ts").read_bytes())
    _, frames, starts = decoded(path, size=(24, 24))
    assert {frame.pixels.shape for frame in frames} == {(24, 24, 3)}
    assert len(frames) >= 18 and 0.0 in [frames[index].time for index in starts[1:]]  # its clock begins anew, too


# ---- frames and times ----

def test_a_video_trimmed_without_encoding_has_the_frames_that_are_shown(tmp_path):
    encode(tmp_path / "long.mp4", FRAMES, options={"bf": "2"})
    with (av.open(str(tmp_path / "long.mp4")) as source,
          av.open(str(tmp_path / "clip.mp4"), "w", options={"avoid_negative_ts": "disabled"}) as output):
        stream = output.add_stream_from_template(source.streams.video[0])
        frame = int(1 / (25 * stream.time_base or source.streams.video[0].time_base * 25))
        for packet in source.demux(video=0):
            if packet.dts is not None and packet.pts >= 12 * frame:
                packet.pts, packet.dts, packet.stream = packet.pts - 20 * frame, packet.dts - 20 * frame, stream
                output.mux(packet)
    file, frames, _ = decoded(tmp_path / "clip.mp4")
    assert indices(frames) == list(range(20, 60))
    assert file.frame_count == 40 and frames[-1].time == pytest.approx(39 / 25)


def test_sound_that_outlasts_the_picture_costs_nothing(tmp_path):
    encode(tmp_path / "clip.webm", FRAMES[:50], "libvpx-vp9", seconds_of_sound=3.0)
    file, frames, _ = decoded(tmp_path / "clip.webm")
    assert indices(frames) == list(range(50)) and file.rate == 25.0 and file.notes == []


def test_frames_that_were_dropped_leave_gaps_in_time(tmp_path):
    with av.open(str(tmp_path / "clip.avi"), "w") as output:
        stream = output.add_stream("mpeg4", rate=25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        frames = [av.VideoFrame.from_ndarray(frame) for frame in FRAMES[:30]]
        for packet in itertools.chain.from_iterable(map(stream.encode, [*frames, None])):
            if packet.pts % 5 != 4:
                output.mux(packet)
    file, frames, starts = decoded(tmp_path / "clip.avi")
    assert [round(frame.time * 25) for frame in frames] == [time for time in range(30) if time % 5 != 4]
    assert file.rate == 25.0 and starts == [0]


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "libx264"), ("webm", "libvpx-vp9")])
def test_the_rate_is_that_of_most_frames_and_times_are_those_of_the_file(tmp_path, suffix, codec):
    times = [33 * index for index in range(40)] + [2000, 3000, 9000]
    encode(tmp_path / f"clip.{suffix}", FRAMES[:43], codec, times=times)
    file, frames, _ = decoded(tmp_path / f"clip.{suffix}")
    assert file.rate == pytest.approx(1000 / 33, rel=0.02)  # the header says 1000, or the mean
    np.testing.assert_allclose([1000 * frame.time for frame in frames], times, atol=4)


@pytest.mark.parametrize(("suffix", "codec", "rate"), [
    ("mp4", "libx264", 24), ("mkv", "libx264", Fraction(30000, 1001)), ("webm", "libvpx-vp9", 60),
    ("avi", "mpeg4", 15), ("ts", "libx264", 50), ("mpg", "mpeg2video", 25), ("wmv", "wmv2", 25), ("flv", "flv", 25),
    ("mxf", "mpeg2video", 25), ("y4m", "wrapped_avframe", 25), ("mov", "mjpeg", 12)])
def test_files_of_every_kind_keep_their_frames_and_rate(tmp_path, suffix, codec, rate):
    path = tmp_path / f"clip.{suffix}"
    encode(path, FRAMES[:30], codec, rate, "yuvj420p" if codec == "mjpeg" else "yuv420p")
    file, frames, starts = decoded(path)
    assert indices(frames) == list(range(30)) and starts == [0]
    assert file.rate == pytest.approx(float(rate), rel=1e-4)
    steps = np.diff([frame.time for frame in frames])[:20]
    np.testing.assert_allclose(steps, 1 / float(rate), rtol=1e-3)


def test_av1_is_decoded():
    file, frames, _ = decoded(ROOT / "tests" / "fixtures" / "av1.mp4")
    assert len(frames) == file.frame_count > 0


def test_a_cover_picture_is_not_the_video(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES[:10])
    add_cover(tmp_path / "clip.mp4", tmp_path / "both.mp4")
    assert indices(read_video(tmp_path / "both.mp4")) == list(range(10))


# ---- damage ----

KINDS = [("mp4", "libx264"), ("mkv", "libx264"), ("webm", "libvpx-vp9"), ("avi", "mpeg4"), ("ts", "libx264"),
         ("mpg", "mpeg2video"), ("wmv", "wmv2"), ("flv", "libx264")]


@pytest.mark.parametrize(("suffix", "codec"), [kind for kind in KINDS if kind[1] != "wmv2"])  # which hides damage
def test_damage_in_the_middle_costs_the_frames_up_to_the_next_key_frame(tmp_path, suffix, codec):
    path = tmp_path / f"clip.{suffix}"
    encode(path, FRAMES, codec)
    damage(path, 0.45, 400)
    file, frames, starts = decoded(path)
    found = indices(frames)
    assert found == sorted(set(found)) and 30 <= len(found) < 60 and found[-1] == 59
    gaps = {index for index in range(1, len(found)) if found[index] > found[index - 1] + 1}
    assert gaps and {0, *gaps} == set(starts)  # a shot starts behind the damage
    [loss] = file.losses
    assert loss.reason == "damaged" and file.notes == []
    assert loss.detail == f"{len(found)} of its {file.frame_count} frames were used"


@pytest.mark.parametrize(("suffix", "codec"), KINDS)
def test_of_a_video_that_lacks_its_end_the_beginning_is_used(tmp_path, suffix, codec):
    path = tmp_path / f"clip.{suffix}"
    encode(path, FRAMES, codec, container={"movflags": "faststart"} if suffix == "mp4" else {})
    cut(path, 0.6)
    file, frames, _ = decoded(path)
    found = indices(frames)
    assert found == list(range(len(found))) and 20 <= len(found) < 50
    assert len(file.losses) == (suffix != "ts")  # of those packets none tells that it is the last
    assert all(loss.reason in ("truncated", "damaged") and str(len(found)) in loss.detail for loss in file.losses)


def test_what_is_used_of_a_damaged_file_does_not_depend_on_others_that_are_open(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES, options={"bf": "2"})
    damage(tmp_path / "clip.mp4", 0.6, 400)
    alone = [frame.time for frame in decoded(tmp_path / "clip.mp4")[1]]
    first, second = (VideoFile(tmp_path / "clip.mp4").frames() for _ in range(2))
    times = [[frame.time for frame in pair] for pair in zip(first, second, strict=True)]
    assert times == [[time, time] for time in alone]


def test_without_its_index_nothing_of_an_mp4_can_be_found(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES)
    cut(tmp_path / "clip.mp4", 0.6)
    assert error_of(tmp_path / "clip.mp4").startswith("truncated: its end is missing, and with it the index")


def test_a_video_without_a_frame_that_can_be_decoded_says_so(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES[:10])
    content = (tmp_path / "clip.mp4").read_bytes()
    start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
    (tmp_path / "clip.mp4").write_bytes(content[:start] + bytes(end - start) + content[end:])
    assert error_of(tmp_path / "clip.mp4") == "unreadable: none of its 10 frames can be decoded (h264)"


# ---- what is no video, and hostile files ----

def test_files_that_are_no_videos_are_named(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "text.mp4").write_text("not a video\n")
    assert error_of(tmp_path / "empty.mp4") == "unreadable: empty file"
    assert error_of(tmp_path / "text.mp4") == "unreadable: it is not a video, or of a kind that is not read"
    assert error_of(tmp_path / "missing.mp4") == "unreadable: No such file or directory"


def test_sound_alone_is_no_video(tmp_path):
    with av.open(str(tmp_path / "sound.mkv"), "w") as output:
        stream = output.add_stream("libopus", rate=48000)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 960), np.float32), "flt", "mono")
        silence.sample_rate = 48000
        output.mux(stream.encode(silence))
        output.mux(stream.encode())
    assert error_of(tmp_path / "sound.mkv") == "unsupported: it has no video, only sound"


def test_a_playlist_in_disguise_does_not_open_its_neighbour(tmp_path):
    encode(tmp_path / "other.mp4", FRAMES[:5])
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile other.mp4\n")
    (tmp_path / "list.ts").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n")
    for name in ("list.mp4", "list.ts"):
        assert error_of(tmp_path / name).startswith("unreadable: it is not a video")


def test_an_absurd_size_is_refused_before_decoding(tmp_path, monkeypatch):
    encode(tmp_path / "clip.mkv", FRAMES[:5])
    monkeypatch.setattr(decode, "MAX_FRAME_PIXELS", 48 * 64 - 1)
    assert error_of(tmp_path / "clip.mkv") == "too large: declares frames of 64x48"
    monkeypatch.setattr(decode, "MAX_FRAME_PIXELS", 2**25)
    monkeypatch.setattr(decode, "MAX_VIDEO_PIXELS", 4 * 48 * 64)
    assert error_of(tmp_path / "clip.mkv") == "too large: 5 frames of 64x48"


def test_a_name_with_any_letters_is_a_name(tmp_path):
    for name in ("a:b %03d.mp4", "größe 日本.mp4", "-x 'y' \"z\".mp4"):
        encode(tmp_path / name, FRAMES[:3])
        assert indices(read_video(tmp_path / name)) == [0, 1, 2]


def test_decoding_is_silent(tmp_path):
    encode(tmp_path / "clip.mp4", FRAMES)
    damage(tmp_path / "clip.mp4", 0.45, 400)
    code = (f"import sys; sys.path.insert(0, {str(ROOT)!r}); from pathlib import Path\n"
            "from gan_keras.video.decode import read_video\n"
            "print(len(list(read_video(Path('clip.mp4')))) > 30)")
    process = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert (process.stdout, process.stderr) == ("True\n", "")
