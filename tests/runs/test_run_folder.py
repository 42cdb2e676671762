"""What a run remembers of itself, and what it makes of half a line or a damaged file."""

import json

import pytest

from gan_keras.errors import UserError
from gan_keras.runs.run_folder import BestEvaluation, RunFolder

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
