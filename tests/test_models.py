"""Every family and every discriminator at odd sizes; blocks with known results."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras import catalog, sampling
from gan_keras.errors import UserError
from gan_keras.models import blocks, motion
from gan_keras.models.build import build_discriminators, build_generator
from gan_keras.models.generators import layered
from gan_keras.models.views import small_scale

SIZES = [("16", 4), ("40x24", 5), ("64", 7)]


def draw(generator, config, seeds=(3, 4)):
    return sampling.draw_latents(generator.latents, tf.constant(seeds, tf.int64), config.clips.num_frames)


@pytest.mark.parametrize("family", catalog.choices("models.generators"))
@pytest.mark.parametrize(("resolution", "num_frames"), SIZES)
def test_generators_make_clips_of_any_size(tiny, family, resolution, num_frames):
    config = tiny.replace(generator=family, resolution=resolution, num_frames=num_frames)
    generator = build_generator(config.clips, config.model, "float32")
    clips = generator.clips(draw(generator, config))
    assert clips.shape == (2, *config.clips.shape) and clips.dtype == tf.float32
    assert np.isfinite(clips).all() and float(tf.math.reduce_std(clips[0] - clips[1])) > 0


@pytest.mark.parametrize("family", catalog.choices("models.generators"))
def test_some_frames_drawn_or_rendered_alone_are_those_of_the_whole_clip(tiny, family):
    config = tiny.replace(generator=family)
    generator = build_generator(config.clips, config.model, "float32")
    latents = draw(generator, config)
    frames = tf.constant([[2, 3], [0, 1]])
    whole, alone = generator.outputs(latents), generator.outputs(latents, frames)
    for name in set(generator.backbone.output):
        np.testing.assert_allclose(alone[name], tf.gather(whole[name], frames, batch_dims=1), atol=1e-5, err_msg=name)
    clips = tf.gather(generator.clips(latents), frames, batch_dims=1)
    np.testing.assert_allclose(generator.render(whole, frames), clips, atol=1e-5)
    np.testing.assert_allclose(generator.render(alone), clips, atol=1e-5)


@pytest.mark.parametrize("family", catalog.choices("models.generators"))
def test_small_pictures_have_the_announced_size(tiny, family):
    config = tiny.replace(generator=family, resolution="40x24", small_scale=4)
    generator = build_generator(config.clips, config.model, "float32")
    assert small_scale(config.clips, config.model) == 4
    assert generator.outputs(draw(generator, config))["small"].shape == (2, 4, 6, 10, 3)


@pytest.mark.parametrize("family", catalog.choices("models.generators"))
def test_where_nobody_looks_closely_the_small_view_is_full_size(tiny, family):
    config = tiny.replace(generator=family, discriminators=("clip",))
    generator = build_generator(config.clips, config.model, "float32")
    outputs = generator.outputs(draw(generator, config))
    assert generator.renderer is None and outputs["small"].shape == (2, *config.clips.shape)
    np.testing.assert_array_equal(outputs["small"], generator.clips(draw(generator, config)))


@pytest.mark.parametrize(("settings", "message"), [
    ({"small_scale": 8}, "at least 4 pixels"), ({"small_scale": 2, "discriminators": ("clip",)}, "must be 1 or 0")])
def test_a_small_view_that_cannot_be_is_refused(tiny, settings, message):
    config = tiny.replace(**settings)
    with pytest.raises(UserError, match=message):
        small_scale(config.clips, config.model)


@pytest.mark.parametrize("family", ["mocogan", "layered"])
def test_recurrent_families_are_causal_and_their_content_is_shared(tiny, family):
    generator = build_generator(tiny.clips, tiny.replace(generator=family).model, "float32")
    latents = draw(generator, tiny)
    noise = latents["innovation"]
    changed = {**latents, "innovation": tf.concat([noise[:, :2], noise[:, 2:] + 9.0], 1)}
    before, after = generator.clips(latents), generator.clips(changed)
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-5)
    assert np.abs(before[:, 2:] - after[:, 2:]).max() > 1e-4


@pytest.mark.parametrize("name", catalog.choices("models.discriminators"))
@pytest.mark.parametrize(("resolution", "num_frames"), SIZES)
def test_discriminators_give_each_sample_a_logit_of_its_own(tiny, name, resolution, num_frames):
    config = tiny.replace(discriminators=(f"{name}:0.5",), resolution=resolution, num_frames=num_frames)
    judge = build_discriminators(config.clips, config.model, "float32")[name]
    scale = small_scale(config.clips, config.model)
    shape = {"small": (num_frames, config.clips.height // scale, config.clips.width // scale, 3),
             "close": (2, config.clips.height, config.clips.width, 3)}[judge.view]
    view = tf.random.stateless_normal([3, *shape], [0, 1])
    samples = judge.samples(view)
    logits = judge.logits(samples)
    assert judge.weight == 0.5 and logits.dtype == tf.float32
    assert logits.shape[0] == samples.shape[0] and samples.shape[0] % 3 == 0
    assert logits.shape.rank == (2 if judge.patches else 1)
    np.testing.assert_allclose(judge.logits(samples[1:2]), logits[1:2], atol=1e-5)


def test_pairs_are_neighbouring_frames_of_one_clip(tiny):
    judge = build_discriminators(tiny.clips, tiny.replace(discriminators=("pair",)).model, "float32")["pair"]
    frames = tf.reshape(tf.range(2.0 * 4), [2, 4, 1, 1, 1]) * tf.ones([1, 1, 16, 16, 3])
    pairs = judge.samples(frames)
    np.testing.assert_array_equal(pairs[:, 0, 0, ::3], [[0, 1], [2, 3], [4, 5], [6, 7]])


def test_residual_block_starts_as_its_skip():
    inputs = keras.Input((4, 4, 3))
    block = keras.Model(inputs, blocks.residual(inputs, 3, (3, 3), "block"))
    x = tf.random.stateless_normal([2, 4, 4, 3], [1, 1])
    np.testing.assert_array_equal(block(x), x)


def test_halvings_round_up_and_stop_in_time():
    assert blocks.halvings((40, 56)) == [(40, 56), (20, 28), (10, 14), (5, 7)]
    assert blocks.halvings((64, 64))[-1] == (4, 4)


@pytest.mark.parametrize(("side", "level"), [(40, 0), (39, 1), (10, 2), (3, 3)])
def test_the_first_level_within_a_side(side, level):
    assert blocks.first_within(blocks.halvings((40, 56)), side) == level


@pytest.mark.parametrize("size", [(6, 8), (5, 8)])
def test_growth_is_bilinear(size):
    x = tf.random.stateless_normal([2, 3, 4, 5], [1, 2])
    np.testing.assert_allclose(blocks.Grow(size, "grow")(x), tf.image.resize(x, size), atol=1e-6)


def test_what_is_cut_can_come_back_but_not_run_away():
    x, pull = tf.constant([-2.5, -2.5, -1.5, 0.5, 2.5, 2.5]), tf.constant([1.0, -1.0, 1.0, 7.0, 1.0, -1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = blocks.cut(x, -1.0, 1.0)
    np.testing.assert_array_equal(y, [-1.0, -1.0, -1.0, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(tape.gradient(y, x, pull), [0.0, -1.0, 1.0, 7.0, 1.0, 0.0])


def test_later_layers_of_colour_lie_over_earlier_ones():
    inputs = keras.Input((1, 4, 3)), keras.Input((12,)), keras.Input((1, 1, 3))
    paint = keras.Model(inputs, layered.paint(*inputs, "picture"))
    shown = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0.5, 0, 0.5]], "float32")
    colours = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
    picture = paint([shown[None, None], colours.reshape(1, 12), np.full([1, 1, 1, 3], 100, "float32")]).numpy()[0, 0]
    ground = colours[0] + 100
    expected = ground, colours[1], colours[2], 0.5 * colours[3] + 0.25 * colours[1] + 0.25 * ground
    np.testing.assert_allclose(picture, expected, atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_names_are_the_same_in_every_build_and_outputs_are_float32(tiny, precision):
    first, second = (build_generator(tiny.clips, tiny.model, precision) for _ in range(2))
    assert list(first.named_weights("g")) == list(second.named_weights("g"))
    outputs = first.outputs(draw(first, tiny))
    assert outputs["small"].dtype == tf.float32 and first.clips(draw(first, tiny)).dtype == tf.float32
    assert all(variable.dtype == "float32" for variable in first.weights)
    assert keras.config.dtype_policy().name == "float32"


def gradients(call, weights):
    @tf.function(autograph=False)  # where convolution and bias are fused, as in training
    def compute():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(call())
        return tape.gradient(total, weights)

    return [np.ravel(gradient).astype("float32") for gradient in compute()]


@pytest.mark.parametrize("kind", [*catalog.choices("models.generators"), *catalog.choices("models.discriminators")])
def test_gradients_in_bfloat16_point_where_those_in_float32_do(tiny, kind):
    """Some CPU kernels do not: 3-D convolutions lost most of their bias gradient, and gave NaN at small sizes."""
    found = {}
    for precision in ("float32", "mixed_bfloat16"):
        if kind in catalog.choices("models.generators"):
            config = tiny.replace(generator=kind, resolution="32")
            network = build_generator(config.clips, config.model, precision)
            latents = draw(network, config, range(8))
            weights, call = network.trainable_variables, functools.partial(network.clips, latents)
        else:
            config = tiny.replace(discriminators=(kind,))
            judge = build_discriminators(config.clips, config.model, precision)[kind]
            weights = judge.network.trainable_variables
            samples = tf.random.stateless_normal([16, *judge.network.input["samples"].shape[1:]], [5, 6])
            call = functools.partial(judge.logits, samples)
        for i, weight in enumerate(weights):
            weight.assign(tf.random.stateless_normal(weight.shape, [7, i], stddev=0.1))
        found[precision] = gradients(call, weights)
    for weight, exact, rounded in zip(weights, *found.values(), strict=True):
        cosine = exact @ rounded / (np.linalg.norm(exact) * np.linalg.norm(rounded))
        assert cosine > 0.98, f"{weight.path}: {cosine}"


def test_hands_turn_by_the_angles_of_the_frames_and_stay_of_length_one():
    hands = motion.Hands()
    start = tf.constant([[1.0, 0.0, 0.0, 1.0]])
    turns = tf.constant([[[1.0, 0.0], [1.0, -2.0]]])
    found = hands(turns, start).numpy().reshape(2, 2, 2)
    expected = [[[np.cos(0.5), np.sin(0.5)], [0, 1]], [[np.cos(1.0), np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]]]
    np.testing.assert_allclose(found, expected, atol=1e-6)
    long = hands(tf.random.stateless_uniform([1, 2000, 2], [1, 2], -1, 1), start).numpy().reshape(-1, 2)
    np.testing.assert_allclose(np.linalg.norm(long, axis=1), 1.0, atol=1e-4)


@pytest.mark.parametrize("recurrence", ["gru", "lstm"])
def test_motion_goes_on_from_its_state(tiny, recurrence):
    model = tiny.replace(recurrence=recurrence).model
    start, whole = motion.motion_networks(model, 6)
    _, half = motion.motion_networks(model, 3)
    for mine, theirs in zip(half.weights, whole.weights, strict=True):
        mine.assign(theirs)
    latent, news = tf.random.stateless_normal([2, 3], [1, 2]), tf.random.stateless_normal([2, 6, 3], [1, 3])
    state = start({"motion": latent})["state"]
    expected = whole({"motion": latent, "innovation": news, "state": state})
    first = half({"motion": latent, "innovation": news[:, :3], "state": state})
    second = half({"motion": latent, "innovation": news[:, 3:], "state": first["state"]})
    np.testing.assert_allclose(tf.concat([first["codes"], second["codes"]], 1), expected["codes"], atol=1e-5)
    np.testing.assert_allclose(second["state"], expected["state"], atol=1e-5)
