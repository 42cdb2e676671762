"""Features of a network that the user brings, with small networks whose outputs are known."""

import hashlib
import shutil

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.commands import FeatureSettings
from gan_keras.errors import UserError
from gan_keras.evaluation.metrics.inputs import FEATURES
from gan_keras.evaluation.user_features import UserFeatures


class Network(tf.Module):
    def __init__(self, compute, weight=1.0):
        super().__init__()
        self.compute = compute
        self.weight = tf.Variable(weight)


def save(folder, compute, shape=(None, None, None, None, 3), dtype=tf.float32, weight=1.0, signature="serving_default"):
    """Saves a SavedModel with one signature; `compute` maps the clips and the weight to the outputs by name."""
    network = Network(compute, weight)
    function = tf.function(lambda clips: compute(clips, network.weight), autograph=False)
    concrete = function.get_concrete_function(tf.TensorSpec(shape, dtype, "clips"))
    tf.saved_model.save(network, str(folder), signatures={signature: concrete})
    return folder


def load(folder, **settings):
    return UserFeatures(FeatureSettings(features=str(folder), **settings))


def mean(clips, weight):
    """Mean colour, [B, 3]."""
    return {"mean": weight * tf.reduce_mean(clips, [1, 2, 3])}


def identity(clips, weight):
    """All values of the input, [B, T * H * W * 3]."""
    del weight
    return {"identity": tf.reshape(tf.cast(clips, tf.float32), [tf.shape(clips)[0], -1])}


def plain(*levels, frames=2, side=4):
    """A clip of one colour for each level."""
    clips = np.empty((len(levels), frames, side, side, 3), np.uint8)
    clips[:] = np.reshape(levels, (-1, 1, 1, 1, 1))
    return clips


@pytest.fixture(scope="module")
def mean_network(tmp_path_factory):
    return save(tmp_path_factory.mktemp("networks") / "mean", mean, weight=1.0)


# ---- inputs ----

@pytest.mark.parametrize(("name", "black", "middle", "white"), [
    ("-1..1", -1.0, -0.2, 1.0), ("0..1", 0.0, 0.4, 1.0), ("0..255", 0.0, 102.0, 255.0)])
def test_clips_have_the_range_of_the_network(mean_network, name, black, middle, white):
    features = load(mean_network, features_range=name)(plain(0, 102, 255))
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, [[black] * 3, [middle] * 3, [white] * 3], atol=1e-5)


def test_black_is_minus_one_by_default(mean_network):
    np.testing.assert_array_equal(load(mean_network)(plain(0)), [[-1] * 3])


def test_colours_and_frames_stay_in_order(tmp_path):
    clips = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 6, 3), np.uint8)
    features = load(save(tmp_path, identity), features_range="0..255")(clips)
    np.testing.assert_array_equal(features, clips.reshape(3, -1))


def test_a_network_that_takes_uint8_gets_0_to_255_whatever_the_range(tmp_path):
    network = load(save(tmp_path, identity, (None, 2, 4, 4, 3), tf.uint8))
    np.testing.assert_array_equal(network(plain(0, 7, 255, side=8)), plain(0, 7, 255).reshape(3, -1))
    assert network.description["range"] == "0..255"


def test_frames_are_resized_with_antialiasing_to_the_size_that_the_network_declares(tmp_path):
    stripes = np.zeros((1, 2, 32, 64, 3), np.uint8)
    stripes[:, :, :, ::4] = 200  # every fourth column: without a filter they would be lost, or fill the frame
    network = load(save(tmp_path, identity, (None, None, 8, 16, 3)), features_range="0..255")
    resized = network(stripes).reshape(2, 8, 16, 3)
    np.testing.assert_allclose(resized[:, :, 1:-1], 50.0, atol=1e-3)
    assert network.description["input size"] == "16x8"


def test_frames_are_resized_to_features_size(tmp_path):
    network = load(save(tmp_path, identity), features_size=16, features_range="0..1")
    resized = network(plain(51, frames=3, side=8))
    assert resized.shape == (1, 3 * 16 * 16 * 3)
    np.testing.assert_allclose(resized, 0.2, atol=1e-6)
    assert network.description["input size"] == "16x16"


def test_by_default_frames_keep_their_size(tmp_path):
    network = load(save(tmp_path, identity))
    assert network(plain(1, side=6)).shape == (1, 2 * 6 * 6 * 3)
    assert network.description["input size"] == "as the clips"


@pytest.mark.parametrize("batch", [None, 1, 3, 16])
def test_batches_have_the_size_of_the_network(tmp_path, batch):
    levels = [10 * number for number in range(10)]
    counts = []
    network = load(save(tmp_path, mean, (batch, None, None, None, 3)), features_range="0..255")
    features = network(plain(*levels), counts.append)
    np.testing.assert_allclose(features[:, 0], levels, atol=1e-4)
    assert sum(counts) == 10 and max(counts) <= (batch or 8)


# ---- outputs ----

