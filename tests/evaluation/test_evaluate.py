"""All families together: every number has its floor, a meaning, and a place in the line that is left."""

import json

import numpy as np
import pytest

from gan_keras.config import Config
from gan_keras.data.prepare import prepare
from gan_keras.evaluation import distances, evaluate, factors, speed
from gan_keras.evaluation.damages import DAMAGES
from gan_keras.evaluation.evaluate import METRICS, Judge, describe
from gan_keras.evaluation.findings import AS_REAL, HIGHER, LOWER, Measure
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.subjects import Subject
from gan_keras.train_settings import JUDGED_BY
from gan_keras.video import shapes

FRAMES, SIDE = 6, 16


def folder_of(folder, source, num_frames=FRAMES, **settings):
    settings = {"resolution": str(SIDE), "num_frames": num_frames, **settings}
    return folder, prepare(source, folder, Config().replace(**settings).clips, workers=1)


class Drawn(Subject):
    """Clips that are drawn, of another kind of motion than the real ones; a file of `count`, or a generator."""

    def __init__(self, count=None):
        self.name, self.shape, self.fps, self.count = "drawn", (FRAMES, SIDE, SIDE, 3), 15.0, count
        self.generates = count is None

    def _few(self, seeds):
        return np.stack([shapes.render(9, seed, FRAMES, SIDE, SIDE, ("sine",))[0] for seed in seeds])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return folder_of(tmp_path_factory.mktemp("evaluate") / "shapes", "shapes:64", test_fraction=0.2)


@pytest.fixture(scope="module")
def reference(data):
    return Reference(*data, FRAMES, 40)


@pytest.fixture(scope="module")
def judge(reference):
    return Judge(reference)


@pytest.fixture(scope="module")
def measures(reference, judge):
    return judge.measures(reference.observe(Drawn().clips(40)))


@pytest.fixture(scope="module")
def results(data, reference):
    """Of clips in a file."""
    return evaluate.evaluate(Drawn(count=24), reference, data[1], count=40)


def test_every_number_has_a_floor_and_that_of_held_out_clips(judge, measures):
    for name, measure in measures.items():
        floor = judge.floor[name]
        assert (measure.floor, measure.floor_high) == pytest.approx((floor.value, floor.high), nan_ok=True)
        assert measure.held_out is not None
    assert np.isfinite([measure.floor for measure in measures.values()]).all()


def test_every_family_gives_all_of_its_metrics_for_drawn_clips(measures):
    assert set(measures) == {name for family in evaluate.FAMILIES for name in family.METRICS}
    assert set(measures) == set(METRICS) - set(speed.METRICS)


def test_real_clips_in_the_place_of_generated_ones_are_at_the_floor(reference, judge):
    other = reference.other
    found = judge.measures(reference.observe(other.clips, other.sources))
    compared = [name for name in found if name.startswith(("frechet/", "kernel/", "factors/", "dynamics/"))]
    assert len(compared) > 15
    for name in compared:
        assert found[name].value == pytest.approx(found[name].floor, rel=1e-3, abs=1e-4, nan_ok=True)


def test_held_out_clips_in_the_place_of_generated_ones_are_what_stands_beside_them(reference, judge):
    held_out = judge.measures(reference.held_out)
    for measure in held_out.values():
        assert measure.value == pytest.approx(measure.held_out, nan_ok=True)


def test_clips_that_move_otherwise_are_above_the_floor_and_those_of_one_kind_are_not_varied(reference, judge, measures):
    assert measures["frechet/motion"].value > 4 * measures["frechet/motion"].floor
    same = judge.measures(reference.observe(np.repeat(Drawn().clips(1), 40, axis=0)))
    assert same["recall"].value == 0 < same["recall"].floor
    assert same["factors/shape_variation"].value > 0.5 > same["factors/shape_variation"].floor


def test_the_real_clips_are_measured_once(reference, monkeypatch):
    measured = []

    class Family:
        METRICS = evaluate.FAMILIES[1].METRICS

        @staticmethod
        def measure(candidate, evidence):
            measured.append(candidate)
            return {}

    monkeypatch.setattr(evaluate, "FAMILIES", (Family,))
    judge, told = Judge(reference), []
    for _ in range(2):
        assert judge.measures(reference.real, lambda: told.append(1)) == {}
    assert measured == [reference.real, reference.other, reference.held_out, reference.real]
    assert len(told) == 2 * evaluate._SETS


def test_without_held_out_clips_there_is_only_the_floor(reference, monkeypatch):
    monkeypatch.setattr(reference, "held_out", None)
    monkeypatch.setattr(evaluate, "FAMILIES", (distances,))
    for measure in Judge(reference).measures(reference.real).values():
        assert measure.held_out is None and measure.floor is not None


