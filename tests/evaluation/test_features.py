"""Built-in features: what they depend on, and their whitening by real clips."""

import numpy as np
import pytest
from scipy import ndimage

from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation import features

DECLARED = "built in, version 1, 93c4362fadbf2405"
APPEARANCE, MOTION = (7.87947, 7.40970), (3.89925, 5.23757)


def draw(count, frames=8, height=32, width=32, seed=0):
    return np.stack([moving_shapes.render(seed, index, frames, height, width)[0] for index in range(count)])


def levels(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def displacement(whitening, clips, changed):
    """Distance between the features of each clip before and after a change, by name."""
    before, after = whitening(features.extract(clips)), whitening(features.extract(changed))
    return {name: np.linalg.norm(after[name] - before[name], axis=1) for name in before}


@pytest.fixture(scope="module")
def clips():
    return draw(40)


@pytest.fixture(scope="module")
def raw(clips):
    return features.extract(clips)


@pytest.fixture(scope="module")
def whitening(clips, raw):
    return features.fit_whitening(clips, raw)


def test_there_are_as_many_features_as_declared(raw, whitening):
    sizes = features.dimensions()
    assert {name: values.shape for name, values in raw.items()} == {
        name: (40, sizes[name]) for name in ("appearance", "motion")}
    assert {name: values.shape for name, values in whitening(raw).items()} == {
        name: (40, size) for name, size in sizes.items()}
    assert sizes["joint"] == sizes["appearance"] + sizes["motion"]
    assert all(values.dtype == np.float32 for values in (*raw.values(), *whitening(raw).values()))


def test_filters_and_constants_are_those_of_this_version():
    assert features.declaration() == DECLARED, (
        "A constant or a filter of the built-in features has changed: distances cannot be compared with earlier ones "
        "any more. Raise features.VERSION, and update DECLARED here.")


def test_features_of_known_clips_stay_the_same(raw):
    """A change of a formula needs a new VERSION, too."""
    sums = {name: (float(values[0].sum()), float(values[1].sum())) for name, values in raw.items()}
    assert sums["appearance"] == pytest.approx(APPEARANCE, abs=1e-3)
    assert sums["motion"] == pytest.approx(MOTION, abs=1e-2)  # OpenCV's flow differs a little between processors


@pytest.mark.parametrize("order", [[7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 7, 4, 2, 5]])
def test_appearance_does_not_depend_on_the_order_of_frames(clips, raw, order):
    reordered = features.extract(clips[:8, order])
    np.testing.assert_allclose(reordered["appearance"], raw["appearance"][:8], atol=1e-5)


@pytest.mark.parametrize("order", [[7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 7, 4, 2, 5]])
def test_motion_depends_on_the_order_of_frames(clips, raw, order):
    reordered = features.extract(clips[:8, order])
    assert (np.abs(reordered["motion"] - raw["motion"][:8]).max(axis=1) > 0.02).all()


def test_frozen_clips_have_no_motion(clips, raw):
    frozen = features.extract(np.repeat(clips[:8, :1], 8, axis=1))["motion"]
    flow = features.dimensions()["motion"] - 15  # where its statistics begin
    assert (frozen[:, :flow] == 0).all() and (raw["motion"][:8, :flow].max(axis=1) > 0.05).all()
    # Flow has rounding errors.
    directions_and_amount, moving = frozen[:, flow:flow + 9], raw["motion"][:8, flow:flow + 9]
    assert directions_and_amount.max() < 0.02 and (moving.max(axis=1) > 0.1).all()


def test_features_of_a_clip_do_not_depend_on_other_clips(clips, raw):
    for chosen in ([5], [5, 30, 2], range(17), [39, 5] * 8):
        for name, values in features.extract(clips[list(chosen)]).items():
            np.testing.assert_allclose(values, raw[name][list(chosen)], atol=1e-6)


def test_progress_counts_every_clip():
    counts = []
    features.extract(draw(19, frames=3, height=8, width=8), counts.append)
    assert sum(counts) == 19 and len(counts) > 1


@pytest.mark.parametrize(("frames", "height", "width"), [(3, 8, 8), (3, 16, 24), (3, 24, 16), (4, 72, 96)])
def test_frames_of_any_size_have_features(frames, height, width):
    extracted = features.extract(draw(3, frames, height, width))
    assert {name: values.shape for name, values in extracted.items()} == {
        name: (3, features.dimensions()[name]) for name in ("appearance", "motion")}
    for values in extracted.values():
        assert np.isfinite(values).all() and (values.std(axis=0) > 0).sum() > 20


def test_two_frames_have_all_features_but_second_differences():
    clips = draw(5, frames=2)
    extracted = features.extract(clips)
    change, second_difference, flow = np.split(extracted["motion"], [24, 48], axis=1)
    assert all(np.isfinite(values).all() for values in extracted.values())
    assert (second_difference == 0).all() and (change.max(axis=1) > 0).all() and (flow.max(axis=1) > 0).all()
    whitened = features.fit_whitening(clips, extracted)(extracted)
    assert all(np.isfinite(values).all() for values in whitened.values())


def test_whitened_features_of_real_clips_are_nearly_uncorrelated(raw, whitening):
    whitened = whitening(raw)
    for name in ("appearance", "motion"):
        before, after = np.corrcoef(raw[name].T + 1e-9 * np.arange(40)), np.cov(whitened[name].T)
        off_diagonal = ~np.eye(len(after), dtype=bool)
        np.testing.assert_allclose(whitened[name].mean(axis=0), 0, atol=1e-5)
        assert np.diag(after).max() <= 1 + 1e-6
        assert np.abs(after[off_diagonal]).mean() < 0.1 * np.nanmean(np.abs(before[off_diagonal]))


def test_joint_features_are_both_side_by_side(raw, whitening):
    whitened = whitening(raw)
    both = np.concatenate([whitened["appearance"], whitened["motion"]], axis=1)
    np.testing.assert_array_equal(whitened["joint"], both)


def test_imperceptible_changes_count_for_far_less_than_blur(clips, whitening):
    clips = clips[:16]
    blurred = displacement(whitening, clips, levels(ndimage.gaussian_filter(clips.astype(float), (0, 0, 2, 2, 0))))
    noisy = displacement(whitening, clips, levels(clips + np.random.default_rng(0).normal(0, 2, clips.shape)))
    brighter = displacement(whitening, clips, levels(clips + 2.0))
    for name, distance in blurred.items():
        assert (noisy[name] < 0.1 * distance).all() and (brighter[name] < 0.1 * distance).all()


def test_a_difference_counts_less_where_real_clips_vary(clips, raw, whitening):
    dark = levels(clips * 0.9)
    varied = np.concatenate([clips[:20], levels(clips[20:] * 0.5)])
    of_varied = features.fit_whitening(varied, features.extract(varied))
    before, after = (displacement(each, clips, dark)["appearance"].mean() for each in (whitening, of_varied))
    assert after < 0.7 * before
