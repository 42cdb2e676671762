import json

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from gan_keras.errors import UserError
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder
from gan_keras.serving import export as export_module
from gan_keras.serving.export import check_saved_model, export
from gan_keras.serving.model_description import ModelDescription
from gan_keras.tasks.registry import find_task
from gan_keras.training.train_step import VideoGAN
from gan_keras.video.decode import VideoFile, read_video
from tests.conftest import DATA, STEP, make_run, sample

pytestmark = pytest.mark.slow

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
        np.testing.assert_array_equal(clip, sample(gan, seed))


def test_the_session_loader_serves_the_other_signatures(exported):
    video = serve(exported, "serving_default", seed=SEEDS)["video"]
    frames = serve(exported, "jpeg", seed=SEEDS)["frames_jpeg_bytes"]
    assert frames.shape == (3, 4) and tf.io.decode_jpeg(frames[2, 3]).shape == video.shape[2:]
    inputs = ModelDescription.load(exported).signatures["latents"]["inputs"]
    latents = {name: np.zeros([2, *tensor["shape"][1:]], np.float32) for name, tensor in inputs.items()}
    floats = serve(exported, "latents", **latents)["video"]
    assert floats.dtype == np.float32 and floats.shape == (2, *video.shape[1:])
    np.testing.assert_array_equal(floats[0], floats[1])


def test_in_bfloat16_frames_stay_what_they_are(tiny, tmp_path):
    run, gan = make_run(tmp_path / "run", tiny, scale=0.2)
    version = export(run, run.exports, precision="mixed_bfloat16")
    frames = serve(version, "serving_default", seed=SEEDS)["video"]
    difference = np.abs(frames.astype(float) - [sample(gan, seed) for seed in SEEDS])
    assert 0 < difference.max() <= 2
    assert "Computes in bfloat16" in (version / "model_card.md").read_text()
    reader = tf.train.load_checkpoint(str(version / "variables" / "variables"))
    assert {reader.get_tensor(name).dtype for name, shape in reader.get_variable_to_shape_map().items() if shape
            } == {np.dtype(np.float32)}


def test_holds_the_weights_once(trained, exported):
    weights = trained[1].ema.weights
    data = sum(file.stat().st_size for file in (exported / "variables").glob("variables.data*"))
    parameters = sum(weight.numpy().nbytes for weight in weights)
    assert parameters <= data < parameters + 4096 + 64 * len(weights)  # their names
    reader = tf.train.load_checkpoint(str(exported / "variables" / "variables"))
    stored = {name: shape for name, shape in reader.get_variable_to_shape_map().items() if shape}
    assert len(stored) == len(weights)


def test_a_version_describes_itself(exported, trained):
    assert {child.name for child in exported.iterdir()} == {
        "saved_model.pb", "variables", "assets", "fingerprint.pb", "model.json", "model_card.md", "samples.png",
        "samples.webm"}
    description = ModelDescription.load(exported)
    assert (description.step, description.fps, description.num_frames) == (STEP, DATA.fps, 4)
    assert (description.height, description.width) == (16, 16)
    card = (exported / "model_card.md").read_text()
    for fact in ("30 training steps", "`shapes`, 24 clips, of the classes `walk`, `wave`", "12 frames per second",
                 "| `serving_default` | `seed` int64 [B] | `video` uint8 [B, 4, 16, 16, 3] |",
                 "| loss | `relativistic` |"):
        assert fact in card
    assert str(trained[0].path.parent) not in card + (exported / "model.json").read_text()
    frames = np.stack(list(read_video(exported / "samples.webm")))
    assert len(frames) == 4 and VideoFile(exported / "samples.webm").rate == 12


