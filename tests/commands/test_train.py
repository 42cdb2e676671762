"""train.py as a user starts it: its end, users' mistakes, and what it leaves."""

import json
import signal
import time

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.runs import checkpoints
from tests.conftest import finish, metric_lines, start

pytestmark = pytest.mark.slow

SMALL = ["--generator=dcgan3d", "--resolution=8", "--num_frames=2", "--generator_width=4", "--discriminator_width=4",
         "--frame_pairs=1", "--batch_size=2", "--precision=float32", "--data=shapes:12", "--steps=20", "--log_every=1",
         "--checkpoint_every=5", "--sample_every=10", "--workers=1", "--penalty_interval=1", "--keep_checkpoints=2"]


def wait_for_step(process, run, step):
    deadline = time.monotonic() + 120
    while not (metric_lines(run) and metric_lines(run)[-1]["step"] >= step):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)


def tensors(run, step=20):
    reader = tf.train.load_checkpoint(str(run / "checkpoints" / f"ckpt-{step}"))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def whole(folder):
    """20 steps in one go, the end with an export; and what was printed."""
    code, out, err = finish(start(*SMALL, f"--run_dir={folder / 'whole'}"))
    assert code == 0, err
    return folder / "whole", out, err


def test_the_end_names_what_there_is_and_the_next_commands(whole):
    run, out, err = whole
    for word in ("contact sheet", "playing clips", "tensorboard --logdir", "generate.py", "docker run"):
        assert word in out
    assert "Exported step 20 as" in err
    for suffix in ("png", "webm"):
        assert (run / "samples" / f"step-000020.{suffix}").stat().st_size
    assert (run / "export" / "1" / "saved_model.pb").exists()
    assert "Traceback" not in err and "E0000" not in err and "I0000" not in err


def test_the_run_folder_explains_itself(whole):
    run, _, _ = whole
    config = Config.load(run / "config.json")
    assert (config.clip.resolution, config.optimization.steps) == ("8", 20)
    assert "--num_frames=2\n" in (run / "train.flags").read_text()
    assert json.loads((run / "versions.json").read_text())["tensorflow"] == tf.__version__
    assert json.loads((run / "data.json").read_text())["clips"]["train"] > 0
    assert checkpoints.saved_steps(run / "checkpoints") == [15, 20]
    assert [line["step"] for line in metric_lines(run)] == list(range(1, 21))
    assert {"loss/generator", "accuracy_real/pair", "gradient_norm/clip", "learning_rate", "speed/clips_per_second",
            "speed/input_wait_share"} <= set(metric_lines(run)[-1])


def test_tensorboard_gets_scalars_clips_weights_and_flags(whole):
    kinds = {}
    for file in whole[0].glob("events.*"):
        for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            for value in tf.compat.v1.Event.FromString(record).summary.value:
                kinds.setdefault(value.tag, []).append(value)
    assert len(kinds["loss/generator"]) == 20 and "flags/text_summary" not in kinds and "flags" in kinds
    gif = kinds["clips/generated"][-1].image.encoded_image_string
    assert gif.startswith(b"GIF8") and len(kinds["clips/generated"]) == 2 and len(kinds["clips/real"]) == 1
    assert any(tag.startswith("weights/backbone/base") for tag in kinds)


def test_a_run_stopped_by_sigterm_goes_on_to_the_very_same_weights(whole, folder):
    run = folder / "stopped"
    process = start(*SMALL, f"--run_dir={run}", "--checkpoint_every=1000")
    wait_for_step(process, run, 8)
    process.send_signal(signal.SIGTERM)
    code, _, err = finish(process)
    assert code == 128 + signal.SIGTERM and "Stopped by SIGTERM at step" in err
    stopped_at = checkpoints.saved_steps(run / "checkpoints")[-1]
    assert 8 <= stopped_at < 20
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--noexport"))
    assert code == 0 and f"Resuming {run} at step {stopped_at}" in err
    assert_equal(tensors(run), tensors(whole[0]))
    assert not (run / "export").exists()


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint_to_the_same_weights(whole, folder):
    run = folder / "killed"
    process = start(*SMALL, f"--run_dir={run}")
    wait_for_step(process, run, 12)
    process.kill()
    finish(process)
    newest = checkpoints.saved_steps(run / "checkpoints")[-1]
    data = run / "checkpoints" / f"ckpt-{newest}.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:-100])
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--noexport"))
    assert code == 0 and f"ckpt-{newest} is damaged" in err and f"at step {newest - 5}" in err
    assert_equal(tensors(run), tensors(whole[0]))
    assert [line["step"] for line in metric_lines(run)] == list(range(1, 21))


def assert_equal(found, expected):
    assert found.keys() == expected.keys() and len(expected) > 50
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_two_virtual_devices_train(folder):
    run = folder / "virtual"
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--virtual_devices=2", "--steps=2",
                                "--noexport"))
    assert code == 0, err
    assert metric_lines(run)[-1]["step"] == 2


def test_time_can_be_limited(folder):
    run = folder / "limited"
    code, out, err = finish(start(*SMALL, f"--run_dir={run}", "--steps=1000000", "--minutes=0.02", "--noexport"))
    assert code == 0 and "Done" in out, err
    assert metric_lines(run)[-1]["step"] == checkpoints.saved_steps(run / "checkpoints")[-1] < 1000000


@pytest.mark.parametrize(("arguments", "message"), [
    (["--colour=red"], "Unknown command line flag 'colour'"),
    (["run"], "Not a flag: run"),
    ([], "`run_dir` must name"),
    (["--run_dir=run", "--data=shapes:4", "--resolution=50"], "`resolution` must be a multiple of 8"),
    (["--run_dir=file/run", "--data=shapes:4"], "cannot be written"),
    (["--run_dir=run", "--data=nowhere"], "There is no file or folder nowhere"),
    (["--run_dir=run", "--data=shapes:4", "--virtual_devices=2", "--batch_size=3"],
     "`batch_size` must be a multiple of the 2 devices"),
])
def test_the_users_mistakes_end_with_2_and_one_line(tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    code, out, err = finish(start(*arguments, folder=tmp_path))
    assert code == 2 and out == "" and len(err.splitlines()) == 1 and message in err, err


def test_the_folder_of_another_model_is_refused_and_kept(whole):
    run, _, _ = whole
    before = tensors(run)
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--generator=mocogan"))
    assert code == 2 and "`generator` cannot change within a run" in err
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--learning_rate=0.5"))
    assert code == 2 and "`learning_rate` cannot change within a run" in err
    assert_equal(tensors(run), before)


def test_prepared_data_of_other_clips_is_refused(whole, folder):
    prepared = next((folder / "prepared").iterdir())
    code, _, err = finish(start(f"--run_dir={folder / 'other'}", f"--data={prepared}", "--resolution=16"))
    assert code == 2 and "`resolution` must be that of the prepared folder" in err


def test_help_lists_flags_and_choices_and_ends_well():
    code, out, _ = finish(start("--help"))
    assert code == 0 and "--generator=layered" in out and "relativistic: Relativistic pairing loss" in out
