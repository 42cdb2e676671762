"""All modules of metrics together: every metric has its floor, a meaning, and a place in what an evaluation leaves."""

import json

import numpy as np
import pytest

from gan_keras.config.train import MODEL_SELECTION_METRICS
from gan_keras.data.drawn import moving_shapes
from gan_keras.evaluation import evaluator as evaluator_module
from gan_keras.evaluation.evaluator import (
    METRIC_MODULES,
    METRICS,
    REPORT,
    Evaluator,
    metric_info,
    metrics_line,
    write_results,
)
from gan_keras.evaluation.evaluator import evaluate as evaluate_source
from gan_keras.evaluation.metric_validation.corruptions import CORRUPTIONS
from gan_keras.evaluation.metrics import distances, factors, fidelity, memorization, relative_error, speed
from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.metrics.types import AS_REAL, HIGHER, LOWER, Measurement
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.samples import SampleSource
from tests.evaluation.folders import SIDE, prepare_folder

FRAMES = 9
UNPAIRED = set(METRICS) - set(speed.METRICS) - set(fidelity.METRICS) - set(relative_error.METRICS)


class DrawnSamples(SampleSource):
    """Clips with another kind of motion than the real ones: `count` in a file, or a generator."""

    def __init__(self, count=None, paired=False):
        self.name, self.shape, self.fps, self.count = "drawn", (FRAMES, SIDE, SIDE, 3), 15.0, count
        self.generates, self.paired, self.given = count is None, paired, None

    def clips(self, count, first_seed=0, advance=lambda done: None, given=None):
        self.given = given
        advance(count)
        return np.stack([moving_shapes.render(9, seed, FRAMES, SIDE, SIDE, ("sine",))[0]
                         for seed in range(first_seed, first_seed + count)])

    def pairs(self, clips):
        return PairedClips(clips.clips ^ 1, clips.clips, clips.video_ids) if self.paired else None


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare_folder(tmp_path_factory.mktemp("evaluate") / "shapes", "shapes:64", FRAMES, test_fraction=0.2)


@pytest.fixture(scope="module")
def reference(data):
    return Reference.load(*data, FRAMES, 40)


@pytest.fixture(scope="module")
def evaluator(reference):
    return Evaluator(reference)


@pytest.fixture(scope="module")
def measurements(reference, evaluator):
    return evaluator.measure(reference.extract_features(DrawnSamples().clips(40)))


@pytest.fixture(scope="module")
def results(data, reference):
    """Of clips in a file."""
    return evaluate_source(DrawnSamples(count=24), reference, data[1], count=40)


def test_every_metric_has_a_floor_and_a_value_of_held_out_clips(evaluator, measurements):
    for name, measurement in measurements.items():
        floor = evaluator.floor[name]
        assert (measurement.floor, measurement.floor_high) == pytest.approx((floor.value, floor.high), nan_ok=True)
        assert measurement.held_out is not None
    assert np.isfinite([measurement.floor for measurement in measurements.values()]).all()


def test_every_module_measures_all_of_its_metrics_of_drawn_clips(measurements):
    assert set(measurements) == UNPAIRED


def test_real_clips_in_the_place_of_generated_ones_are_at_the_floor(reference, evaluator):
    other = reference.other
    measurements = evaluator.measure(reference.extract_features(other.clips, other.video_ids))
    compared = [name for name in measurements if name.startswith(("frechet/", "kernel/", "factors/", "dynamics/"))]
    assert len(compared) > 15
    for name in compared:
        assert measurements[name].value == pytest.approx(measurements[name].floor, rel=1e-3, abs=1e-4, nan_ok=True)


def test_held_out_clips_in_the_place_of_generated_ones_are_at_the_held_out_value(reference, evaluator):
    for measurement in evaluator.measure(reference.held_out).values():
        assert measurement.value == pytest.approx(measurement.held_out, nan_ok=True)


def test_another_motion_is_above_the_floor_and_copies_of_one_clip_have_no_variety(reference, evaluator, measurements):
    assert measurements["frechet/motion"].value > 4 * measurements["frechet/motion"].floor
    copies = evaluator.measure(reference.extract_features(np.repeat(DrawnSamples().clips(1), 40, axis=0)))
    assert copies["recall"].value == 0 < copies["recall"].floor
    assert copies["factors/shape_variation"].value > 0.5 > copies["factors/shape_variation"].floor


def test_the_real_clips_are_measured_once(reference, monkeypatch):
    measured = []

    class Module:
        METRICS = METRIC_MODULES[1].METRICS

        @staticmethod
        def measure(samples, inputs):
            measured.append(samples)
            return {}

    monkeypatch.setattr(evaluator_module, "METRIC_MODULES", (Module,))
    evaluator, advanced = Evaluator(reference), []
    for _ in range(2):
        assert evaluator.measure(reference.real, advance=lambda: advanced.append(1)) == {}
    assert measured == [reference.real, reference.other, reference.held_out, reference.real]
    assert len(advanced) == 2 * 2


def test_without_held_out_clips_there_is_only_the_floor(reference, monkeypatch):
    monkeypatch.setattr(reference, "held_out", None)
    monkeypatch.setattr(evaluator_module, "METRIC_MODULES", (distances,))
    for measurement in Evaluator(reference).measure(reference.real).values():
        assert measurement.held_out is None and measurement.floor is not None


def test_fidelity_is_measured_of_paired_clips_and_has_no_floor(reference, monkeypatch):
    monkeypatch.setattr(evaluator_module, "METRIC_MODULES", (fidelity,))
    targets = reference.given_clips.clips[:5]
    paired = PairedClips(targets ^ 1, targets, np.arange(5))
    measurement = Evaluator(reference).measure(reference.real, paired)["fidelity/psnr"]
    assert measurement.value == pytest.approx(20 * np.log10(255)) and measurement.floor is measurement.held_out is None