def test_clips_of_anything_else_have_no_factors(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (20, 8, SIDE // 4, SIDE // 4, 3), np.uint8)
    np.save(tmp_path / "noise.npy", noise.repeat(4, axis=2).repeat(4, axis=3))
    reference = Reference(*folder_of(tmp_path / "out", str(tmp_path / "noise.npy"), cut_threshold=1.0), FRAMES, 24)
    found = Judge(reference).measures(reference.real)
    assert {name for name in METRICS if name not in {**found, **speed.METRICS}} == set(factors.METRICS)


def test_clips_of_two_frames_are_measured(tmp_path):
    reference = Reference(*folder_of(tmp_path / "two", "shapes:count=40,frames=6", num_frames=2), 2, 24)
    found = Judge(reference).measures(reference.real)
    for name in ("frechet/joint", "kernel/motion", "coverage", "factors/valid_clips", "dynamics/motion"):
        assert np.isfinite([found[name].value, found[name].floor, found[name].held_out]).all()


def test_every_number_can_be_described(results):
    own = ("frechet/videomae", "kernel/videomae", "frechet/i3d_logits")
    for name in (*METRICS, *results.measures, *own, "discriminators/clip/overfitting"):
        metric = describe(name)
        assert metric.better in (LOWER, HIGHER, AS_REAL) and metric.meaning.endswith(".")
    assert set(results.metrics) == set(results.measures)


def test_no_two_families_share_a_name():
    assert len(METRICS) == sum(len(family.METRICS) for family in (*evaluate.FAMILIES, speed))


def test_checkpoints_are_judged_by_numbers_that_have_a_better():
    assert {METRICS[name].better for name in JUDGED_BY} == {LOWER, HIGHER}


def test_metrics_name_damages_that_there_are_and_every_damage_but_one_is_seen():
    seen = {damage for metric in METRICS.values() for damage in metric.sees}
    assert seen <= set(DAMAGES)
    assert set(DAMAGES) - seen == {"reverse"}


def test_a_line_has_every_number_and_what_stands_beside_it(results):
    line = evaluate.line(results.measures, {"speed/latency_p50": 0.5}, 24)
    assert line["evaluation/clips"] == 24 and line["speed/latency_p50"] == 0.5
    for name in ("frechet/appearance", "kernel/motion", "coverage", "memorization/distance"):
        measure = results.measures[name]
        for key, value in ((name, measure.value), (f"{name}.low", measure.low), (f"{name}.high", measure.high),
                           (f"{name}.floor", measure.floor), (f"{name}.held_out", measure.held_out)):
            assert line[key] == pytest.approx(value, rel=1e-5)
    for name in ("frechet/appearance", "kernel/motion"):
        assert line[f"{name}.multiple"] == pytest.approx(results.measures[name].multiple, rel=1e-5)


def test_a_line_leaves_out_what_is_unknown():
    assert evaluate.line({"a/b": Measure(1.0, np.nan, 2.0), "c": Measure(np.nan, np.nan, np.nan)}, {}, 3) == {
        "evaluation/clips": 3, "a/b": 1.0, "a/b.high": 2.0}


def test_an_evaluation_tells_what_was_measured_and_how(data, reference, results):
    clips = Drawn().clips(24)
    assert results.title == "Evaluation of drawn" and results.speed == {} and results.fps == reference.fps
    np.testing.assert_array_equal(results.samples, clips[:16])
    np.testing.assert_array_equal(results.real_samples, reference.real.clips[:16])
    assert results.protocol["Clips"] == "24 of 6 frames of 16x16"
    assert results.protocol["Compared in distances"] == "24 with 24"
    assert results.protocol["Fingerprint of the data"] == data[1].fingerprint
    assert results.notes == reference.notes
    assert {plot.title for plot in results.plots} >= {"Shapes", "Change from frame to frame"}


def test_pairs_are_clips_and_their_nearest_training_clips(reference, results):
    generated = {clip.tobytes() for clip in Drawn().clips(24)}
    assert len(results.pairs) == 12
    for clip, training, distance in results.pairs:
        assert clip.tobytes() in generated and training.shape == clip.shape
        # Thumbnails of frames of 16 are the frames themselves.
        apart = clip.astype(float) - training
        assert np.sqrt((apart**2).mean()) == pytest.approx(distance, rel=1e-3)


def test_speed_and_seeds_of_a_generator_are_told(data, reference, monkeypatch):
    monkeypatch.setattr(evaluate, "FAMILIES", (evaluate.memorization,))
    results = evaluate.evaluate(Drawn(), reference, data[1], count=40, speeds={"speed/clips_per_second": 7.0})
    assert results.speed == {"speed/clips_per_second": 7.0} and results.notes == reference.notes
    assert results.protocol["Clips"] == "40 of 6 frames of 16x16, seeds 0 to 39"


def test_an_evaluation_leaves_a_page_a_line_and_events(results, tmp_path):
    evaluate.leave(results, tmp_path, step=30, count=24)
    assert "Evaluation of drawn" in (tmp_path / evaluate.REPORT).read_text(encoding="utf-8")
    line, = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["step"] == 30
    assert json.loads(line)["frechet/joint.floor"] == pytest.approx(results.measures["frechet/joint"].floor, rel=1e-5)
    assert list(tmp_path.rglob("events.out.tfevents.*"))
