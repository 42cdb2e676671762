"""Verdicts by hand, and the self-test of drawn clips."""

import dataclasses

import numpy as np
import pytest

from gan_keras.config import Config
from gan_keras.data.prepare import prepare
from gan_keras.evaluation import distances, evaluate, selftest
from gan_keras.evaluation.damages import DAMAGES
from gan_keras.evaluation.findings import AS_REAL, HIGHER, LOWER, Estimate, Metric
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.selftest import BLIND, SEES, UNSTEADY, UNTOUCHED, Sight, verdict

# A metric that is there to see blur, at 10 give or take 2.
UNDAMAGED = Estimate(10.0, 8.0, 12.0)


def judged(better, values, damage="blur", undamaged=UNDAMAGED):
    return verdict(Metric(better, "", ("blur",)), damage, undamaged, values)


@pytest.mark.parametrize(("better", "values", "expected"), [
    (LOWER, (10.5, 12.0, 15.0), SEES),
    (LOWER, (9.9, 10.0, 12.1), SEES),  # back by less than a tenth of the interval
    (LOWER, (9.7, 10.0, 12.1), UNSTEADY),
    (LOWER, (14.0, 13.0, 15.0), UNSTEADY),
    (LOWER, (14.0, 13.9, 15.0), SEES),
    (LOWER, (15.0, 14.0, 11.9), BLIND),  # the strongest counts
    (LOWER, (10.5, 11.0, 12.0), BLIND),
    (LOWER, (9.0, 7.0, 3.0), BLIND),  # the wrong way is up
    (HIGHER, (9.0, 7.0, 3.0), SEES),
    (HIGHER, (9.0, 7.0, 7.5), UNSTEADY),
    (HIGHER, (11.0, 15.0, 20.0), BLIND),
    (HIGHER, (9.5, 9.0, 8.0), BLIND),
    (AS_REAL, (11.0, 12.0, 13.0), SEES),
    (AS_REAL, (9.0, 8.0, 7.0), SEES),
    (AS_REAL, (11.0, 9.0, 13.0), SEES),  # both ways are wrong
    (AS_REAL, (13.0, 10.0, 7.0), UNSTEADY),
    (AS_REAL, (9.0, 11.0, 8.5), BLIND)])
def test_a_metric_sees_what_moves_it_the_wrong_way_by_more_than_its_interval(better, values, expected):
    assert judged(better, values) == expected
    # What it is not there to see it may see as well.
    assert judged(better, values, "noise") == (UNTOUCHED if expected == BLIND else expected)


@pytest.mark.parametrize(("values", "expected"), [
    ((np.nan, 11.0, 13.0), SEES), ((11.0, 13.0, np.nan), SEES), ((np.nan, np.nan, 11.0), BLIND),
    ((np.nan, np.nan, np.nan), BLIND), ((), BLIND)])
def test_what_has_no_value_is_passed_over(values, expected):
    assert judged(LOWER, values) == expected


def test_without_an_interval_nothing_is_seen():
    assert judged(LOWER, (20.0, 30.0), undamaged=Estimate(10.0, np.nan, np.nan)) == BLIND
    assert judged(LOWER, (20.0, 30.0), "noise", Estimate(np.nan, np.nan, np.nan)) == UNTOUCHED


def test_a_metric_without_noise_sees_any_change():
    still = Estimate(1.0, 1.0, 1.0)
    assert judged(HIGHER, (1.0, 0.99), undamaged=still) == SEES
    assert judged(HIGHER, (1.0, 1.0), undamaged=still) == BLIND


def outcome(**sights):
    found = {metric: {"blur": sight} for metric, sight in sights.items()}
    return selftest.SelfTest("clips", dict.fromkeys(found, UNDAMAGED), found, ["A <note>."])


def test_the_conclusion_names_blind_metrics():
    some = outcome(precision=Sight((1.0,), SEES), recall=Sight((1.0,), BLIND), coverage=Sight((1.0,), UNTOUCHED))
    assert some.blind == ["recall to blur"]
    assert selftest.conclusion(some) == "BLIND to what they are there to see: recall to blur."
    none = outcome(precision=Sight((1.0,), UNSTEADY))
    assert none.blind == [] and "Every metric sees" in selftest.conclusion(none)