def test_clips_of_anything_else_have_no_factors(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (20, FRAMES + 2, SIDE // 4, SIDE // 4, 3), np.uint8)
    np.save(tmp_path / "noise.npy", noise.repeat(4, axis=2).repeat(4, axis=3))
    data = prepare_folder(tmp_path / "out", str(tmp_path / "noise.npy"), FRAMES, cut_threshold=1.0)
    reference = Reference.load(*data, FRAMES, 24)
    assert UNPAIRED - set(Evaluator(reference).measure(reference.real)) == set(factors.METRICS)


def test_clips_of_two_frames_are_measured(tmp_path):
    data = prepare_folder(tmp_path / "two", "shapes:count=40,frames=6", num_frames=2)
    reference = Reference.load(*data, 2, 24)
    measurements = Evaluator(reference).measure(reference.real)
    for name in ("frechet/joint", "kernel/motion", "coverage", "factors/valid_clips", "dynamics/motion"):
        measurement = measurements[name]
        assert np.isfinite([measurement.value, measurement.floor, measurement.held_out]).all()


def test_every_metric_has_a_meaning(results):
    own = ("frechet/videomae", "kernel/videomae", "frechet/i3d_logits")
    for name in (*METRICS, *results.measurements, *own, "discriminators/clip/overfitting"):
        metric = metric_info(name)
        assert metric.better in (LOWER, HIGHER, AS_REAL) and metric.meaning.endswith(".")
    assert set(results.metrics) == set(results.measurements)


def test_no_two_modules_share_a_name():
    assert len(METRICS) == sum(len(module.METRICS) for module in (*METRIC_MODULES, speed))


def test_checkpoints_are_selected_by_metrics_that_are_better_lower_or_higher():
    assert {METRICS[name].better for name in MODEL_SELECTION_METRICS} == {LOWER, HIGHER}


def test_metrics_are_sensitive_to_known_corruptions_and_to_every_one_but_reverse():
    named = {corruption for metric in METRICS.values() for corruption in metric.sensitive_to}
    assert named <= set(CORRUPTIONS)
    assert set(CORRUPTIONS) - named == {"reverse"}


def test_a_line_has_every_part_of_a_measurement(results):
    line = metrics_line(results.measurements, {"speed/latency_p50": 0.5}, 24)
    assert line["evaluation/clips"] == 24 and line["speed/latency_p50"] == 0.5
    for name in ("frechet/appearance", "kernel/motion", "coverage", "memorization/distance"):
        measurement = results.measurements[name]
        parts = {f"{name}.{part}": getattr(measurement, part) for part in ("low", "high", "floor", "held_out")}
        for key, value in {name: measurement.value, **parts}.items():
            assert line[key] == pytest.approx(value, rel=1e-5)
    for name in ("frechet/appearance", "kernel/motion"):
        assert line[f"{name}.multiple"] == pytest.approx(results.measurements[name].multiple, rel=1e-5)


def test_a_line_leaves_out_what_is_unknown():
    measurements = {"a/b": Measurement(1.0, np.nan, 2.0), "c": Measurement(np.nan, np.nan, np.nan)}
    assert metrics_line(measurements, {}, 3) == {"evaluation/clips": 3, "a/b": 1.0, "a/b.high": 2.0}


def test_results_have_clips_plots_notes_and_protocol(data, reference, results):
    clips = DrawnSamples().clips(24)
    assert results.title == "Evaluation of drawn" and results.speed == {} and results.fps == reference.fps
    np.testing.assert_array_equal(results.samples, clips[:16])
    np.testing.assert_array_equal(results.real_samples, reference.real.clips[:16])
    assert results.protocol["Clips"] == "24 of 9 frames of 16x16"
    assert results.protocol["Compared in distances"] == "24 with 24"
    assert results.protocol["Fingerprint of the data"] == data[1].fingerprint
    assert results.notes == reference.notes
    assert {plot.title for plot in results.plots} >= {"Shapes", "Change from frame to frame"}


def test_pairs_are_clips_and_their_nearest_training_clips(results):
    generated = {clip.tobytes() for clip in DrawnSamples().clips(24)}
    assert len(results.pairs) == 12
    for clip, training, distance in results.pairs:
        assert clip.tobytes() in generated and training.shape == clip.shape
        # Thumbnails of frames of 16 are the frames themselves.
        difference = clip.astype(float) - training
        assert np.sqrt((difference**2).mean()) == pytest.approx(distance, rel=1e-3)


def test_results_of_a_generator_have_speed_seeds_and_fidelity(data, reference, monkeypatch):
    monkeypatch.setattr(evaluator_module, "METRIC_MODULES", (memorization, fidelity))
    source = DrawnSamples(paired=True)
    results = evaluate_source(source, reference, data[1], count=40, speeds={"speed/clips_per_second": 7.0})
    assert results.speed == {"speed/clips_per_second": 7.0} and results.notes == reference.notes
    assert results.protocol["Clips"] == "40 of 9 frames of 16x16, seeds 0 to 39"
    assert source.given is reference.given_clips.clips
    assert results.measurements["fidelity/psnr"].value == pytest.approx(20 * np.log10(255))


def test_results_are_written_as_a_page_a_line_and_events(results, tmp_path):
    write_results(results, tmp_path, step=30, count=24)
    assert "Evaluation of drawn" in (tmp_path / REPORT).read_text(encoding="utf-8")
    line, = (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["step"] == 30
    floor = results.measurements["frechet/joint"].floor
    assert json.loads(line)["frechet/joint.floor"] == pytest.approx(floor, rel=1e-5)
    assert list(tmp_path.rglob("events.out.tfevents.*"))
