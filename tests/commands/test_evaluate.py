"""evaluate.py, and evaluations of train.py, as a user starts them: what they leave, and users' mistakes."""

import dataclasses
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.command_line import flag
from gan_keras.config.commands import EvaluateSettings, FeatureSettings
from gan_keras.config.train import ClipSettings
from gan_keras.errors import UserError
from gan_keras.evaluation.evaluate import affordable_count, evaluate
from gan_keras.evaluation.evaluator import METRICS
from gan_keras.evaluation.metrics.factors import METRICS as FACTORS
from gan_keras.evaluation.metrics.fidelity import METRICS as FIDELITY
from gan_keras.evaluation.metrics.relative_error import METRICS as RELATIVE_ERROR
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import BestEvaluation, RunFolder
from tests.conftest import TINY, metric_lines
from tests.processes import finish, start

pytestmark = pytest.mark.slow

AT_ONCE = 3
"""Processes: most of their time is TensorFlow's import."""

DISTANCES = [f"{kind}/{name}" for kind in ("frechet", "kernel") for name in ("appearance", "motion", "joint")]
DISCRIMINATOR_METRICS = ["loss_train", "loss_held_out", "error_train", "error_held_out", "error_generated"]
# No generator improves at such a learning rate: the first evaluation stays the best one.
STUCK = [*(flag(name, value) for name, value in TINY.items()), "--generator=dcgan3d", "--learning_rate=1e-30",
         "--workers=1", "--steps=1000", "--log_every=5", "--checkpoint_every=5", "--keep_checkpoints=2",
         "--evaluate_every=5", "--penalty=none",
         "--evaluate_clips=32", "--keep_best=frechet/joint", "--patience=3"]


