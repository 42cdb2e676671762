"""Factors of drawn skies."""

import numpy as np
import pytest

from gan_keras.data.drawn import skies


def factors(index, seed=1, frames=45, height=64, width=64):
    return skies.draw_factors(seed, index, frames, height, width)


MANY = [factors(index) for index in range(400)]


def test_every_daytime_and_ground_appears_equally_often():
    pairs = [(entry.daytime, entry.ground) for entry in MANY]
    assert len(set(pairs)) == 8 and all(pairs.count(pair) == 50 for pair in pairs)
    assert pairs[5] == ("dawn", "water") == tuple(skies.factors_of(5).values())


@pytest.mark.parametrize(("daytime", "lowest", "highest"), [
    ("night", -62, -10), ("dawn", -20, 30), ("day", 10, 62), ("dusk", -26, 14)])
def test_the_sun_is_where_the_daytime_says(daytime, lowest, highest):
    elevations = np.stack([entry.elevations for entry in MANY if entry.daytime == daytime])
    assert lowest < elevations.min() and elevations.max() < highest
    rises = np.diff(elevations, axis=1)
    assert {"dawn": (rises > 0).all(), "dusk": (rises < 0).all()}.get(daytime, True)


def test_the_sun_is_at_its_height_above_the_horizon_and_goes_its_way_evenly():
    for entry in MANY[:40]:
        np.testing.assert_allclose((entry.horizon - entry.sun[:, 1]) * 62, entry.elevations)
        steps = np.diff(entry.sun[:, 0]) / np.diff(entry.hours % 24)
        hours = np.abs(np.diff(entry.hours)) < 1  # but for midnight
        np.testing.assert_allclose(np.abs(steps[hours]), 15 / 62, rtol=1e-6)


def test_factors_span_their_ranges():
    def spans(values, low, high):
        width = high - low
        assert low <= min(values) < low + 0.1 * width and high - 0.1 * width < max(values) <= high

    for number, (low, high) in enumerate(skies.COVER):
        cover = [entry.cover[number] for entry in MANY]
        spans(cover, max(0, low), high)
        assert np.mean(np.array(cover) == 0) == pytest.approx(max(0, -low) / (high - low), abs=0.08)
    spans([np.hypot(*entry.wind) for entry in MANY], *skies.WIND_SPEED)
    assert {np.sign(entry.wind[0]) for entry in MANY} == {-1, 1} == {np.sign(entry.wind[1]) for entry in MANY}
    spans([entry.cloud_size for entry in MANY], *skies.CLOUD_SIZE)
    spans([entry.haze for entry in MANY], 0.2, 1)
    spans([entry.warmth for entry in MANY], -1, 1)
    for ground in skies.GROUNDS:
        here = [entry for entry in MANY if entry.ground == ground]
        spans([entry.horizon for entry in here], *skies.HORIZON[ground])
        fewest, most = skies.RIDGES[ground]
        assert {entry.ridges for entry in here} == set(range(fewest, most + 1))
    rates = [np.diff(entry.hours % 24)[0] * skies.FPS for entry in MANY]
    spans(rates, *skies.HOURS_PER_SECOND)


def test_a_longer_or_smaller_clip_has_the_same_factors():
    one, longer = factors(3), factors(3, frames=90, height=128, width=128)
    assert (one.cover, one.wind, one.horizon, one.land) == (longer.cover, longer.wind, longer.horizon, longer.land)
    for name in ("times", "hours", "elevations", "sun", "moon"):
        np.testing.assert_array_equal(getattr(longer, name)[:45], getattr(one, name))


def test_hours_go_round_without_end():
    hours = factors(2, frames=3000).hours
    assert hours.min() >= 0 and hours.max() < 24 and (np.diff(hours) < 0).any()


def test_clouds_drift_fastest_at_the_upper_edge():
    entry = factors(0)
    assert entry.drift(0.0) == pytest.approx(entry.wind[0])
    assert entry.drift(entry.horizon) == pytest.approx(0.26 * entry.wind[0])
