"""Overfitting of discriminators: metrics of known logits, and of the discriminators in a checkpoint."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.evaluation.metrics import overfitting
from gan_keras.evaluation.metrics.inputs import ClipSet
from gan_keras.evaluation.metrics.overfitting import estimate_from_logits, measure_discriminators, metric_info
from gan_keras.evaluation.metrics.types import LOWER
from gan_keras.models.discriminator import named_weights
from gan_keras.runs.restore import restore_discriminators
from tests.conftest import STEP

RANDOM = np.random.default_rng(5)
HELD_OUT_METRICS = ("loss_held_out", "error_held_out", "overfitting")


def clip_set(clips, video_ids=None):
    return ClipSet(clips, np.arange(len(clips)) if video_ids is None else video_ids, {})


@pytest.fixture(scope="module", autouse=True)
def restored_once():
    """Restores the discriminators of a checkpoint once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(overfitting, "restore_discriminators", functools.cache(restore_discriminators))
        yield


@pytest.fixture(scope="module")
def dark_and_bright():
    """Two sets of clips that each discriminator tells apart: noise on a dark and on a bright background."""
    dark, bright = (RANDOM.integers(low, low + 60, (12, 4, 16, 16, 3), np.uint8) for low in (0, 190))
    return clip_set(dark), clip_set(bright)


@pytest.fixture(scope="module")
def real_and_generated(trained, dark_and_bright):
    """By discriminator: the set that looks more real to it, then the other."""
    dark, bright = dark_and_bright
    estimates = measure_discriminators(trained[0], STEP, dark, None, bright)
    return {name: (bright, dark) if estimates[f"discriminators/{name}/error_train"].value > 0.5 else (dark, bright)
            for name in ("pair", "clip")}


def test_hand_computed_metrics_of_logits():
    logits = {"train": [[4, 2], [1, 3], [2, 2], [3, 3]], "generated": [[0, -1], [-2, -1], [3, 1], [-1, 1]],
              "held_out": [[1, 3], [0, 0], [1, -1], [1, 1]]}
    logits = {name: np.array(values, np.float32) for name, values in logits.items()}
    sets = {name: clip_set(np.zeros((4, 2, 8, 8, 3), np.uint8)) for name in logits}

    def loss(real, generated):
        return generated - real, generated

    estimates = estimate_from_logits(logits, sets, loss)
    # Mean logits are 2.5 of training clips, 0.75 of held-out clips and 0 of generated ones.
    expected = {"loss_train": -2.5, "loss_held_out": -0.75, "error_train": 0.0, "error_held_out": 3 / 8,
                "error_generated": 1 / 8, "overfitting": (2.5 - 0.75) / 2.5}
    assert {name: estimate.value for name, estimate in estimates.items()} == pytest.approx(expected)
    assert all(estimate.low <= estimate.value <= estimate.high for estimate in estimates.values())
    del logits["held_out"], sets["held_out"]
    assert estimate_from_logits(logits, sets, loss) == {
        name: estimate for name, estimate in estimates.items() if name not in HELD_OUT_METRICS}


def test_a_checkpoint_holds_the_discriminators_by_name(trained):
    run, gan = trained
    stored = tf.train.load_checkpoint(str(run.checkpoints / f"ckpt-{STEP}")).get_variable_to_shape_map()
    named = named_weights(gan.discriminators)
    assert {"discriminator/pair/stem/kernel", "discriminator/clip/logit/bias"} <= set(named) <= set(stored)


def test_the_loss_is_that_of_every_pair_of_clips(trained):
    run, gan = trained
    clips = RANDOM.integers(0, 256, (2, 11, 4, 16, 16, 3), np.uint8)
    estimates = measure_discriminators(run, STEP, clip_set(clips[0]), None, clip_set(clips[1, :7]))
    real, generated = (clips.reshape(2, 11, 4, 8, 2, 8, 2, 3).mean(axis=(4, 6)) / 127.5 - 1).astype(np.float32)
    real, generated = (gan.discriminators["clip"](views).logits.numpy() for views in (real, generated[:7]))
    expected = np.log1p(np.exp(generated - real[:, None]))
    loss = estimates["discriminators/clip/loss_train"]
    assert loss.value == pytest.approx(expected.mean(), rel=1e-4)
    assert loss.low < loss.value < loss.high
    assert estimates["discriminators/clip/error_train"].value == pytest.approx((real <= generated.mean()).mean())
    assert estimates["discriminators/clip/error_generated"].value == pytest.approx((generated >= real.mean()).mean())


