"""Videos that are no video files: series of pictures, animations, stacks."""

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.sources.listing import list_source
from gan_keras.video.errors import DecodeError
from gan_keras.video.opencv import cv2
from gan_keras.video.pictures import encode_png

CLIP = ClipSettings(resolution="16", num_frames=4)
FRAMES = render(7, 0, 12, 24, 32)[0]


def read(folder, size=(24, 32)):
    """The only video of a folder, opened, and its frames."""
    [video] = list_source(str(folder), CLIP).videos
    opened = video.open(size)
    return opened, list(opened.frames)


def write_series(folder, numbers=range(12)):
    for number in numbers:
        (folder / f"{number:04d}.png").write_bytes(encode_png(FRAMES[number % 12]))


def test_the_numbers_of_a_series_are_its_times(tmp_path):
    write_series(tmp_path, [0, 5, 10, 20, 25])
    opened, frames = read(tmp_path)
    assert [frame.time for frame in frames] == [0, 1, 2, 4, 5] and opened.rate is None
    assert (opened.frame_count, opened.size, opened.notes) == (5, (24, 32), [])
    np.testing.assert_array_equal([frame.pixels for frame in frames], FRAMES[[0, 5, 10, 8, 1]])


def test_pictures_of_a_series_that_cannot_be_decoded_are_left_out_by_name(tmp_path):
    write_series(tmp_path)
    for number in (3, 4):
        path = tmp_path / f"{number:04d}.png"
        path.write_bytes(path.read_bytes()[:-40])
    opened, frames = read(tmp_path)
    assert [frame.time for frame in frames] == [0, 1, 2, *range(5, 12)]
    why = "not a whole picture: cut off, damaged or of a kind that is not read"
    assert list(map(str, opened.losses)) == [
        f"unreadable: 2 of its 12 pictures: 0003.png ({why}), 0004.png ({why})"]
    for path in tmp_path.iterdir():
        path.write_bytes(b"nothing")
    with pytest.raises(DecodeError, match=r"no picture can be decoded, such as 0000\.png"):
        read(tmp_path)


def test_pictures_of_other_sizes_are_frames_as_all(tmp_path):
    write_series(tmp_path)
    (tmp_path / "0005.png").write_bytes(encode_png(FRAMES[5][:, :30]))
    _, frames = read(tmp_path)
    assert [frame.pixels.shape for frame in frames] == [*[(24, 32, 3)] * 5, (24, 30, 3), *[(24, 32, 3)] * 6]


def test_deep_pictures_of_a_series_are_scaled_alike(tmp_path):
    for number in range(6):
        deep = np.full((24, 32, 3), 400 * number, np.uint16)
        deep[:4, :4] = 100 * number
        cv2.imwrite(str(tmp_path / f"{number}.png"), deep)
    _, frames = read(tmp_path)
    assert [frame.pixels[10, 10, 0] for frame in frames] == [0, 51, 102, 153, 204, 255]
    assert [frame.pixels[0, 0, 0] for frame in frames] == [0, 13, 26, 38, 51, 64]


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".apng", ".png"])
def test_animations_have_their_frames_and_times(tmp_path, suffix):
    animation = cv2.Animation()
    animation.frames = [frame[..., ::-1].copy() for frame in FRAMES]
    animation.durations = np.full(12, 80, np.int32)
    _, encoded = cv2.imencodeanimation(".png" if suffix == ".apng" else suffix, animation)
    (tmp_path / f"clip{suffix}").write_bytes(encoded.tobytes())
    opened, frames = read(tmp_path)
    assert len(frames) == 12 and opened.rate == pytest.approx(12.5, rel=0.01)
    np.testing.assert_allclose([frame.time for frame in frames], np.arange(12) * 0.08, atol=0.005)
    assert [frame.starts_shot for frame in frames] == [True] + 11 * [False]
    assert np.abs(np.stack([frame.pixels for frame in frames]).astype(int) - FRAMES).mean() < (16 if suffix == ".gif"
                                                                                              else 6)


def test_an_animation_that_ends_early_gives_the_whole_frames_that_are_there(tmp_path):
    for suffix in (".gif", ".png"):
        animation = cv2.Animation()
        animation.frames = [frame[..., ::-1].copy() for frame in FRAMES]
        animation.durations = np.full(12, 80, np.int32)
        _, encoded = cv2.imencodeanimation(suffix, animation)
        path = tmp_path / f"clip{suffix}"
        path.write_bytes(encoded.tobytes())
        _, whole = read(tmp_path)
        path.write_bytes(encoded.tobytes()[:len(encoded) * 6 // 10])
        opened, frames = read(tmp_path)
        assert 4 <= len(frames) < 9 and len(opened.losses) == 1
        for frame, same in zip(frames, whole, strict=False):
            np.testing.assert_array_equal(frame.pixels, same.pixels)
        path.unlink()


def test_bytes_behind_the_end_of_a_gif_do_not_matter(tmp_path):
    animation = cv2.Animation()
    animation.frames = [frame[..., ::-1].copy() for frame in FRAMES]
    animation.durations = np.full(12, 80, np.int32)
    _, encoded = cv2.imencodeanimation(".gif", animation)
    (tmp_path / "clip.gif").write_bytes(encoded.tobytes() + b"\0\0")
    opened, frames = read(tmp_path)
    assert len(frames) == 12 and opened.losses == []


def test_the_pages_of_a_stack_are_frames_scaled_alike(tmp_path):
    cv2.imwritemulti(str(tmp_path / "clip.tif"), [np.full((24, 32), 500 * page, np.uint16) for page in range(6)])
    opened, frames = read(tmp_path)
    assert opened.rate is None and [frame.time for frame in frames] == list(range(6))
    assert [frame.pixels[0, 0].tolist() for frame in frames] == [[51 * page] * 3 for page in range(6)]
