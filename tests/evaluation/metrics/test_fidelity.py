import numpy as np
import pytest

from gan_keras.evaluation.metrics import fidelity
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips
from gan_keras.video.opencv import cv2


def clip_set(count=3):
    return ClipSet(np.zeros((count, 2, 8, 8, 3), np.uint8), np.arange(count), {})


def metric_inputs(generated, paired=None):
    return MetricInputs(generated, clip_set(), clip_set(), None, (), 8.0, paired)


@pytest.fixture
def pairs():
    """Three clips: equal, each value 5 levels off, half of the values 10 levels off in either direction."""
    targets = np.full((3, 2, 8, 8, 3), 100, np.uint8)
    outputs = targets.copy()
    outputs[1] += 5
    outputs[2, 0, :4] -= 10
    outputs[2, 1, :4] += 10
    return PairedClips(outputs, targets, np.array([4, 4, 7]))


def test_hand_computed_psnr(pairs):
    # Mean squared errors are 0, 25 and 50.
    expected = [100, 20 * np.log10(255 / 5), 10 * np.log10(255**2 / 50)]
    np.testing.assert_allclose(fidelity.psnr(pairs.outputs, pairs.targets), expected, rtol=1e-12)
    np.testing.assert_allclose(fidelity.psnr(pairs.targets, pairs.outputs), expected, rtol=1e-12)


def test_psnr_of_black_and_white_is_zero_and_of_a_single_value_is_below_that_of_equal_clips():
    black, white = np.zeros((1, 2, 8, 8, 3), np.uint8), np.full((1, 2, 8, 8, 3), 255, np.uint8)
    assert fidelity.psnr(black, white) == pytest.approx([0.0])
    nearly = black.copy()
    nearly[0, 0, 0, 0, 0] = 1
    assert fidelity.psnr(black, nearly) == pytest.approx([10 * np.log10(255**2 * black.size)])


def test_psnr_has_a_value_for_each_pair(pairs):
    with pytest.raises(ValueError, match="shorter"):
        fidelity.psnr(pairs.outputs, pairs.targets[:2])


def test_measure_is_the_mean_psnr_with_an_interval_over_videos(pairs):
    generated = clip_set()
    estimates = fidelity.measure(generated, metric_inputs(generated, pairs))
    values = fidelity.psnr(pairs.outputs, pairs.targets)
    estimate = estimates["fidelity/psnr"]
    # Frames are too small for structure, and features are not given.
    assert set(estimates) == set(fidelity.METRICS) - {"fidelity/ssim", "fidelity/perceptual"}
    assert estimate.value == pytest.approx(values.mean())
    # Two videos: draws are of the one alone, of the other alone, or of both.
    assert (estimate.low, estimate.high) == pytest.approx((values[2], values[:2].mean()))


def test_nothing_is_measured_without_pairs_or_of_real_clips(pairs):
    generated = clip_set()
    assert fidelity.measure(generated, metric_inputs(generated)) == {}
    inputs = metric_inputs(generated, pairs)
    assert fidelity.measure(inputs.other, inputs) == {}


# ---- structure and time ----

def moving(speed, frames=4, side=48):
    rows, columns = np.mgrid[:side, :side]
    shades = [127 + 60 * np.sin((columns - speed * t) / 4) * np.cos(rows / 5) for t in range(frames)]
    return np.repeat(np.stack(shades)[..., None], 3, -1).astype(np.uint8)


def test_structural_similarity_is_one_for_equal_clips_and_falls_with_blur():
    clip = moving(1)
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 2) for frame in clip])
    equal, other = fidelity.ssim(np.stack([clip, blurred]), np.stack([clip, clip]))
    assert equal == pytest.approx(1.0) and 0.5 < other < 0.99


def test_the_flow_error_is_that_of_the_speed():
    flow_error = [fidelity.temporal_errors(moving(speed), moving(1.0))[0] for speed in (1.0, 2.0)]
    assert flow_error[0] == 0 and flow_error[1] == pytest.approx(1.0, abs=0.3)


def test_the_warping_error_follows_the_motion_of_the_target():
    steady, trembling = moving(1.0), moving(1.0)
    trembling[1] = 255 - trembling[1]
    _, error, of_target = fidelity.temporal_errors(steady, steady)
    assert error == of_target < 20
    _, error, of_target_again = fidelity.temporal_errors(trembling, steady)
    assert error > 100 * of_target and of_target_again == of_target


def test_all_fidelity_metrics_are_measured_of_larger_clips():
    clips = np.stack([moving(1.0), moving(0.5)])
    generated, features = clip_set(2), (np.zeros((2, 4)), np.full((2, 4), [[3.0], [1.0]]))
    estimates = fidelity.measure(generated, metric_inputs(generated, PairedClips(
        clips, clips, np.arange(2), features=features)))
    assert set(estimates) == set(fidelity.METRICS) and estimates["fidelity/flow_error"].value == 0
    assert estimates["fidelity/perceptual"].value == 2.0
