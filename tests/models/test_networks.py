"""Every generator and every discriminator at odd sizes: shapes, causality, names, precision."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.models import recurrent_motion
from gan_keras.models.build import build_discriminators, build_generator, discriminator_view_shapes, view_factor
from gan_keras.models.discriminators import DISCRIMINATORS
from gan_keras.models.generators import GENERATORS
from gan_keras.models.latents import draw_latents
from gan_keras.models.views import low_resolution_factor

SIZES = [("16", 4), ("40x24", 5), ("64", 7)]


def draw(generator, config, seeds=(3, 4)):
    return draw_latents(generator.latents, tf.constant(seeds, tf.int64), config.clip.num_frames)


def build(config, precision="float32"):
    return build_generator(config.clip, config.model, precision)


@pytest.mark.parametrize("family", GENERATORS)
@pytest.mark.parametrize(("resolution", "num_frames"), SIZES)
def test_generators_make_clips_of_any_size(tiny, family, resolution, num_frames):
    config = tiny.replace(generator=family, resolution=resolution, num_frames=num_frames)
    generator = build(config)
    clips = generator.clips(draw(generator, config))
    assert clips.shape == (2, *config.clip.shape) and clips.dtype == tf.float32
    assert np.isfinite(clips).all() and float(tf.math.reduce_std(clips[0] - clips[1])) > 0


@pytest.mark.parametrize("family", GENERATORS)
def test_some_frames_drawn_or_rendered_alone_are_those_of_the_whole_clip(tiny, family):
    config = tiny.replace(generator=family)
    generator = build(config)
    latents = draw(generator, config)
    frames = tf.constant([[2, 3], [0, 1]])
    whole, alone = generator.outputs(latents), generator.outputs(latents, frames)
    for name in set(generator.backbone.output):
        np.testing.assert_allclose(alone[name], tf.gather(whole[name], frames, batch_dims=1), atol=1e-5, err_msg=name)
    clips = tf.gather(generator.clips(latents), frames, batch_dims=1)
    np.testing.assert_allclose(generator.render(whole, frames), clips, atol=1e-5)
    np.testing.assert_allclose(generator.render(alone), clips, atol=1e-5)


@pytest.mark.parametrize("family", GENERATORS)
@pytest.mark.parametrize("factor", [1, 4])
def test_views_have_the_size_asked_for_and_full_resolution_is_that_of_the_clip(tiny, family, factor):
    config = tiny.replace(generator=family, resolution="40x24", low_resolution_factor=4)
    generator = build(config)
    latents, frames = draw(generator, config), tf.constant([[2, 3], [0, 1]])
    views = generator.views(generator.outputs(latents), frames, factor)
    clips = generator.clips(latents)
    assert low_resolution_factor(config.clip, config.model) == 4
    assert views.low_resolution.shape == (2, 4, 24 // factor, 40 // factor, 3)
    if factor == 1:
        np.testing.assert_array_equal(views.low_resolution, clips)
    np.testing.assert_allclose(views.full_resolution, tf.gather(clips, frames, batch_dims=1), atol=1e-5)


def test_the_generator_is_the_same_whatever_discriminators_there_are(tiny):
    networks = [build(tiny.replace(generator="mocogan", discriminators=discriminators))
                for discriminators in (("clip",), ("frame", "pair", "clip"))]
    shapes = [{name: tuple(weight.shape) for name, weight in network.named_weights("g").items()}
              for network in networks]
    assert shapes[0] == shapes[1] and networks[0].renderer is not None


def test_where_no_discriminator_sees_full_resolution_the_low_resolution_view_is_it(tiny):
    config = tiny.replace(discriminators=("clip", "mlp"))
    assert view_factor(config.clip, config.model) == 1
    assert discriminator_view_shapes(config.clip, config.model).low_resolution == config.clip.shape
    assert view_factor(tiny.clip, tiny.replace(discriminators=("clip", "patch")).model) == 2


def test_a_low_resolution_view_of_too_few_pixels_is_refused(tiny):
    with pytest.raises(UserError, match="at least 4 pixels"):
        low_resolution_factor(tiny.clip, tiny.replace(low_resolution_factor=8).model)


@pytest.mark.parametrize(("settings", "network", "layer", "units"), [
    ({}, "motion", "recurrent", 64), ({"generator_width": 8}, "motion", "recurrent", 32),
    ({}, "backbone", "content_0", 128), ({"generator_width": 8}, "backbone", "content_0", 64)])
def test_capacity_follows_the_width(tiny, settings, network, layer, units):
    generator = build(tiny.replace(**{"generator": "layered", "generator_width": 16, **settings}))
    assert generator.networks[network].get_layer(layer).units == units


@pytest.mark.parametrize("family", ["mocogan", "layered"])
def test_recurrent_generators_are_causal_and_their_content_is_shared(tiny, family):
    generator = build(tiny.replace(generator=family))
    latents = draw(generator, tiny)
    noise = latents["frame_noise"]
    changed = {**latents, "frame_noise": tf.concat([noise[:, :2], noise[:, 2:] + 9.0], 1)}
    before, after = generator.clips(latents), generator.clips(changed)
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-5)
    assert np.abs(before[:, 2:] - after[:, 2:]).max() > 1e-4


@pytest.mark.parametrize("name", DISCRIMINATORS)
@pytest.mark.parametrize(("resolution", "num_frames"), SIZES)
def test_discriminators_give_each_sample_a_logit_of_its_own(tiny, name, resolution, num_frames):
    config = tiny.replace(discriminators=(f"{name}:0.5",), resolution=resolution, num_frames=num_frames)
    discriminator = build_discriminators(config.clip, config.model, "float32")[name]
    shape = getattr(discriminator_view_shapes(config.clip, config.model), discriminator.view)
    samples = discriminator.samples(tf.random.stateless_normal([3, *shape], [0, 1]))
    logits = discriminator(samples).logits
    assert discriminator.weight == 0.5 and logits.dtype == tf.float32
    assert logits.shape[0] == samples.shape[0] and samples.shape[0] % 3 == 0
    assert logits.shape.rank == (2 if discriminator.patches else 1)
    np.testing.assert_allclose(discriminator(samples[1:2]).logits, logits[1:2], rtol=1e-5, atol=1e-5)


def test_pairs_are_consecutive_frames_of_the_view(tiny):
    discriminator = build_discriminators(tiny.clip, tiny.replace(discriminators=("pair",)).model, "float32")["pair"]
    frames = tf.reshape(tf.range(2.0 * 4), [2, 4, 1, 1, 1]) * tf.ones([1, 1, 16, 16, 3])
    pairs = discriminator.samples(frames)
    np.testing.assert_array_equal(pairs[:, 0, 0, ::3], [[0, 1], [2, 3], [4, 5], [6, 7]])


def test_differences_are_enlarged_and_the_first_frame_has_none(tiny):
    discriminator = build_discriminators(tiny.clip, tiny.replace(discriminators=("clip_differences",)).model,
                                         "float32")["clip_differences"]
    clip = tf.reshape(tf.constant([0.0, 1 / 64, -1.0]), [1, 3, 1, 1, 1]) * tf.ones([1, 3, 4, 4, 3])
    samples = discriminator.samples(clip)
    np.testing.assert_array_equal(samples[..., :3], clip)
    differences = [0.0, np.arcsinh(1.0) / 2, np.arcsinh(-65.0) / 2]
    np.testing.assert_allclose(samples[0, :, 2, 2, 3:], np.tile(differences, (3, 1)).T, rtol=1e-6)
    np.testing.assert_array_equal(discriminator.samples(clip[:, 2:])[..., 3:], np.zeros([1, 1, 4, 4, 3]))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_names_are_the_same_in_every_build_and_outputs_are_float32(tiny, precision):
    first, second = (build(tiny, precision) for _ in range(2))
    assert list(first.named_weights("g")) == list(second.named_weights("g"))
    outputs = first.outputs(draw(first, tiny))
    assert outputs["pictures"].dtype == tf.float32 and first.clips(draw(first, tiny)).dtype == tf.float32
    assert all(variable.dtype == "float32" for variable in first.weights)
    assert keras.config.dtype_policy().name == "float32"


def gradients(call, weights):
    @tf.function(autograph=False)  # where convolution and bias are fused, as in training
    def compute():
        with tf.GradientTape() as tape:
            total = tf.reduce_sum(call())
        return tape.gradient(total, weights)

    return [np.ravel(gradient).astype("float32") for gradient in compute()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*GENERATORS, *(f"D {name}" for name in DISCRIMINATORS)])
def test_gradients_in_bfloat16_point_where_those_in_float32_do(tiny, kind):
    """Some CPU kernels do not: 3-D convolutions lost most of their bias gradient, and gave NaN at small sizes."""
    by_precision = {}
    for precision in ("float32", "mixed_bfloat16"):
        if kind in GENERATORS:
            config = tiny.replace(generator=kind, resolution="32")
            network = build(config, precision)
            latents = draw(network, config, range(8))
            weights, call = network.trainable_variables, functools.partial(network.clips, latents)
        else:
            name = kind.removeprefix("D ")
            config = tiny.replace(discriminators=(name,))
            discriminator = build_discriminators(config.clip, config.model, precision)[name]
            weights = discriminator.network.trainable_variables
            samples = tf.random.stateless_normal([16, *discriminator.network.input["samples"].shape[1:]], [5, 6])
            call = functools.partial(lambda call, samples: call(samples).logits, discriminator, samples)
        for i, weight in enumerate(weights):
            weight.assign(tf.random.stateless_normal(weight.shape, [7, i], stddev=0.1))
        by_precision[precision] = gradients(call, weights)
    for weight, exact, rounded in zip(weights, *by_precision.values(), strict=True):
        cosine = exact @ rounded / (np.linalg.norm(exact) * np.linalg.norm(rounded))
        assert cosine > 0.98, f"{weight.path}: {cosine}"


@pytest.mark.parametrize("recurrence", ["gru", "lstm"])
def test_motion_goes_on_from_its_state(tiny, recurrence):
    model = tiny.replace(recurrence=recurrence).model
    initial_state, whole = recurrent_motion.motion_networks(model, 6)
    _, half = recurrent_motion.motion_networks(model, 3)
    half.set_weights(whole.get_weights())
    latent, noise = tf.random.stateless_normal([2, 3], [1, 2]), tf.random.stateless_normal([2, 6, 3], [1, 3])
    state = initial_state({"motion": latent})["state"]
    expected = whole({"motion": latent, "frame_noise": noise, "state": state})
    first = half({"motion": latent, "frame_noise": noise[:, :3], "state": state})
    second = half({"motion": latent, "frame_noise": noise[:, 3:], "state": first["state"]})
    np.testing.assert_allclose(tf.concat([first["codes"], second["codes"]], 1), expected["codes"], atol=1e-5)
    np.testing.assert_allclose(second["state"], expected["state"], atol=1e-5)
    assert expected["codes"].shape[-1] == recurrent_motion.code_dim(model)
