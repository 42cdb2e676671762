"""Features of a user's frozen network: what it is given, what comes back, what is refused."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.gan import VideoGAN
from gan_keras.models.perceptual import FrozenFeatures
from tests.test_gan import BATCH


@pytest.fixture(scope="module")
def network():
    return keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, 2), keras.layers.Flatten()])


@pytest.fixture(scope="module", params=["keras", "SavedModel"])
def path(request, network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("network")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of NumPy, about how Keras copies weights
        if request.param == "keras":
            network.save(folder / "network.keras")
            return str(folder / "network.keras")
    module = tf.Module()
    module.weights = [weight.value for weight in network.weights]
    function = tf.function(lambda x: {"features": network(x)}, autograph=False)
    tf.saved_model.save(module, str(folder), signatures=function.get_concrete_function(
        tf.TensorSpec([None, 8, 8, 3], tf.float32, "pictures")))
    return str(folder)


def test_every_frame_of_a_view_is_looked_at_and_the_gradient_comes_back(path, network):
    features = FrozenFeatures(path)
    view = tf.random.stateless_normal([2, 3, 8, 8, 3], [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(view)
        found = features(view)
    assert features.view == "close"
    np.testing.assert_allclose(found, network(tf.reshape(view, [6, 8, 8, 3])), atol=1e-5)
    assert float(tf.norm(tape.gradient(found, view))) > 0


def test_pictures_are_brought_to_the_size_of_the_network(path, network):
    view = tf.random.stateless_normal([1, 1, 16, 24, 3], [1, 2])
    expected = network(tf.image.resize(view[0], [8, 8]))
    np.testing.assert_allclose(FrozenFeatures(path)(view), expected, atol=1e-5)


def test_a_network_of_clips_looks_at_all_frames(tmp_path):
    path = tmp_path / "clips.keras"
    network = keras.Sequential([keras.Input((4, 8, 8, 3)), keras.layers.GlobalAveragePooling3D()])
    network.save(path)
    view = tf.random.stateless_normal([2, 4, 8, 8, 3], [1, 2])
    features = FrozenFeatures(str(path))
    assert features.view == "small"
    np.testing.assert_allclose(features(view), tf.reduce_mean(view, [1, 2, 3]), atol=1e-5)


@pytest.mark.parametrize(("make", "message"), [
    (lambda path: None, "this one cannot .it is no .keras file"),
    (lambda path: (path.with_suffix(".keras")).write_bytes(b"nothing"), "this one cannot"),
    (lambda path: keras.Sequential([keras.Input((5,)), keras.layers.Flatten()]).save(path.with_suffix(".keras")),
     r"takes \[None, 5\]")])
def test_what_is_no_such_network_is_refused(tmp_path, make, message):
    path = tmp_path / "network"
    make(path)
    with pytest.raises(UserError, match=message):
        FrozenFeatures(str(path.with_suffix(".keras") if path.with_suffix(".keras").exists() else path))


def test_the_generator_learns_to_have_the_features_of_real_clips(path, tiny):
    config = tiny.replace(resolution="8", num_frames=2, generator="dcgan3d", discriminators=("frame",), perceptual=path,
                          perceptual_weight=3.0, optimizer="sgd", penalty="none", loss="wasserstein")
    gan = VideoGAN(config, tf.distribute.get_strategy())
    tf.config.run_functions_eagerly(True)
    try:
        numbers = gan.train_step(BATCH, tf.constant(0, tf.int64), gan.due(0))
    finally:
        tf.config.run_functions_eagerly(False)
    expected = 3.0 * float(numbers["perceptual"]) - float(numbers["logit_generated/frame"])
    assert float(numbers["loss/generator"]) == pytest.approx(expected, rel=1e-4) and float(numbers["perceptual"]) > 1e-3
    features, noise = FrozenFeatures(path), {**gan.noise(tf.constant(0, tf.int64), 0), "augment_probability": 1.0}
    fresh = VideoGAN(config, tf.distribute.get_strategy())
    real = fresh._objective._real_views(BATCH["clips"], noise)["close"]
    fake = fresh._objective._fake_views(fresh.generator.outputs(noise["latents"]), noise)["close"]
    means = [tf.reduce_mean(features(view), axis=0) for view in (real, fake)]
    assert float(numbers["perceptual"]) == pytest.approx(float(tf.reduce_sum((means[0] - means[1]) ** 2)), rel=1e-4)
