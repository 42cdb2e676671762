"""Real clips to compare with: halves by video, windows as they are in the records, notes on too little data."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data import records
from gan_keras.data.input_pipeline import first_clips
from gan_keras.data.preparation.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.evaluation import features
from gan_keras.evaluation import reference as reference_module
from gan_keras.evaluation.metrics.inputs import PairedClips
from gan_keras.evaluation.reference import Reference, share_evenly, spread_evenly
from gan_keras.evaluation.thumbnails import thumbnails
from tests.evaluation.folders import prepare_folder

FRAMES = 4


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Videos of four records each, some of them held out."""
    return prepare_folder(tmp_path_factory.mktemp("data") / "shapes", "shapes:count=24,frames=64", FRAMES,
                          test_fraction=0.25)


@pytest.fixture(scope="module")
def three_videos(tmp_path_factory):
    """Three videos, none held out."""
    return prepare_folder(tmp_path_factory.mktemp("three") / "shapes", "shapes:count=3,frames=48", FRAMES,
                          test_fraction=0.0)


@pytest.fixture(scope="module")
def reference(data):
    return Reference.load(*data, FRAMES, 48)


@pytest.fixture(scope="module")
def reference_of_three(three_videos):
    return Reference.load(*three_videos, FRAMES, 12)


def read(data, split):
    folder, manifest = data
    paths = [str(path) for path in manifest.paths(folder, split)]
    return list(tf.data.TFRecordDataset(paths).map(records.parse).as_numpy_iterator())


def locate(clips, split):
    """(record, first frame) of each clip."""
    locations = {record["frames"][first:first + FRAMES].tobytes(): (number, first)
                 for number, record in enumerate(split) for first in range(len(record["frames"]) - FRAMES + 1)}
    return [locations[clip.tobytes()] for clip in clips]


def videos_of(clips, split):
    return [split[number]["video_id"] for number, _ in locate(clips, split)]


def test_halves_share_no_video_and_are_equal_in_size(data, reference):
    train = read(data, "train")
    real, other = (set(videos_of(half.clips, train)) for half in (reference.real, reference.other))
    assert not real & other and real | other == {record["video_id"] for record in train}
    assert len(reference.real) == len(reference.other) == 48
    assert not set(reference.real.video_ids) & set(reference.other.video_ids)


def test_video_ids_number_the_videos(data, reference):
    train, test = read(data, "train"), read(data, "test")
    numbers = {}
    for half, split in ((reference.real, train), (reference.other, train), (reference.held_out, test)):
        for video, number in zip(videos_of(half.clips, split), half.video_ids, strict=True):
            assert numbers.setdefault(video, number) == number
    assert len(set(numbers.values())) == len(numbers) == 24 and min(numbers.values()) >= 0
    for segment in reference.training_segments:
        assert numbers[train[segment.record]["video_id"]] == segment.video_id


def test_held_out_clips_are_of_other_videos(data, reference):
    held_out, test = reference.held_out, read(data, "test")
    assert set(videos_of(held_out.clips, test)) == {record["video_id"] for record in test}
    assert len(held_out) == 48
    assert not set(held_out.video_ids) & {*reference.real.video_ids, *reference.other.video_ids}


def test_models_are_given_held_out_clips_where_there_are_some(reference, reference_of_three):
    assert reference.given_clips is reference.held_out
    assert reference_of_three.given_clips is reference_of_three.other


def test_classes_are_even_in_both_halves(data, reference):
    train = read(data, "train")
    label_of = {record["video_id"]: int(record["label"]) for record in train}
    halves = [Counter(label_of[video] for video in set(videos_of(half.clips, train)))
              for half in (reference.real, reference.other)]
    assert set(halves[0]) == set(halves[1]) == {0, 1, 2}
    assert all(abs(halves[0][label] - halves[1][label]) <= 1 for label in range(3))
    np.testing.assert_array_equal(reference.labels,
                                  [label_of[video] for video in videos_of(reference.other.clips, train)])


def test_windows_are_equally_many_of_each_record_and_all_different(data, reference):
    train = read(data, "train")
    for half in (reference.real, reference.other):
        locations = locate(half.clips, train)
        shares = Counter(number for number, _ in locations)
        assert len(set(locations)) == 48 and max(shares.values()) - min(shares.values()) <= 1
        assert locations != sorted(locations)


