"""Layers that networks share, on inputs whose answer is known, and in networks that are cloned."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.layers import attention, blocks, resampling, spectral_normalization
from gan_keras.layers.attention import LearnedScale
from gan_keras.layers.clipping import clip_with_inward_gradient
from gan_keras.layers.compositing import MaskedForeground, composite
from gan_keras.layers.fourier_features import FourierFeatures
from gan_keras.layers.minibatch_stddev import MinibatchStddev
from gan_keras.layers.modulation import modulate
from gan_keras.layers.oscillators import PhaseOscillators
from gan_keras.layers.resampling import BilinearUpsample, SymmetricPadding
from gan_keras.layers.spectral_normalization import SpectralNormalization
from gan_keras.models.build import build_discriminators
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import WITHOUT_PENALTY, step_of


def random_weights(network, scale):
    for i, weight in enumerate(network.weights):
        weight.assign(np.random.default_rng(i).normal(0, scale, weight.shape))


@pytest.mark.parametrize(("layer", "shapes"), [
    (blocks.Bias(name="layer"), [(3, 4, 5)]), (BilinearUpsample((6, 8), name="layer"), [(3, 4, 5)]),
    (SymmetricPadding(2, name="layer"), [(3, 4, 5)]),
    (LearnedScale(name="layer"), [(3, 5)]), (FourierFeatures((4, 6), 5, name="layer"), [(6,)]),
    (MinibatchStddev(name="layer"), [(2, 2, 3)]), (PhaseOscillators(0.3, name="layer"), [(3, 2), (4,)]),
    (MaskedForeground(name="layer"), [(2, 3, 3, 4), (1, 3, 3, 3)]),
    (SpectralNormalization(keras.layers.Dense(4), name="layer"), [(5,)])], ids=lambda value: type(value).__name__)
def test_layers_survive_their_config_in_a_network_that_is_cloned_and_spectrally_normalized(layer, shapes):
    """The same outputs from the same weights, of the shape that Keras infers, in float32 where it is asked for."""
    inputs = [keras.Input(shape) for shape in shapes]
    network = keras.Model(inputs, layer(*inputs))
    values = [tf.random.stateless_normal([8, *shape], [1, i]) for i, shape in enumerate(shapes)]
    random_weights(network, 1.0)
    for copy in (keras.models.clone_model(network), spectral_normalization.spectrally_normalized(network)):
        clone = copy.get_layer("layer")
        assert type(clone) is type(layer) and clone.get_config() == layer.get_config()
        copy.set_weights(network.get_weights())
        for output, expected, symbolic in zip(*(tf.nest.flatten(each) for each in (
                copy(values), network(values), network.output)), strict=True):
            np.testing.assert_array_equal(output, expected)
            assert output.shape[1:] == symbolic.shape[1:] and output.dtype == symbolic.dtype


def test_attention_weighs_values_by_how_well_keys_match():
    x = tf.random.stateless_normal([2, 5, 16], [1, 2])
    inputs = keras.Input((5, 16))
    layer = keras.Model(inputs, attention.self_attention(inputs, "a"))
    np.testing.assert_array_equal(layer(x), x)  # the scale is zero at first
    random_weights(layer, 0.5)
    part = {name: layer.get_layer(f"a_{name}") for name in ("query", "key", "value", "output")}
    query, key, value = (x @ part[name].kernel + part[name].bias for name in ("query", "key", "value"))
    weights = tf.nn.softmax(query @ tf.transpose(key, [0, 2, 1]), axis=-1)
    answer = (weights @ value) @ part["output"].kernel + part["output"].bias
    scale = layer.get_layer("a_scale").scale
    np.testing.assert_allclose(layer(x), x + scale * answer, atol=1e-4)


def test_attention_over_time_mixes_the_frames_of_a_position_and_no_positions():
    inputs = keras.Input((4, 3, 3, 8))
    layer = keras.Model(inputs, attention.attention(inputs, ("time:3",)))
    random_weights(layer, 1.0)
    x = tf.random.stateless_normal([1, 4, 3, 3, 8], [1, 2])
    other = x.numpy()
    other[0, 2, 1, 1] += 1.0
    changed = np.abs(layer(x) - layer(other)).max(axis=-1)[0] > 1e-5
    assert changed[:, 1, 1].all() and changed.sum() == 4


def test_attention_where_no_network_has_such_a_size_is_refused(tiny, undistributed):
    with pytest.raises(UserError, match="space:7"):
        VideoGAN.create(tiny.replace(attention=("space:7",)), undistributed)


@pytest.mark.parametrize("wrong", ["space", "space:x", "depth:8"])
def test_attention_needs_an_axis_and_a_size(wrong):
    with pytest.raises(UserError, match=f"attention={wrong}"):
        Config().replace(attention=(wrong,))


def normalized(precision="float32"):
    inputs = keras.Input((6,))
    layer = keras.layers.Dense(5, use_bias=False, dtype=precision)
    network = spectral_normalization.spectrally_normalized(keras.Model(inputs, layer(inputs)))
    layer, = spectral_normalization.normalized_layers(network)
    for _ in range(100):
        layer.singular_vector.assign(layer.next_singular_vector())
    return network, layer


@pytest.mark.parametrize(("precision", "rounding"), [("float32", 1e-5), ("mixed_bfloat16", 5e-3)])
def test_spectral_normalization_divides_by_the_largest_singular_value(precision, rounding):
    network, layer = normalized(precision)
    kernel = layer.layer.kernel.numpy()
    expected = kernel / np.linalg.svd(kernel, compute_uv=False)[0]
    answer = network(np.eye(6, dtype="float32"))
    assert answer.dtype == {"float32": tf.float32, "mixed_bfloat16": tf.bfloat16}[precision]
    np.testing.assert_allclose(tf.cast(answer, tf.float32), expected, rtol=1e-3, atol=rounding)


def test_other_weights_than_its_own_are_normalized_too():
    """As unrolling asks: all of them are taken from the scope around, not the kernel alone."""
    inputs = keras.Input((1,))
    network = spectral_normalization.spectrally_normalized(keras.Model(inputs, keras.layers.Dense(1)(inputs)))
    fixed = [variable.value for variable in network.non_trainable_variables]
    answer, _ = network.stateless_call([tf.constant([[-3.0]]), tf.constant([7.0])], fixed, tf.constant([[2.0]]))
    np.testing.assert_allclose(answer, [[2.0 * -1.0 + 7.0]], rtol=1e-5)


def test_the_gradient_goes_through_the_norm():
    """Along the kernel itself the normalized answer does not change."""
    network, layer = normalized()
    with tf.GradientTape() as tape:
        answer = tf.reduce_sum(network(tf.random.stateless_normal([4, 6], [0, 1])) ** 2)
    gradient = tape.gradient(answer, layer.layer.kernel.value)
    along = tf.reduce_sum(gradient * layer.layer.kernel.value) / (tf.norm(gradient) * tf.norm(layer.layer.kernel.value))
    assert abs(float(along)) < 1e-3 and float(tf.norm(gradient)) > 1e-3


def test_a_step_advances_every_singular_vector(tiny, undistributed, eagerly):
    gan = VideoGAN.create(tiny.replace(resolution="8", num_frames=2, spectral_normalization=True, penalty="none",
                                       generator="dcgan3d"), undistributed)
    layers = spectral_normalization.normalized_layers(gan.discriminators["clip"].network)
    before = [layer.singular_vector.numpy() for layer in layers]
    assert len(layers) >= 4 and any("singular_vector" in name for name in gan.variables)
    step_of(gan, 0, schedule=WITHOUT_PENALTY)
    for layer, old in zip(layers, before, strict=True):
        assert np.linalg.norm(layer.singular_vector) == pytest.approx(1.0, abs=1e-3)
        assert (layer.singular_vector.numpy() != old).any()


def test_minibatch_stddev_is_the_spread_of_four_samples():
    x = tf.concat([tf.ones([4, 2, 2, 3]), tf.reshape([0.0, 0.0, 2.0, 2.0], [4, 1, 1, 1]) * tf.ones([4, 2, 2, 3])], 0)
    output = MinibatchStddev()(x).numpy()
    np.testing.assert_array_equal(output[..., :3], x)
    np.testing.assert_allclose(output[:4, ..., 3], 0.0, atol=1e-3)
    np.testing.assert_allclose(output[4:, ..., 3], 1.0, atol=1e-3)


def test_a_batch_without_whole_groups_is_refused(tiny, two_devices):
    with pytest.raises(UserError, match=r"multiple of 4 for each of the 2 devices.* batch_size=4"):
        VideoGAN.create(tiny.replace(minibatch_stddev=True), two_devices)


def test_a_foreground_lies_over_its_background_where_the_mask_is_one():
    foreground = np.zeros([1, 2, 1, 2, 4], "float32")
    foreground[..., :3], foreground[0, :, 0, 0, 3], foreground[0, :, 0, 1, 3] = 0.5, 100.0, 0.0
    output = MaskedForeground()(foreground, np.full([1, 1, 1, 2, 3], -1.0, "float32"))
    np.testing.assert_allclose(output["mask"][0, :, 0, :, 0], [[1.0, 0.5]] * 2, atol=1e-6)
    np.testing.assert_allclose(output["clip"][0, :, 0, :, 0], [[0.5, -0.25]] * 2, atol=1e-6)


def test_later_layers_of_colour_lie_over_earlier_ones():
    inputs = keras.Input((1, 4, 3)), keras.Input((12,)), keras.Input((1, 1, 3))
    network = keras.Model(inputs, composite(*inputs, "picture"))
    opacities = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0.5, 0, 0.5]], "float32")
    colours = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
    picture = network([opacities[None, None], colours.reshape(1, 12), np.full([1, 1, 1, 3], 100, "float32")])
    background = colours[0] + 100
    expected = background, colours[1], colours[2], 0.5 * colours[3] + 0.25 * colours[1] + 0.25 * background
    np.testing.assert_allclose(picture.numpy()[0, 0], expected, atol=1e-6)


def test_conditional_normalization_forgets_scale_and_shift_of_the_features():
    x, content = keras.Input((4, 4, 3)), keras.Input((2,))
    layer = keras.Model([x, content], modulate(x, content, "s", normalize=True))
    random_weights(layer, 1.0)
    features, vector = tf.random.stateless_normal([2, 4, 4, 3], [0, 1]), tf.random.stateless_normal([2, 2], [0, 2])
    output = layer([features, vector])
    np.testing.assert_allclose(output, layer([5.0 * features + 3.0, vector]), atol=1e-2)
    scales, shifts = layer.get_layer("s_scales"), layer.get_layer("s_shifts")
    np.testing.assert_allclose(tf.reduce_mean(output, [1, 2]), vector @ shifts.kernel + shifts.bias, atol=1e-3)
    spread = tf.math.reduce_std(output, [1, 2])
    np.testing.assert_allclose(spread, tf.abs(vector @ scales.kernel + scales.bias), atol=1e-2)


def test_a_residual_block_starts_as_its_skip():
    inputs = keras.Input((4, 4, 3))
    block = keras.Model(inputs, blocks.residual_block(inputs, 3, (3, 3), "block"))
    x = tf.random.stateless_normal([2, 4, 4, 3], [1, 1])
    np.testing.assert_array_equal(block(x), x)


def test_resolution_levels_round_up_and_stop_in_time():
    assert resampling.resolution_levels((40, 56)) == [(40, 56), (20, 28), (10, 14), (5, 7)]
    assert resampling.resolution_levels((64, 64))[-1] == (4, 4)


@pytest.mark.parametrize(("side", "level"), [(40, 0), (39, 1), (10, 2), (3, 3)])
def test_the_first_level_within_a_side(side, level):
    assert resampling.level_for(resampling.resolution_levels((40, 56)), side) == level


@pytest.mark.parametrize("size", [(6, 8), (5, 8)])
def test_upsampling_is_bilinear(size):
    x = tf.random.stateless_normal([2, 3, 4, 5], [1, 2])
    np.testing.assert_allclose(BilinearUpsample(size)(x), tf.image.resize(x, size), atol=1e-6)


@pytest.mark.parametrize(("size", "pixels"), [((3, 4), 1), ((5, 8), 2), ((2, 3), 2)])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_padding_is_the_picture_mirrored(size, pixels, dtype):
    x = tf.cast(tf.random.stateless_normal([2, *size, 5], [1, 2]), dtype)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        padded = SymmetricPadding(pixels, dtype=dtype)(x)
        expected = tf.pad(x, [[0, 0], [pixels, pixels], [pixels, pixels], [0, 0]], "SYMMETRIC")
    np.testing.assert_array_equal(padded, expected)
    pull = tf.cast(tf.random.stateless_uniform(expected.shape, [3, 4], 0, 9, tf.int32), dtype)  # whose sums are exact
    np.testing.assert_array_equal(tape.gradient(padded, x, pull), tape.gradient(expected, x, pull))


def test_clipped_values_can_come_back_but_not_run_away():
    x, pull = tf.constant([-2.5, -2.5, -1.5, 0.5, 2.5, 2.5]), tf.constant([1.0, -1.0, 1.0, 7.0, 1.0, -1.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = clip_with_inward_gradient(x, -1.0, 1.0)
    np.testing.assert_array_equal(y, [-1.0, -1.0, -1.0, 0.5, 1.0, 1.0])
    np.testing.assert_array_equal(tape.gradient(y, x, pull), [0.0, -1.0, 1.0, 7.0, 1.0, 0.0])


def test_oscillators_turn_by_their_velocities_and_stay_of_length_one():
    oscillators = PhaseOscillators(0.5)
    start = tf.constant([[1.0, 0.0, 0.0, 1.0]])
    velocities = tf.constant([[[1.0, 0.0], [1.0, -2.0]]])
    phases = oscillators(velocities, start).numpy().reshape(2, 2, 2)
    expected = [[[np.cos(0.5), np.sin(0.5)], [0, 1]], [[np.cos(1.0), np.sin(1.0)], [np.sin(1.0), np.cos(1.0)]]]
    np.testing.assert_allclose(phases, expected, atol=1e-6)
    long = oscillators(tf.random.stateless_uniform([1, 2000, 2], [1, 2], -1, 1), start).numpy().reshape(-1, 2)
    np.testing.assert_allclose(np.linalg.norm(long, axis=1), 1.0, atol=1e-4)


@pytest.fixture(scope="module")
def conditional(tiny):
    config = tiny.replace(classes=("a", "b", "c"), discriminators=("clip",))
    return build_discriminators(config.clip, config.model, "float32")["clip"]


def test_projection_adds_the_product_of_class_and_features(conditional):
    samples = tf.random.stateless_normal([3, *conditional.network.input["samples"].shape[1:]], [0, 1])
    label = tf.one_hot([0, 2, 1], 3)
    plain, with_class = conditional(samples), conditional(samples, label)
    embedding = tf.gather(conditional.network.get_layer("label_embedding").kernel.value, [0, 2, 1])
    product = tf.reduce_sum(plain.features * embedding, axis=1)
    np.testing.assert_allclose(with_class.logits, plain.logits + product, atol=1e-5)


def test_labels_are_those_of_the_samples_in_every_repetition(conditional):
    samples = tf.random.stateless_normal([2, *conditional.network.input["samples"].shape[1:]], [0, 1])
    label = tf.one_hot([0, 2], 3)
    once, twice = conditional(samples, label).logits, conditional(tf.concat([samples, samples], 0), label).logits
    np.testing.assert_allclose(twice, tf.concat([once, once], 0), atol=1e-5)
