import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.evaluation.evidence import ClipSet
from gan_keras.evaluation.findings import LOWER
from gan_keras.evaluation.overfitting import describe, judge
from gan_keras.models.discriminator import named_weights
from tests.conftest import STEP

RANDOM = np.random.default_rng(5)


def clip_set(clips, sources=None):
    return ClipSet(clips, np.arange(len(clips)) if sources is None else sources, {})


@pytest.fixture(scope="module")
def sides(trained):
    """Two sets of clips that each discriminator tells apart: noise on dark and on bright ground."""
    dark, bright = (RANDOM.integers(low, low + 60, (12, 4, 16, 16, 3), np.uint8) for low in (0, 190))
    return clip_set(dark), clip_set(bright)


@pytest.fixture(scope="module")
def ordered(trained, sides):
    """By discriminator: which of the sides looks more real to it, then the other."""
    dark, bright = sides
    numbers = judge(trained[0], STEP, dark, None, bright)
    return {name: (bright, dark) if numbers[f"discriminators/{name}/error_train"].value > 0.5 else (dark, bright)
            for name in ("pair", "clip")}


def test_a_checkpoint_holds_the_discriminators_under_these_names(trained):
    run, gan = trained
    stored = tf.train.load_checkpoint(str(run.checkpoints / f"ckpt-{STEP}")).get_variable_to_shape_map()
    named = named_weights(gan.discriminators)
    assert {"discriminator/pair/stem/kernel", "discriminator/clip/logit/bias"} <= set(named) <= set(stored)


def test_the_loss_is_that_of_every_pair_of_clips(trained):
    run, gan = trained
    clips = RANDOM.integers(0, 256, (2, 11, 4, 16, 16, 3), np.uint8)
    numbers = judge(run, STEP, clip_set(clips[0]), None, clip_set(clips[1, :7]))
    real, fake = (clips.reshape(2, 11, 4, 8, 2, 8, 2, 3).mean(axis=(4, 6)) / 127.5 - 1).astype(np.float32)
    real, fake = (gan.discriminators["clip"].logits(side).numpy() for side in (real, fake[:7]))
    expected = np.log1p(np.exp(fake - real[:, None]))
    found = numbers["discriminators/clip/loss_train"]
    assert found.value == pytest.approx(expected.mean(), rel=1e-4)
    assert found.low < found.value < found.high
    assert numbers["discriminators/clip/error_train"].value == pytest.approx((real <= fake.mean()).mean())
    assert numbers["discriminators/clip/error_generated"].value == pytest.approx((fake >= real.mean()).mean())


def test_a_clip_of_the_close_view_is_judged_at_evenly_spread_frames(trained):
    run, gan = trained
    clips = RANDOM.integers(0, 256, (2, 3, 4, 16, 16, 3), np.uint8)
    numbers = judge(run, STEP, clip_set(clips[0]), None, clip_set(clips[1]))
    pairs = clips[:, :, [0, 1, 1, 2, 2, 3]].reshape(2, 9, 2, 16, 16, 3).astype(np.float32) / 127.5 - 1
    shown = np.moveaxis(pairs, 2, -2).reshape(2, 9, 16, 16, 6)
    real, fake = (gan.discriminators["pair"].logits(side).numpy().reshape(3, 3) for side in shown)
    expected = np.log1p(np.exp(fake - real[:, None])).mean()
    assert numbers["discriminators/pair/loss_train"].value == pytest.approx(expected, rel=1e-4)
    assert numbers["discriminators/pair/error_train"].value == pytest.approx((real <= fake.mean()).mean())


@pytest.mark.parametrize("name", ["pair", "clip"])
@pytest.mark.parametrize(("share", "tolerance"), [(0, 1e-6), (0.5, 0.1), (1, 1e-6)])
def test_overfitting_is_how_far_held_out_clips_are_on_the_way_to_generated_ones(trained, ordered, name, share,
                                                                                tolerance):
    real, generated = ordered[name]
    count = int(share * len(real))
    held_out = clip_set(np.concatenate([generated.clips[:count], real.clips[count:]]))
    numbers = judge(trained[0], STEP, real, held_out, generated)
    found = numbers[f"discriminators/{name}/overfitting"]
    assert found.value == pytest.approx(share, abs=tolerance)
    assert found.low < found.value < found.high
    # Against their own mean, half of the generated clips are wrong.
    assert numbers[f"discriminators/{name}/error_held_out"].value == pytest.approx(share / 2, abs=0.2)


@pytest.mark.parametrize("name", ["pair", "clip"])
def test_overfitting_is_unknown_where_training_clips_do_not_look_more_real(trained, ordered, name):
    real, generated = ordered[name]
    numbers = judge(trained[0], STEP, generated, real, real)
    assert np.isnan(numbers[f"discriminators/{name}/overfitting"].value)
    assert numbers[f"discriminators/{name}/error_train"].value == 1
    assert numbers[f"discriminators/{name}/error_generated"].value == 1


def test_intervals_draw_whole_videos(trained, sides):
    dark, bright = sides
    alike = clip_set(dark.clips, np.repeat([0, 1], 6))
    wide, narrow = (judge(trained[0], STEP, real, None, bright)["discriminators/pair/loss_train"]
                    for real in (alike, dark))
    assert wide.value == narrow.value and (wide.low, wide.high) != (narrow.low, narrow.high)


def test_every_number_is_described(trained, sides):
    dark, bright = sides
    numbers = judge(trained[0], STEP, dark, bright, bright)
    assert len(numbers) == 2 * 6
    for name in numbers:
        assert f"`{name.split('/')[1]}`" in describe(name).meaning
    assert describe("discriminators/pair/overfitting").better == LOWER
    without = judge(trained[0], STEP, dark, None, bright)
    assert set(numbers) - set(without) == {f"discriminators/{name}/{what}" for name in ("pair", "clip")
                                           for what in ("loss_held_out", "error_held_out", "overfitting")}


def test_a_checkpoint_that_is_not_there_is_named(trained, sides):
    with pytest.raises(UserError, match="no checkpoint of step 7"):
        judge(trained[0], 7, *sides, sides[0])
