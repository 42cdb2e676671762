"""Built-in features: what they depend on and what not, and the scale of real clips."""

import numpy as np
import pytest
from scipy import ndimage

from gan_keras.evaluation import features
from gan_keras.video import shapes

DECLARED = "built in, version 1, 93c4362fadbf2405"
APPEARANCE, MOTION = (7.87947, 7.40970), (3.89925, 5.23757)


def drawn(count, frames=8, height=32, width=32, seed=0):
    return np.stack([shapes.render(seed, index, frames, height, width)[0] for index in range(count)])


def levels(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def moved(scale, clips, changed):
    """How far a change moves each clip, by name."""
    before, after = scale(features.extract(clips)), scale(features.extract(changed))
    return {name: np.linalg.norm(after[name] - before[name], axis=1) for name in before}


@pytest.fixture(scope="module")
def clips():
    return drawn(40)


@pytest.fixture(scope="module")
def raw(clips):
    return features.extract(clips)


@pytest.fixture(scope="module")
def scale(clips, raw):
    return features.fit_scale(clips, raw)


def test_there_are_as_many_features_as_declared(raw, scale):
    sizes = features.dimensions()
    assert {name: values.shape for name, values in raw.items()} == {
        name: (40, sizes[name]) for name in ("appearance", "motion")}
    assert {name: values.shape for name, values in scale(raw).items()} == {
        name: (40, size) for name, size in sizes.items()}
    assert sizes["joint"] == sizes["appearance"] + sizes["motion"]
    assert all(values.dtype == np.float32 for values in (*raw.values(), *scale(raw).values()))


def test_what_the_numbers_depend_on_is_what_this_version_stands_for():
    assert features.declaration() == DECLARED, (
        "A constant or a filter of the built-in features has changed: distances are not to be compared with earlier "
        "ones any more. Raise features.VERSION, and take the new declaration over into this test.")


def test_numbers_of_a_known_clip_stay(raw):
    """A formula may have changed where constants have not: that needs a new VERSION too."""
    found = {name: (float(values[0].sum()), float(values[1].sum())) for name, values in raw.items()}
    assert found["appearance"] == pytest.approx(APPEARANCE, abs=1e-3)
    assert found["motion"] == pytest.approx(MOTION, abs=1e-2)  # OpenCV's flow differs a little between processors


@pytest.mark.parametrize("order", [[7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 7, 4, 2, 5]])
def test_appearance_does_not_depend_on_the_order_of_frames(clips, raw, order):
    found = features.extract(clips[:8, order])
    np.testing.assert_allclose(found["appearance"], raw["appearance"][:8], atol=1e-5)


@pytest.mark.parametrize("order", [[7, 6, 5, 4, 3, 2, 1, 0], [3, 0, 6, 1, 7, 4, 2, 5]])
def test_motion_depends_on_the_order_of_frames(clips, raw, order):
    found = features.extract(clips[:8, order])
    assert (np.abs(found["motion"] - raw["motion"][:8]).max(axis=1) > 0.02).all()


def test_still_clips_have_no_motion(clips, raw):
    still = features.extract(np.repeat(clips[:8, :1], 8, axis=1))["motion"]
    of_network = features.dimensions()["motion"] - 15
    assert (still[:, :of_network] == 0).all() and (raw["motion"][:8, :of_network].max(axis=1) > 0.05).all()
    # Flow is looked for with rounding errors.
    directions_and_amount, moving = still[:, of_network:of_network + 9], raw["motion"][:8, of_network:of_network + 9]
    assert directions_and_amount.max() < 0.02 and (moving.max(axis=1) > 0.1).all()


def test_features_of_a_clip_do_not_depend_on_its_company(clips, raw):
    for chosen in ([5], [5, 30, 2], range(17), [39, 5] * 8):
        found = features.extract(clips[list(chosen)])
        for name, values in found.items():
            np.testing.assert_allclose(values, raw[name][list(chosen)], atol=1e-6)


def test_every_clip_is_told_of():
    told = []
    features.extract(drawn(19, frames=3, height=8, width=8), told.append)
    assert sum(told) == 19 and len(told) > 1


@pytest.mark.parametrize(("frames", "height", "width"), [(3, 8, 8), (3, 16, 24), (3, 24, 16), (4, 72, 96)])
def test_frames_of_any_size_have_features(frames, height, width):
    clips = drawn(3, frames, height, width)
    found = features.extract(clips)
    assert {name: values.shape for name, values in found.items()} == {
        name: (3, features.dimensions()[name]) for name in ("appearance", "motion")}
    for values in found.values():
        assert np.isfinite(values).all() and (values.std(axis=0) > 0).sum() > 20


def test_two_frames_have_no_bend_but_all_else():
    clips = drawn(5, frames=2)
    found = features.extract(clips)
    change, bend, flow = np.split(found["motion"], [24, 48], axis=1)
    assert all(np.isfinite(values).all() for values in found.values())
    assert (bend == 0).all() and (change.max(axis=1) > 0).all() and (flow.max(axis=1) > 0).all()
    scaled = features.fit_scale(clips, found)(found)
    assert all(np.isfinite(values).all() for values in scaled.values())


def test_scaled_features_of_real_clips_are_nearly_independent_of_each_other(raw, scale):
    scaled = scale(raw)
    for name in ("appearance", "motion"):
        before, after = np.corrcoef(raw[name].T + 1e-9 * np.arange(40)), np.cov(scaled[name].T)
        apart = ~np.eye(len(after), dtype=bool)
        np.testing.assert_allclose(scaled[name].mean(axis=0), 0, atol=1e-5)
        assert np.diag(after).max() <= 1 + 1e-6
        assert np.abs(after[apart]).mean() < 0.1 * np.nanmean(np.abs(before[apart]))


def test_joint_features_are_both_side_by_side(raw, scale):
    scaled = scale(raw)
    np.testing.assert_array_equal(scaled["joint"], np.concatenate([scaled["appearance"], scaled["motion"]], axis=1))


def test_what_nobody_can_see_counts_for_far_less_than_blur(clips, scale):
    clips = clips[:16]
    blurred = moved(scale, clips, levels(ndimage.gaussian_filter(clips.astype(float), (0, 0, 2, 2, 0))))
    noisy = moved(scale, clips, levels(clips + np.random.default_rng(0).normal(0, 2, clips.shape)))
    brighter = moved(scale, clips, levels(clips + 2.0))
    for name, distance in blurred.items():
        assert (noisy[name] < 0.1 * distance).all() and (brighter[name] < 0.1 * distance).all()


def test_the_scale_is_that_of_the_real_clips(clips, raw, scale):
    """What all real clips have in common may differ but little; what sets them apart may."""
    dark = drawn(40)
    dark = levels(dark * 0.9)
    narrow = features.fit_scale(clips, raw)
    varied = np.concatenate([clips[:20], levels(clips[20:] * 0.5)])
    wide = features.fit_scale(varied, features.extract(varied))
    assert moved(wide, clips, dark)["appearance"].mean() < 0.7 * moved(narrow, clips, dark)["appearance"].mean()
