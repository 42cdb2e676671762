"""Films of closed segments: their frames, times and sound, and going on behind what is there."""

import av
import numpy as np
import pytest

from gan_keras.video import films
from gan_keras.video.decode import VideoFile
from gan_keras.video.films import FilmWriter

RATE = 10.0


def picture(number, side=(32, 48)):
    """A grey picture that says its number."""
    return np.full((*side, 3), 40 + 8 * number, np.uint8)


def write(path, numbers, times=None, key="a", side=(32, 48)):
    writer = FilmWriter(path, RATE, key)
    for number in numbers[writer.done:]:
        writer.write(picture(number, side), (times or [n / RATE for n in range(100)])[number])
    return writer


def read(path):
    """Numbers and times of the frames of a film."""
    frames = list(VideoFile(path).frames())
    return [round((float(frame.pixels.mean()) - 40) / 8) for frame in frames], [frame.time for frame in frames]


@pytest.fixture(autouse=True)
def short_segments(monkeypatch):
    monkeypatch.setattr(films, "SEGMENT_SECONDS", 0.5)


@pytest.fixture(scope="module")
def spoken(tmp_path_factory):
    """A video of two seconds whose sound is a tone that begins after one second, its clock beginning at 0."""
    path = tmp_path_factory.mktemp("spoken") / "spoken.mp4"
    with av.open(str(path), "w") as container:
        video, sound = container.add_stream("libx264", 10), container.add_stream("aac", 16000)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        for number in range(20):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(number), "rgb24")))
        tone = np.sin(np.arange(32000) * 0.2).astype(np.float32) * (np.arange(32000) >= 16000)
        for begin in range(0, 32000, 1000):
            frame = av.AudioFrame.from_ndarray(tone[None, begin:begin + 1000], "fltp", "mono")
            frame.sample_rate, frame.pts = 16000, begin
            container.mux(sound.encode(frame))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    return path


def sound_of(path):
    """Samples of a file's sound, from its beginning, and its rate and codec."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        frames = list(container.decode(stream))
        first = round((frames[0].time or 0) * stream.rate)
        samples = np.concatenate([frame.to_ndarray().mean(0) if frame.format.is_planar else
                                  frame.to_ndarray()[0, ::frame.layout.nb_channels] for frame in frames])
        return np.concatenate([np.zeros(max(first, 0)), samples]), stream.rate, stream.codec_context.name


@pytest.mark.parametrize("suffix", films.FILM_SUFFIXES)
def test_segments_are_joined_to_a_film_with_all_frames_at_their_times(tmp_path, suffix):
    path = tmp_path / f"film{suffix}"
    writer = write(path, range(17))
    assert not path.exists()
    writer.finish(None, 0.0)
    numbers, times = read(path)
    assert numbers == list(range(17))
    np.testing.assert_allclose(times, np.arange(17) / RATE, atol=0.002)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # nothing is left beside it


def test_frames_of_a_variable_rate_keep_their_times(tmp_path):
    times = [0.0, 0.1, 0.2, 0.7, 0.8, 1.9, 2.0]
    writer = write(tmp_path / "film.mp4", range(7), times)
    writer.finish(None, 0.0)
    numbers, found = read(tmp_path / "film.mp4")
    assert numbers == list(range(7))
    np.testing.assert_allclose(found, times, atol=0.002)


def test_a_later_process_goes_on_behind_closed_segments(tmp_path):
    path = tmp_path / "film.mp4"
    killed = write(path, range(13))
    assert killed.written
    del killed  # its last segment was never closed
    writer = write(path, range(17))
    assert writer.done == 10
    writer.finish(None, 0.0)
    assert read(path)[0] == list(range(17))


def test_what_is_closed_before_an_error_is_gone_on_with(tmp_path):
    write(tmp_path / "film.mp4", range(13)).abandon()
    assert FilmWriter(tmp_path / "film.mp4", RATE, "a").done == 13


def test_other_work_of_the_same_name_begins_anew(tmp_path):
    write(tmp_path / "film.mp4", range(13)).abandon()
    writer = write(tmp_path / "film.mp4", range(3), key="b")
    assert writer.done == 0
    writer.finish(None, 0.0)
    assert read(tmp_path / "film.mp4")[0] == [0, 1, 2]


def test_odd_sides_are_made_even(tmp_path):
    write(tmp_path / "film.mp4", range(3), side=(31, 47)).finish(None, 0.0)
    assert next(VideoFile(tmp_path / "film.mp4").frames()).pixels.shape == (32, 48, 3)


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mov", "aac"), (".mkv", "aac"), (".webm", "opus")])
def test_sound_is_copied_or_encoded_where_the_container_does_not_take_it(tmp_path, spoken, suffix, codec):
    path = tmp_path / f"film{suffix}"
    write(path, range(20)).finish(spoken, 0.0)
    samples, rate, name = sound_of(path)
    assert codec in name and read(path)[0] == list(range(20))
    loud = np.abs(samples) > 0.1
    assert np.flatnonzero(loud)[0] / rate == pytest.approx(1.0, abs=0.06)
    if suffix == ".mp4":
        original = sound_of(spoken)[0]
        np.testing.assert_allclose(samples[:len(original)][20000:30000], original[20000:30000], atol=1e-6)


def test_sound_begins_where_the_film_does(tmp_path, spoken):
    write(tmp_path / "film.mp4", range(10)).finish(spoken, 0.5)
    samples, rate, _ = sound_of(tmp_path / "film.mp4")
    assert np.flatnonzero(np.abs(samples) > 0.1)[0] / rate == pytest.approx(0.5, abs=0.07)


def test_a_disk_that_is_full_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    writer = FilmWriter(tmp_path / "file" / "film.mp4", RATE, "a")
    with pytest.raises(OSError, match="Not a directory"):
        writer.write(picture(0), 0.0)
