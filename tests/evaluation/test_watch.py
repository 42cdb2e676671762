"""Evaluations while training: the best step is found, kept and found again by a resumed run."""

import numpy as np
import pytest

from gan_keras import checkpoints, trainer
from gan_keras.data.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.evaluation import watch
from gan_keras.evaluation.evaluate import Judge
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.watch import Watch
from gan_keras.gan import VideoGAN
from gan_keras.run_folder import Best, RunFolder
from gan_keras.serving.export import restore_average
from gan_keras.train_settings import JUDGED_BY
from tests.conftest import STEP

CLIPS = 16


@pytest.fixture(scope="module")
def judges(prepared, tiny):
    """One for each number of clips, because what is known of real clips takes longest."""
    folder, manifest = prepared
    return {count: Judge(Reference(folder, manifest, tiny.clips.num_frames, count)) for count in (CLIPS, CLIPS + 2)}


@pytest.fixture(scope="module")
def samplers(judges):
    """Generators: of real clips, of the same in noise, and of noise alone."""
    clips = judges[CLIPS + 2].reference.other.clips
    noise = np.random.default_rng(0).integers(0, 256, clips.shape, np.uint8)
    made = {"good": clips, "poor": (clips // 2 + noise // 2), "bad": noise}
    return {name: lambda seeds, clips=clips: clips[seeds.start:seeds.stop] for name, clips in made.items()}


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    return run


@pytest.fixture
def start(run, tiny, prepared, judges, monkeypatch):
    """Starts a watch over the run folder, as often as asked for."""
    monkeypatch.setattr(watch, "Reference", lambda folder, manifest, frames, count: judges[count].reference)
    monkeypatch.setattr(watch, "Judge", lambda reference: judges[len(reference.real)])

    def begin(**settings):
        config = tiny.replace(**{"evaluate_every": 10, "evaluate_clips": CLIPS, "keep_best": "frechet/joint",
                                 **settings})
        return Watch(run, config, *prepared)
    return begin


def evaluate(watched, run, step, sampler):
    """As the trainer does it."""
    before = watched.best
    numbers = watched.evaluate(step, sampler)
    if watched.best != before:
        run.remember_best(watched.best)
    return numbers


def test_numbers_of_an_evaluation_are_told_and_written_down(start, run, samplers):
    watched = start(keep_best="")
    assert not watched.has_seen(10)
    numbers = watched.evaluate(10, samplers["poor"])
    line, = run.metrics()
    assert (line.pop("step"), line.pop("time") > 0) == (10, True) and line == numbers
    assert numbers["evaluation/clips"] == CLIPS and 0 < numbers["frechet/joint.floor"] < numbers["frechet/joint"]
    assert watched.has_seen(10) and watched.best is None and not watched.exhausted
    told = str(watched)
    assert told.startswith(f"Evaluation at step 10: frechet/appearance {numbers['frechet/appearance']:.3g} (floor ")
    assert "\n" not in told and "best" not in told


def test_what_evaluate_py_adds_to_the_metrics_is_none_of_its_evaluations(start, run):
    run.append_metrics(10, {"evaluation/clips": CLIPS, "frechet/joint": 1.0})
    watched = start(keep_best="frechet/joint", patience=1)
    assert not watched.has_seen(10) and not watched.exhausted


@pytest.mark.parametrize(("metric", "sign"), [("frechet/joint", 1), ("coverage", -1), ("kernel/appearance", 1)])
def test_the_best_is_the_lowest_distance_or_the_highest_share(start, run, samplers, metric, sign):
    watched, found, best = start(keep_best=metric), {}, {}
    for step, name in ((10, "bad"), (20, "good"), (30, "poor"), (40, "good")):
        found[step] = evaluate(watched, run, step, samplers[name])[metric]
        best[step] = watched.best.step
    assert sign * found[20] < sign * found[10] and sign * found[20] < sign * found[30]
    assert best == {10: 10, 20: 20, 30: 20, 40: 20}
    assert (watched.best.metric, watched.best.value, watched.best.clips) == (metric, found[20], CLIPS)
    told = str(watched)
    assert told.startswith(f"Evaluation at step 40: {metric} {found[40]:.3g} (floor ") and told.count(metric) == 1
    assert told.endswith("; best so far: step 20")


def test_patience_ends_after_so_many_evaluations_without_a_better_one(start, run, samplers):
    watched, exhausted = start(patience=2), []
    for step, name in ((10, "poor"), (20, "bad"), (30, "good"), (40, "poor"), (50, "bad")):
        evaluate(watched, run, step, samplers[name])
        exhausted.append(watched.exhausted)
    assert exhausted == [False, False, False, False, True] and watched.best.step == 30
    assert [start(patience=patience).exhausted for patience in (0, 1, 2, 3)] == [False, True, True, False]


def test_a_resumed_run_goes_on_as_one_that_was_not_interrupted(start, run, samplers):
    courses = []
    for resumed in (False, True):
        run.metrics_file.unlink(missing_ok=True)
        run.best_file.unlink(missing_ok=True)
        watched, course = start(patience=2), []
        for step, name in ((10, "poor"), (20, "good"), (30, "bad"), (40, "poor")):
            if resumed and step > 10:
                watched = start(patience=2)
            numbers = evaluate(watched, run, step, samplers[name])
            seen = [watched.has_seen(step) for step in (10, 20, 30, 40)]
            course.append((numbers, watched.best, watched.exhausted, seen))
        courses.append(course)
    assert courses[0] == courses[1]
    assert courses[0][-1][1].step == 20 and courses[0][-1][2]


def test_evaluations_that_will_be_done_again_do_not_count(start, run, samplers):
    watched = start(patience=1)
    for step, name in ((10, "poor"), (20, "good"), (30, "bad")):
        evaluate(watched, run, step, samplers[name])
    run.forget_metrics_after(20)
    again = start(patience=1)
    assert again.best == watched.best and not again.has_seen(30) and watched.exhausted and not again.exhausted
    run.forget_metrics_after(10)
    assert start().best is None


@pytest.mark.parametrize("changed", [{"keep_best": "coverage"}, {"evaluate_clips": CLIPS + 2}, {"keep_best": ""}])
def test_the_best_by_another_number_or_of_other_clips_is_not_compared_with(start, run, samplers, changed):
    first = start()
    evaluate(first, run, 10, samplers["good"])
    assert start().best == first.best
    watched = start(**changed)
    assert watched.best is None
    evaluate(watched, run, 20, samplers["bad"])
    if changed != {"keep_best": ""}:
        assert (watched.best.step, run.best()) == (20, watched.best)
    else:
        assert watched.best is None and run.best() == first.best


def test_a_number_that_is_unknown_once_is_no_better(start, run, samplers, monkeypatch):
    watched = start()
    evaluate(watched, run, 10, samplers["bad"])
    best = watched.best
    monkeypatch.setattr(watch, "line", lambda *_: {"evaluation/clips": CLIPS})
    watched.evaluate(20, samplers["good"])
    assert watched.best == best and watched.has_seen(20)


def test_every_number_to_judge_by_is_measured_on_shapes(judges):
    assert set(JUDGED_BY) <= set(judges[CLIPS].floor)


def test_clips_that_do_not_have_the_number_are_refused_before_training(tmp_path, run, tiny):
    videos = np.random.default_rng(0).integers(0, 256, (12, 12, 16, 16, 3), np.uint8)
    np.save(tmp_path / "noise.npy", videos)
    manifest = prepare(str(tmp_path / "noise.npy"), tmp_path / "noise", tiny.clips, workers=1)
    config = tiny.replace(evaluate_every=10, evaluate_clips=CLIPS, keep_best="factors/valid_clips")
    with pytest.raises(UserError, match=r"these clips have\. Received: keep_best=factors/valid_clips$"):
        Watch(run, config, tmp_path / "noise", manifest)
    assert Watch(run, config.replace(keep_best="recall"), tmp_path / "noise", manifest).best is None


def test_the_best_step_is_what_is_exported_as_long_as_the_run_keeps_it(trained, run, tiny):
    run.describe(tiny.replace(evaluate_every=10, keep_best="recall"), {})
    for step in (10, STEP):
        checkpoints.save(run.checkpoints, step, trained[1].variables, keep=2)
    assert restore_average(run, None, pytest.fail)[1] == STEP
    run.remember_best(Best(10, "recall", 0.5, CLIPS))
    assert restore_average(run, None, pytest.fail)[1] == 10
    assert restore_average(run, STEP, pytest.fail)[1] == STEP
    run.describe(tiny, {})
    assert restore_average(run, None, pytest.fail)[1] == STEP


class Foreseen:
    """A watch that finds the steps 1 and 4 better than all before."""

    exhausted, best = False, None

    def __init__(self, *_):
        pass

    def has_seen(self, step):
        return False

    def evaluate(self, step, sample):
        if step in (1, 4):
            self.best = Best(step, "recall", step / 10, CLIPS)
        return {}


def test_the_checkpoint_of_the_best_is_kept_until_another_is_known_to_be_the_best(run, tiny, prepared, monkeypatch):
    def crash(self, best):
        if best.step == 4:
            raise MemoryError
        write_down(self, best)

    write_down = RunFolder.remember_best
    monkeypatch.setattr(RunFolder, "remember_best", crash)
    monkeypatch.setattr(trainer, "Watch", Foreseen)
    monkeypatch.setattr(VideoGAN, "train_step", lambda *_: {})
    monkeypatch.setattr(VideoGAN, "sample", lambda *_: np.zeros((1, *tiny.clips.shape), np.uint8))
    config = tiny.replace(run_dir=str(run.path), evaluate_every=1, keep_best="recall", checkpoint_every=1,
                          keep_checkpoints=2, strategy="single")
    with pytest.raises(MemoryError):
        trainer.Trainer(config, *prepared).train()
    assert checkpoints.saved_steps(run.checkpoints) == [1, 3, 4] and run.best().step == 1
    trainer.Trainer(config.replace(evaluate_every=0, keep_best="", steps=6), *prepared).train()
    assert checkpoints.saved_steps(run.checkpoints) == [1, 5, 6] and run.best().step == 1


def test_notes_of_the_real_clips_are_said(start, judges, capsys):
    start()
    notes = judges[CLIPS].reference.notes
    assert notes and capsys.readouterr().out.splitlines() == [f"Note: {note}" for note in notes]
