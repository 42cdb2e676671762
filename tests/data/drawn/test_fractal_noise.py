"""Fractal noise on coordinates without bounds."""

import numpy as np
import pytest

from gan_keras.data.drawn.fractal_noise import fractal_line, fractal_plane, hash_lattice

X = (np.arange(96) + 0.5) / 64
FLAT = np.ones(64)
DEPTH = (np.arange(64) + 0.5) / 64


def plane(key=1, origin=(0.0, 0.0), cell=(0.3, 0.3), time=0.0, **options):
    return fractal_plane(key, X, FLAT, DEPTH, origin, cell, time, **options)[0]


def test_lattice_values_are_even_and_independent_of_their_neighbours():
    values = hash_lattice(3, np.arange(-200, 200)[:, None], np.arange(10**12, 10**12 + 400))
    assert values.dtype == np.float32 and -1 <= values.min() < -0.999 and 0.999 < values.max() < 1
    np.testing.assert_allclose(np.histogram(values, 10)[0] / values.size, 0.1, atol=0.003)
    others = (values[1:, :-1], values[:-1, 1:], hash_lattice(4, np.arange(-200, 200)[:, None], np.arange(400)))
    for other, same in zip(others, (values[:-1, :-1], values[:-1, :-1], values), strict=True):
        assert abs(np.corrcoef(same.ravel(), other.ravel())[0, 1]) < 0.01


def test_lattice_values_are_the_same_on_every_machine():
    np.testing.assert_array_equal((hash_lattice(5, np.arange(-1, 3), 7) * 2**23).astype(int),
                                  [-7664839, -2115089, -8222637, -2471032])


def test_fields_have_mean_0_and_deviation_1():
    fields = np.stack([plane(key=100 * key, origin=(3.3 * key, 0), cell=(0.06, 0.06)) for key in range(20)])
    assert abs(fields.mean()) < 0.05 and fields.std() == pytest.approx(1, abs=0.06)
    line = fractal_line(1, np.arange(20000) * 0.01, 0.3, 0.01)
    assert abs(line.mean()) < 0.1 and line.std() == pytest.approx(1, abs=0.06)


def test_the_origin_moves_the_field_rigidly():
    still = plane()
    np.testing.assert_allclose(plane(origin=(5 / 64, 0.0))[:, :-5], still[:, 5:], atol=1e-4)
    np.testing.assert_allclose(plane(origin=(0.0, -3 / 64))[3:], still[:-3], atol=1e-4)


def test_far_from_0_the_field_is_as_smooth_and_exact_as_near_it():
    far = plane(origin=(1e6, -1e6))
    np.testing.assert_allclose(plane(origin=(1e6 + 5 / 64, -1e6))[:, :-5], far[:, 5:], atol=1e-3)
    assert np.abs(np.diff(far)).max() < 1.5 * np.abs(np.diff(plane())).max()


def test_nothing_repeats():
    row = fractal_plane(1, np.arange(8192) / 64, np.ones(2), DEPTH[:2], (0.0, 0.0), (0.3, 0.3))[0][0]
    spectrum = np.abs(np.fft.rfft(row - row.mean(), 2 * len(row))) ** 2
    correlation = np.fft.irfft(spectrum)[:len(row)] / np.arange(len(row), 0, -1)
    assert np.abs(correlation[64:len(row) // 2]).max() < 0.3 * correlation[0]


def test_in_time_the_field_changes_smoothly_into_another_of_the_same_contrast():
    def at(time):
        return plane(cell=(0.06, 0.06), time=time).astype(float)

    start = at(0.0)
    correlations = [np.corrcoef(start.ravel(), at(time).ravel())[0, 1] for time in (0.02, 0.3, 3.0)]
    assert correlations[0] > 0.99 and 0.3 < correlations[1] < 0.9 and abs(correlations[2]) < 0.15
    deviations = [at(time).std() for time in np.arange(0, 2, 0.1)]
    assert max(deviations) < 1.12 * min(deviations)


def test_a_coarser_picture_shows_the_same_field_without_what_it_cannot_resolve():
    fine = plane(cell=(0.5, 0.5)).reshape(32, 2, 48, 2).mean((1, 3))
    coarse = fractal_plane(1, X.reshape(48, 2).mean(1), FLAT[:32], DEPTH.reshape(32, 2).mean(1), (0, 0), (0.5, 0.5))[0]
    assert np.abs(coarse - fine).mean() < 0.05


def test_what_is_finer_than_pixels_does_not_flicker_as_the_field_moves():
    distance = np.linspace(25, 1, 64)
    pixel = distance[0] / 64
    still, moved = (fractal_plane(1, X, distance, 0.05 * distance, (shift * pixel, 0.0), (0.5, 0.5))[0][:10]
                    for shift in (0, 0.3))
    assert still.std() > 0.5 and np.abs(moved - still).mean() < 0.4 * still.std()


def test_the_second_field_is_the_smoother_one():
    field, smooth = fractal_plane(1, X, FLAT, DEPTH, (0.0, 0.0), (0.5, 0.5), smoothing=0.5)
    assert np.corrcoef(field.ravel(), smooth.ravel())[0, 1] > 0.9
    assert np.abs(np.diff(smooth, 2)).mean() < 0.4 * np.abs(np.diff(field, 2)).mean()
