"""The real side: halves by video, windows as they are in the records, and what is said about too little data."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config import Config
from gan_keras.data import records
from gan_keras.data.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.evaluation import features
from gan_keras.evaluation import reference as reference_module
from gan_keras.evaluation.reference import Reference
from gan_keras.evaluation.thumbnails import thumbnails

FRAMES = 4


def prepared(folder, source, **settings):
    """A folder of small clips and its manifest."""
    clips = Config().replace(**{"resolution": "16", "num_frames": FRAMES, **settings}).clips
    return folder, prepare(source, folder, clips, workers=1)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Videos of four records each, held-out ones among them."""
    return prepared(tmp_path_factory.mktemp("data") / "shapes", "shapes:count=24,frames=64", test_fraction=0.25)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Three videos, none held out."""
    return prepared(tmp_path_factory.mktemp("short") / "shapes", "shapes:count=3,frames=48", test_fraction=0.0)


@pytest.fixture(scope="module")
def reference(data):
    return Reference(*data, FRAMES, 48)


def read(data, split):
    folder, manifest = data
    paths = [str(path) for path in manifest.paths(folder, split)]
    return list(tf.data.TFRecordDataset(paths).map(records.parse).as_numpy_iterator())


def places(clips, found):
    """The (record, first frame) that each clip is to be found at."""
    where = {record["frames"][first:first + FRAMES].tobytes(): (number, first)
             for number, record in enumerate(found) for first in range(len(record["frames"]) - FRAMES + 1)}
    return [where[clip.tobytes()] for clip in clips]


def videos(clips, found):
    return [found[number]["source"] for number, _ in places(clips, found)]


def test_halves_share_no_video_and_are_equal_in_size(data, reference):
    train = read(data, "train")
    real, other = (set(videos(half.clips, train)) for half in (reference.real, reference.other))
    assert not real & other and real | other == {record["source"] for record in train}
    assert len(reference.real) == len(reference.other) == 48
    assert not set(reference.real.sources) & set(reference.other.sources)


def test_sources_number_the_videos(data, reference):
    train, test = read(data, "train"), read(data, "test")
    numbers = {}
    for half, found in ((reference.real, train), (reference.other, train), (reference.held_out, test)):
        for video, number in zip(videos(half.clips, found), half.sources, strict=True):
            assert numbers.setdefault(video, number) == number
    assert len(set(numbers.values())) == len(numbers) == 24 and min(numbers.values()) >= 0
    for stretch in reference.stretches:
        assert numbers[train[stretch.record]["source"]] == stretch.source


def test_held_out_clips_are_of_other_videos(data, reference):
    held_out = reference.held_out
    assert set(videos(held_out.clips, read(data, "test"))) == {record["source"] for record in read(data, "test")}
    assert len(held_out) == 48
    assert not set(held_out.sources) & {*reference.real.sources, *reference.other.sources}


def test_classes_are_even_in_both_halves(data, reference):
    train = read(data, "train")
    label_of = {record["source"]: int(record["label"]) for record in train}
    halves = [Counter(label_of[video] for video in set(videos(half.clips, train)))
              for half in (reference.real, reference.other)]
    assert set(halves[0]) == set(halves[1]) == {0, 1, 2}
    assert all(abs(halves[0][label] - halves[1][label]) <= 1 for label in range(3))
    np.testing.assert_array_equal(reference.labels,
                                  [label_of[video] for video in videos(reference.other.clips, train)])


def test_windows_are_evenly_many_of_each_record_and_never_the_same(data, reference):
    train = read(data, "train")
    for half in (reference.real, reference.other):
        found = places(half.clips, train)
        shares = Counter(number for number, _ in found)
        assert len(set(found)) == 48 and max(shares.values()) - min(shares.values()) <= 1
        assert found != sorted(found)


def test_no_window_comes_twice_however_many_are_wanted(data):
    train = read(data, "train")
    everything = Reference(*data, FRAMES, 10**6)
    windows = [sum(len(record["frames"]) - FRAMES + 1 for record in train if record["source"] in set(of_half))
               for of_half in (videos(half.clips, train) for half in (everything.real, everything.other))]
    assert len(everything.real) == len(everything.other) == min(windows)
    for half in (everything.real, everything.other):
        assert len(set(places(half.clips, train))) == len(half)


@pytest.mark.parametrize(("room", "count", "expected"), [
    (9, 1, [4]), (9, 2, [3, 5]), (17, 3, [4, 8, 12]), (5, 5, [0, 1, 2, 3, 4]), (3, 2, [0, 2]), (1, 1, [0]), (4, 0, [])])
def test_windows_are_evenly_spread(room, count, expected):
    assert reference_module._spread(room, count).tolist() == expected


def test_windows_are_dealt_as_evenly_as_there_is_room():
    assert reference_module._share([9, 9, 9], 6) == [2, 2, 2]
    assert reference_module._share([1, 9, 3], 9) == [1, 5, 3]
    assert reference_module._share([5, 5, 5], 2) == [1, 1, 0]
    assert reference_module._share([2, 0, 1], 9) == [2, 0, 1]


def test_the_same_data_give_the_same_reference(data, reference):
    again = Reference(*data, FRAMES, 48)
    for half in ("real", "other", "held_out"):
        one, same = getattr(reference, half), getattr(again, half)
        np.testing.assert_array_equal(one.clips, same.clips)
        np.testing.assert_array_equal(one.sources, same.sources)
        for name, values in one.features.items():
            np.testing.assert_allclose(values, same.features[name], atol=1e-4)
    assert again.notes == reference.notes and again.fps == reference.fps == data[1].fps


def test_a_training_clip_is_the_window_that_is_named(data, reference):
    train = read(data, "train")
    for number, first in ((0, 0), (7, 5), (len(train) - 1, 12)):
        np.testing.assert_array_equal(reference.training_clip(number, first),
                                      train[number]["frames"][first:first + FRAMES])


def test_stretches_are_the_whole_train_split_small(data, reference):
    train = read(data, "train")
    assert [stretch.record for stretch in reference.stretches] == list(range(len(train)))
    for stretch, record in zip(reference.stretches, train, strict=True):
        np.testing.assert_array_equal(stretch.thumbnails, thumbnails(record["frames"]))


def test_clips_are_observed_on_the_scale_of_the_real_ones(reference):
    told = []
    found = reference.observe(reference.real.clips[:20], advance=told.append)
    assert sum(told) == 20 and (found.sources < 0).all() and len(set(found.sources)) == 20
    assert set(found.features) == {"appearance", "motion", "joint"}
    for name, values in found.features.items():
        np.testing.assert_allclose(values, reference.real.features[name][:20], atol=1e-3)
    sources = reference.real.sources[:3]
    np.testing.assert_array_equal(reference.observe(reference.real.clips[:3], sources).sources, sources)


def test_the_scale_is_that_of_both_halves(reference):
    for name in ("appearance", "motion"):
        both = np.concatenate([reference.real.features[name], reference.other.features[name]])
        np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-3)
        assert 0.3 < both.var(axis=0).max() <= 1


def test_the_scale_is_fitted_to_clips_and_their_own_features(data, monkeypatch):
    fit, fitted = features.fit_scale, []

    def checked(clips, raw):
        for name, values in features.extract(clips[:4]).items():
            np.testing.assert_allclose(raw[name][:4], values, atol=1e-5)
        fitted.append({name: len(values) for name, values in raw.items()})
        return fit(clips, raw)

    monkeypatch.setattr(features, "fit_scale", checked)
    Reference(*data, FRAMES, 20)
    assert fitted == [{"appearance": 40, "motion": 40}]


def test_evidence_holds_all_there_is(reference):
    generated = reference.observe(reference.real.clips[:2])
    evidence = reference.evidence(generated)
    assert (evidence.generated, evidence.real, evidence.other, evidence.held_out, evidence.stretches, evidence.fps) == (
        generated, reference.real, reference.other, reference.held_out, reference.stretches, reference.fps)


def test_too_few_clips_are_refused(tmp_path):
    data = prepared(tmp_path / "few", "shapes:count=6,frames=4", test_fraction=0.0)
    with pytest.raises(UserError, match=r"too few training clips.* gives 3 windows of 4 frames, and 8 are needed"):
        Reference(*data, FRAMES, 100)


def test_few_clips_and_few_videos_are_noted(reference):
    fewer, = (note for note in reference.notes if "fewer than twice" in note)
    sizes = features.dimensions()
    assert fewer.startswith("Distances were measured on 48 clips")
    assert all(f"{name} has {size}" in fewer for name, size in sizes.items())
    assert not any("windows of one video are alike" in note for note in reference.notes)


def test_windows_of_few_videos_are_noted(data):
    notes = Reference(*data, FRAMES, 160).notes
    count = len({record["source"] for record in read(data, "train")})
    assert any(note.startswith(f"The 320 training windows come from {count} videos") for note in notes)


def test_few_videos_are_cut_in_two_by_record(short):
    found = Reference(*short, FRAMES, 12)
    train = read(short, "train")
    numbers = [{number for number, _ in places(half.clips, train)} for half in (found.real, found.other)]
    assert len(train) == 9 and not numbers[0] & numbers[1] and numbers[0] | numbers[1] == set(range(9))
    assert set(found.real.sources) & set(found.other.sources)
    assert any(note.startswith("There are fewer than 4 training videos") for note in found.notes)


def test_no_test_split_is_noted(short, reference):
    found = Reference(*short, FRAMES, 12)
    assert found.held_out is None and found.evidence(found.real).held_out is None
    note = "There is no test split: nothing can be compared with held-out clips."
    assert note in found.notes and note not in reference.notes


def test_of_a_large_split_the_first_records_are_looked_at(data, monkeypatch):
    train = read(data, "train")
    frames = np.cumsum([len(record["frames"]) for record in train])
    monkeypatch.setattr(reference_module, "_MOST_FRAMES", int(frames[29]))
    found = Reference(*data, FRAMES, 48)
    assert (f"Of the {len(train)} train records the first 30 were looked at, which are a random choice."
            in found.notes)
    assert len(found.stretches) == 30
    for half in (found.real, found.other):
        assert max(number for number, _ in places(half.clips, train)) < 30


def test_the_users_own_features_are_taken_as_they_are(data):
    class Brightness:
        name = "brightness"

        def __call__(self, clips):
            return clips.mean(axis=(1, 2), dtype=np.float32).reshape(len(clips), -1)

    found = Reference(*data, FRAMES, 48, Brightness())
    seen = found.observe(found.real.clips[:3])
    for clips in (found.real, found.other, found.held_out, seen):
        assert set(clips.features) == {"appearance", "motion", "joint", "brightness"}
        np.testing.assert_array_equal(clips.features["brightness"], Brightness()(clips.clips))
    fewer, = (note for note in found.notes if "fewer than twice" in note)
    assert f"joint has {features.dimensions()['joint']}, brightness has 48" in fewer


def test_clips_of_two_frames_can_be_compared(tmp_path):
    data = prepared(tmp_path / "two", "shapes:count=20,frames=8", num_frames=2)
    found = Reference(*data, 2, 24)
    for clips in (found.real, found.other, found.held_out):
        assert clips.clips.shape[1] == 2 and all(np.isfinite(values).all() for values in clips.features.values())