def test_there_are_at_most_as_many_windows_as_the_smaller_half_has(data):
    train = read(data, "train")
    reference = Reference.load(*data, FRAMES, 10**6)
    halves = reference.real, reference.other
    windows = [sum(len(record["frames"]) - FRAMES + 1 for record in train if record["video_id"] in videos)
               for videos in (set(videos_of(half.clips, train)) for half in halves)]
    assert len(reference.real) == len(reference.other) == min(windows)
    for half in halves:
        assert len(set(locate(half.clips, train))) == len(half)


@pytest.mark.parametrize(("length", "count", "expected"), [
    (9, 1, [4]), (9, 2, [3, 5]), (17, 3, [4, 8, 12]), (5, 5, [0, 1, 2, 3, 4]), (3, 2, [0, 2]), (1, 1, [0]), (4, 0, [])])
def test_positions_are_evenly_spread(length, count, expected):
    assert spread_evenly(length, count).tolist() == expected


@pytest.mark.parametrize(("limits", "count", "expected"), [
    ([9, 9, 9], 6, [2, 2, 2]), ([1, 9, 3], 9, [1, 5, 3]), ([5, 5, 5], 2, [1, 1, 0]), ([2, 0, 1], 9, [2, 0, 1])])
def test_shares_are_as_even_as_their_limits_allow(limits, count, expected):
    assert share_evenly(limits, count) == expected


def test_the_same_data_give_the_same_reference(data, reference):
    again = Reference.load(*data, FRAMES, 48)
    for half in ("real", "other", "held_out"):
        before, after = getattr(reference, half), getattr(again, half)
        np.testing.assert_array_equal(before.clips, after.clips)
        np.testing.assert_array_equal(before.video_ids, after.video_ids)
        for name, values in before.features.items():
            np.testing.assert_allclose(values, after.features[name], atol=1e-4)
    assert again.notes == reference.notes and again.fps == reference.fps == data[1].fps


def test_a_training_clip_is_a_window_of_a_record(data, reference):
    train = read(data, "train")
    for number, first in ((0, 0), (7, 5), (len(train) - 1, 12)):
        np.testing.assert_array_equal(reference.training_clip(number, first),
                                      train[number]["frames"][first:first + FRAMES])


def test_training_segments_are_thumbnails_of_the_whole_train_split(data, reference):
    train = read(data, "train")
    assert [segment.record for segment in reference.training_segments] == list(range(len(train)))
    for segment, record in zip(reference.training_segments, train, strict=True):
        np.testing.assert_array_equal(segment.thumbnails, thumbnails(record["frames"]))


def test_features_of_other_clips_are_whitened_as_those_of_the_real_ones(reference):
    counts = []
    samples = reference.extract_features(reference.real.clips[:20], advance=counts.append)
    assert sum(counts) == 20 and (samples.video_ids < 0).all() and len(set(samples.video_ids)) == 20
    assert set(samples.features) == {"appearance", "motion", "joint"}
    for name, values in samples.features.items():
        np.testing.assert_allclose(values, reference.real.features[name][:20], atol=1e-3)
    video_ids = reference.real.video_ids[:3]
    samples = reference.extract_features(reference.real.clips[:3], video_ids)
    np.testing.assert_array_equal(samples.video_ids, video_ids)


def test_features_are_whitened_by_both_halves(reference):
    for name in ("appearance", "motion"):
        both = np.concatenate([reference.real.features[name], reference.other.features[name]])
        np.testing.assert_allclose(both.mean(axis=0), 0, atol=1e-3)
        assert 0.3 < both.var(axis=0).max() <= 1


def test_the_whitening_is_fitted_to_clips_and_their_own_features(data, monkeypatch):
    fit, fitted = features.fit_whitening, []

    def checked(clips, raw):
        for name, values in features.extract(clips[:4]).items():
            np.testing.assert_allclose(raw[name][:4], values, atol=1e-5)
        fitted.append({name: len(values) for name, values in raw.items()})
        return fit(clips, raw)

    monkeypatch.setattr(features, "fit_whitening", checked)
    Reference.load(*data, FRAMES, 20)
    assert fitted == [{"appearance": 40, "motion": 40}]


def test_metric_inputs_are_generated_and_real_clips(reference):
    generated = reference.extract_features(reference.real.clips[:2])
    paired = PairedClips(generated.clips, generated.clips, generated.video_ids)
    inputs = reference.metric_inputs(generated, paired)
    assert (inputs.generated, inputs.real, inputs.other, inputs.held_out, inputs.fps) == (
        generated, reference.real, reference.other, reference.held_out, reference.fps)
    assert inputs.training_segments is reference.training_segments and inputs.paired is paired
    assert reference.metric_inputs(generated).paired is None


