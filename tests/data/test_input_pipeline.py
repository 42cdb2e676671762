"""Batches: complete, shuffled, and the same from any step on and on any process."""

import dataclasses
import itertools
from collections import Counter

import numpy as np
import pytest

from gan_keras.data import AUGMENTATIONS, input_pipeline, records
from gan_keras.errors import UserError


@pytest.fixture(scope="module")
def numbered(tmp_path_factory, tiny):
    """A prepared folder of 13 numbered segments of 7 frames in four shards; a pixel is (segment, time, 0)."""
    folder = tmp_path_factory.mktemp("numbered")
    shards = []
    for number, segments in enumerate(([0, 1, 2, 3, 4], [5, 6], [7, 8, 9], [10, 11, 12])):
        serialized = []
        for segment in segments:
            frames = np.zeros((7, 16, 16, 3), np.uint8)
            frames[..., 0], frames[..., 1] = segment, np.arange(7)[:, None, None]
            serialized.append((records.serialize(frames, segment, f"video{segment}", 0), 7))
        shards.append(records.write_shard(folder / f"train-{number}.tfrecord", serialized))
    manifest = records.Manifest(clip=tiny.clip, fingerprint="", source="numbered", classes=(), fps=10.0,
                                videos={"train": 13, "test": 0}, labels={"train": {}, "test": {}},
                                splits={"train": tuple(shards), "test": ()}, skipped=())
    return folder, manifest


def batches_of(data, config, count, first_step=0, rows=slice(None)):
    """Clips of `count` batches, one array: uint8 [count, B, T, H, W, C]."""
    dataset = input_pipeline.training_batches(*data, config, first_step, rows)
    batches = list(itertools.islice(dataset.as_numpy_iterator(), count))
    if not config.objective.augment:  # the label is the number that the clip shows
        for batch in batches:
            np.testing.assert_array_equal(batch.label, batch.clips[:, 0, 0, 0, 0])
    return np.stack([batch.clips for batch in batches])


@pytest.fixture(params=["one window", "many windows"])
def windows(request, monkeypatch):
    if request.param == "many windows":
        monkeypatch.setattr(input_pipeline, "WINDOW_BYTES", 2 * 4000 * 5)


def test_every_epoch_shows_every_clip_once_in_an_order_of_its_own(numbered, tiny, windows):
    batches = batches_of(numbered, tiny.replace(batch_size=1), 26)
    clips = batches[:, 0, 0, 0, 0, 0].tolist()
    assert batches.shape == (26, 1, 4, 16, 16, 3) and batches.dtype == np.uint8
    assert Counter(clips[:13]) == Counter(clips[13:]) == Counter(range(13))
    assert clips[:13] != clips[13:] and clips[:13] != sorted(clips[:13])


@pytest.mark.parametrize("augment", [(), tuple(AUGMENTATIONS)], ids=["plain", "augmented"])
def test_starting_at_a_step_gives_what_an_uninterrupted_run_sees(numbered, tiny, windows, augment):
    config = tiny.replace(augment=augment)
    batches = batches_of(numbered, config, 10)
    for first_step in (1, 3, 5, 8):
        np.testing.assert_array_equal(batches[first_step:],
                                      batches_of(numbered, config, 10 - first_step, first_step))


@pytest.mark.parametrize("augment", [(), tuple(AUGMENTATIONS)], ids=["plain", "augmented"])
@pytest.mark.parametrize("first_step", [0, 3])
def test_the_rows_of_two_processes_are_the_whole_batch(numbered, tiny, first_step, augment):
    config = tiny.replace(augment=augment)
    whole, first, second = (batches_of(numbered, config, 5, first_step, rows)
                            for rows in (slice(None), slice(0, 2), slice(2, 4)))
    assert first.shape[:2] == second.shape[:2] == (5, 2)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), whole)


def test_training_clips_begin_at_every_frame_and_their_frames_are_consecutive(numbered, tiny):
    times = batches_of(numbered, tiny, 20)[..., 0, 0, 1].astype(int)  # [20, B, T]
    assert (np.diff(times) == 1).all()
    assert set(times[..., 0].ravel()) == {0, 1, 2, 3}


def test_the_order_is_a_function_of_the_seed(numbered, tiny):
    one, same, other = (batches_of(numbered, tiny.replace(seed=seed), 4) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_augmentation_changes_the_batches(numbered, tiny):
    plain, brighter = (batches_of(numbered, tiny.replace(augment=names), 3).astype(int)
                       for names in ((), ("brightness",)))
    assert plain.shape == brighter.shape and 0 < np.abs(plain - brighter).max() <= 26


def test_first_clips_are_the_first_frames_of_the_first_records(numbered):
    clips = input_pipeline.first_clips(*numbered, num_frames=4, count=3)
    assert clips[:, 0, 0, 0].tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]] and clips.shape[1] == 4


def test_a_folder_without_training_clips_is_refused(numbered, tiny):
    folder, manifest = numbered
    empty = dataclasses.replace(manifest, splits={"train": (), "test": ()})
    with pytest.raises(UserError, match="no training clips"):
        input_pipeline.training_batches(folder, empty, tiny)


def test_batches_of_two_domains_stand_side_by_side_and_go_on_from_a_step(numbered, tiny):
    def both(first_step, count):
        one = input_pipeline.training_batches(*numbered, tiny, first_step)
        other = input_pipeline.training_batches(*numbered, tiny.replace(seed=5), first_step)
        return list(itertools.islice(input_pipeline.with_target(one, other).as_numpy_iterator(), count))

    whole = both(0, 4)
    np.testing.assert_array_equal([batch.clips for batch in whole], batches_of(numbered, tiny, 4))
    np.testing.assert_array_equal([batch.target for batch in whole], batches_of(numbered, tiny.replace(seed=5), 4))
    for batch, again in zip(whole[2:], both(2, 2), strict=True):
        np.testing.assert_array_equal(batch.target, again.target)
