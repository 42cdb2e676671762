"""Factors read from clips whose factors are known, and the metrics of them."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics import factors
from gan_keras.evaluation.metrics.factor_reader import nearest_hue, read_clips
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs

FOLDER = Path(__file__).parents[3] / "shared" / "datasets" / "shapes"
COLOURS = list(moving_shapes.COLOURS)


def draw(count, height=32, width=32, frames=16, seed=7):
    clips, known = zip(*(moving_shapes.render(seed, index, frames, height, width, moving_shapes.MOTIONS)
                         for index in range(count)), strict=True)
    return np.stack(clips), known


def as_clips(frames):
    """Float [N, T, H, W, 3] → uint8."""
    return np.clip(np.round(frames), 0, 255).astype(np.uint8)


def clip_set(clips):
    return ClipSet(clips, np.arange(len(clips)), {})


def metric_inputs(generated, real, held_out=None):
    sets = [clip_set(clips) for clips in (generated, real, real)]
    return MetricInputs(*sets, None if held_out is None else clip_set(held_out), (), 15.0)


@pytest.fixture(scope="module")
def small():
    """36 clips of 32x32, two of each shape and colour, and their factors."""
    return draw(36)


@pytest.mark.parametrize(("count", "height", "width"), [(162, 32, 32), (54, 64, 64), (54, 48, 64)])
@pytest.mark.parametrize("noise", [0, 3])
def test_the_factors_of_drawn_clips_are_read(count, height, width, noise):
    clips, known = draw(count if not noise else count // 3, height, width)
    random = np.random.default_rng(0)
    readings = read_clips(as_clips(clips + noise * random.standard_normal(clips.shape, np.float32)))
    shape, colour = ([[names.index(getattr(clip, factor))] for clip in known]
                     for names, factor in ((moving_shapes.SHAPES, "shape"), (COLOURS, "colour")))
    radius = np.array([[clip.radius] for clip in known])
    positions = np.stack([clip.positions for clip in known])
    assert readings.valid.all()
    assert (readings.shape == shape).all() and (readings.colour == colour).all()
    np.testing.assert_allclose(readings.radius, radius + 0 * readings.radius, rtol=0.02)
    np.testing.assert_allclose(readings.positions * min(height, width), positions * min(height, width), atol=0.1)
    rgb = np.array([[moving_shapes.COLOURS[clip.colour]] for clip in known])
    np.testing.assert_allclose(readings.rgb, rgb + 0 * readings.rgb, atol=5)
    np.testing.assert_allclose(readings.velocities, np.diff(positions, axis=1), atol=0.2 / min(height, width))


@pytest.mark.skipif(not FOLDER.is_dir(), reason="needs the shapes set")
@pytest.mark.parametrize("divisor", [1, 2])
def test_clips_drawn_without_antialiasing_in_any_colour_are_read(divisor):
    files = sorted(FOLDER.glob("*/*.png"))[::13]
    strips = np.stack([np.asarray(Image.open(file).convert("RGB")) for file in files])
    clips = strips.reshape(len(files), 64, 32, 64, 3).transpose(0, 2, 1, 3, 4)[:, ::4]
    pixels = clips[:, 0].any(axis=-1).sum(axis=(1, 2))
    is_square = np.isin(pixels, [side**2 for side in (8, 10, 12, 14)])
    size = 64 // divisor
    smaller = clips.reshape(len(files), 8, size, divisor, size, divisor, 3).mean(axis=(3, 5))
    readings = read_clips(as_clips(smaller))
    assert len(files) > 150 and readings.valid.all()
    assert (readings.shape == np.where(is_square, 1, 0)[:, None]).all()
    np.testing.assert_allclose(readings.radius, np.repeat(np.sqrt(pixels / np.pi) / 64, 8).reshape(-1, 8), rtol=0.01)
    np.testing.assert_allclose(readings.rgb[:, 0], clips[:, 0].max(axis=(1, 2)), atol=1)


def box(clips):
    return ndimage.uniform_filter(clips, (0, 0, 3, 3, 0))


def hollow(clips):
    return np.where(ndimage.minimum_filter(clips.max(axis=-1, keepdims=True), (1, 1, 5, 5, 1)) > 0, 0, clips)


def fade(clips):
    """Shapes that lose half of their strength from left to right."""
    centre = (clips.max(axis=(2, 4)) * np.arange(32)).sum(-1) / clips.max(axis=(2, 4)).sum(-1)
    return clips * np.clip(0.6 - 0.08 * (np.arange(32) - centre[..., None]), 0.2, 1)[..., None, :, None]


def two_coloured(clips):
    centre = (clips.max(axis=(2, 4)) * np.arange(32)).sum(-1) / clips.max(axis=(2, 4)).sum(-1)
    return np.where((np.arange(32) > centre[..., None])[..., None, :, None], clips[..., [1, 2, 0]], clips)


def elongated(clips):
    return np.maximum(clips, np.roll(clips, 4, axis=2))


DEFECTS = {"blurred": box, "blurred twice": lambda clips: box(box(clips)), "hollow": hollow, "faded": fade,
           "two-coloured": two_coloured, "elongated": elongated,
           "two shapes": lambda clips: np.maximum(clips, np.roll(clips, 14, axis=3)),
           "empty": lambda clips: 0 * clips, "noise alone": lambda clips: 0 * clips + 3 * rough(clips),
           "noisy": lambda clips: clips + 16 * rough(clips),
           "uneven background": lambda clips: clips + np.linspace(0, 60, 32)[:, None, None],
           "speckled": lambda clips: clips * (np.random.default_rng(0).random((*clips.shape[:-1], 1)) > 0.2),
           "half out of the frame": lambda clips: clips[:, :, :, 16:]}


def rough(clips):
    return np.random.default_rng(0).standard_normal(clips.shape)


@pytest.mark.parametrize("defect", DEFECTS)
def test_frames_that_show_anything_else_are_not_valid(small, defect):
    clips = small[0]
    if defect == "half out of the frame":  # only those that the new border cuts through
        centres = np.stack([known.positions for known in small[1]])[:, :, 0] * 32
        chosen = (np.abs(centres - 16) < 1).any(axis=1)
        readings = read_clips(as_clips(DEFECTS[defect](clips[chosen].astype(float))))
        assert not readings.valid[np.abs(centres[chosen] - 16) < 1].any()
        return
    readings = read_clips(as_clips(DEFECTS[defect](clips.astype(float))))
    assert readings.valid.mean() < 0.02
    assert (readings.shape[~readings.valid] == -1).all() and np.isnan(readings.positions[~readings.valid]).all()


def test_the_background_may_have_any_colour_and_the_shape_be_darker(small):
    plain = read_clips(small[0])
    inverted = read_clips(255 - small[0])
    assert inverted.valid.all()
    np.testing.assert_array_equal(inverted.shape, plain.shape)
    np.testing.assert_allclose(inverted.positions, plain.positions, atol=1e-3)
    np.testing.assert_allclose(inverted.rgb, 255 - plain.rgb, atol=0.5)


def test_colours_have_the_nearest_hue():
    colours = [*moving_shapes.COLOURS.values(), (255, 128, 120), (20, 60, 22), (128, 130, 255), (100, 90, 0)]
    assert nearest_hue(np.array(colours)).tolist() == [0, 1, 2, 3, 4, 5, 0, 1, 2, 3]


def test_arrays_that_are_no_clips_are_refused():
    with pytest.raises(ValueError, match=r"uint8 \[N, T, H, W, 3\].*float32 \[2, 4, 8, 8, 3\]"):
        read_clips(np.zeros((2, 4, 8, 8, 3), np.float32))


def test_no_clips_have_no_readings():
    assert read_clips(np.zeros((0, 4, 32, 32, 3), np.uint8)).positions.shape == (0, 4, 2)


def test_other_drawn_clips_are_as_real_ones():
    estimates = factors.measure(clip_set(draw(90, frames=8, seed=1)[0]), metric_inputs(*[draw(90, frames=8)[0]] * 2))
    assert estimates.keys() == factors.METRICS.keys()
    for name in ("valid_frames", "valid_clips", "identity_kept"):
        assert estimates[f"factors/{name}"].value == 1
    for name in ("shape", "colour", "contrast"):
        assert estimates[f"factors/{name}_variation"].value < 0.03
    for name in ("size", "position", "speed"):
        assert estimates[f"factors/{name}_variation"].value < 0.3
    assert estimates["factors/smoothness"].value < 0.2
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in estimates.values())


def test_variation_is_the_share_of_missing_shapes_colours_or_sizes(small):
    clips, known = small

    def value(name, keep):
        chosen = clips[[keep(clip) for clip in known]]
        return factors.measure(clip_set(chosen), metric_inputs(chosen, clips))[f"factors/{name}_variation"].value

    assert value("shape", lambda clip: clip.shape != "circle") == pytest.approx(1 / 3)
    assert value("colour", lambda clip: clip.colour in ("red", "blue")) == pytest.approx(2 / 3)
    large = np.mean([clip.radius > 0.146 for clip in known])
    assert value("size", lambda clip: clip.radius > 0.146) == pytest.approx(1 - large, abs=0.1)
    assert value("shape", lambda clip: True) == 0


def test_a_shape_that_changes_is_valid_but_has_not_kept_its_identity(small):
    clips = small[0].copy()
    clips[0, 8:] = clips[1, 8:]  # another shape
    clips[2, 8:] = clips[2, 8:, :, :, ::-1] // 2  # another colour
    clips[3, 8] = 0  # one frame in 16 may be invalid
    estimates = factors.measure(clip_set(clips), metric_inputs(clips, small[0]))
    assert estimates["factors/valid_frames"].value == pytest.approx(1 - 1 / (36 * 16))
    assert estimates["factors/valid_clips"].value == 1
    assert estimates["factors/identity_kept"].value == pytest.approx(34 / 36)


def test_smoothness_and_speed_depend_on_the_order_of_frames(small):
    clips = small[0]

    def smoothness_and_speed(changed):
        estimates = factors.measure(clip_set(changed), metric_inputs(clips, clips))
        return estimates["factors/smoothness"].value, estimates["factors/speed_variation"].value

    shuffled = clips[:, np.random.default_rng(0).permutation(16)]
    smoothness, speed = smoothness_and_speed(clips)
    assert smoothness < 0.2 and speed == 0
    smoothness, speed = smoothness_and_speed(shuffled)
    assert smoothness > 1 and speed > 0.6
    smoothness, speed = smoothness_and_speed(clips[:, [0] * 16])
    assert np.isnan(smoothness) and speed == 1


def test_without_a_valid_clip_only_the_shares_of_the_valid_are_known(small):
    estimates = factors.measure(clip_set(0 * small[0]), metric_inputs(small[0], small[0]))
    known = {name for name, estimate in estimates.items() if np.isfinite(estimate.value)}
    assert known == {"factors/valid_frames", "factors/valid_clips"}
    assert estimates["factors/valid_frames"].value == estimates["factors/valid_clips"].value == 0


def test_nothing_is_measured_or_plotted_where_real_clips_are_of_another_kind(small):
    texture = ndimage.gaussian_filter(255 * np.random.default_rng(0).random((8, 16, 32, 32, 3)), (0, 1, 2, 2, 0))
    other = metric_inputs(small[0], as_clips(texture))
    assert factors.measure(other.generated, other) == {}
    assert factors.plots(other) == []


def test_plots_show_the_shares_of_valid_clips(small):
    clips, known = small
    circles = clips[[clip.shape == "circle" for clip in known]]
    by_shape, by_colour = factors.plots(metric_inputs(circles, clips, clips))
    np.testing.assert_allclose(by_shape.series["generated"], [1, 0, 0])
    np.testing.assert_allclose(by_shape.series["real"], [1 / 3] * 3)
    np.testing.assert_allclose(by_colour.series["held out"], [1 / 6] * 6)
    assert by_shape.x == moving_shapes.SHAPES and by_colour.x == tuple(moving_shapes.COLOURS)


def test_a_set_is_read_once(small, monkeypatch):
    one = clip_set(small[0])
    first = factors.read_set(one)
    monkeypatch.setattr(factors, "read_clips", None)
    assert factors.read_set(one) is first


def test_a_form_between_two_shapes_is_not_valid():
    # A dome, round above and flat below, is nearly as much of a square as of a circle.
    y, x = np.mgrid[:32, :32] + 0.5
    disc = np.clip(5.5 - np.hypot(x - 16, y - 16), 0, 1)
    dome = disc * np.clip(19.5 - y, 0, 1)
    frames = np.stack([disc, dome])[:, None, :, :, None] * np.array([230, 40, 40])
    assert read_clips(as_clips(frames)).valid[:, 0].tolist() == [True, False]
