"""Contact sheets and grids."""

import numpy as np

from gan_keras.data.drawn.moving_shapes import render
from gan_keras.video.contact_sheets import contact_sheet, enlarge, grid, match

CLIPS = np.stack([render(7, index, 20, 32, 48)[0] for index in range(3)])


def test_a_contact_sheet_has_a_clip_in_each_row_and_ends_with_the_last_frame():
    picture = contact_sheet(CLIPS[:2], columns=4)
    assert picture.shape == (32 * 2 + 2, 48 * 4 + 6, 3)
    np.testing.assert_array_equal(picture[:32, :48], CLIPS[0, 0])
    np.testing.assert_array_equal(picture[34:, -48:], CLIPS[1, -1])


def test_a_grid_plays_clips_side_by_side():
    played = grid(CLIPS)
    assert played.shape == (20, 66, 98, 3)
    np.testing.assert_array_equal(played[5, :32, 50:], CLIPS[1, 5])
    np.testing.assert_array_equal(grid(CLIPS[:1]), CLIPS[0])


def test_small_clips_are_enlarged_by_repeating_pixels_and_large_ones_are_not():
    enlarged = enlarge(CLIPS)
    assert enlarged.shape == (3, 20, 96, 144, 3)
    np.testing.assert_array_equal(enlarged[:, :, 1::3, 2::3], CLIPS)
    large = np.zeros((1, 96, 200, 3), np.uint8)
    assert enlarge(large).shape == large.shape


def test_a_clip_is_shown_at_the_size_and_length_of_another():
    small = np.arange(2 * 1 * 2 * 3, dtype=np.uint8).reshape(2, 1, 2, 3)
    shown = match(small, np.zeros((3, 2, 4, 3), np.uint8))
    np.testing.assert_array_equal(shown[:, 0, :, 0], [[0, 0, 3, 3], [6, 6, 9, 9], [6, 6, 9, 9]])
    np.testing.assert_array_equal(shown[:, 0], shown[:, 1])
    np.testing.assert_array_equal(match(small[None], np.zeros((1, 3, 2, 4, 3)))[0], shown)
