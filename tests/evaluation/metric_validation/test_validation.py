"""Verdicts by hand, and the validation of metrics on drawn clips."""

import dataclasses

import numpy as np
import pytest

from gan_keras.config.train import Config
from gan_keras.data.preparation.prepare import prepare
from gan_keras.evaluation import evaluator
from gan_keras.evaluation.metric_validation import validation
from gan_keras.evaluation.metric_validation.corruptions import CORRUPTIONS, Corruption
from gan_keras.evaluation.metric_validation.validation import (
    INSENSITIVE,
    NOT_MONOTONIC,
    SENSITIVE,
    UNAFFECTED,
    Sensitivity,
    Validation,
    validate,
    verdict,
)
from gan_keras.evaluation.metrics import distances
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, LOWER, Estimate, Metric
from gan_keras.evaluation.reference import Reference

CLEAN = Estimate(10.0, 8.0, 12.0)


def verdict_of(better, values, corruption="blur", clean=CLEAN):
    """Verdict on a metric that has to be sensitive to blur."""
    return verdict(Metric(better, "", ("blur",)), corruption, clean, values)


@pytest.mark.parametrize(("better", "values", "expected"), [
    (LOWER, (10.5, 12.0, 15.0), SENSITIVE),
    (LOWER, (9.9, 10.0, 12.1), SENSITIVE),  # back by less than a tenth of the interval
    (LOWER, (9.7, 10.0, 12.1), NOT_MONOTONIC),
    (LOWER, (14.0, 13.0, 15.0), NOT_MONOTONIC),
    (LOWER, (14.0, 13.9, 15.0), SENSITIVE),
    (LOWER, (15.0, 14.0, 11.9), INSENSITIVE),  # the strongest decides
    (LOWER, (10.5, 11.0, 12.0), INSENSITIVE),
    (LOWER, (9.0, 7.0, 3.0), INSENSITIVE),  # the wrong way is up
    (HIGHER, (9.0, 7.0, 3.0), SENSITIVE),
    (HIGHER, (9.0, 7.0, 7.5), NOT_MONOTONIC),
    (HIGHER, (11.0, 15.0, 20.0), INSENSITIVE),
    (HIGHER, (9.5, 9.0, 8.0), INSENSITIVE),
    (AS_REAL, (11.0, 12.0, 13.0), SENSITIVE),
    (AS_REAL, (9.0, 8.0, 7.0), SENSITIVE),
    (AS_REAL, (11.0, 9.0, 13.0), SENSITIVE),  # both ways are wrong
    (AS_REAL, (13.0, 10.0, 7.0), NOT_MONOTONIC),
    (AS_REAL, (9.0, 11.0, 8.5), INSENSITIVE)])
def test_a_metric_is_sensitive_to_what_moves_it_the_wrong_way_by_more_than_its_interval(better, values, expected):
    assert verdict_of(better, values) == expected
    # It may be sensitive to other corruptions, too, but does not have to.
    assert verdict_of(better, values, "noise") == (UNAFFECTED if expected == INSENSITIVE else expected)


@pytest.mark.parametrize(("values", "expected"), [
    ((np.nan, 11.0, 13.0), SENSITIVE), ((11.0, 13.0, np.nan), SENSITIVE), ((np.nan, np.nan, 11.0), INSENSITIVE),
    ((np.nan, np.nan, np.nan), INSENSITIVE), ((), INSENSITIVE)])
def test_unknown_values_are_ignored(values, expected):
    assert verdict_of(LOWER, values) == expected


def test_a_metric_without_an_interval_is_not_sensitive():
    assert verdict_of(LOWER, (20.0, 30.0), clean=Estimate(10.0, np.nan, np.nan)) == INSENSITIVE
    assert verdict_of(LOWER, (20.0, 30.0), "noise", Estimate(np.nan, np.nan, np.nan)) == UNAFFECTED


def test_a_metric_without_noise_is_sensitive_to_any_change():
    exact = Estimate(1.0, 1.0, 1.0)
    assert verdict_of(HIGHER, (1.0, 0.99), clean=exact) == SENSITIVE
    assert verdict_of(HIGHER, (1.0, 1.0), clean=exact) == INSENSITIVE


def make_validation(**sensitivities):
    by_metric = {metric: {"blur": sensitivity} for metric, sensitivity in sensitivities.items()}
    return Validation("clips", dict.fromkeys(by_metric, CLEAN), by_metric, ["A <note>."])


def test_the_conclusion_names_insensitive_metrics():
    failed = make_validation(precision=Sensitivity((1.0,), SENSITIVE), recall=Sensitivity((1.0,), INSENSITIVE),
                             coverage=Sensitivity((1.0,), UNAFFECTED))
    assert failed.insensitive == ["recall to blur"]
    assert validation.conclusion(failed) == "INSENSITIVE to what they should measure: recall to blur."
    passed = make_validation(precision=Sensitivity((1.0,), NOT_MONOTONIC))
    assert passed.insensitive == [] and "Every metric is sensitive" in validation.conclusion(passed)