def test_the_full_resolution_view_is_of_evenly_spread_pairs(trained):
    run, gan = trained
    clips = RANDOM.integers(0, 256, (2, 3, 4, 16, 16, 3), np.uint8)
    estimates = measure_discriminators(run, STEP, clip_set(clips[0]), None, clip_set(clips[1]))
    pairs = clips[:, :, [0, 1, 1, 2, 2, 3]].reshape(2, 9, 2, 16, 16, 3).astype(np.float32) / 127.5 - 1
    samples = np.moveaxis(pairs, 2, -2).reshape(2, 9, 16, 16, 6)
    real, generated = (gan.discriminators["pair"](side).logits.numpy().reshape(3, 3) for side in samples)
    expected = np.log1p(np.exp(generated - real[:, None])).mean()
    assert estimates["discriminators/pair/loss_train"].value == pytest.approx(expected, rel=1e-4)
    assert estimates["discriminators/pair/error_train"].value == pytest.approx((real <= generated.mean()).mean())


@pytest.mark.parametrize("name", ["pair", "clip"])
@pytest.mark.parametrize(("share", "tolerance"), [(0, 1e-6), (0.5, 0.1), (1, 1e-6)])
def test_overfitting_is_the_share_of_held_out_clips_that_look_generated(trained, real_and_generated, name, share,
                                                                        tolerance):
    real, generated = real_and_generated[name]
    count = int(share * len(real))
    held_out = clip_set(np.concatenate([generated.clips[:count], real.clips[count:]]))
    estimates = measure_discriminators(trained[0], STEP, real, held_out, generated)
    estimate = estimates[f"discriminators/{name}/overfitting"]
    assert estimate.value == pytest.approx(share, abs=tolerance)
    assert estimate.low < estimate.value < estimate.high
    # Against their own mean, half of the generated clips are errors.
    assert estimates[f"discriminators/{name}/error_held_out"].value == pytest.approx(share / 2, abs=0.2)


@pytest.mark.parametrize("name", ["pair", "clip"])
def test_overfitting_is_nan_where_training_clips_do_not_look_more_real(trained, real_and_generated, name):
    real, generated = real_and_generated[name]
    estimates = measure_discriminators(trained[0], STEP, generated, real, real)
    assert np.isnan(estimates[f"discriminators/{name}/overfitting"].value)
    assert estimates[f"discriminators/{name}/error_train"].value == 1
    assert estimates[f"discriminators/{name}/error_generated"].value == 1


def test_intervals_draw_whole_videos(trained, dark_and_bright):
    dark, bright = dark_and_bright
    of_two_videos = clip_set(dark.clips, np.repeat([0, 1], 6))
    wide, narrow = (measure_discriminators(trained[0], STEP, real, None, bright)["discriminators/pair/loss_train"]
                    for real in (of_two_videos, dark))
    assert wide.value == narrow.value and (wide.low, wide.high) != (narrow.low, narrow.high)


def test_every_metric_has_a_meaning(trained, dark_and_bright):
    dark, bright = dark_and_bright
    estimates = measure_discriminators(trained[0], STEP, dark, bright, bright)
    assert len(estimates) == 2 * 6
    for name in estimates:
        assert f"`{name.split('/')[1]}`" in metric_info(name).meaning
    assert metric_info("discriminators/pair/overfitting").better == LOWER
    without = measure_discriminators(trained[0], STEP, dark, None, bright)
    assert set(estimates) - set(without) == {f"discriminators/{name}/{metric}" for name in ("pair", "clip")
                                             for metric in HELD_OUT_METRICS}


def test_a_missing_checkpoint_is_an_error(trained, dark_and_bright):
    with pytest.raises(UserError, match="no checkpoint of step 7"):
        measure_discriminators(trained[0], 7, *dark_and_bright, dark_and_bright[0])
