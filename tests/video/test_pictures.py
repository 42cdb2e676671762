"""Pictures."""

import numpy as np
import pytest

from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import crop_and_resize, encode_png, read_picture


def test_a_png_keeps_every_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    (tmp_path / "picture.png").write_bytes(encode_png(image))
    np.testing.assert_array_equal(read_picture(tmp_path / "picture.png"), image)


def test_files_that_are_no_pictures_are_unreadable(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    with pytest.raises(DecodeError, match="not a picture"):
        read_picture(tmp_path / "text.png")


def test_crop_and_resize_crops_about_the_centre_and_averages_areas():
    frame = np.zeros((4, 8, 3), np.uint8)
    frame[:, :2], frame[:, 2:4], frame[::2, 4:6], frame[:, 6:] = 200, 100, 80, 250
    np.testing.assert_array_equal(crop_and_resize(frame, 2, 2)[..., 0], [[100, 40], [100, 40]])
    assert crop_and_resize(frame, 16, 24).shape == (16, 24, 3)