def test_the_mean_over_times_and_positions_is_taken(tmp_path):
    network = load(save(tmp_path, lambda clips, weight: {"tokens": weight * clips[:, :, ::2, ::2]}),
                   features_range="0..255")
    clips = plain(0, 0)
    clips[:, 1] = 90
    clips[1, :, 2] = 10
    clips[:, :, 1] = 255  # not among the tokens
    np.testing.assert_allclose(network(clips), [[45] * 3, [27.5] * 3])
    assert network.description["dimensions"] == "3"


def test_features_layer_names_the_output(tmp_path):
    def two(clips, weight):
        return {**mean(clips, weight), "double": tf.cast(2 * tf.reduce_mean(clips, [1, 2, 3]), tf.float64)}

    save(tmp_path, two)
    features = load(tmp_path, features_layer="double", features_range="0..255")(plain(9))
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, [[18] * 3])
    with pytest.raises(UserError, match=r"`features_layer` must be one of double, mean, .* Received: features_layer=$"):
        load(tmp_path)
    with pytest.raises(UserError, match=r"one of double, mean, .*Received: features_layer=logits"):
        load(tmp_path, features_layer="logits")


def test_dimensions_that_the_file_leaves_open_are_known_after_the_first_call(tmp_path):
    network = load(save(tmp_path, identity))
    assert network.description["dimensions"] == "unknown"
    network(plain(0))
    assert network.description["dimensions"] == "96"


# ---- other formats ----

def test_a_network_saved_by_tensorflow_1_without_tags(tmp_path):
    folder = tmp_path / "i3d"
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        clips = tf.compat.v1.placeholder(tf.float32, (None, None, 8, 8, 3), "rgb")
        weight = tf.compat.v1.get_variable("weight", initializer=3.0, use_resource=False)
        session.run(weight.initializer)
        info = tf.compat.v1.saved_model.utils.build_tensor_info
        signature = tf.compat.v1.saved_model.build_signature_def(
            {"rgb_input": info(clips)}, {"default": info(weight * tf.reduce_mean(clips, [1, 2, 3]))})
        builder = tf.compat.v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(session, [], {"default": signature})
        builder.save()
    network = load(folder, features_name="i3d_logits", features_signature="default")
    np.testing.assert_allclose(network(plain(0, 255)), [[-3] * 3, [3] * 3], atol=1e-5)
    assert network.name == "i3d_logits"


def test_a_keras_file(tmp_path):
    clips = keras.Input((None, 4, 4, 3))
    path = tmp_path / "mean.keras"
    keras.Model(clips, keras.layers.GlobalAveragePooling3D()(clips)).save(path)
    network = load(path)
    np.testing.assert_allclose(network(plain(0, 255)), [[-1] * 3, [1] * 3], atol=1e-6)
    assert network.description["network"] == "mean.keras" and network.description["input size"] == "4x4"
    assert network.description["SHA-256"] == hashlib.sha256(path.read_bytes()).hexdigest()


# ---- protocol ----

def test_the_description_has_all_that_features_depend_on(tmp_path):
    folder = save(tmp_path / "tiny_i3d", mean, (None, 16, 32, 32, 3), signature="logits")
    network = load(folder, features_signature="logits", features_name="i3d_logits", features_range="0..1")
    listed = "".join(f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in (
        "saved_model.pb", "variables/variables.data-00000-of-00001", "variables/variables.index"))
    assert network.description == {
        "network": "tiny_i3d", "signature": "logits", "layer": "mean, float32 [?, 3]", "input size": "32x32",
        "frames": "16", "range": "0..1", "dimensions": "3", "SHA-256": hashlib.sha256(listed.encode()).hexdigest()}


def test_the_hash_depends_on_network_and_weights_and_not_on_the_folder(tmp_path, mean_network):
    def sha256(folder):
        return load(folder).description["SHA-256"]

    moved = shutil.copytree(mean_network, tmp_path / "moved")
    assert sha256(moved) == sha256(mean_network)
    heavier = save(tmp_path / "heavier", mean, weight=1.5)
    shutil.copytree(heavier / "variables", moved / "variables", dirs_exist_ok=True)
    np.testing.assert_allclose(load(moved)(plain(255)), [[1.5] * 3])
    assert sha256(moved) != sha256(mean_network)
    other = save(tmp_path / "other", identity)
    shutil.copytree(mean_network / "variables", other / "variables", dirs_exist_ok=True)
    assert sha256(other) != sha256(mean_network)
    (moved / "assets").mkdir(exist_ok=True)
    before = sha256(moved)
    (moved / "assets" / "table.txt").write_text("one")
    assert sha256(moved) != before


# ---- errors ----

def test_folders_without_a_savedmodel(tmp_path):
    with pytest.raises(UserError, match=r"the folder of a SavedModel that is there\. Received: features=.*nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"a SavedModel, with a saved_model\.pb in it\. Received: features="):
        load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"not a protocol buffer")
    with pytest.raises(UserError, match=r"can be loaded; this one cannot \(.+\). Received: features="):
        load(tmp_path)


