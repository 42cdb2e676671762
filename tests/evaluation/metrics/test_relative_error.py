"""Answers that need no model, and what a model is beside them."""

import numpy as np
import pytest

from gan_keras.evaluation.baselines import baselines
from gan_keras.evaluation.metrics import relative_error
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips
from gan_keras.video.opencv import cv2

FRAMES, HEIGHT, WIDTH = 6, 32, 48


def moving_clip(speed=2):
    """A soft pattern that moves to the right."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shades = [127 + 60 * np.sin((columns - speed * t) / 4) * np.cos(rows / 5) for t in range(FRAMES)]
    return np.repeat(np.stack(shades)[..., None], 3, -1).astype(np.uint8)


def error(one, other, where=slice(None)):
    return float(np.square(one.astype(float) - other)[where].mean())


def test_smaller_frames_are_enlarged():
    clip = moving_clip()
    small = np.stack([cv2.resize(frame, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA) for frame in clip])
    answers = baselines(small, None, clip.shape[:3])
    assert set(answers) == {"bicubic", "lanczos", "unsharp"}
    assert all(answer.shape == clip.shape and error(answer, clip) < 40 for answer in answers.values())


def test_noise_is_taken_away():
    clip = moving_clip(0)
    noisy = np.clip(clip + np.random.default_rng(0).normal(0, 20, clip.shape), 0, 255).astype(np.uint8)
    answers = baselines(noisy, None, clip.shape[:3])
    assert set(answers) == {"input", "temporal_median", "non_local_means", "unsharp"}
    np.testing.assert_array_equal(answers["input"], noisy)
    errors = {name: error(answer, clip) for name, answer in answers.items()}
    assert errors["non_local_means"] < 0.6 * errors["input"] and errors["temporal_median"] < 0.7 * errors["input"]
    assert errors["unsharp"] > errors["input"]


def test_holes_are_filled_and_all_else_stays():
    clip = moving_clip(0)
    mask = np.zeros((FRAMES, HEIGHT, WIDTH, 1), np.uint8)
    for t in range(FRAMES):
        mask[t, 8:18, 4 + 5 * t:12 + 5 * t] = 1
    given = clip * (1 - mask)
    answers = baselines(given, mask, clip.shape[:3])
    assert set(answers) == {"telea", "navier_stokes", "replicate", "reflect", "nearest_frame", "blend"}
    for name, answer in answers.items():
        np.testing.assert_array_equal(answer[mask[..., 0] == 0], clip[mask[..., 0] == 0], err_msg=name)
        assert error(answer, clip) < error(given, clip) / 2, name
    np.testing.assert_array_equal(answers["nearest_frame"], clip)  # nothing moves, and all is seen once


def test_the_last_frame_stands_or_moves_on():
    clip = moving_clip(1)
    answers = baselines(clip[:3], None, clip.shape[:3])
    np.testing.assert_array_equal(answers["copy"], clip[[0, 1, 2, 2, 2, 2]])
    inner = (slice(3, None), slice(4, -4), slice(8, -8))
    assert error(answers["flow"], clip, inner) < 0.5 * error(answers["copy"], clip, inner)
    assert set(baselines(clip[:1], None, clip.shape[:3])) == {"copy"}


# ---- shares ----

def inputs_of(paired):
    generated = ClipSet(paired.outputs, np.arange(len(paired.outputs)), {})
    return generated, MetricInputs(generated, generated, generated, None, (), 8.0, paired)


def measured(paired):
    return {name: estimate.value for name, estimate in relative_error.measure(*inputs_of(paired)).items()}


def test_a_share_is_the_quotient_of_the_errors_in_the_mask():
    target = np.stack([moving_clip(0), moving_clip(0)])
    mask = np.zeros((2, FRAMES, HEIGHT, WIDTH, 1), np.uint8)
    mask[:, :, 8:16, 8:16] = 1
    given = target * (1 - mask)
    made = np.where(mask > 0, target + 3, target).astype(np.uint8)
    shares = measured(PairedClips(made, target, np.array([0, 1]), given, mask))
    telea = baselines(given[0], mask[0], target.shape[1:4])["telea"]
    covered = np.repeat(mask[0], 3, -1) > 0
    assert shares["relative_mse/telea"] == pytest.approx(9 / np.square(telea.astype(float) - target[0])[covered].mean())
    assert "relative_mse_static/telea" not in shares  # all holes stand: there is nothing apart


def test_kinds_of_holes_are_reported_apart():
    target = np.stack([moving_clip(1)] * 3)
    mask = np.zeros((3, FRAMES, HEIGHT, WIDTH, 1), np.uint8)
    mask[0, :, 8:16, 8:16] = 1
    mask[1, 2] = 1
    for t in range(FRAMES):
        mask[2, t, 8:16, 5 * t:5 * t + 8] = 1
    given = target * (1 - mask)
    shares = measured(PairedClips(target, target, np.arange(3), given, mask))
    assert {name.split("/")[0] for name in shares} == {
        "relative_mse", "relative_mse_moving", "relative_mse_static", "relative_mse_missing"}
    assert set(shares.values()) == {0.0}
    assert set(shares) <= set(relative_error.METRICS)


def test_predictions_are_reported_by_how_far_they_are_ahead():
    target = np.stack([moving_clip(1)])
    made = target.copy()
    made[0, 4] = target[0, 2]  # two frames ahead it is the copy
    shares = measured(PairedClips(made, target, np.array([0]), target[:, :3]))
    assert [shares[f"horizon/{i:02d}"] for i in (1, 2, 3)] == pytest.approx([0, 1, 0])
    assert "2 frames ahead" in relative_error.metric_info("horizon/02").meaning


def test_nothing_is_measured_where_it_is_not_known_what_was_given():
    clips = np.stack([moving_clip()])
    assert measured(PairedClips(clips, clips, np.array([0]))) == {}


def test_corners_show_the_nearest_pixel_or_the_frame_mirrored():
    frame = np.repeat(np.arange(8, dtype=np.uint8) * 10, 3).reshape(1, 1, 8, 3).repeat(2, 1)
    mask = np.zeros((1, 2, 8, 1), np.uint8)
    mask[0, :, 5:] = 1
    answers = baselines(frame, mask, (1, 2, 8))
    assert answers["replicate"][0, 0, :, 0].tolist() == [0, 10, 20, 30, 40, 40, 40, 40]
    assert answers["reflect"][0, 0, :, 0].tolist() == [0, 10, 20, 30, 40, 30, 20, 10]
    mask[0] = 1
    np.testing.assert_array_equal(baselines(frame, mask, (1, 2, 8))["reflect"], frame)
