"""Inspection of a source, against what preparing it makes."""

import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.preparation.inspection import inspect
from gan_keras.data.preparation.prepare import prepare
from gan_keras.data.preparation.report import usage_text
from gan_keras.errors import UserError
from gan_keras.video.encode import write_clip

CLIP = ClipSettings(resolution="16", num_frames=8, test_fraction=0.0)


def test_inspection_predicts_what_preparing_makes_and_writes_nothing(tmp_path):
    source = tmp_path / "in"
    for index, length in enumerate((40, 20, 5)):
        write_clip(source / "red" / f"v{index}.webm", render(7, index, length, 16, 16)[0], 10)
    (source / "notes.txt").write_text("notes")
    files = sorted(tmp_path.rglob("*"))
    text = inspect(str(source), CLIP, 1)
    assert sorted(tmp_path.rglob("*")) == files
    manifest = prepare(str(source), tmp_path / "out", CLIP, 1)
    assert f"7 of 8 frames end to end, in {manifest.count('train')} records" in text
    assert "16x16 (3)" in text and "red" in text and "too short: 1, red/v2.webm (5 of 8 frames)" in text
    assert all(word in text for word in ("Disk", "Memory", "Time", "Frames per second", "not a video: 1"))
    usage = manifest.usage
    assert usage_text(usage) in text and (usage.count, len(usage.used)) == (3, 2)


def test_inspection_writes_a_report_where_a_folder_is_named(tmp_path):
    text = inspect("shapes:3", CLIP, 1, tmp_path / "report")
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["report.html"]
    assert f"Report: {tmp_path / 'report' / 'report.html'}" in text
    assert "data:image/png;base64," in (tmp_path / "report" / "report.html").read_text()


def test_what_is_true_of_a_sample_says_so():
    assert "that were decoded" not in inspect("shapes:4", CLIP, 1)
    text = inspect("shapes:65", CLIP, 1)
    assert "Of the 64 videos that were decoded, and of other files:\nUsed: 64 of 64 videos" in text


def test_a_source_without_videos_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    with pytest.raises(UserError, match=r"There is no video in .* It holds notes\.txt: not a video"):
        inspect(str(tmp_path), CLIP, 1)
