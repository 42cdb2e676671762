"""Pictures."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from gan_keras.video.errors import DecodeError
from gan_keras.video.pictures import PICTURE_SUFFIXES, crop_and_resize, encode_png, read_picture, read_pictures


def photograph(height=48, width=64):
    """BGR, smooth with some noise."""
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


def write(path, image, *options):
    assert cv2.imwrite(str(path), image, options)
    return path


def exif(orientation):
    return np.frombuffer(b"II*\0" + struct.pack("<IHHHIII", 8, 1, 274, 3, 1, orientation, 0), np.uint8)


def tiff(pages, order="<"):
    """Bytes of a TIFF of grey pages, each with its orientation and whether it is one at a lower resolution."""
    content = bytearray((b"II*\0" if order == "<" else b"MM\0*") + bytes(4))
    link = 4
    for image, orientation, reduced in pages:
        start, (height, width) = len(content), image.shape
        content += image.tobytes()
        struct.pack_into(order + "I", content, link, len(content))
        tags = {254: int(reduced), 256: width, 257: height, 258: 8, 259: 1, 262: 1, 273: start, 274: orientation,
                277: 1, 278: height, 279: image.size}
        content += struct.pack(order + "H", len(tags))
        for tag, value in tags.items():
            short = tag in (258, 259, 262, 274, 277)
            content += struct.pack(order + ("HHIHH" if short else "HHII"), tag, 3 if short else 4, 1, value,
                                   *[0] * short)
        link = len(content)
        content += bytes(4)
    return bytes(content)


def error_of(path):
    with pytest.raises(DecodeError) as caught:
        read_picture(path)
    return str(caught.value)


def test_a_png_keeps_every_pixel(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    (tmp_path / "picture.png").write_bytes(encode_png(image))
    np.testing.assert_array_equal(read_picture(tmp_path / "picture.png"), image)


@pytest.mark.parametrize("suffix", PICTURE_SUFFIXES)
def test_pictures_of_every_suffix_are_read(tmp_path, suffix):
    codec = {".jfif": ".jpg", ".pgm": ".pnm", ".pbm": ".pnm"}.get(suffix, suffix)
    image = photograph()
    (tmp_path / f"picture{suffix}").write_bytes(cv2.imencode(codec, image)[1])
    assert np.abs(read_picture(tmp_path / f"picture{suffix}").astype(int) - image[..., ::-1]).mean() < 8


def test_files_that_are_no_pictures_are_unreadable(tmp_path):
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.png").touch()
    assert error_of(tmp_path / "text.png").startswith("unreadable: not a whole picture: cut off, damaged or of a kind")
    assert error_of(tmp_path / "empty.png") == "unreadable: empty file"
    assert error_of(tmp_path / "missing.png") == "unreadable: No such file or directory"


def test_what_is_transparent_is_over_black(tmp_path):
    image = np.full((4, 6, 4), [10, 100, 200, 255], np.uint8)
    image[0, :, 3], image[1, :, 3] = 0, 128
    for suffix in (".png", ".webp"):
        picture = read_picture(write(tmp_path / f"alpha{suffix}", image, cv2.IMWRITE_WEBP_QUALITY, 101))
        np.testing.assert_array_equal(picture[:3, 0], [[0, 0, 0], [100, 50, 5], [200, 100, 10]])


def test_grey_and_palettes_with_transparency(tmp_path):
    from PIL import Image  # OpenCV does not write these
    Image.fromarray(np.uint8([[[200, 255], [200, 51]]]), "LA").save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "grey.png"), [[[200] * 3, [40] * 3]])
    palette = Image.fromarray(np.uint8([[0, 1]]), "P")
    palette.putpalette([255, 0, 0, 0, 255, 0])
    palette.save(tmp_path / "palette.png", transparency=0)
    np.testing.assert_array_equal(read_picture(tmp_path / "palette.png"), [[[0, 0, 0], [0, 255, 0]]])


def test_cmyk_photographs_have_their_colours(tmp_path):
    from PIL import Image
    Image.new("RGB", (16, 16), (200, 100, 50)).convert("CMYK").save(tmp_path / "print.jpg")
    assert np.abs(read_picture(tmp_path / "print.jpg").astype(int) - [200, 100, 50]).max() < 4


@pytest.mark.parametrize("suffix", [".png", ".webp", ".jpg"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_are_upright_whatever_their_channels(tmp_path, suffix, channels):
    image = photograph()
    image = {1: image[..., 0], 3: image, 4: np.dstack([image, np.full(image.shape[:2], 255, np.uint8)])}[channels]
    content = cv2.imencodeWithMetadata(suffix, image, [cv2.IMAGE_METADATA_EXIF], [exif(6)],
                                       [cv2.IMWRITE_WEBP_QUALITY, 101, cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    (tmp_path / f"turned{suffix}").write_bytes(content)
    shown = read_picture(tmp_path / f"turned{suffix}")
    plain = read_picture(write(tmp_path / "plain.png", image))
    assert shown.shape == (64, 48, 3)
    assert np.abs(shown.astype(int) - np.rot90(plain, -1)).mean() < 4


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiffs_are_upright(tmp_path, order, orientation):
    image = photograph()[..., 0]
    (tmp_path / "turned.tif").write_bytes(tiff([(image, orientation, False)], order))
    same = cv2.imencodeWithMetadata(".png", image, [cv2.IMAGE_METADATA_EXIF], [exif(orientation)])[1]
    (tmp_path / "turned.png").write_bytes(same)
    np.testing.assert_array_equal(read_picture(tmp_path / "turned.tif"), read_picture(tmp_path / "turned.png"))


@pytest.mark.parametrize(("suffix", "image", "shown"), [
    (".png", np.uint16([[0, 1250, 2500]]), [0, 128, 255]),
    (".tif", np.uint16([[500, 1000, 1500]]), [0, 128, 255]),
    (".tif", np.int16([[-100, 0, 100]]), [0, 128, 255]),
    (".tif", np.float32([[-1, 0, 1]]), [0, 128, 255]),
    (".tif", np.float64([[0, np.nan, np.inf, -np.inf, 1e9]]), [0, 0, 255, 0, 255]),
    (".png", np.uint16([[700, 700]]), [0, 0])])
def test_more_than_8_bits_are_scaled_by_the_range_that_is_there(tmp_path, suffix, image, shown):
    np.testing.assert_array_equal(read_picture(write(tmp_path / f"deep{suffix}", image))[0, :, 1], shown)


def test_the_range_of_colours_is_one_and_leaves_out_what_is_transparent(tmp_path):
    image = np.uint16([[[0, 500, 1000, 65535], [0, 0, 0, 65535], [60000, 60000, 60000, 0], [1000, 1000, 1000, 13107]]])
    np.testing.assert_array_equal(read_picture(write(tmp_path / "deep.png", image)),
                                  [[[255, 128, 0], [0, 0, 0], [0, 0, 0], [51, 51, 51]]])


def test_an_avif_of_10_bits_is_opaque_where_it_says_so(tmp_path):
    image = np.zeros((32, 32, 4), np.uint16)
    image[:16, :, :3], image[..., 3] = 1000, 1023
    (tmp_path / "deep.avif").write_bytes(cv2.imencode(".avif", image, [cv2.IMWRITE_AVIF_DEPTH, 10])[1])
    picture = read_picture(tmp_path / "deep.avif")
    assert picture[4, 4].min() > 250 and picture[28, 4].max() < 5


def test_a_series_of_deep_pictures_has_one_range(tmp_path):
    values = [[0, 100], [400, 500], [900, 1000]]
    paths = [write(tmp_path / f"{index}.png", np.uint16([value])) for index, value in enumerate(values)]
    paths.insert(1, tmp_path / "missing.png")
    first, missing, *others = read_pictures(paths)
    assert str(missing) == "unreadable: No such file or directory"
    np.testing.assert_array_equal([picture[0, :, 0] for picture in (first, *others)],
                                  [[0, 26], [102, 128], [230, 255]])


def test_a_series_of_plain_pictures_is_decoded_as_it_is(tmp_path):
    paths = [write(tmp_path / f"{level}.png", np.full((4, 4, 3), level, np.uint8)) for level in (100, 30)]
    assert [int(picture.max()) for picture in read_pictures(paths)] == [100, 30]


@pytest.mark.parametrize("fraction", [0.999, 0.9, 0.5, 0.05])
@pytest.mark.parametrize(("suffix", "options"), [
    (".jpg", ()), (".jpg", (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)), (".jpg", (cv2.IMWRITE_JPEG_RST_INTERVAL, 2)),
    (".png", ()), (".bmp", ()), (".tif", ()), (".tif", (cv2.IMWRITE_TIFF_COMPRESSION, 1)), (".webp", ()),
    (".webp", (cv2.IMWRITE_WEBP_QUALITY, 50)), (".jp2", ()), (".avif", ())])
def test_a_part_of_a_picture_is_not_used(tmp_path, suffix, options, fraction):
    path = write(tmp_path / f"part{suffix}", photograph(96, 128), *options)
    read_picture(path)
    content = path.read_bytes()
    path.write_bytes(content[:int(len(content) * fraction)])
    assert error_of(path) .startswith("unreadable: not a whole picture")
    path.write_bytes(content[:len(content) // 2] + bytes(len(content) - len(content) // 2))
    if suffix == ".jpg":  # as a download that was given its size at once leaves it
        assert error_of(path) .startswith("unreadable: not a whole picture")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".tif"])
def test_what_follows_a_picture_does_no_harm(tmp_path, suffix):
    path = write(tmp_path / f"picture{suffix}", photograph())
    shown = read_picture(path)
    path.write_bytes(path.read_bytes() + b"\xff\xd8\xff\xe0 another one" + bytes(1000))
    np.testing.assert_array_equal(read_picture(path), shown)


def test_a_thumbnail_does_not_pass_for_the_end_of_its_photograph(tmp_path):
    content = cv2.imencode(".jpg", photograph())[1].tobytes()
    thumbnail = cv2.imencode(".jpg", photograph(8, 8))[1].tobytes()
    content = content[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + content[2:]
    (tmp_path / "whole.jpg").write_bytes(content)
    assert read_picture(tmp_path / "whole.jpg").shape == (48, 64, 3)
    (tmp_path / "half.jpg").write_bytes(content[:-200])
    assert error_of(tmp_path / "half.jpg") .startswith("unreadable: not a whole picture")


def test_a_picture_that_declares_an_absurd_size_is_refused(tmp_path):
    path = write(tmp_path / "large.png", photograph())
    content = bytearray(path.read_bytes())
    content[16:24] = struct.pack(">II", 1 << 18, 1 << 18)
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    path.write_bytes(content)
    assert "CV_IO_MAX_IMAGE_PIXELS" in error_of(path)


def test_crop_and_resize_crops_about_the_centre_and_averages_areas():
    frame = np.zeros((4, 8, 3), np.uint8)
    frame[:, :2], frame[:, 2:4], frame[::2, 4:6], frame[:, 6:] = 200, 100, 80, 250
    np.testing.assert_array_equal(crop_and_resize(frame, 2, 2)[..., 0], [[100, 40], [100, 40]])
    assert crop_and_resize(frame, 16, 24).shape == (16, 24, 3)