def test_versions_count_up_and_a_checkpoint_can_be_chosen(run, tiny, tmp_path, one_device, log):
    gan = VideoGAN.create(tiny, one_device)
    checkpoints.save(run.checkpoints, 40, gan.variables, keep=3)
    assert export(run, tmp_path / "models") == tmp_path / "models" / "1"
    assert export(run, tmp_path / "models", STEP) == tmp_path / "models" / "2"
    assert [ModelDescription.load(tmp_path / "models" / name).step for name in "12"] == [40, STEP]
    assert "Exported step 40 as " in log.text
    served = serve(tmp_path / "models" / "1", "serving_default", seed=[3])["video"]
    np.testing.assert_array_equal(served, sample(gan, 3)[np.newaxis])


def test_a_model_of_two_replicas_is_served_alike(tiny, tmp_path, two_devices):
    gan = VideoGAN.create(tiny, two_devices)
    for weight in gan.ema.weights:
        weight.assign(np.random.default_rng(3).normal(0.0, 0.3, weight.shape))
    run = RunFolder(tmp_path / "run")
    run.make()
    run.save_config(tiny, DATA)
    checkpoints.save(run.checkpoints, 1, gan.variables, keep=3)
    served = serve(export(run, run.exports), "serving_default", seed=[8])["video"]
    np.testing.assert_array_equal(served, sample(gan, 8)[np.newaxis])


def with_zeros_from(signatures, name):
    """The signatures with one whose function answers zeros, or black pictures."""
    def zeros(shape, dtype):
        black = tf.io.encode_jpeg(tf.zeros([16, 16, 3], tf.uint8))
        return tf.fill([1, *shape], black) if dtype == tf.string else tf.zeros([1, *shape], dtype)

    outputs = signatures[name].outputs.items()
    return {**signatures, name: signatures[name]._replace(
        function=lambda _: {output: zeros(spec.shape, spec.dtype) for output, spec in outputs})}


def test_a_model_that_answers_otherwise_is_not_published(run, monkeypatch):
    check = export_module.check_saved_model
    monkeypatch.setattr(export_module, "check_saved_model",
                        lambda folder, signatures, _: check(folder, with_zeros_from(signatures, "serving_default")))
    with pytest.raises(RuntimeError, match=r"signature serving_default differs.*Nothing was published"):
        export(run, run.exports)
    assert list(run.exports.iterdir()) == []


@pytest.mark.parametrize("name", ["serving_default", "jpeg", "latents", "initial_state", "next_segment"])
def test_every_signature_is_compared(trained, tiny, exported, name):
    signatures = find_task(tiny).signatures(trained[1].ema)
    with pytest.raises(RuntimeError, match=f"signature {name} differs"):
        check_saved_model(exported, with_zeros_from(signatures, name))


def test_nothing_is_compiled_for_xla(exported):
    saved = saved_model_pb2.SavedModel.FromString((exported / "saved_model.pb").read_bytes())
    functions = saved.meta_graphs[0].graph_def.library.function
    assert functions and not [function for function in functions if function.attr["_XlaMustCompile"].b]


def test_what_cannot_be_exported_is_refused(run, tmp_path):
    with pytest.raises(UserError, match=r"no checkpoint of step 7\. It has: 30"):
        export(run, tmp_path / "models", 7)
    with pytest.raises(UserError, match="not a run folder"):
        export(RunFolder(tmp_path / "nowhere"), tmp_path / "models")
    assert not (tmp_path / "models").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        export(run, tmp_path / "file")


def test_weights_that_are_not_finite_are_refused(run, tiny, one_device):
    gan = VideoGAN.create(tiny, one_device)
    gan.ema.weights[0].assign(np.full(gan.ema.weights[0].shape, np.nan))
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
    (None, "is not an exported version"), ("{", "cannot be read"), ("[]", "cannot be read"),
    (json.dumps({"format": 99}), "not of format 1"), (json.dumps({"format": 1}), "cannot be read")])
def test_a_damaged_description_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "model.json").write_text(content)
    with pytest.raises(UserError, match=message):
        ModelDescription.load(tmp_path)
