"""Seeds give the same latents everywhere."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.models.latents import Latent, draw_latents

LATENTS = {"content": Latent(5), "motion": Latent(3, per_frame=True)}
SEEDS = tf.constant([7, -2, 7, 2**40], tf.int64)


@pytest.fixture(scope="module")
def drawn():
    return draw_latents(LATENTS, SEEDS, 20)


def test_shapes_are_those_of_the_latents(drawn):
    assert {name: tuple(value.shape) for name, value in drawn.items()} == {"content": (4, 5), "motion": (4, 20, 3)}


def test_a_row_depends_on_its_seed_alone(drawn):
    alone = draw_latents(LATENTS, SEEDS[1:2], 20)
    for name, value in drawn.items():
        np.testing.assert_array_equal(value[0], value[2])
        np.testing.assert_array_equal(value[1:2], alone[name])
        assert not np.array_equal(value[0], value[3])


def test_a_longer_clip_begins_with_the_shorter_one(drawn):
    longer = draw_latents(LATENTS, SEEDS, 40)
    np.testing.assert_array_equal(longer["content"], drawn["content"])
    np.testing.assert_array_equal(longer["motion"][:, :20], drawn["motion"])


def test_frames_and_latents_have_numbers_of_their_own():
    motion = draw_latents({"a": Latent(2, per_frame=True), "b": Latent(2, per_frame=True)}, SEEDS, 64)
    together = np.concatenate([np.ravel(motion["a"][0]), np.ravel(motion["b"][0])])
    assert len(np.unique(together)) == together.size


def test_latents_are_standard_normal():
    content = draw_latents({"content": Latent(64)}, tf.range(200, dtype=tf.int64), 1)["content"].numpy()
    assert abs(content.mean()) < 0.03 and abs(content.std() - 1) < 0.03


def test_a_sequence_goes_on_where_it_was_left(drawn):
    """Frames drawn segment by segment are those drawn at once, wherever each row of a batch is in its sequence."""
    whole = draw_latents(LATENTS, SEEDS, 60)
    for first in ([0, 0, 0, 0], [20, 20, 20, 20], [40, 3, 17, 31], [15, 16, 32, 47]):
        part = draw_latents(LATENTS, SEEDS, 13, tf.constant(first, tf.int64))
        np.testing.assert_array_equal(part["content"], drawn["content"])
        for row, begin in enumerate(first):
            np.testing.assert_array_equal(part["motion"][row], whole["motion"][row, begin:begin + 13])


def test_a_sequence_has_no_end():
    """Two years of video at 24 frames a second on, the noise is still that of the frame."""
    far = draw_latents(LATENTS, SEEDS[:1], 20, tf.constant([2**31 + 5], tf.int64))["motion"]
    further = draw_latents(LATENTS, SEEDS[:1], 4, tf.constant([2**31 + 21], tf.int64))["motion"]
    np.testing.assert_array_equal(far[:, 16:], further)
    assert len(np.unique(far)) == far.shape[1] * far.shape[2]


def test_uniform_latents_fill_their_range_and_categories_are_as_likely():
    seeds = tf.range(600, dtype=tf.int64)
    latents = {"code": Latent(4, distribution="uniform"), "label": Latent(3, distribution="category")}
    drawn = draw_latents(latents, seeds, 1)
    code, label = drawn["code"].numpy(), drawn["label"].numpy()
    assert code.shape == (600, 4) and -1 <= code.min() < -0.98 and 0.98 < code.max() <= 1
    assert abs(code.mean()) < 0.05 and abs(code.std() - np.sqrt(1 / 3)) < 0.03
    assert (np.sort(label, axis=1) == [0, 0, 1]).all() and np.abs(label.mean(axis=0) - 1 / 3).max() < 0.06
    alone = draw_latents({"label": Latent(3, distribution="category")}, seeds, 1)["label"].numpy()
    np.testing.assert_array_equal(alone[7:8], draw_latents(
        {"label": Latent(3, distribution="category")}, seeds[7:8], 1)["label"])
