import numpy as np
import pytest

from gan_keras.evaluation.thumbnails import block_size, thumbnails


def test_thumbnails_are_means_of_blocks():
    clips = np.zeros((2, 3, 64, 96, 3), np.uint8)
    clips[1, 2, 4:8, 8:12] = 200
    clips[0, 0, 0, 0] = 255
    means = thumbnails(clips)
    assert means.shape == (2, 3, 16, 24, 3)
    assert means[1, 2, 1, 2].tolist() == [200, 200, 200]
    assert means[0, 0, 0, 0].tolist() == [16, 16, 16]  # 255 / 16, rounded
    assert means.astype(int).sum() == 3 * (200 + 16)
    random = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 96, 3), np.uint8)
    np.testing.assert_array_equal(thumbnails(random[..., ::-1, :]), thumbnails(random)[..., ::-1, :])


@pytest.mark.parametrize("height, width, size", [(8, 8, 1), (16, 16, 1), (24, 32, 2), (64, 64, 4), (72, 96, 4),
                                                 (128, 128, 8), (136, 136, 8), (256, 448, 16)])
def test_block_sizes_leave_about_sixteen_pixels(height, width, size):
    assert block_size(height, width, 16) == size
