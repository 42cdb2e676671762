import numpy as np
import pytest

from gan_keras.evaluation.metrics import fidelity
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, PairedClips


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
    assert set(estimates) == set(fidelity.METRICS) - {"fidelity/ssim"}  # of frames so small there is none
    assert estimate.value == pytest.approx(values.mean())
    # Two videos: draws are of the one alone, of the other alone, or of both.
    assert (estimate.low, estimate.high) == pytest.approx((values[2], values[:2].mean()))


def test_nothing_is_measured_without_pairs_or_of_real_clips(pairs):
    generated = clip_set()
    assert fidelity.measure(generated, metric_inputs(generated)) == {}
    inputs = metric_inputs(generated, pairs)
    assert fidelity.measure(inputs.other, inputs) == {}
