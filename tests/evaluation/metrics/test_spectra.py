"""Spectra of gratings, noise and oscillations whose powers are known."""

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics import spectra
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs

FRAMES, SIDE = 16, 64
LUMINANCE_OF_NOISE = 0.299**2 + 0.587**2 + 0.114**2  # of noise that is independent in each colour


def clip_set(clips, video_ids=None):
    return ClipSet(clips, np.arange(len(clips)) if video_ids is None else np.array(video_ids), {})


def metric_inputs(generated, real, held_out=None):
    return MetricInputs(generated, real, real, held_out, (), 8.0)


def estimates(generated, real, video_ids=None):
    """Metrics of clips uint8 [N, T, H, W, 3] against real ones."""
    samples = clip_set(generated, video_ids)
    measured = spectra.measure(samples, metric_inputs(samples, clip_set(real)))
    assert list(measured) == list(spectra.METRICS)
    return measured


def measure(generated, real):
    return {name: estimate.value for name, estimate in estimates(generated, real).items()}


def plotted(clips):
    """Powers by frequency, of space and of time."""
    samples = clip_set(clips)
    return [(np.array(plot.x), plot.series["real"]) for plot in spectra.plots(metric_inputs(samples, samples))]


def gratings(*waves, frames=2, height=SIDE, width=SIDE):
    """One clip of a sum of vertical gratings, each (cycles a pixel, amplitude)."""
    row = 128 + sum(amplitude * np.cos(2 * np.pi * cycles * np.arange(width)) for cycles, amplitude in waves)
    return np.broadcast_to(np.rint(row).astype(np.uint8)[:, None], (1, frames, height, width, 3))


def oscillations(*waves, frames=FRAMES):
    """One clip of plain frames whose level is a sum of cosines, each (half cycles a clip, amplitude)."""
    phase = np.pi * (np.arange(frames) + 0.5) / frames
    levels = 128 + sum(amplitude * np.cos(half_cycles * phase) for half_cycles, amplitude in waves)
    return np.broadcast_to(np.rint(levels).astype(np.uint8)[:, None, None, None], (1, frames, 32, 32, 3))


def noise(deviation, shape=(8, FRAMES, SIDE, SIDE, 3), ground=128):
    return to_uint8(ground + deviation * np.random.default_rng(0).standard_normal(shape))


def to_uint8(values):
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def shapes():
    """Of moving shapes on black."""
    return np.stack([moving_shapes.render(0, index, FRAMES, SIDE, SIDE)[0] for index in range(16)])


# ---- spatial ----

@pytest.mark.parametrize("cycles", [3 / 64, 3 / 32, 3 / 16, 3 / 8, 7 / 16])
def test_a_grating_has_its_power_at_its_frequency(cycles):
    (frequencies, power), _ = plotted(gratings((cycles, 100.0)))
    near = np.abs(frequencies - cycles) < 2 / SIDE
    assert near[power.argmax()]
    assert power[~near].max() < 1e-3 * power.max()
    # Of white noise the power is the variance everywhere; here all of it is in the rings nearby.
    coefficients = np.pi * ((frequencies + 0.5 / SIDE)**2 - (frequencies - 0.5 / SIDE)**2) * SIDE**2
    assert (power * coefficients)[near].sum() / SIDE**2 == pytest.approx(100**2 / 2, rel=0.1)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (64, 96), (48, 24)])
def test_white_noise_has_its_variance_at_every_frequency_of_space_and_time(height, width):
    (_, spatial), (frequencies, temporal) = plotted(noise(20, (8, FRAMES, height, width, 3)))
    np.testing.assert_allclose(spatial[2:], LUMINANCE_OF_NOISE * 20**2, rtol=0.2)
    assert len(spatial) == min(height, width) // 2
    # A thumbnail is the mean of a block of pixels.
    block = {64: 4, 24: 2}[min(height, width)]
    np.testing.assert_allclose(temporal, 20**2 / block**2, rtol=0.1)
    np.testing.assert_allclose(frequencies, np.arange(1, FRAMES) / (2 * FRAMES) * 8.0)


def test_half_the_amplitude_of_fine_details_is_a_quarter_of_their_power():
    coarse = [(cycles, 25.0) for cycles in (3 / 64, 3 / 32, 3 / 16)]
    real, soft = gratings(*coarse, (3 / 8, 40.0)), gratings(*coarse, (3 / 8, 20.0))
    assert measure(soft, real)["sharpness/ratio"] == pytest.approx(1 / 4, rel=0.02)
    assert measure(real, soft)["sharpness/ratio"] == pytest.approx(4, rel=0.02)
    assert measure(real, real)["sharpness/ratio"] == 1
    # Octaves of 2-4, 4-8, 8-16 and 16-32 pixels: of the three steps between them only the first one differs.
    assert measure(soft, real)["sharpness/distance"] == pytest.approx(10 * np.log10(4) / 3, rel=0.02)
    assert measure(real, real)["sharpness/distance"] == 0