def test_tables_star_what_a_metric_is_there_to_see():
    shown = outcome(precision=Sight((1.5, 0.25), UNSTEADY), recall=Sight((2.5, np.nan), SEES))
    rows = {line.split()[0]: line.split()[1:] for line in selftest.text(shown).splitlines() if line}
    assert rows["precision"] == ["unsteady", "*"] and rows["recall"] == ["sees"]
    assert selftest.text(shown).startswith("Note: A <note>.")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in selftest.markdown(shown).splitlines()]
    assert ["precision", "unsteady *"] in cells and ["precision", "10.0", "1.50 · 0.250"] in cells
    assert ["recall", "10.0", "2.50 · –"] in cells
    assert "A &lt;note&gt;." in selftest.html(shown) and "unsteady *" in selftest.html(shown)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Halves of 64 clips, two of each video."""
    folder = tmp_path_factory.mktemp("selftest") / "shapes"
    settings = Config().replace(resolution="32", num_frames=8, test_fraction=0.0)
    return Reference(folder, prepare("shapes:64", folder, settings.clips, workers=1), 8, 64)


@pytest.fixture(scope="module")
def tested(reference):
    """The outcome of a few damages, two strengths of each, and what was measured. A metric of the mean colour claims
    to see frames change places, which it cannot."""
    with pytest.MonkeyPatch.context() as patch:
        few = {name: dataclasses.replace(DAMAGES[name], strengths=DAMAGES[name].strengths[1:])
               for name in ("shuffle", "freeze", "jitter", "drop")}
        blind = dataclasses.replace(evaluate.METRICS["kernel/appearance"], sees=("shuffle", "drop"))
        patch.setattr(selftest, "DAMAGES", few)
        patch.setitem(evaluate.METRICS, "kernel/appearance", blind)
        patch.setattr(evaluate, "FAMILIES", (distances,))
        found = selftest.run(reference, "shapes")
        yield found, selftest.text(found), selftest.markdown(found), selftest.html(found)


def test_every_metric_has_a_sight_of_every_damage(tested):
    found = tested[0]
    assert found.title == "shapes" and set(found.sights) == set(found.undamaged) == set(distances.METRICS)
    for sights in found.sights.values():
        assert list(sights) == ["shuffle", "freeze", "jitter", "drop"]
        assert all(len(sight.values) == 2 and np.isfinite(sight.values).all() for sight in sights.values())


@pytest.mark.parametrize("damage", ["shuffle", "freeze", "jitter"])
def test_motion_sees_what_is_done_to_time(tested, damage):
    sight, undamaged = tested[0].sights["frechet/motion"][damage], tested[0].undamaged["frechet/motion"]
    assert sight.verdict == SEES and sight.values[0] > 5 * undamaged.value and sight.values[1] > 1.2 * sight.values[0]


def test_appearance_is_untouched_by_the_order_of_frames(tested):
    sight, undamaged = tested[0].sights["frechet/appearance"]["shuffle"], tested[0].undamaged["frechet/appearance"]
    assert sight.verdict == UNTOUCHED and sight.values == pytest.approx([undamaged.value] * 2, abs=1e-3)


def test_a_metric_that_cannot_see_what_it_claims_to_is_named(tested):
    found, *shown = tested
    assert found.sights["kernel/appearance"]["shuffle"].verdict == BLIND
    assert "kernel/appearance to shuffle" in found.blind
    for page in shown:
        assert "BLIND to what they are there to see: " in page and "kernel/appearance to shuffle" in page
        assert "frechet/motion" in page and "sees *" in page


def test_the_page_says_what_was_done(tested):
    page = tested[3]
    assert "Self-test of the metrics on shapes" in page
    for name in ("shuffle", "freeze", "jitter", "drop"):
        assert DAMAGES[name].meaning in page and DAMAGES["blur"].meaning not in page


def test_where_there_are_no_classes_none_is_dropped(reference, monkeypatch):
    monkeypatch.setattr(reference, "labels", np.full(64, -1))
    monkeypatch.setattr(selftest, "DAMAGES", {"drop": DAMAGES["drop"], "repeat": dataclasses.replace(
        DAMAGES["repeat"], strengths=(0.5,))})
    monkeypatch.setattr(evaluate, "FAMILIES", (distances,))
    found = selftest.run(reference, "shapes")
    assert {damage for sights in found.sights.values() for damage in sights} == {"repeat"}
    assert found.notes[-1] == "The clips have no classes, so none could be dropped."
    assert found.notes[:-1] == reference.notes and "classes" not in "".join(reference.notes)


def test_the_clip_that_is_repeated_is_a_training_clip_of_no_video_there(reference):
    given = selftest._specimen(reference)
    np.testing.assert_array_equal(given.stranger, reference.real.clips[0])
    assert reference.real.sources[0] not in given.sources
    assert given.clips is reference.other.clips and given.labels is reference.labels
