"""Speed and coherence of motion, of clips whose motion is known."""

import numpy as np
import pytest

from gan_keras.evaluation.metrics import flow
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs


def measured(*clips):
    samples = ClipSet(np.stack(clips), np.arange(len(clips)), {})
    estimates = flow.measure(samples, MetricInputs(samples, samples, samples, None, (), 8.0))
    assert set(estimates) == set(flow.METRICS)
    return estimates["flow/speed"].value, estimates["flow/coherence"].value


def coherence(*clips):
    return measured(*clips)[1]


def moving(*velocities, side=64, frames=8, seed=0):
    """A soft texture in stripes, each of which moves by so many pixels (down, right) a frame."""
    height = side // len(velocities)
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    noise = np.fft.fft2(np.random.default_rng(seed).standard_normal((side, side)))
    texture = np.fft.ifft2(noise * np.exp(-(frequencies / 0.08)**2)).real
    texture = 127 + 40 * texture / texture.std()
    clip = [np.concatenate([np.roll(texture, (down * t, right * t), (0, 1))[i * height:(i + 1) * height]
                            for i, (down, right) in enumerate(velocities)]) for t in range(frames)]
    return np.clip(np.stack(clip)[..., None].repeat(3, -1), 0, 255).astype(np.uint8)


def test_what_all_moves_one_way_is_coherent_whatever_the_way():
    assert coherence(moving((0, 1)), moving((1, -1))) > 0.9


def test_what_moves_to_both_sides_is_not():
    assert coherence(moving((0, 1), (0, -1))) < 0.2


def test_what_moves_over_something_that_stands_is_coherent():
    assert coherence(moving((0, 1), (0, 0))) > 0.8


def test_frames_that_have_nothing_to_do_with_each_other_are_not():
    assert coherence(np.concatenate([moving((0, 1), frames=1, seed=seed) for seed in range(8)])) < 0.5


def test_it_is_the_mean_over_clips_that_move():
    still = np.repeat(moving((0, 0))[:1], 8, 0)
    both = coherence(moving((0, 1)), moving((0, 1), (0, -1)), still)
    assert both == pytest.approx((coherence(moving((0, 1))) + coherence(moving((0, 1), (0, -1)))) / 2)


@pytest.mark.parametrize(("velocities", "pixels"), [
    ([(0, 1)], 1.0), ([(2, 0)], 2.0), ([(0, 1), (0, -1)], 1.0), ([(0, 2), (0, 0)], 1.0), ([(0, 0)], 0.0)])
def test_speed_is_how_far_pixels_move_a_frame(velocities, pixels):
    assert measured(moving(*velocities))[0] == pytest.approx(100 * pixels / 64, rel=0.15, abs=0.01)


def test_nothing_is_known_of_clips_of_one_frame_nor_of_the_way_of_those_that_stand():
    assert np.isnan(measured(moving((0, 1))[:1])).all()
    assert np.isnan(coherence(np.repeat(moving((0, 0))[:1], 8, 0)))


def test_of_many_clips_some_are_measured(monkeypatch):
    monkeypatch.setattr(flow, "MAX_CLIPS", 2)
    opposed = moving((0, 1), (0, -1))
    assert coherence(moving((0, 1)), opposed, opposed, moving((0, 1))) == pytest.approx(coherence(moving((0, 1))))
