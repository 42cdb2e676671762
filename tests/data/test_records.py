"""The format of prepared data: records, shards, manifest."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import ClipSettings
from gan_keras.data import records
from gan_keras.data.drawn.moving_shapes import render
from gan_keras.data.preparation.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.video.encode import DEFAULT_FPS

CLIP = ClipSettings(resolution="16", num_frames=8, test_fraction=0.0)


def test_a_record_is_parsed_inside_a_graph_to_what_was_serialized():
    frames = render(7, 0, 10, 16, 16)[0]
    serialized = records.serialize(frames, 2, "a/b.mp4", 5)
    assert serialized == records.serialize(frames, 2, "a/b.mp4", 5)
    dataset = tf.data.Dataset.from_tensors(serialized).map(records.parse)
    assert dataset.element_spec["frames"].shape.as_list() == [None, None, None, 3]
    record = next(iter(dataset))
    np.testing.assert_array_equal(record["frames"], frames)
    assert (record["label"], record["video_id"], record["first"]) == (2, b"a/b.mp4", 5)


def test_a_manifest_survives_json(prepared):
    folder, manifest = prepared
    assert records.Manifest.from_json(manifest.to_json()) == manifest == records.load_manifest(folder)


def test_a_manifest_with_notes_survives_json_a_video_in_each_line(prepared):
    manifest = prepared[1]
    entry = dataclasses.replace(manifest.sources[0], notes=("damaged: 3 of \"9\" frames left out", "ä"), size=None)
    changed = dataclasses.replace(manifest, sources=(entry, *manifest.sources[1:]))
    text = changed.to_json()
    assert records.Manifest.from_json(text) == changed != manifest
    assert len([line for line in text.splitlines() if '"video_id": "shapes' in line]) == len(manifest.sources) == 24
    assert records.Manifest.from_json(dataclasses.replace(manifest, sources=()).to_json()).sources == ()


def test_clips_of_unknown_rate_are_shown_at_the_default_rate(prepared):
    _, manifest = prepared
    assert manifest.playback_fps == manifest.fps > 0
    unknown = dataclasses.replace(manifest, fps=0.0)
    assert unknown.playback_fps == DEFAULT_FPS


def test_a_damaged_missing_or_foreign_folder_is_named(tmp_path):
    prepare("shapes:2", tmp_path / "out", CLIP, 1)
    shard = next((tmp_path / "out").glob("*.tfrecord"))
    content = shard.read_bytes()
    shard.write_bytes(content[:100] + bytes([content[100] ^ 1]) + content[101:])
    with pytest.raises(UserError, match=f"Shard .*{shard.name} is damaged"):
        records.verify(tmp_path / "out")
    shard.unlink()
    with pytest.raises(UserError, match=f"Shard .*{shard.name} is missing"):
        records.verify(tmp_path / "out")
    prepare("shapes:2", tmp_path / "out", CLIP, 1)
    assert shard.read_bytes() == content
    (tmp_path / "out" / "manifest.json").write_text('{"format": 99}')
    with pytest.raises(UserError, match="cannot be read"):
        records.load_manifest(tmp_path / "out")
    with pytest.raises(UserError, match=r"has no manifest\.json"):
        records.load_manifest(tmp_path)


@pytest.mark.parametrize("content", [
    b'{"clips": []}', b"[]", b"", b"\xff\xfe\x00", b'{"format": 2}', b'{"format": "gan_keras clips', b"{" * 10**6])
def test_a_manifest_of_another_kind_makes_no_prepared_folder(tmp_path, prepared, content):
    (tmp_path / "manifest.json").write_bytes(content)
    assert not records.is_prepared(tmp_path) and not records.is_prepared(tmp_path / "nowhere")
    assert records.is_prepared(prepared[0])


def test_a_folder_of_another_version_is_known_as_prepared_and_refused(tmp_path, prepared):
    text = (prepared[0] / "manifest.json").read_text().replace(records.FORMAT, "gan_keras clips 99")
    (tmp_path / "manifest.json").write_text(text)
    assert records.is_prepared(tmp_path)
    with pytest.raises(UserError, match=f"not of format {records.FORMAT}"):
        records.load_manifest(tmp_path)
