"""What a run remembers of itself, and what it makes of half a line or a damaged file."""

import errno
import json
import math
from pathlib import Path

import numpy as np
import pytest

from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import BestEvaluation, RunFolder, TrainingData
from tests.conftest import metric_lines

HALF = '{"step": 30, "loss'


@pytest.fixture
def run(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.make()
    return run


def values(run):
    """The lines without their times."""
    return [{name: value for name, value in entry.items() if name != "time"} for entry in run.metrics()]


def test_the_best_evaluation_is_remembered_until_there_is_a_better_one(run):
    assert run.best() is None
    for best in (BestEvaluation(20, "frechet/joint", 1.25, 256), BestEvaluation(40, "frechet/joint", 0.1 + 0.2, 256)):
        run.save_best(best)
        assert run.best() == best
    assert json.loads(run.best_file.read_text())["value"] == 0.1 + 0.2


@pytest.mark.parametrize("text", [
    "", '{"step": 20, "metric": "rec', "[1]", '{"step": 20}',
    '{"step": 1, "metric": "recall", "value": 1, "clips": 1, "x": 1}'])
def test_a_damaged_best_is_said_in_a_line_that_tells_what_to_do(run, text):
    run.best_file.write_text(text)
    with pytest.raises(UserError, match=r"best\.json cannot be read .* Delete it to go on without\.$"):
        run.best()


def test_a_run_without_numbers_has_none(run):
    assert run.metrics() == []
    run.drop_metrics_after(5)
    assert not run.metrics_file.exists()


def test_numbers_come_back_as_they_were(run):
    run.append_metrics(10, {"loss/generator": 0.125})
    run.append_metrics(20, {"evaluation/clips": 32, "frechet/joint": 0.1 + 0.2})
    assert values(run) == [{"step": 10, "loss/generator": 0.125},
                           {"step": 20, "evaluation/clips": 32, "frechet/joint": 0.1 + 0.2}]
    assert all(line.endswith("}\n") for line in run.metrics_file.read_text().splitlines(keepends=True))


def test_numbers_that_are_not_finite_are_null(run):
    run.append_metrics(10, {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1.5, "e": np.float64("nan")})
    expected = [{"step": 10, "a": None, "b": None, "c": None, "d": 1.5, "e": None}]
    assert values(run) == expected
    assert {**metric_lines(run.path)[0], "time": 0} == {**expected[0], "time": 0}


def test_older_lines_that_are_no_strict_json_become_so(run):
    run.metrics_file.write_text('{"step": 10, "a": NaN, "b": -Infinity}\n[1]\n3\n{"step": 20}\n')
    assert run.metrics() == [{"step": 10, "a": None, "b": None}, {"step": 20}]
    run.drop_metrics_after(10)
    assert metric_lines(run.path) == [{"step": 10, "a": None, "b": None}]


def test_a_full_disk_is_told_and_spoils_no_line(run, small_files):
    run.append_metrics(10, {"a": 1.0})
    size = run.metrics_file.stat().st_size
    with small_files(size + 5), pytest.raises(UserError, match=r"metrics\.jsonl cannot be written: File too large"):
        run.append_metrics(20, {"a": 2.0})
    run.append_metrics(30, {"a": 3.0})
    assert values(run) == [{"step": 10, "a": 1.0}, {"step": 30, "a": 3.0}]


def test_a_folder_that_cannot_be_written_is_told(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UserError, match=r"Run folder \S+ cannot be written: Read-only file system$"):
        RunFolder(tmp_path / "run").make()


def test_where_the_first_steps_ended_is_kept(run):
    assert run.first_steps() is None
    run.save_first_steps(412)
    assert run.first_steps() == 412
    (run.path / "first_steps.json").write_text("[]")
    with pytest.raises(UserError, match=r"first_steps\.json cannot be read .* Delete it"):
        run.first_steps()


@pytest.mark.parametrize("taken", ["run", "run/checkpoints", "run/samples"])
def test_a_folder_that_cannot_be_made_is_told_before_anything_is(tmp_path, taken):
    run = RunFolder(tmp_path / "run")
    run.check_writable()
    assert not list(tmp_path.iterdir())
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).touch()
    with pytest.raises(UserError, match=rf"Run folder \S+/run cannot be written: \S+/{taken}: Not a directory$"):
        run.check_writable()


def test_the_best_of_steps_that_are_done_again_is_forgotten(run):
    for step, remains in ((20, True), (30, False)):
        run.save_best(BestEvaluation(step, "recall", 0.5, 16))
        run.drop_metrics_after(20)
        assert run.best_file.exists() == remains


def test_half_a_line_left_by_a_crash_is_passed_over_and_spoils_no_other(run):
    run.append_metrics(10, {"a": 1.0})
    with run.metrics_file.open("a") as file:
        file.write(HALF)
    assert values(run) == [{"step": 10, "a": 1.0}]
    run.append_metrics(20, {"a": 2.0})
    assert values(run) == [{"step": 10, "a": 1.0}, {"step": 20, "a": 2.0}]
    run.drop_metrics_after(20)
    assert HALF not in run.metrics_file.read_text() and len(run.metrics_file.read_text().splitlines()) == 2


def test_what_will_be_done_again_is_forgotten_and_the_rest_is_kept_to_the_digit(run):
    for step in (10, 20, 30):
        run.append_metrics(step, {"a": step / 7, "evaluation/clips": 16})
    before = run.metrics()
    run.drop_metrics_after(20)
    assert run.metrics() == before[:2]
    run.append_metrics(21, {"a": 1.0})
    assert [entry["step"] for entry in run.metrics()] == [10, 20, 21]


def test_a_path_that_is_no_utf_8_is_kept(run):
    config = Config().replace(data="V\udcf6gel")  # as Python has the bytes V\xf6gel
    run.save_config(config, TrainingData("V\udcf6gel", 12.0, [], {"train": 1}))
    assert run.load_config() == config and b"--data=V\xf6gel\n" in run.flag_file.read_bytes()