def test_tables_star_what_a_metric_has_to_be_sensitive_to():
    outcome = make_validation(precision=Sensitivity((1.5, 0.25), NOT_MONOTONIC),
                              recall=Sensitivity((2.5, np.nan), SENSITIVE))
    text, markdown, page = validation.text(outcome), validation.markdown(outcome), validation.html_report(outcome)
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert rows["precision"] == ["not", "monotonic", "*"] and rows["recall"] == ["sensitive"]
    assert text.startswith("Note: A <note>.")
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines()]
    assert ["precision", "not monotonic *"] in cells and ["precision", "10.0", "1.50 · 0.250"] in cells
    assert ["recall", "10.0", "2.50 · –"] in cells
    assert "A &lt;note&gt;." in page and "not monotonic *" in page


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Halves of 64 clips, two of each video."""
    folder = tmp_path_factory.mktemp("validation") / "shapes"
    config = Config().replace(resolution="16", num_frames=8, test_fraction=0.0)
    return Reference.load(folder, prepare("shapes:64", folder, config.clip, workers=1), 8, 64)


@pytest.fixture(scope="module")
def validated(reference):
    """The outcome for four corruptions at two strengths, and its reports. A metric of appearance has to be sensitive to
    the order of frames, which it cannot."""
    with pytest.MonkeyPatch.context() as patch:
        corruptions = {name: dataclasses.replace(CORRUPTIONS[name], strengths=CORRUPTIONS[name].strengths[1:])
                       for name in ("shuffle", "freeze", "jitter", "drop")}
        metric = dataclasses.replace(evaluator.METRICS["kernel/appearance"], sensitive_to=("shuffle", "drop"))
        patch.setattr(validation, "CORRUPTIONS", corruptions)
        patch.setitem(evaluator.METRICS, "kernel/appearance", metric)
        patch.setattr(evaluator, "METRIC_MODULES", (distances,))
        outcome = validate(reference, "shapes")
        yield outcome, validation.text(outcome), validation.markdown(outcome), validation.html_report(outcome)


def test_every_metric_has_a_sensitivity_to_every_corruption(validated):
    outcome = validated[0]
    assert outcome.title == "shapes"
    assert set(outcome.sensitivities) == set(outcome.clean) == set(distances.METRICS)
    for by_corruption in outcome.sensitivities.values():
        assert list(by_corruption) == ["shuffle", "freeze", "jitter", "drop"]
        for sensitivity in by_corruption.values():
            assert len(sensitivity.values) == 2 and np.isfinite(sensitivity.values).all()


@pytest.mark.parametrize("corruption", ["shuffle", "freeze", "jitter"])
def test_motion_is_sensitive_to_changes_of_time(validated, corruption):
    outcome = validated[0]
    sensitivity, clean = outcome.sensitivities["frechet/motion"][corruption], outcome.clean["frechet/motion"]
    assert sensitivity.verdict == SENSITIVE
    assert sensitivity.values[0] > 5 * clean.value and sensitivity.values[1] > 1.2 * sensitivity.values[0]


def test_appearance_is_not_affected_by_the_order_of_frames(validated):
    outcome = validated[0]
    sensitivity, clean = outcome.sensitivities["frechet/appearance"]["shuffle"], outcome.clean["frechet/appearance"]
    assert sensitivity.verdict == UNAFFECTED and sensitivity.values == pytest.approx([clean.value] * 2, abs=1e-3)


def test_an_insensitive_metric_is_named_in_every_report(validated):
    outcome, *reports = validated
    assert outcome.sensitivities["kernel/appearance"]["shuffle"].verdict == INSENSITIVE
    assert "kernel/appearance to shuffle" in outcome.insensitive
    for report in reports:
        assert "INSENSITIVE to what they should measure: " in report and "kernel/appearance to shuffle" in report
        assert "frechet/motion" in report and "sensitive *" in report


def test_the_page_lists_the_corruptions(validated):
    page = validated[3]
    assert "Validation of the metrics on shapes" in page
    for name in ("shuffle", "freeze", "jitter", "drop"):
        assert CORRUPTIONS[name].meaning in page and CORRUPTIONS["blur"].meaning not in page


def test_without_classes_none_is_dropped(reference, monkeypatch):
    monkeypatch.setattr(reference, "labels", np.full(64, -1))
    monkeypatch.setattr(validation, "CORRUPTIONS", {"drop": CORRUPTIONS["drop"], "repeat": dataclasses.replace(
        CORRUPTIONS["repeat"], strengths=(0.5,))})
    monkeypatch.setattr(evaluator, "METRIC_MODULES", (distances,))
    outcome = validate(reference, "shapes")
    assert {name for by_corruption in outcome.sensitivities.values() for name in by_corruption} == {"repeat"}
    assert outcome.notes[-1] == "The clips have no classes, so none could be dropped."
    assert outcome.notes[:-1] == reference.notes and "classes" not in "".join(reference.notes)


def test_clean_clips_are_the_other_half_and_the_unseen_clip_is_of_no_video_in_it(reference, monkeypatch):
    corrupted = []
    monkeypatch.setattr(validation, "CORRUPTIONS", {
        "none": Corruption("nothing", (1.0,), lambda clean, *_: corrupted.append(clean) or clean)})
    monkeypatch.setattr(evaluator, "METRIC_MODULES", (distances,))
    validate(reference, "shapes")
    clean, = corrupted
    assert clean.clips is reference.other.clips and clean.labels is reference.labels
    np.testing.assert_array_equal(clean.unseen_clip, reference.real.clips[0])
    assert reference.real.video_ids[0] not in clean.video_ids