def test_a_blur_by_a_known_kernel_has_the_known_ratio():
    real = gratings((3 / 32, 60.0), (3 / 8, 60.0))
    padded = np.pad(real.astype(float), [(0, 0), (0, 0), (0, 0), (1, 1), (0, 0)], mode="wrap")
    blurred = to_uint8((padded[..., :-2, :] + 6 * padded[..., 1:-1, :] + padded[..., 2:, :]) / 8)
    coarse, fine = ((3 + np.cos(2 * np.pi * cycles)) / 4 for cycles in (3 / 32, 3 / 8))
    assert measure(blurred, real)["sharpness/ratio"] == pytest.approx((fine / coarse)**2, rel=0.02)


def test_contrast_does_not_count(shapes):
    for dimmed in (shapes // 2, to_uint8(100 + 0.5 * shapes)):
        values = measure(dimmed, shapes)
        assert values["sharpness/ratio"] == pytest.approx(1, abs=0.2)
        assert values["sharpness/distance"] < 0.3


def test_faint_noise_is_no_sharpness(shapes):
    faint, strong = (to_uint8(shapes + noise(deviation, shapes.shape).astype(float) - 128) for deviation in (2, 16))
    assert measure(faint, shapes)["sharpness/ratio"] == pytest.approx(1, abs=0.1)
    assert measure(strong, shapes)["sharpness/ratio"] > 1.5


def test_noise_does_not_make_up_for_a_blur(shapes):
    soft = shapes.reshape(*shapes.shape[:2], SIDE // 4, 4, SIDE // 4, 4, 3).mean((3, 5)).repeat(4, 2).repeat(4, 3)
    soft = (soft + np.roll(soft, 1, 2) + np.roll(soft, 2, 2) + np.roll(soft, 3, 2)) / 4
    soft = (soft + np.roll(soft, 1, 3) + np.roll(soft, 2, 3) + np.roll(soft, 3, 3)) / 4
    noisy = to_uint8(soft + noise(4, soft.shape).astype(float) - 128)
    assert measure(noisy, shapes)["sharpness/ratio"] < 0.4
    assert measure(noisy, shapes)["sharpness/distance"] > 2


def test_false_pixels_at_the_border_are_no_sharpness(shapes):
    framed = shapes.copy()
    framed[:, :, [0, -1]] = framed[:, :, :, [0, -1]] = 60
    assert measure(framed, shapes)["sharpness/ratio"] == pytest.approx(1, abs=0.05)


def test_plain_clips_are_neither_sharp_nor_soft(shapes):
    plain = np.full_like(shapes, 90)
    assert np.isnan([measure(plain, shapes)[name] for name in ("sharpness/ratio", "sharpness/distance")]).all()
    assert np.isnan([measure(shapes, plain)[name] for name in ("sharpness/ratio", "sharpness/distance")]).all()
    some = np.concatenate([shapes, plain])
    assert measure(some, shapes)["sharpness/ratio"] == pytest.approx(1)
    assert measure(some, shapes)["sharpness/distance"] == pytest.approx(0, abs=1e-9)


def test_sharpness_does_not_depend_on_the_order_of_frames_and_no_spectrum_on_the_direction_of_time(shapes):
    real, clips = shapes[:8], shapes[8:]
    shuffled = clips[:, np.random.default_rng(0).permutation(FRAMES)]
    expected, of_shuffled = measure(clips, real), measure(shuffled, real)
    for name in ("sharpness/ratio", "sharpness/distance"):
        assert of_shuffled[name] == pytest.approx(expected[name], rel=1e-4)
    assert of_shuffled["temporal_spectrum/fast"] > 5 * expected["temporal_spectrum/fast"]
    assert measure(clips[:, ::-1], real) == pytest.approx(expected, rel=1e-4)


# ---- temporal ----

@pytest.mark.parametrize("half_cycles", [1, 4, 15])
def test_an_oscillation_has_its_power_at_its_frequency(half_cycles):
    _, (frequencies, power) = plotted(oscillations((half_cycles, 40.0)))
    assert frequencies[half_cycles - 1] == half_cycles / (2 * FRAMES) * 8.0
    # The sum of squares of a cosine over 16 frames is 8.
    assert power[half_cycles - 1] == pytest.approx(8 * 40**2, rel=0.01)
    assert np.delete(power, half_cycles - 1).max() < 1  # rounded to levels


@pytest.mark.parametrize(("half_cycles", "band"), [(1, "slow"), (2, "medium"), (4, "medium"), (7, "medium"),
                                                   (8, "fast"), (15, "fast")])
def test_twice_the_amplitude_is_four_times_the_power_of_its_band_and_octave(half_cycles, band):
    ground = [(frequency, 10.0) for frequency in (1, 3, 5, 12)]
    values = measure(oscillations(*ground, (half_cycles, 80.0)), oscillations(*ground, (half_cycles, 40.0)))
    for name in ("fast", "medium", "slow"):
        assert values[f"temporal_spectrum/{name}"] == pytest.approx(4 if name == band else 1, rel=0.25)
    # One of the octaves of 1, 2-3, 4-7 and 8-15 half cycles.
    assert values["temporal_spectrum/distance"] == pytest.approx(10 * np.log10(4) / 4, rel=0.15)


def test_frozen_clips_have_no_power_and_what_is_invisible_is_no_difference():
    real = oscillations((1, 20.0), (4, 20.0), (12, 20.0))
    values = measure(oscillations((0, 1.0)), real)
    # A power of 8 · 20² and the 1 that is added, averaged over 1, 6 and 8 frequencies of the band.
    assert values["temporal_spectrum/slow"] == pytest.approx(1 / (8 * 20**2 + 1), rel=0.02)
    assert values["temporal_spectrum/medium"] == pytest.approx(1 / (8 * 20**2 / 6 + 1), rel=0.02)
    assert values["temporal_spectrum/fast"] == pytest.approx(1 / (8 * 20**2 / 8 + 1), rel=0.02)
    flickering = measure(real + (np.arange(FRAMES) % 2).astype(np.uint8)[:, None, None, None], real)
    assert flickering["temporal_spectrum/fast"] < 1.1


def test_clips_that_are_too_fast_do_not_make_up_for_those_that_are_too_slow():
    ground = [(frequency, 10.0) for frequency in (1, 3, 5)]
    real = np.repeat(oscillations(*ground, (12, 40.0)), 4, axis=0)
    mixed = np.concatenate([oscillations(*ground, (12, amplitude)) for amplitude in (20.0, 20.0, 80.0, 80.0)])
    values = measure(mixed, real)
    assert values["temporal_spectrum/fast"] == pytest.approx(1, rel=0.02)
    assert values["temporal_spectrum/distance"] == pytest.approx(10 * np.log10(4) / 4, rel=0.05)


def test_an_even_fade_is_slow():
    levels = np.arange(40, 40 + 8 * FRAMES, 8, dtype=np.uint8)
    _, (_, power) = plotted(np.broadcast_to(levels[:, None, None, None], (1, FRAMES, 32, 32, 3)))
    assert power[0] > 0.98 * power.sum() and power[7:].sum() < 1e-3 * power.sum()


def test_an_edge_that_passes_is_slower_than_flicker(shapes):
    flickering = to_uint8(shapes * (0.8 + 0.4 * (np.arange(FRAMES) % 2)[:, None, None, None]))
    values = measure(flickering, shapes)
    assert values["temporal_spectrum/fast"] > 2
    assert values["temporal_spectrum/slow"] == pytest.approx(1, abs=0.1)


# ---- both ----

def test_intervals_draw_whole_videos():
    real = oscillations((12, 40.0))
    generated = np.concatenate([oscillations((12, amplitude)) for amplitude in (40.0, 40.0, 80.0)])
    estimate = estimates(generated, real, video_ids=[0, 0, 1])["temporal_spectrum/fast"]
    assert (estimate.low, estimate.high) == pytest.approx((1, 4), rel=0.01)
    assert estimate.value == pytest.approx(4 ** (1 / 3), rel=0.01)


def test_the_interval_of_a_distance_holds_it(shapes):
    for name, estimate in estimates(shapes[:8], shapes[8:]).items():
        assert estimate.low <= estimate.value <= estimate.high, name


@pytest.mark.parametrize(("frames", "side", "missing"), [
    (2, 16, {"temporal_spectrum/medium", "temporal_spectrum/slow"}), (8, 16, {"temporal_spectrum/slow"}),
    (9, 16, set()), (9, 8, {"sharpness/ratio", "sharpness/distance"}),
    (1, 16, {name for name in spectra.METRICS if name.startswith("temporal")})])
def test_short_clips_and_small_frames_lack_some_metrics(frames, side, missing):
    values = measure(*(noise(deviation, (4, frames, side, side, 3)) for deviation in (10, 20)))
    assert {name for name, value in values.items() if np.isnan(value)} == missing


def test_clips_in_several_chunks_are_measured_as_in_one(monkeypatch, shapes):
    together = measure(shapes[:7], shapes[7:])
    monkeypatch.setattr(spectra, "CHUNK_VALUES", 2 * shapes[0].size)
    assert measure(shapes[:7], shapes[7:]) == pytest.approx(together, rel=1e-5)


def test_plots_are_of_each_set(shapes):
    generated, real = clip_set(shapes[:4]), clip_set(shapes[4:])
    both = spectra.plots(metric_inputs(generated, real))
    assert [plot.title for plot in both] == ["Spatial spectrum", "Temporal spectrum"]
    assert all(plot.logarithmic and list(plot.series) == ["generated", "real"] for plot in both)
    assert list(spectra.plots(metric_inputs(generated, real, held_out=real))[0].series) == [
        "generated", "real", "held out"]
