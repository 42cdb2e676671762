"""Evaluations while training: the best step is found, kept and found again by a resumed run."""

import numpy as np
import pytest

from gan_keras.config.train import MODEL_SELECTION_METRICS
from gan_keras.data.preparation.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.evaluation import callback as callback_module
from gan_keras.evaluation import features
from gan_keras.evaluation.callback import EvaluationCallback
from gan_keras.evaluation.evaluator import Evaluator
from gan_keras.evaluation.metrics import fidelity
from gan_keras.evaluation.reference import Reference
from gan_keras.runs import checkpoints
from gan_keras.runs.restore import restore_ema
from gan_keras.runs.run_folder import BestEvaluation, RunFolder
from gan_keras.training.actions import make_actions
from gan_keras.training.loop import start_training
from gan_keras.training.train_step import VideoGAN
from tests.conftest import DATA, STEP

CLIPS = 16


class CachedEvaluator(Evaluator):
    """Measures each set of clips once."""

    def __init__(self, reference):
        super().__init__(reference)
        self._cache = {}

    def measure(self, generated, *_):
        key = generated.clips.tobytes()
        if key not in self._cache:
            self._cache[key] = super().measure(generated)
        return self._cache[key]


@pytest.fixture(scope="module")
def evaluators(prepared, tiny):
    """One for each number of clips."""
    return {count: CachedEvaluator(Reference.load(*prepared, tiny.clip.num_frames, count))
            for count in (CLIPS, CLIPS + 2)}