@pytest.mark.parametrize("damage", [lambda data: data[:3], lambda data: bytes([data[0] ^ 1]) + data[1:]])
def test_a_savedmodel_with_damaged_weights(tmp_path, mean_network, damage):
    weights = shutil.copytree(mean_network, tmp_path / "bad") / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(UserError, match=r"can be loaded; this one cannot \(.+\). Received: features="):
        load(tmp_path / "bad")


def test_a_savedmodel_without_its_weights(tmp_path, mean_network):
    shutil.copytree(mean_network, tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "variables")
    with pytest.raises(UserError, match=r"can be loaded; this one cannot \(.+\). Received: features="):
        load(tmp_path / "half")


def test_a_signature_that_is_not_there(tmp_path, mean_network):
    with pytest.raises(UserError, match=r"must be one of serving_default, which .* has. Received: features_sig.*=up"):
        load(mean_network, features_signature="up")
    tf.saved_model.save(tf.Module(), str(tmp_path))
    with pytest.raises(UserError, match=r"a SavedModel with signatures, .* this one has none. Received: features="):
        load(tmp_path)


@pytest.mark.parametrize(("shape", "dtype", "shown"), [
    ((None, 224, 224, 3), tf.float32, r"float32 \[\?, 224, 224, 3\]"),
    ((None, 3, 16, 64, 64), tf.float32, r"float32 \[\?, 3, 16, 64, 64\]"),
    ((None, None, None, None, 3), tf.int32, r"int32 \[\?, \?, \?, \?, 3\]")])
def test_a_network_that_takes_no_clips(tmp_path, shape, dtype, shown):
    folder = save(tmp_path, identity, shape, dtype)
    with pytest.raises(UserError, match=rf"this one takes clips {shown}. Received: features_signature=serving_default"):
        load(folder)


def test_a_network_of_several_inputs(tmp_path):
    network = tf.Module()
    function = tf.function(lambda clips, text: {"sum": tf.reduce_mean(clips, [1, 2, 3]) + text})
    concrete = function.get_concrete_function(tf.TensorSpec([None] * 4 + [3], tf.float32, "clips"),
                                              tf.TensorSpec([], tf.float32, "text"))
    tf.saved_model.save(network, str(tmp_path), signatures=concrete)
    with pytest.raises(UserError, match=r"one input; this one has clips, text\. Received: features_signature="):
        load(tmp_path)


@pytest.mark.parametrize(("compute", "shown"), [
    (lambda clips, weight: {"out": tf.reduce_mean(clips, [1, 2, 3, 4])}, r"float32 \[\?\]"),
    (lambda clips, weight: {"out": tf.argmax(tf.reduce_mean(clips, [1, 2]), 1)}, r"int64 \[\?, 3\]")])
def test_an_output_that_is_no_vector_of_floats(tmp_path, compute, shown):
    with pytest.raises(UserError, match=rf"floats \[B, D\].*; out is {shown}\. Received: features_layer="):
        load(save(tmp_path, compute))


def test_an_output_without_one_vector_for_each_clip(tmp_path):
    network = load(save(tmp_path, lambda clips, weight: {"out": tf.reshape(clips, [-1, 3])}))
    with pytest.raises(UserError, match=r"for 2 clips this one gives out float32 \[64, 3\]. Received: features="):
        network(plain(1, 2))


def test_clips_of_another_length(tmp_path):
    network = load(save(tmp_path, mean, (None, 16, None, None, 3)))
    with pytest.raises(UserError, match=r"takes clips of 8 frames; this one takes 16. Received: features="):
        network(plain(0, frames=8))


def test_a_frame_size_that_the_network_does_not_take(tmp_path):
    folder = save(tmp_path, mean, (None, None, 32, 32, 3))
    with pytest.raises(UserError, match=r"must be 0 .* \[\?, \?, 32, 32, 3\]. Received: features_size=64"):
        load(folder, features_size=64)
    assert load(folder, features_size=32)(plain(0)).shape == (1, 3)


def test_clips_on_which_the_network_fails(tmp_path):
    network = load(save(tmp_path, lambda clips, weight: {"out": tf.reshape(clips, [-1, 768])}))
    with pytest.raises(UserError, match=r"\[2, 4, 4, 3\]; this one fails on them \(.*768.*\). Received") as raised:
        network(plain(0))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite(tmp_path, value):
    network = load(save(tmp_path, mean, weight=value))
    with pytest.raises(UserError, match=r"finite numbers; in mean .* range -1\.\.1\?. Received: features="):
        network(plain(255))


@pytest.mark.parametrize("name", ["", "I3D", "a/b", "i3d logits", "i3d\n", *FEATURES])
def test_features_names_that_cannot_be_part_of_a_metric(name):
    with pytest.raises(UserError, match=r"`features_name` must be of a-z, 0-9 and _, and none of appearance, motion"):
        FeatureSettings(features_name=name)
