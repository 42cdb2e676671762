"""Perceptual features of a user's frozen network: its inputs, its outputs, what is refused."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.losses.perceptual import PerceptualFeatures
from gan_keras.models.views import Views
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import BATCH, step_of


def full_resolution(view):
    return Views(None, view)


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


def test_a_network_of_pictures_gets_every_frame_and_the_gradient_comes_back(path, network):
    features = PerceptualFeatures(path)
    view = tf.random.stateless_normal([2, 3, 8, 8, 3], [1, 2])
    with tf.GradientTape() as tape:
        tape.watch(view)
        values = features(full_resolution(view))
    assert features.view == "full_resolution"
    np.testing.assert_allclose(values, network(tf.reshape(view, [6, 8, 8, 3])), atol=1e-5)
    assert float(tf.norm(tape.gradient(values, view))) > 0


def test_pictures_are_resized_to_the_size_of_the_network(path, network):
    view = tf.random.stateless_normal([1, 1, 16, 24, 3], [1, 2])
    expected = network(tf.image.resize(view[0], [8, 8]))
    np.testing.assert_allclose(PerceptualFeatures(path)(full_resolution(view)), expected, atol=1e-5)


def test_a_network_of_clips_gets_all_frames_at_low_resolution(tmp_path):
    path = tmp_path / "clips.keras"
    network = keras.Sequential([keras.Input((4, 8, 8, 3)), keras.layers.GlobalAveragePooling3D()])
    network.save(path)
    view = tf.random.stateless_normal([2, 4, 8, 8, 3], [1, 2])
    features = PerceptualFeatures(str(path))
    assert features.view == "low_resolution"
    np.testing.assert_allclose(features(Views(view, None)), tf.reduce_mean(view, [1, 2, 3]), atol=1e-5)


@pytest.mark.parametrize(("make", "message"), [
    (lambda path: None, "must be a .keras file or the folder of a SavedModel that is there"),
    (lambda path: (path.with_suffix(".keras")).write_bytes(b"nothing"), "this one cannot"),
    (lambda path: keras.Sequential([keras.Input((5,)), keras.layers.Flatten()]).save(path.with_suffix(".keras")),
     r"takes \[None, 5\]")])
def test_what_is_no_such_network_is_refused(tmp_path, make, message):
    path = tmp_path / "network"
    make(path)
    with pytest.raises(UserError, match=message):
        PerceptualFeatures(str(path.with_suffix(".keras") if path.with_suffix(".keras").exists() else path))


def test_the_perceptual_loss_is_the_distance_of_mean_features_with_its_weight(path, tiny, undistributed, eagerly):
    config = tiny.replace(resolution="8", num_frames=2, generator="dcgan3d", discriminators=("frame",),
                          perceptual_network=path, perceptual_weight=3.0, optimizer="sgd", penalty="none",
                          loss="wasserstein")
    gan = VideoGAN.create(config, undistributed)
    forward = gan.objective.forward(BATCH, gan.noise(tf.constant(0, tf.int64), 0), gan.objective.schedule(0))
    metrics = step_of(gan, 0)
    perceptual = float(metrics["terms/generator/perceptual"])
    expected = 3.0 * perceptual - float(metrics["logit_generated/frame"])
    assert float(metrics["loss/generator"]) == pytest.approx(expected, rel=1e-4) and perceptual > 1e-3
    features = PerceptualFeatures(path)
    real, generated = (tf.reduce_mean(features(views), axis=0) for views in (forward.real, forward.generated))
    assert perceptual == pytest.approx(float(tf.reduce_sum((real - generated) ** 2)), rel=1e-4)
