"""Batches: complete, shuffled, and the same from any step on."""

import itertools
from collections import Counter

import numpy as np
import pytest

from gan_keras.data import pipeline, records
from gan_keras.errors import UserError


@pytest.fixture(scope="module")
def long_clips(tmp_path_factory, tiny):
    """A prepared folder of 13 numbered stretches in several shards, made by hand; every frame tells clip and time."""
    folder = tmp_path_factory.mktemp("numbered")
    shards = []
    for number, members in enumerate(([0, 1, 2, 3, 4], [5, 6], [7, 8, 9], [10, 11, 12])):
        made = []
        for clip in members:
            frames = np.zeros((7, 16, 16, 3), np.uint8)
            frames[..., 0], frames[..., 1] = clip, np.arange(7)[:, None, None]
            made.append((records.serialize(frames, clip, f"clip{clip}", 0), 7))
        shards.append(records.write_shard(folder / f"train-{number}.tfrecord", made))
    manifest = records.Manifest(clips=tiny.clips, fingerprint="", source="numbered", classes=(), fps=10.0,
                                videos={"train": 13, "test": 0}, labels={"train": {}, "test": {}},
                                splits={"train": tuple(shards), "test": ()}, left_out=())
    return folder, manifest


def take(folder, manifest, config, count, first_step=0):
    batches = pipeline.training_batches(folder, manifest, config, first_step).as_numpy_iterator()
    taken = list(itertools.islice(batches, count))
    if not config.objective.augment:  # the label is the number that is drawn in the clip
        for batch in taken:
            np.testing.assert_array_equal(batch["label"], batch["clips"][:, 0, 0, 0, 0])
    return [batch["clips"] for batch in taken]


@pytest.fixture(params=["one window", "many windows"])
def windows(request, monkeypatch):
    if request.param == "many windows":
        monkeypatch.setattr(pipeline, "_WINDOW_BYTES", 2 * 4000 * 5)


def test_every_epoch_shows_every_clip_once_in_an_order_of_its_own(long_clips, tiny, windows):
    batches = np.concatenate(take(*long_clips, tiny.replace(batch_size=1), 26))
    clips = batches[:, 0, 0, 0, 0].tolist()
    assert batches.shape == (26, 4, 16, 16, 3) and batches.dtype == np.uint8
    assert Counter(clips[:13]) == Counter(clips[13:]) == Counter(range(13))
    assert clips[:13] != clips[13:] and clips[:13] != sorted(clips[:13])


@pytest.mark.parametrize("augment", [(), ("flip", "crop", "rotate", "brightness")])
@pytest.mark.parametrize("first", [1, 3, 5, 8])
def test_starting_at_a_step_gives_what_an_uninterrupted_run_sees(long_clips, tiny, windows, first, augment):
    config = tiny.replace(augment=augment)
    whole, resumed = take(*long_clips, config, 10), take(*long_clips, config, 10 - first, first)
    np.testing.assert_array_equal(whole[first:], resumed)


def test_windows_of_time_move_and_stay_together(long_clips, tiny):
    batches = np.concatenate(take(*long_clips, tiny, 20))
    times = batches[:, :, 0, 0, 1].astype(int)
    assert (np.diff(times, axis=1) == 1).all()
    assert set(times[:, 0]) == {0, 1, 2, 3}


def test_the_seed_decides_the_order(long_clips, tiny):
    a, b, c = (np.stack(take(*long_clips, tiny.replace(seed=seed), 4)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert (a != c).any()


def test_augmentation_changes_the_batches(long_clips, tiny):
    plain, brighter = (np.stack(take(*long_clips, tiny.replace(augment=names), 3)).astype(int)
                       for names in ((), ("brightness",)))
    assert plain.shape == brighter.shape and 0 < np.abs(plain - brighter).max() <= 26


def test_first_clips_are_the_first_frames(long_clips):
    clips = pipeline.first_clips(*long_clips, num_frames=4, count=3)
    assert clips[:, 0, 0, 0].tolist() == [[0, 0, 0], [1, 0, 0], [2, 0, 0]] and clips.shape[1] == 4


def test_no_training_clips_is_the_users_mistake(long_clips, tiny):
    folder, manifest = long_clips
    empty = records.dataclasses.replace(manifest, splits={"train": (), "test": ()})
    with pytest.raises(UserError, match="no training clips"):
        pipeline.training_batches(folder, empty, tiny)
