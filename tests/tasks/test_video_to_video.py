"""Tasks that are given clips: what they are given and what is wanted, their losses, and their signatures."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float
from gan_keras.errors import UserError
from gan_keras.serving.signatures import ServedGenerator
from gan_keras.tasks.registry import find_task
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import step_of, train, values

TASKS = ("enhance", "inpaint", "predict", "reorient")
SMALL = {"resolution": "24x16", "num_frames": 6, "generator_width": 4, "discriminator_width": 4, "batch_size": 2,
         "precision": "float32", "fidelity_steps": 1}
MOTION = {"translation": "motion", "target_data": "shapes:9", "fidelity_steps": Config().given.fidelity_steps}
CLIPS = tf.constant(np.random.default_rng(0).integers(0, 256, (2, 6, 16, 24, 3), np.uint8))
BATCH = Batch(CLIPS, tf.constant([-1, -1], tf.int64))
FILM = np.random.default_rng(1).integers(0, 256, (1, 11, 20, 28, 3), np.uint8)


def settings(task, **changes):
    own = {"context_frames": 3} if task == "predict" else {}
    return Config().replace(task=task, **{**SMALL, **own, **changes})


def served(config, generator=None):
    """Signatures of a generator with random weights, and the task."""
    task = find_task(config)
    generator = generator or task.build_generator("float32")
    for i, weight in enumerate(generator.weights):
        weight.assign(np.random.default_rng(i).normal(0, 0.05, weight.shape))
    return ServedGenerator(task, generator), task


def given_and_target(config, seed=3):
    task = find_task(config)
    random = {}
    generator = np.random.default_rng(seed)
    for name, (kind, shape) in task.random_numbers().items():
        values = generator.normal(size=(2, *shape)) if kind == "normal" else generator.random((2, *shape))
        random[name] = tf.constant(values, tf.float32)
    return task, *task.corrupt(to_float(CLIPS), random)


# ---- what is given ----

def test_enhance_is_given_smaller_frames_in_bytes_and_begins_with_them_enlarged():
    task, given, target = given_and_target(settings("enhance", degrade=("down2", "noise:10")))
    assert given["video"].shape == (2, 6, 8, 12, 3) and task.factor == 2
    levels = (given["video"].numpy() + 1) * 127.5
    np.testing.assert_allclose(levels, levels.round(), atol=1e-3)
    np.testing.assert_array_equal(target, to_float(CLIPS))
    assert task.conditions(given)["base"].shape == target.shape


def test_inpaint_is_given_nothing_of_what_is_in_the_hole():
    task, given, target = given_and_target(settings("inpaint"))
    mask = given["mask"].numpy()
    assert mask.any() and not (given["video"].numpy() * mask).any()
    np.testing.assert_array_equal(given["video"] * (1 - mask), target * (1 - mask))
    conditions = task.conditions(given)
    np.testing.assert_array_equal(conditions["base"] * (1 - mask), target * (1 - mask))
    assert set(conditions) == {"base", "guide", "mask"}


def test_predict_is_given_the_first_frames_and_begins_with_the_last_of_them():
    task, given, target = given_and_target(settings("predict"))
    clips, first = to_float(CLIPS).numpy(), given["video"].numpy()
    np.testing.assert_array_equal(first[:, -1], clips[:, 2])  # the last given frame is always the same one
    np.testing.assert_array_equal(target[:, 3:], clips[:, 3:])
    for row in range(2):  # frames that are not given show the first that is
        counts = [n for n in range(3) if (first[row, :n] == first[row, n]).all()
                  and (first[row, n:] == clips[row, n:3]).all()]
        assert counts
    conditions = task.conditions(given)
    np.testing.assert_array_equal(conditions["base"][:, 3:], clips[:, 2:3].repeat(3, 1))
    np.testing.assert_array_equal(conditions["mask"][0, :, 0, 0, 0], [0, 0, 0, 1, 1, 1])
    np.testing.assert_allclose(conditions["guide"][0, :, 0, 0, -1], [0, 0, 0, 1 / 3, 2 / 3, 1], rtol=1e-6)


def test_predict_takes_fewer_frames_or_more_than_it_looks_at():
    task = find_task(settings("predict"))
    frames = to_float(CLIPS)
    one = task.conditions({"video": frames[:, :1]})["base"]
    np.testing.assert_array_equal(one, tf.repeat(frames[:, :1], 6, axis=1))
    np.testing.assert_array_equal(task.conditions({"video": frames})["guide"],
                                  task.conditions({"video": frames[:, 3:]})["guide"])


def test_reorient_knows_what_lies_beyond_the_corners():
    _, given, target = given_and_target(settings("reorient"))
    mask = given["mask"].numpy()
    assert 0 < mask.mean() < 0.6 and (mask == mask[:, :1]).all()
    np.testing.assert_array_equal(given["video"], target * (1 - mask))
    assert target.numpy().std(axis=(2, 3)).min() > 0.05  # there is a picture everywhere
    assert mask[:, 0, 8, 12].max() == 0  # the middle is there


def test_reorient_by_nothing_covers_all_and_a_larger_size_has_empty_sides():
    task = find_task(settings("reorient"))

    def given(**changes):
        inputs = {"video": tf.constant(FILM), "angle": [0.0], "zoom": [1.0], "shift": [[0.0, 0.0]], "size": [[0, 0]]}
        return task.given_by({name: tf.constant(value) for name, value in {**inputs, **changes}.items()})

    still = given()
    assert not still["mask"].numpy().any()
    np.testing.assert_allclose(still["video"], to_float(tf.constant(FILM)), atol=1e-5)
    wider = given(size=tf.constant([[20, 40]], tf.int64))
    assert wider["video"].shape[2:4] == (20, 40)
    np.testing.assert_array_equal(wider["mask"][0, 0, 10, :, 0], [1] * 6 + [0] * 28 + [1] * 6)
    np.testing.assert_allclose(wider["video"][:, :, :, 6:34], still["video"], atol=1e-5)


@pytest.mark.parametrize(("task", "changes", "message"), [
    ("predict", {"context_frames": 6}, "`context_frames` must be fewer than the frames of a clip"),
    ("enhance", {"classes": ("a", "b")}, "cannot be combined with classes")])
def test_settings_without_sense_are_refused(task, changes, message):
    with pytest.raises(UserError, match=message):
        find_task(settings(task, **changes))


# ---- training ----

@pytest.mark.parametrize("task", TASKS)
def test_discriminators_join_after_the_steps_of_fidelity(task, undistributed, eagerly):
    gan = VideoGAN.create(settings(task), undistributed)
    before = {name: variable.numpy() for name, variable in gan.variables.items()}
    first = step_of(gan, 0, BATCH)
    moved = {name.split("/")[0] for name, value in gan.variables.items() if (value.numpy() != before[name]).any()}
    assert not float(first["skipped"]) and "discriminator" not in moved and {"generator", "ema"} <= moved
    second = step_of(gan, 1, BATCH)
    names = {name for name in second if name.startswith("terms/generator/")}
    kinds = {"adversarial", "features"} if gan.task.feature_weight else {"adversarial"}
    expected = {f"terms/generator/{kind}/{view}" for kind in kinds for view in ("pair", "clip_differences")}
    assert names - set(first) == expected
    weights = {"charbonnier": 1.0, "l1": 1.0, "l1_hole": 1.0, "change": 0.5}
    for view in ("pair", "clip_differences"):
        weights |= {f"adversarial/{view}": gan.task.adversarial_weight, f"features/{view}": gan.task.feature_weight}
    expected = sum(weights[name.removeprefix("terms/generator/")] * float(second[name]) for name in names)
    assert float(second["loss/generator"]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_on_two_devices_there_is_nothing_of_discriminators_to_sum_before_they_join(task, one_device, two_devices,
                                                                                    eagerly):
    config = settings(task, optimizer="sgd", learning_rate=0.01)
    one, two = (VideoGAN.create(config, devices) for devices in (one_device, two_devices))
    start = values(one)
    metrics, same = (train(gan, 1, BATCH) for gan in (one, two))
    for name, value in values(one).items():
        np.testing.assert_allclose(value, values(two)[name], atol=1e-5, err_msg=name)
    assert any((value != start[name]).any() for name, value in values(one).items())
    assert metrics == pytest.approx(same, abs=1e-4)


def test_adaptive_augmentation_waits_for_the_discriminators(undistributed, eagerly):
    gan = VideoGAN.create(settings("inpaint", diffaugment=("brightness",), ada_target=0.5, ada_clips=4), undistributed)
    probabilities = []
    for step in range(3):
        step_of(gan, step, BATCH)
        probabilities.append(float(gan.variables["augment_probability"].numpy()))
    assert probabilities[0] == 0 and all(0 <= value <= 1 for value in probabilities)


def test_without_sharpness_there_are_no_discriminators(undistributed, eagerly):
    gan = VideoGAN.create(settings("inpaint", sharpness=0.0, fidelity_steps=0), undistributed)
    assert gan.discriminators == {} and float(step_of(gan, 0, BATCH)["skipped"]) == 0


def test_the_discriminators_see_what_was_given(undistributed, eagerly):
    gan = VideoGAN.create(settings("inpaint", fidelity_steps=0), undistributed)
    forward = gan.objective.forward(BATCH, gan.noise(tf.constant(0, tf.int64), 0), gan.objective.schedule(0))
    assert forward.real.full_resolution.shape[-1] == 3 + 3 + 1
    np.testing.assert_array_equal(forward.real.full_resolution[..., 3:], forward.generated.full_resolution[..., 3:])


# ---- signatures ----

def request(task, film=FILM):
    values = {name: value[:1] for name, value in task.example_request().items()}
    values["video"] = film
    if "mask" in values:
        values["mask"] = (np.random.default_rng(2).random((*film.shape[:4], 1)) < 0.3).astype(np.uint8)
    return values


@pytest.mark.slow
@pytest.mark.parametrize(("task", "changes"), [
    ("enhance", {}), ("inpaint", {}), ("reorient", {}), ("translate", MOTION)], ids=str)
def test_a_film_in_segments_is_the_whole_film(task, changes):
    model, task = served(settings(task, **changes))
    asked = request(task)
    frames = {name for name in ("video", "mask") if name in asked}
    whole = model("serving_default", asked)["video"]
    assert whole.shape == (1, 11, *(task.factor * side for side in (20, 28)), 3)
    beside = {name: value for name, value in asked.items() if name not in frames}
    for pieces in ([11], [1] * 11, [4, 7]):
        state, made, begin = model("initial_state", {**asked, **{name: asked[name][:, :1] for name in frames}}), [], 0
        for length in pieces:
            piece = {name: asked[name][:, begin:begin + length] for name in frames}
            state = model("next_segment", {**beside, **piece, **state})
            made.append(state.pop("video"))
            begin += length
        made.append(model("last_segment", {**beside, **state})["video"])
        difference = np.concatenate(made, 1).astype(int) - whole
        assert np.abs(difference).max() <= 1, pieces  # of 255: products of another number of pictures round otherwise
    if "mask" in asked:
        outside = asked["mask"][..., 0] == 0
        np.testing.assert_array_equal(whole[outside], FILM[outside])


@pytest.mark.slow
def test_predictions_follow_and_differ_by_seed():
    model, task = served(settings("predict"))
    asked = request(task)
    one, same, other = (model("serving_default", {**asked, "seed": np.array([seed], np.int64)})["video"]
                        for seed in (1, 1, 2))
    assert one.shape == (1, 3, 20, 28, 3)
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_pairs_are_corrupted_by_the_seed_and_shown_side_by_side(task):
    model, task = served(settings(task))
    pairs = model("pairs", {"video": CLIPS.numpy(), "seed": np.array([4, 5], np.int64)})
    alone = model("pairs", {"video": CLIPS[1:].numpy(), "seed": np.array([5], np.int64)})
    for name, value in pairs.items():
        np.testing.assert_array_equal(value[1:], alone[name])
    assert pairs["video"].shape == pairs["target"].shape == (2, 6, 16, 24, 3)
    shown = task.shown(pairs)
    assert shown.shape == (2, 6, 16, 72, 3)
    np.testing.assert_array_equal(shown[..., 24:48, :], pairs["video"])
    np.testing.assert_array_equal(shown[..., 48:, :], pairs["target"])