def finish_all(*commands):
    """Starts scripts, a few at a time: (script, arguments, folder) → exit code, stdout and stderr of each."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda command: finish(start(*command[1], script=command[0], folder=command[2])),
                             commands))


def error_lines(err):
    """What stands on stderr besides progress, which slow machines show."""
    return [line for line in err.splitlines() if not re.match(r"[a-z ]+: \d+/\d+ ", line)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluate")


@pytest.fixture(scope="module")
def stopped(folder, prepared):
    """A run that ended because it no longer improved; what was printed, and what logged."""
    code, out, err = finish(start(*STUCK, f"--data={prepared[0]}", "--run_dir=run", folder=folder))
    assert code == 0, err
    return RunFolder(folder / "run"), out, err


@pytest.fixture(scope="module")
def later(stopped, folder, prepared):
    """What comes of that run, each time of a copy of it: the folder, and what was printed and logged."""
    for name in ("again", "measured"):
        shutil.copytree(stopped[0].path, folder / name)
    np.savez_compressed(folder / "theirs.npz", videos=np.random.default_rng(0).integers(
        0, 256, (20, 4, 16, 16, 3), np.uint8))
    done = finish_all(
        ("train.py", ["--run_dir=again", "--noexport"], folder),
        ("evaluate.py", ["--run_dir=measured", "--clips=32"], folder),
        ("evaluate.py", ["--videos=theirs.npz", f"--data={prepared[0]}"], folder),
        ("evaluate.py", ["--validate_metrics", f"--data={prepared[0]}", "--clips=16"], folder))
    for code, _, err in done:
        assert code == 0 and "Traceback" not in err and "Warning" not in err, err
    names = ("again", "measured", "runs/evaluation-theirs", "runs/evaluation-metric-validation-shapes")
    return {name: (folder / name, out, err) for name, (_, out, err) in zip(names, done, strict=True)}


def test_a_run_that_no_longer_improves_stops_and_says_so(stopped):
    run, out, err = stopped
    value = run.best().value
    assert f"Stopped at step 20: frechet/joint was best at step 5, {value:.4g}, and has not improved in 3 eval" in err
    assert "Done: run" in out and "evaluate.py --run_dir=run\n" in out
    assert run.best() == BestEvaluation(5, "frechet/joint", value, 32)


def test_evaluations_are_lines_among_the_numbers_of_the_run(stopped):
    entries = [entry for entry in stopped[0].metrics() if "evaluation/clips" in entry]
    assert [entry["step"] for entry in entries] == [5, 10, 15, 20]
    assert len(stopped[0].metrics()) == 8
    for entry in entries:
        assert entry["evaluation/clips"] == 32
        assert 0 < entry["frechet/joint.floor"] < entry["frechet/joint.low"] < entry["frechet/joint"]
        assert entry["frechet/joint"] < entry["frechet/joint.high"]
    tags = tensorboard_tags(stopped[0].path)
    assert tags.count("frechet/joint") == tags.count("frechet/joint.floor") == 4


def test_the_best_checkpoint_is_kept_and_exported(stopped):
    run, _, err = stopped
    assert checkpoints.saved_steps(run.checkpoints) == [5, 15, 20]
    assert json.loads((run.exports / "1" / "model.json").read_text())["step"] == 5
    assert "Exported step 5 as run/export/1" in err


def test_a_run_that_stopped_does_no_more_when_started_again(stopped, later):
    path, _, err = later["again"]
    assert "Resuming again at step 20" in err and "Stopped at step 20" in err
    assert metric_lines(path) == metric_lines(stopped[0].path) and RunFolder(path).best() == stopped[0].best()
    assert checkpoints.saved_steps(path / "checkpoints") == [5, 15, 20]


def test_a_run_is_evaluated_at_its_best_step_as_it_was_while_training(stopped, later):
    path, out, _ = later["measured"]
    before, after = metric_lines(stopped[0].path), metric_lines(path)
    assert after[:-1] == before and (after[-1]["step"], after[-1]["evaluation/clips"]) == (5, 32)
    assert after[-1]["frechet/joint"] == pytest.approx(stopped[0].best().value, rel=1e-3)
    line, = metric_lines(path / "evaluation")
    assert {**line, "time": 0} == {**after[-1], "time": 0}
    assert "Evaluation of measured at step 5" in out and "Report: measured/evaluation/report.html" in out
    page = (path / "evaluation" / "report.html").read_text()
    assert "Evaluation of measured at step 5" in page and "<video" in page and "<svg" in page


def test_every_number_is_there_with_its_floor_and_interval(later):
    path, out, _ = later["measured"]
    line, table = metric_lines(path)[-1], {row.split()[0] for row in out.splitlines() if row}
    metrics = [name for name in METRICS if name not in FIDELITY and name not in RELATIVE_ERROR]
    for name in (*metrics, *(f"discriminators/{name}/{what}" for name in ("pair", "clip")
                              for what in DISCRIMINATOR_METRICS)):
        assert name in table
    # Of no valid shape there is no size, no colour and so on; without pairs there is no fidelity; nothing is slow in
    # clips of a few frames.
    measured = [name for name in metrics if name != "temporal_spectrum/slow"
                and (name not in FACTORS or name.startswith("factors/valid"))]
    for name in measured:
        assert np.isfinite(line[name])
        if not name.startswith("speed/"):
            assert np.isfinite(line[f"{name}.floor"])
            assert line[f"{name}.low"] <= line[name] <= line[f"{name}.high"]
    for name in DISTANCES:
        assert line[name] > line[f"{name}.floor"] and np.isfinite(line[f"{name}.held_out"])
        assert line.get(f"{name}.multiple", 10) > 5  # an unbiased distance may have no floor to be a multiple of
    for name in ("precision", "recall", "coverage"):
        assert 0 <= line[name] <= 1 and 0 <= line[f"{name}.floor"] <= 1
    for name in ("pair", "clip"):
        assert all(0 <= line[f"discriminators/{name}/error_{of}"] <= 1 for of in ("train", "held_out", "generated"))
    assert line["speed/latency_p50"] <= line["speed/latency_p95"] and line["speed/clips_per_second"] > 0


def test_tensorboard_shows_an_evaluation(later):
    tags = tensorboard_tags(later["measured"][0] / "evaluation")
    assert {"frechet/joint", "frechet/joint.floor", "coverage", "clips/generated", "clips/real"} <= set(tags)


def tensorboard_tags(path):
    return [value.tag for file in path.glob("events.*") for record in
            tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
            for value in tf.compat.v1.Event.FromString(record).summary.value]


def test_anybodys_clips_are_evaluated_with_a_warning_where_they_are_few(later):
    path, out, _ = later["runs/evaluation-theirs"]
    line, = metric_lines(path)
    assert (line["step"], line["evaluation/clips"]) == (0, 20) and "Evaluation of theirs.npz\n" in out
    assert "Note: Distances were measured on 20 clips, fewer than twice the dimension of a feature" in out
    assert not any(name.startswith(("speed/", "discriminators/")) for name in line)
    assert line["frechet/joint"] > 10 * line["frechet/joint.floor"]


def test_the_validation_of_metrics_tells_what_each_sees(later):
    path, out, _ = later["runs/evaluation-metric-validation-shapes"]
    row, = (row for row in out.splitlines() if row.startswith("frechet/motion "))
    assert row.split().count("sensitive") >= 3 and "Report: runs/evaluation-metric-validation-shapes/report.html" in out
    assert "| frechet/motion | sensitive" in (path / "metric_validation.md").read_text()
    assert (path / "report.html").stat().st_size


# ---- mistakes ----

FLAGS_ALONE = [
    ("train.py", ["--run_dir=new", "--keep_best=recall"], "`keep_best` needs evaluations while training: name --eval"),
    ("train.py", ["--run_dir=new", "--evaluate_every=5", "--patience=3"], "`patience` needs `keep_best`"),
    ("train.py", ["--run_dir=new", "--evaluate_every=5", "--keep_best=beauty"],
     "`keep_best` must be one of frechet/joint, .* Received: keep_best=beauty"),
    ("train.py", ["--run_dir=new", "--evaluate_every=5", "--evaluate_clips=5"], "`evaluate_clips` must be at least 16"),
    ("evaluate.py", ["--data=shapes:16"], "Exactly one of `run_dir`, `model` and `videos` must be named"),
    ("evaluate.py", ["--data=shapes:16", "--model=a", "--videos=b"], "Exactly one of .* run_dir=, model=a, videos=b$"),
    ("evaluate.py", ["--videos=enough.npz"], "`data` must name the real clips"),
    ("evaluate.py", ["--validate_metrics"], "`data` must name the real clips"),
    ("evaluate.py", ["--validate_metrics", "--data=shapes:16", "--videos=b"],
     "`validate_metrics` takes real clips.* videos=b$"),
    ("evaluate.py", ["--videos=b", "--data=shapes:16", "--checkpoint=5"], "`checkpoint` is one of a `run_dir`"),
    ("evaluate.py", ["--videos=b", "--data=shapes:16", "--clips=5"], "`clips` must be at least 16, or 0"),
    ("evaluate.py", ["--videos=b", "--data=shapes:16", "--features_name=joint"], "`features_name` must be .*=joint$"),
]
MISTAKES = [
    ({"videos": "nowhere.npz"}, "There is no file or folder nowhere.npz"),
    ({"videos": "other.npz"}, "holds clips of 4 frames of 24x16 and the real clips are 4 frames of 16x16"),
    ({"videos": "five.npz"}, "At least 16 clips are needed to measure anything; five.npz holds 5"),
    ({"videos": "nan.npz"}, "nan.npz .*must be uint8 .* is float32 .*saved as uint8, 0 to 255"),
    ({"videos": "cut.npz"}, "cut.npz holds no clips that can be read"),
    ({"videos": "objects.npz"}, "objects.npz .*must be uint8 .* is object"),
    ({"videos": "enough.npz", "out": "five.npz"}, "five.npz cannot be written.* Name another --out"),
]


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory):
    """A folder of clips that will not do."""
    folder = tmp_path_factory.mktemp("mistakes")
    clips = np.random.default_rng(0).integers(0, 256, (20, 4, 16, 16, 3), np.uint8)
    arrays = {"enough": clips, "other": clips.repeat(2, axis=3)[:, :, :, :24], "five": clips[:5],
              "nan": np.full(clips.shape, np.nan, np.float32), "objects": np.array([{"a": 1}])}
    for name, array in arrays.items():
        np.savez_compressed(folder / f"{name}.npz", videos=array)
    (folder / "cut.npz").write_bytes((folder / "enough.npz").read_bytes()[:-100])
    return folder


@pytest.mark.parametrize(("settings", "message"), MISTAKES)
def test_a_mistake_is_one_line(mistaken, prepared, monkeypatch, settings, message):
    monkeypatch.chdir(mistaken)
    with pytest.raises(UserError, match=message) as raised:
        evaluate(EvaluateSettings(data=str(prepared[0]), **settings), FeatureSettings(), {})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("script", "arguments", "message"), FLAGS_ALONE)
def test_a_mistake_in_the_flags_is_reported_at_once(tmp_path, monkeypatch, script, arguments, message):
    """Before TensorFlow is imported, which takes seconds: here it cannot be."""
    (tmp_path / "modules" / "tensorflow").mkdir(parents=True)
    (tmp_path / "modules" / "tensorflow" / "__init__.py").write_text("raise SystemExit('TensorFlow was imported')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "modules"))
    here = tmp_path / "here"
    here.mkdir()
    code, out, err = finish(start(*arguments, script=script, folder=here))
    assert code == 2 and out == "" and len(err.splitlines()) == 1, err
    assert err.startswith(f"{script}: ") and re.search(message, err.strip()), err
    assert not list(here.iterdir())


def test_frames_are_of_the_size_of_the_clips_in_question(tmp_path, monkeypatch, prepared):
    monkeypatch.chdir(tmp_path)
    np.save("some.npy", np.zeros((16, 4, 16, 16, 3), np.uint8))
    with pytest.raises(UserError, match=r"`resolution` can only be that of some\.npy, 16x16\. .*resolution=24x16$"):
        evaluate(EvaluateSettings(videos="some.npy", data=str(prepared[0])), FeatureSettings(),
                         {"resolution": "24x16"})


def test_help_lists_every_setting():
    code, out, _ = finish(start("--help", script="evaluate.py"))
    assert code == 0
    for group in (EvaluateSettings, FeatureSettings, ClipSettings):
        for field in dataclasses.fields(group):
            assert f"  --{field.name}=" in out


def test_fewer_clips_are_evaluated_where_they_are_large(log):
    assert affordable_count(1024, (16, 64, 64, 3)) == 1024
    assert not log.messages
    assert affordable_count(1024, (16, 256, 256, 3)) == 85
    assert "Evaluating 85 clips" in log.text and "--clips=1024 evaluates as many" in log.text
    assert affordable_count(256, (1024, 512, 512, 3)) == 16  # no fewer than can be measured