def test_too_few_clips_are_refused(tmp_path):
    data = prepare_folder(tmp_path / "few", "shapes:count=6,frames=4", FRAMES, test_fraction=0.0)
    with pytest.raises(UserError, match=r"too few training clips.* gives 3 windows of 4 frames, and 8 are needed"):
        Reference.load(*data, FRAMES, 100)


def test_clips_of_one_frame_are_refused(data):
    with pytest.raises(UserError, match=r"at least 2 frames\. Received: num_frames=1"):
        Reference.load(*data, 1, 100)


def test_few_clips_are_noted(reference):
    note, = (note for note in reference.notes if "fewer than twice" in note)
    assert note.startswith("Distances were measured on 48 clips")
    assert all(f"{name} has {size}" in note for name, size in features.dimensions().items())
    assert not any("windows of one video are alike" in note for note in reference.notes)


def test_windows_of_few_videos_are_noted(data):
    notes = Reference.load(*data, FRAMES, 160).notes
    count = len({record["video_id"] for record in read(data, "train")})
    assert any(note.startswith(f"The 320 training windows come from {count} videos") for note in notes)


def test_few_videos_are_divided_by_record(three_videos, reference_of_three):
    train = read(three_videos, "train")
    halves = reference_of_three.real, reference_of_three.other
    first, second = ({number for number, _ in locate(half.clips, train)} for half in halves)
    assert len(train) == 9 and not first & second and first | second == set(range(9))
    assert set(halves[0].video_ids) & set(halves[1].video_ids)
    assert any(note.startswith("There are fewer than 4 training videos") for note in reference_of_three.notes)


def test_a_missing_test_split_is_noted(reference, reference_of_three):
    assert reference_of_three.held_out is None
    assert reference_of_three.metric_inputs(reference_of_three.real).held_out is None
    note = "There is no test split: nothing can be compared with held-out clips."
    assert note in reference_of_three.notes and note not in reference.notes


def test_only_the_first_records_of_a_large_split_are_read(data, monkeypatch):
    train = read(data, "train")
    frames = np.cumsum([len(record["frames"]) for record in train])
    monkeypatch.setattr(reference_module, "MAX_FRAMES", int(frames[29]))
    reference = Reference.load(*data, FRAMES, 48)
    assert (f"Only the first 30 of the {len(train)} train records were read, which are a random choice."
            in reference.notes)
    assert len(reference.training_segments) == 30
    for half in (reference.real, reference.other):
        assert max(number for number, _ in locate(half.clips, train)) < 30


def test_the_users_own_features_are_not_whitened(data):
    class Brightness:
        name = "brightness"

        def __call__(self, clips):
            return clips.mean(axis=(1, 2), dtype=np.float32).reshape(len(clips), -1)

    reference = Reference.load(*data, FRAMES, 48, Brightness())
    samples = reference.extract_features(reference.real.clips[:3])
    for clips in (reference.real, reference.other, reference.held_out, samples):
        assert set(clips.features) == {"appearance", "motion", "joint", "brightness"}
        np.testing.assert_array_equal(clips.features["brightness"], Brightness()(clips.clips))
    note, = (note for note in reference.notes if "fewer than twice" in note)
    assert f"joint has {features.dimensions()['joint']}, brightness has 48" in note


def test_clips_of_two_frames_can_be_compared(tmp_path):
    data = prepare_folder(tmp_path / "two", "shapes:count=20,frames=8", num_frames=2)
    reference = Reference.load(*data, 2, 24)
    for clips in (reference.real, reference.other, reference.held_out):
        assert clips.clips.shape[1] == 2 and all(np.isfinite(values).all() for values in clips.features.values())


def test_clips_of_another_domain_are_given_where_there_are_some(tmp_path_factory, prepared, tiny):
    folder = tmp_path_factory.mktemp("other") / "blue"
    other = folder, prepare("shapes:9,colour=blue", folder, tiny.clip, workers=1)
    reference = Reference.load(*prepared, tiny.clip.num_frames, 16, given=other)
    expected = first_clips(*other, tiny.clip.num_frames, 16, "test" if other[1].count("test") else "train")
    np.testing.assert_array_equal(reference.given_clips.clips, expected)
    assert len(reference.given_clips) == len(reference.given_clips.video_ids) == len(expected)