@pytest.fixture(scope="module")
def samplers(evaluators):
    """Samplers of real clips, of noisy real clips, and of noise alone."""
    clips = evaluators[CLIPS + 2].reference.other.clips
    noise = np.random.default_rng(0).integers(0, 256, clips.shape, np.uint8)
    sets = {"good": clips, "poor": clips // 2 + noise // 2, "bad": noise}
    def sampler(samples):
        raw = {f"raw/{name}": values for name, values in features.extract(samples).items()}
        return lambda seeds, _: {name: values[seeds.start:seeds.stop] for name, values in
                                 ({"video": samples} | raw).items()}

    return {name: sampler(samples) for name, samples in sets.items()}


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    return run


@pytest.fixture
def start(run, tiny, evaluators):
    """Creates a callback of the run folder, as a start of the run does."""
    def create(**settings):
        config = tiny.replace(**{"evaluate_every": 10, "evaluate_clips": CLIPS, "keep_best": "frechet/joint",
                                 **settings})
        return EvaluationCallback(run, config, evaluators[config.run.evaluate_clips])
    return create


def evaluate(callback, run, step, sampler):
    """Evaluates and saves the best, as training does."""
    before = callback.best
    values = callback.evaluate(step, sampler)
    if callback.best != before:
        run.save_best(callback.best)
    return values


def test_an_evaluation_is_a_line_of_metrics_and_a_line_of_text(start, run, samplers):
    callback = start(keep_best="")
    assert not callback.has_evaluated(10)
    values = callback.evaluate(10, samplers["poor"])
    line, = run.metrics()
    assert (line.pop("step"), line.pop("time") > 0) == (10, True) and line == values
    assert values["evaluation/clips"] == CLIPS and 0 < values["frechet/joint.floor"] < values["frechet/joint"]
    assert callback.has_evaluated(10) and callback.best is None and not callback.should_stop
    text = str(callback)
    assert text.startswith(f"Evaluation at step 10: frechet/appearance {values['frechet/appearance']:.3g} (floor ")
    assert "\n" not in text and "best" not in text


def test_samples_get_seeds_and_real_clips(start, evaluators, samplers):
    calls = []
    start(keep_best="").evaluate(10, lambda *arguments: calls.append(arguments) or samplers["good"](*arguments))
    (seeds, clips), = calls
    assert list(seeds) == list(range(CLIPS))
    assert clips is evaluators[CLIPS].reference.given_clips.clips


def test_lines_of_evaluate_py_are_no_evaluations_of_the_callback(start, run):
    run.append_metrics(10, {"evaluation/clips": CLIPS, "frechet/joint": 1.0})
    callback = start(keep_best="frechet/joint", patience=1)
    assert not callback.has_evaluated(10) and not callback.should_stop


@pytest.mark.parametrize(("metric", "sign"), [("frechet/joint", 1), ("coverage", -1), ("kernel/appearance", 1)])
def test_the_best_has_the_lowest_distance_or_the_highest_share(start, run, samplers, metric, sign):
    callback, values, best = start(keep_best=metric), {}, {}
    for step, name in ((10, "bad"), (20, "good"), (30, "poor"), (40, "good")):
        values[step] = evaluate(callback, run, step, samplers[name])[metric]
        best[step] = callback.best.step
    assert sign * values[20] < sign * values[10] and sign * values[20] < sign * values[30]
    assert best == {10: 10, 20: 20, 30: 20, 40: 20}
    assert (callback.best.metric, callback.best.value, callback.best.clips) == (metric, values[20], CLIPS)
    text = str(callback)
    assert text.startswith(f"Evaluation at step 40: {metric} {values[40]:.3g} (floor ") and text.count(metric) == 1
    assert text.endswith("; best so far: step 20")


def test_should_stop_after_patience_evaluations_without_improvement(start, run, samplers):
    callback, should_stop = start(patience=2), []
    for step, name in ((10, "poor"), (20, "bad"), (30, "good"), (40, "poor"), (50, "bad")):
        evaluate(callback, run, step, samplers[name])
        should_stop.append(callback.should_stop)
    assert should_stop == [False, False, False, False, True] and callback.best.step == 30
    assert [start(patience=patience).should_stop for patience in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_resumed_run_continues_as_one_that_was_not_interrupted(start, run, samplers):
    histories = []
    for resumed in (False, True):
        run.metrics_file.unlink(missing_ok=True)
        run.best_file.unlink(missing_ok=True)
        callback, history = start(patience=2), []
        for step, name in ((10, "poor"), (20, "good"), (30, "bad"), (40, "poor")):
            if resumed and step > 10:
                callback = start(patience=2)
            values = evaluate(callback, run, step, samplers[name])
            evaluated = [callback.has_evaluated(step) for step in (10, 20, 30, 40)]
            history.append((values, callback.best, callback.should_stop, evaluated))
        histories.append(history)
    assert histories[0] == histories[1]
    assert histories[0][-1][1].step == 20 and histories[0][-1][2]


def test_evaluations_after_the_resumed_step_do_not_count(start, run, samplers):
    callback = start(patience=1)
    for step, name in ((10, "poor"), (20, "good"), (30, "bad")):
        evaluate(callback, run, step, samplers[name])
    run.drop_metrics_after(20)
    resumed = start(patience=1)
    assert resumed.best == callback.best and not resumed.has_evaluated(30)
    assert callback.should_stop and not resumed.should_stop
    run.drop_metrics_after(10)
    assert start().best is None


@pytest.mark.parametrize("changed", [{"keep_best": "coverage"}, {"evaluate_clips": CLIPS + 2}, {"keep_best": ""}])
def test_the_best_by_another_metric_or_of_other_clips_is_not_compared(start, run, samplers, changed):
    first = start()
    evaluate(first, run, 10, samplers["good"])
    assert start().best == first.best
    callback = start(**changed)
    assert callback.best is None
    evaluate(callback, run, 20, samplers["bad"])
    if changed != {"keep_best": ""}:
        assert (callback.best.step, run.best()) == (20, callback.best)
    else:
        assert callback.best is None and run.best() == first.best


def test_an_evaluation_without_the_metric_is_no_better(start, run, samplers, monkeypatch):
    callback = start()
    evaluate(callback, run, 10, samplers["bad"])
    best = callback.best
    monkeypatch.setattr(callback_module, "metrics_line", lambda *_: {"evaluation/clips": CLIPS})
    callback.evaluate(20, samplers["good"])
    assert callback.best == best and callback.has_evaluated(20)


def test_every_model_selection_metric_is_measured_on_shapes(evaluators):
    assert set(MODEL_SELECTION_METRICS) - set(fidelity.METRICS) <= set(evaluators[CLIPS].floor)


def test_a_metric_that_the_clips_do_not_have_is_refused_before_training(tmp_path, run, tiny):
    videos = np.random.default_rng(0).integers(0, 256, (12, 12, 16, 16, 3), np.uint8)
    np.save(tmp_path / "noise.npy", videos)
    manifest = prepare(str(tmp_path / "noise.npy"), tmp_path / "noise", tiny.clip, workers=1)
    config = tiny.replace(evaluate_every=10, evaluate_clips=CLIPS, keep_best="factors/valid_clips")
    with pytest.raises(UserError, match=r"of such clips and such a task\. Received: keep_best=factors/valid_clips$"):
        EvaluationCallback.create(run, config, tmp_path / "noise", manifest)
    callback = EvaluationCallback.create(run, config.replace(keep_best="recall"), tmp_path / "noise", manifest)
    assert callback.best is None


def test_notes_on_the_real_clips_are_logged(run, tiny, prepared, evaluators, monkeypatch, log):
    arguments = []
    monkeypatch.setattr(Reference, "load",
                        lambda *given, **_: arguments.append(given) or evaluators[CLIPS].reference)
    EvaluationCallback.create(run, tiny.replace(evaluate_every=10, evaluate_clips=CLIPS, keep_best=""), *prepared)
    notes = evaluators[CLIPS].reference.notes
    assert notes and log.messages == [f"Note: {note}" for note in notes]
    assert arguments == [(*prepared, tiny.clip.num_frames, CLIPS)]


def test_the_best_step_is_restored_as_long_as_the_run_keeps_it(trained, run, tiny):
    run.save_config(tiny.replace(evaluate_every=10, keep_best="recall"), DATA)
    for step in (10, STEP):
        checkpoints.save(run.checkpoints, step, trained[1].variables, keep=2)
    assert restore_ema(run)[1] == STEP
    run.save_best(BestEvaluation(10, "recall", 0.5, CLIPS))
    assert restore_ema(run)[1] == 10
    assert restore_ema(run, STEP)[1] == STEP
    run.save_config(tiny, DATA)
    assert restore_ema(run)[1] == STEP


class PredeterminedCallback:
    """A callback to which the steps 1 and 4 are better than all before."""

    should_stop, best = False, None

    def has_evaluated(self, step):
        return False

    def evaluate(self, step, sample):
        if step in (1, 4):
            self.best = BestEvaluation(step, "recall", step / 10, CLIPS)
        return {}


def test_the_best_checkpoint_is_kept_until_another_one_is_saved_as_the_best(
        run, tiny, prepared, undistributed, monkeypatch):
    def save_best(self, best):
        if best.step == 4:
            raise MemoryError
        original(self, best)

    def train(config):
        loop = start_training(config, *prepared, undistributed)
        loop.run(make_actions(loop, *prepared))

    original = RunFolder.save_best
    monkeypatch.setattr(RunFolder, "save_best", save_best)
    monkeypatch.setattr(EvaluationCallback, "create", lambda *_: PredeterminedCallback())
    monkeypatch.setattr(VideoGAN, "train_step", lambda *_: {"skipped": 0.0})
    monkeypatch.setattr(VideoGAN, "sample", lambda *_: {"video": np.zeros((1, *tiny.clip.shape), np.uint8)})
    config = tiny.replace(run_dir=str(run.path), evaluate_every=1, keep_best="recall", checkpoint_every=1,
                          keep_checkpoints=2, strategy="single")
    with pytest.raises(MemoryError):
        train(config)
    assert checkpoints.saved_steps(run.checkpoints) == [1, 3, 4] and run.best().step == 1
    train(config.replace(evaluate_every=0, keep_best="", steps=6))
    assert checkpoints.saved_steps(run.checkpoints) == [1, 5, 6] and run.best().step == 1
