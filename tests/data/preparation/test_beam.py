"""Preparation by Apache Beam. Where that is not installed, what is said then."""

import sys

import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation.beam import beam_runner
from gan_keras.data.preparation.prepare import prepare
from gan_keras.errors import UserError

CLIP = ClipSettings(resolution="16", num_frames=4)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_beam_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(UserError, match=r"`runner` direct needs Apache Beam: pip install 'gan_keras\[beam\]'"):
        beam_runner("direct", "")


def test_an_engine_gets_every_job_and_every_shard_and_makes_the_same_bytes(tmp_path):
    """Of any runner: this one calls the functions here, in another order."""
    called = []

    def runner(function, tasks):
        for task in reversed(tasks):
            called.append(getattr(function, "func", function).__name__)
            function(task)
            yield task, None

    prepare("shapes:40", tmp_path / "local", CLIP, 1)
    manifest = prepare("shapes:40", tmp_path / "runner", CLIP, runner=runner)
    assert contents(tmp_path / "local") == contents(tmp_path / "runner")
    shards = sum(map(len, manifest.splits.values()))
    assert called.count("decode_job") == 2 and called.count("_write_shard") == shards == len(called) - 2


@pytest.mark.slow
def test_the_direct_runner_makes_the_same_bytes(tmp_path):
    pytest.importorskip("apache_beam")
    prepare("shapes:40", tmp_path / "local", CLIP, 1)
    prepare("shapes:40", tmp_path / "beam", CLIP, runner=beam_runner("direct", ""))
    assert contents(tmp_path / "local") == contents(tmp_path / "beam")


@pytest.mark.slow
def test_a_pipeline_that_fails_keeps_what_is_done():
    pytest.importorskip("apache_beam")
    with pytest.raises(UserError, match="The pipeline failed, and what it has done is kept"):
        list(beam_runner("direct", "")(_fail, [1, 2]))


def _fail(task):
    raise ValueError(f"task {task}")
