"""Motion, loops, flicker, jerk and drift of clips whose values are known."""

import numpy as np
import pytest

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation.metrics import dynamics
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs

FRAMES = 16


def measure(*clips):
    """Metrics of clips uint8 [T, H, W, 3], without the prefix of their names."""
    samples = clip_set(np.stack(clips))
    estimates = dynamics.measure(samples, metric_inputs(samples))
    assert set(estimates) == set(dynamics.METRICS)
    return {name.removeprefix("dynamics/"): estimate.value for name, estimate in estimates.items()}


def clip_set(clips):
    return ClipSet(clips, np.arange(len(clips)), {})


def metric_inputs(generated, real=None, held_out=None):
    return MetricInputs(generated, real or generated, generated, held_out, (), 8.0)


def uniform(levels):
    """A clip whose frames have one grey each."""
    return np.broadcast_to(np.array(levels, np.uint8)[:, None, None, None], (len(levels), 32, 32, 3)).copy()


def scene(seed=0, frames=FRAMES):
    """Unrelated frames."""
    return np.random.default_rng(seed).integers(0, 256, (frames, 4, 4, 3), np.uint8).repeat(8, 1).repeat(8, 2)


def moving():
    return moving_shapes.render(0, 1, FRAMES, 64, 64)[0]


def test_a_frozen_clip():
    values = measure(np.repeat(scene()[:1], FRAMES, 0))
    assert values.pop("repeated_frames") == values.pop("frozen") == 1
    assert np.isnan(values.pop("jerk"))
    assert values == {"motion": 0, "looping": 0, "flicker": 0, "drift": 0}


def test_an_even_fade():
    values = measure(uniform(range(10, 10 + 4 * FRAMES, 4)))
    assert values["motion"] == 4
    assert values["flicker"] == values["jerk"] == 0
    assert values["looping"] == values["frozen"] == values["repeated_frames"] == 0
    # Quarters of 4 frames are 12 frames apart; of the 7 numbers compared, the 3 means move.
    assert values["drift"] == pytest.approx(48 * np.sqrt(3 / 7))


def test_frames_that_alternate_flicker():
    values = measure(uniform([100, 110] * 8))
    assert values["motion"] == 10
    assert values["flicker"] == 20
    assert values["jerk"] == 2
    assert values["drift"] == 0


def test_even_motion_does_not_flicker():
    assert measure(moving())["flicker"] < 0.05
    flickering = moving() * np.where(np.arange(FRAMES) % 2, 1, 0.8)[:, None, None, None]
    assert measure(flickering.astype(np.uint8))["flicker"] > 1


@pytest.mark.parametrize("period", [2, 3, 5, 8])
def test_a_clip_that_repeats_itself_loops(period):
    assert measure(np.resize(scene(), (FRAMES, 32, 32, 3))[np.arange(FRAMES) % period])["looping"] == 1
    assert measure(moving()[np.arange(FRAMES) % period])["looping"] == 1


def test_other_clips_do_not_loop():
    cycle_source = moving()[[*range(8), *range(7, -1, -1)]]
    for clip in (scene(), moving(), cycle_source, uniform([100, 101] * 8)):
        assert measure(clip)["looping"] == 0


def test_a_noisy_loop_counts():
    noisy = moving()[np.arange(FRAMES) % 5] + np.random.default_rng(0).normal(0, 4, (FRAMES, 64, 64, 3))
    assert measure(np.clip(noisy, 0, 255).astype(np.uint8))["looping"] == 1


def test_repeated_frames_are_counted():
    clip = moving()
    clip[5:9] = clip[5]  # three of fifteen pairs
    values = measure(clip)
    assert values["repeated_frames"] == 3 / 15
    assert values["frozen"] == 0


def test_a_clip_with_a_single_step_is_frozen():
    stepping = np.concatenate([np.repeat(scene()[:1], 9, 0), np.repeat(scene()[1:2], 7, 0)])
    assert measure(stepping)["frozen"] == 1
    stepping[12:] = scene()[2]
    assert measure(stepping)["frozen"] == 0
    assert measure(stepping)["repeated_frames"] == pytest.approx(13 / 15)


def test_shares_are_those_of_the_clips():
    still = np.repeat(moving()[:1], FRAMES, 0)
    values = measure(still, moving(), moving(), moving()[np.arange(FRAMES) % 4])
    assert values["frozen"] == values["looping"] == 0.25


def test_shuffled_frames_are_jerky():
    assert measure(moving())["jerk"] < 0.9
    order = np.random.default_rng(0).permutation(FRAMES)
    assert measure(moving()[order])["jerk"] > 1.5
    assert measure(scene(frames=64))["jerk"] == pytest.approx(np.sqrt(3), abs=0.05)


def test_drift_of_contrast_and_sharpness():
    frame = np.indices((32, 32)).sum(0)[..., None].repeat(3, -1) % 2
    low, high = (np.uint8(127 - reach + 2 * reach * frame) for reach in (10, 20))
    clip = np.stack([low] * 8 + [high] * 8)
    # Standard deviations grow from 10 to 20, differences of neighbours from 20 to 40.
    assert measure(clip)["drift"] == pytest.approx(np.sqrt((3 * 10**2 + 20**2) / 7), rel=1e-4)


def test_metrics_do_not_depend_on_the_direction_of_time():
    assert measure(moving()[::-1]) == pytest.approx(measure(moving()), rel=1e-4)


def test_clips_in_several_chunks_are_measured_as_in_one(monkeypatch):
    clips = [moving_shapes.render(0, index, FRAMES, 16, 24)[0] for index in range(7)]
    together = measure(*clips)
    monkeypatch.setattr(dynamics, "CHUNK_VALUES", 2 * clips[0].size)
    assert measure(*clips) == pytest.approx(together, rel=1e-6)
    assert together["motion"] == pytest.approx(np.mean([measure(clip)["motion"] for clip in clips]), rel=1e-6)


@pytest.mark.parametrize("frames, missing", [
    (1, {name.removeprefix("dynamics/") for name in dynamics.METRICS}), (2, {"looping", "flicker", "jerk"}),
    (3, {"looping"}), (4, set())])
def test_metrics_that_need_more_frames_are_nan(frames, missing):
    values = measure(scene(frames=frames))
    assert {name for name, value in values.items() if np.isnan(value)} == missing


def test_plots_are_curves_over_time():
    generated = clip_set(np.stack([uniform([0, 10, 30, 30]), uniform([0, 20, 40, 0])]))
    frozen = clip_set(uniform([7, 7, 7, 7])[None])
    change, distance = dynamics.plots(metric_inputs(generated, real=frozen, held_out=frozen))
    assert set(change.series) == set(distance.series) == {"generated", "real", "held out"}
    np.testing.assert_allclose(change.series["generated"], [15, 20, 20])
    np.testing.assert_allclose(distance.series["generated"], [15, 35, 15])
    np.testing.assert_array_equal(change.series["held out"], [0, 0, 0])
    assert change.x == (1 / 8, 2 / 8, 3 / 8)
    assert set(dynamics.plots(metric_inputs(generated))[0].series) == {"generated", "real"}
