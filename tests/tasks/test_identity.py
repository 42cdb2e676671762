"""A task is one file, from training to export: its conditions are clips, discriminators see them, targets are known."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.data.pixels import to_float
from gan_keras.serving.generate import reconstruct_or_interpolate
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.tasks.task import Networks
from gan_keras.training.train_step import VideoGAN
from gan_keras.video.encode import write_clip
from tests.conftest import metric_lines
from tests.processes import ROOT, finish, start_anew
from tests.tasks.identity import Identity
from tests.training.batches import BATCH, step_of

SMALL = ["--task=identity", "--data=shapes:40", "--resolution=16", "--num_frames=4", "--discriminators=clip",
         "--discriminator_width=4", "--batch_size=4", "--precision=float32", "--learning_rate=0.01", "--ema_decay=0",
         "--steps=60", "--evaluate_every=30", "--evaluate_clips=16", "--keep_best=fidelity/psnr", "--workers=1",
         "--run_dir=run"]


@pytest.fixture
def gan(tiny, undistributed):
    task = Identity(tiny.replace(discriminators=("clip",), resolution="8", num_frames=BATCH.clips.shape[1]))
    networks = Networks(task.build_generator("float32"), task.build_discriminators("float32"), {})
    return VideoGAN(task, networks, task.build_generator("float32"), undistributed, xla=False)


def test_the_generator_is_given_the_clip_and_the_discriminator_sees_it(gan, eagerly):
    forward = gan.objective.forward(BATCH, gan.noise(tf.constant(0, tf.int64), 0), gan.objective.schedule(0))
    np.testing.assert_array_equal(forward.inputs["video"], to_float(BATCH.clips))
    np.testing.assert_array_equal(forward.real.low_resolution[..., :3], forward.generated.low_resolution[..., 3:])


def test_a_step_is_trained_by_its_terms(gan, eagerly):
    before = gan.generator.weights[0].numpy()
    metrics = step_of(gan, 0)
    assert float(metrics["skipped"]) == 0 and (gan.generator.weights[0].numpy() != before).any()
    assert {name for name in metrics if name.startswith("terms/generator/")} >= {"terms/generator/l1"}
    l1, adversarial = (float(metrics[f"terms/generator/{name}"]) for name in ("l1", "adversarial/clip"))
    assert float(metrics["loss/generator"]) == pytest.approx(10 * l1 + adversarial, rel=1e-5)


@pytest.mark.slow
def test_one_more_file_trains_evaluates_exports_and_makes_clips_of_clips(tmp_path):
    """In a copy of the package, to which that file is added."""
    shutil.copytree(ROOT / "gan_keras", tmp_path / "gan_keras")
    shutil.copy(ROOT / "tests" / "tasks" / "identity.py", tmp_path / "gan_keras" / "tasks")
    for script in ("train.py", "evaluate.py", "generate.py"):
        shutil.copy(ROOT / script, tmp_path)
    code, out, err = finish(start_anew(*SMALL, script=tmp_path / "train.py", folder=tmp_path))
    assert code == 0 and "generate.py --model=run/export --input=my_videos/" in out, err
    fidelity = [line["fidelity/psnr"] for line in metric_lines(tmp_path / "run") if "fidelity/psnr" in line]
    assert len(fidelity) == 2 and min(fidelity) > 15  # untrained, it is 4 to 8

    code, out, err = finish(start_anew("--run_dir=run", "--clips=16", script=tmp_path / "evaluate.py", folder=tmp_path))
    assert code == 0 and "fidelity/psnr" in out and "discriminators/" not in out, err
    code, _, err = finish(start_anew("--model=run/export", "--out=x.png", script=tmp_path / "generate.py",
                                     folder=tmp_path))
    assert code == 2 and "`input` must name clips" in err

    clips = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 16, 3), np.uint8)
    write_clip(tmp_path / "clips.npz", clips, 10.0)
    code, out, err = finish(start_anew("--model=run/export", "--input=clips.npz", "--out=made.npz",
                                       script=tmp_path / "generate.py", folder=tmp_path))
    assert code == 0 and "Clips: made.npz (of clips.npz" in out, err
    made, model = np.load(tmp_path / "made.npz")["videos"], SavedGenerator(tmp_path / "run" / "export")
    np.testing.assert_array_equal(made, reconstruct_or_interpolate(model, str(tmp_path / "clips.npz"), 0))
    assert "video=clips" in (model.path / "model_card.md").read_text()
