import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from gan_keras import checkpoints
from gan_keras.errors import UserError
from gan_keras.gan import VideoGAN
from gan_keras.run_folder import RunFolder
from gan_keras.serving import export as export_module
from gan_keras.serving.description import Description
from gan_keras.serving.export import export
from gan_keras.video import io
from tests.conftest import DATA, STEP

SEEDS = [0, 1, 2**40 + 3]


def serve(version, name, **inputs):
    """Runs a signature by the path that TF Serving takes."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], str(version))
        signature = loaded.signature_def[name]
        return session.run({key: tensor.name for key, tensor in signature.outputs.items()},
                           {signature.inputs[key].name: value for key, value in inputs.items()})


def test_the_session_loader_serves_the_frames_of_the_average(trained, exported):
    _, gan = trained
    served = serve(exported, "serving_default", seed=SEEDS)["video"]
    assert served.dtype == np.uint8 and served.std() > 10
    for seed, clip in zip(SEEDS, served, strict=True):
        np.testing.assert_array_equal(clip, gan.sample(tf.constant([seed], tf.int64))[0])


def test_the_session_loader_serves_the_other_signatures(exported):
    video = serve(exported, "serving_default", seed=SEEDS)["video"]
    frames = serve(exported, "jpeg", seed=SEEDS)["frames_jpeg_bytes"]
    assert frames.shape == (3, 4) and tf.io.decode_jpeg(frames[2, 3]).shape == video.shape[2:]
    inputs = Description.load(exported).signatures["latents"]["inputs"]
    latents = {name: np.zeros([2, *tensor["shape"][1:]], np.float32) for name, tensor in inputs.items()}
    floats = serve(exported, "latents", **latents)["video"]
    assert floats.dtype == np.float32 and floats.shape == (2, *video.shape[1:])
    np.testing.assert_array_equal(floats[0], floats[1])


def test_holds_the_weights_once(trained, exported):
    weights = trained[1].average.weights
    data = sum(file.stat().st_size for file in (exported / "variables").glob("variables.data*"))
    parameters = sum(weight.numpy().nbytes for weight in weights)
    assert parameters <= data < parameters + 4096 + 64 * len(weights)  # their names
    reader = tf.train.load_checkpoint(str(exported / "variables" / "variables"))
    stored = {name: shape for name, shape in reader.get_variable_to_shape_map().items() if shape}
    assert len(stored) == len(weights)


def test_says_what_it_is(exported, trained):
    assert {child.name for child in exported.iterdir()} == {
        "saved_model.pb", "variables", "assets", "fingerprint.pb", "model.json", "model_card.md", "samples.png",
        "samples.webm"}
    description = Description.load(exported)
    assert (description.step, description.fps, description.num_frames) == (STEP, DATA["fps"], 4)
    assert (description.height, description.width) == (16, 16)
    card = (exported / "model_card.md").read_text()
    for fact in ("30 training steps", "`shapes`, 24 clips, of the classes walk, wave", "12 frames per second",
                 "| `serving_default` | `seed` int64 [B] | `video` uint8 [B, 4, 16, 16, 3] |",
                 "| loss | relativistic |"):
        assert fact in card
    assert str(trained[0].path.parent) not in card + (exported / "model.json").read_text()
    frames = np.stack(list(io.read_video(exported / "samples.webm")))
    assert len(frames) == 4 and io.probe(exported / "samples.webm").fps == 12


def test_versions_count_up_and_a_checkpoint_can_be_chosen(run, tiny, tmp_path):
    gan = VideoGAN(tiny, tf.distribute.MirroredStrategy(["CPU:0"]))
    checkpoints.save(run.checkpoints, 40, gan.variables, keep=3)
    said = []
    assert export(run, tmp_path / "models", say=said.append) == tmp_path / "models" / "1"
    assert export(run, tmp_path / "models", STEP, said.append) == tmp_path / "models" / "2"
    assert [Description.load(tmp_path / "models" / name).step for name in "12"] == [40, STEP]
    assert said[0].startswith("Exported step 40")
    served = serve(tmp_path / "models" / "1", "serving_default", seed=[3])["video"]
    np.testing.assert_array_equal(served, gan.sample(tf.constant([3], tf.int64)))


def test_a_model_of_two_replicas_is_served_alike(tiny, tmp_path):
    gan = VideoGAN(tiny, tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
    for weight in gan.average.weights:
        weight.assign(np.random.default_rng(3).normal(0.0, 0.3, weight.shape))
    run = RunFolder(tmp_path / "run")
    run.make()
    run.describe(tiny, DATA)
    checkpoints.save(run.checkpoints, 1, gan.variables, keep=3)
    served = serve(export(run, run.exports), "serving_default", seed=[8])["video"]
    np.testing.assert_array_equal(served, gan.sample(tf.constant([8], tf.int64)))


def test_a_model_that_answers_otherwise_is_not_published(run, monkeypatch):
    def check_against_other_weights(folder, generator, clips):
        generator.weights[-1].assign_add(tf.ones_like(generator.weights[-1]))
        check(folder, generator, clips)

    check = export_module._check
    monkeypatch.setattr(export_module, "_check", check_against_other_weights)
    with pytest.raises(RuntimeError, match="Nothing was published"):
        export(run, run.exports)
    assert list(run.exports.iterdir()) == []


def test_nothing_is_compiled_for_xla(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    assert functions and not [function for function in functions if function.attr["_XlaMustCompile"].b]


def test_mistakes_are_said_in_one_line(run, tmp_path):
    with pytest.raises(UserError, match=r"no checkpoint of step 7\. It has: 30"):
        export(run, tmp_path / "models", 7)
    with pytest.raises(UserError, match="not a run folder"):
        export(RunFolder(tmp_path / "nowhere"), tmp_path / "models")
    assert not (tmp_path / "models").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export(run, tmp_path / "file")


def test_weights_that_are_not_finite_are_refused(run, tiny):
    gan = VideoGAN(tiny, tf.distribute.MirroredStrategy(["CPU:0"]))
    gan.average.weights[0].assign(np.full(gan.average.weights[0].shape, np.nan))
    checkpoints.save(run.checkpoints, 50, gan.variables, keep=3)
    with pytest.raises(UserError, match="not finite"):
        export(run, run.exports)
    assert export(run, run.exports, STEP).name == "1"


def test_a_run_without_checkpoint_cannot_be_exported(run):
    for file in run.checkpoints.iterdir():
        file.unlink()
    with pytest.raises(UserError, match="no checkpoint yet"):
        export(run, run.exports)


@pytest.mark.parametrize(("content", "message"), [
    (None, "was not made by export.py"), ("{", "cannot be read"), ("[]", "cannot be read"),
    (json.dumps({"format": 99}), "not of format 1"), (json.dumps({"format": 1}), "cannot be read")])
def test_a_description_that_is_none(tmp_path, content, message):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(UserError, match=message):
        Description.load(tmp_path)
