"""Degradations, beside what OpenCV and TensorFlow do."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data import DEGRADATIONS, degradations
from gan_keras.data.degradations import degrade, downscaling, enlarge, parse
from gan_keras.data.drawn import sky_scene
from gan_keras.data.pixels import to_float
from gan_keras.video.opencv import cv2

SHAPE = (3, 48, 64)


@pytest.fixture(scope="module")
def clips():
    """Two clips of skies, uint8 [2, 3, 48, 64, 3]."""
    return np.stack([sky_scene.render(0, seed, *SHAPE)[0] for seed in range(2)])


def apply(clips, *items, strengths=0.5, noise=0.0):
    factor = downscaling(items)
    normal = np.full((2, SHAPE[0], SHAPE[1] // factor, SHAPE[2] // factor, 3), noise, np.float32)
    degraded = degrade(to_float(clips), items, tf.fill([2, len(DEGRADATIONS)], strengths), normal)
    return np.round((degraded.numpy() + 1) * 127.5).astype(np.uint8)


def test_names_are_functions_in_the_order_in_which_they_are_applied():
    assert list(degradations.FUNCTIONS) == list(DEGRADATIONS)
    assert list(parse(["compress:40", "blur", "down2"])) == ["blur", "down2", "compress"]
    assert parse(["compress:40", "blur"]) == {"blur": (0.2, 3.0), "compress": (40.0, 40.0)}
    assert [downscaling(items) for items in (["noise"], ["down2", "noise"], ["down4"])] == [1, 2, 4]


def test_blur_is_opencv_s(clips):
    blurred = apply(clips, "blur:1.5")
    for before, after in zip(clips[0], blurred[0], strict=True):
        expected = cv2.GaussianBlur(before, (0, 0), 1.5)
        np.testing.assert_allclose(after[8:-8, 8:-8].astype(int), expected[8:-8, 8:-8], atol=1)


def test_noise_has_the_strength_that_is_named_and_is_that_of_the_numbers_given(clips):
    grey = np.full_like(clips, 100)
    assert (apply(grey, "noise:25", noise=1.0) == 125).all() and (apply(grey, "noise:25", noise=-2.0) == 50).all()
    # Without a strength, it is drawn: half way from 1 to 30.
    assert (apply(grey, "noise", noise=1.0) == 116).all()


@pytest.mark.parametrize("factor", [2, 4])
def test_smaller_frames_are_tensorflow_s_bicubic_ones(clips, factor):
    smaller = apply(clips, f"down{factor}")
    expected = tf.image.resize(clips[0], smaller.shape[2:4], "bicubic", antialias=True)
    np.testing.assert_allclose(smaller[0, :, 2:-2, 2:-2].astype(float),
                               tf.clip_by_value(expected, 0, 255)[:, 2:-2, 2:-2], atol=1.01)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_larger_frames_are_tensorflow_s_bicubic_ones(clips, factor):
    clip = to_float(clips[:1])
    larger = enlarge(clip, factor)
    expected = tf.image.resize(clip[0], [factor * SHAPE[1], factor * SHAPE[2]], "bicubic")
    inner = slice(2 * factor, -2 * factor)
    np.testing.assert_allclose(larger[0, :, inner, inner], expected[:, inner, inner], atol=1e-5)


@pytest.mark.parametrize("quality", [30, 70])
def test_compression_loses_what_jpeg_loses(clips, quality):
    compressed = apply(clips, f"compress:{quality}")
    _, encoded = cv2.imencode(".jpg", clips[0, 0][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    jpeg = cv2.imdecode(encoded, 1)[..., ::-1].astype(float)
    lost, ours = np.abs(jpeg - clips[0, 0]).mean(), np.abs(compressed[0, 0].astype(float) - clips[0, 0]).mean()
    assert ours == pytest.approx(lost, rel=0.15)
    assert np.abs(compressed[0, 0] - jpeg).mean() < 0.6 * lost  # nearer to JPEG's frame than that is to the clip
    assert np.abs(apply(clips, "compress:95")[0, 0].astype(float) - clips[0, 0]).mean() < ours


def test_frames_of_any_size_are_compressed(clips):
    odd = to_float(clips[:, :, :27, :21])
    assert degradations.compress(odd, tf.fill([2], 50.0), None).shape == odd.shape
