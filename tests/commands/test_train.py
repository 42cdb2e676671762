"""train.py as a user starts it: its end, users' mistakes, and what it leaves."""

import json
import os
import select
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gan_keras.config.train import Config
from gan_keras.runs import checkpoints
from tests.conftest import metric_lines
from tests.processes import ROOT, finish, start, start_anew

pytestmark = pytest.mark.slow

SMALL = ["--generator=dcgan3d", "--resolution=8", "--num_frames=2", "--generator_width=4", "--discriminator_width=4",
         "--frame_pairs=1", "--batch_size=2", "--precision=float32", "--data=shapes:12", "--steps=20", "--log_every=1",
         "--checkpoint_every=5", "--sample_every=10", "--workers=1", "--penalty_interval=1", "--keep_checkpoints=2",
         "--picture_steps=12"]  # so that what is interrupted goes on across the change to whole clips

QUICK = [*(flag for flag in SMALL if not flag.startswith(("--generator=", "--picture_steps"))), "--generator=mlp",
         "--picture_steps=0", "--discriminators=frame", "--penalty=none"]
"""Networks that are traced in a second or two."""


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
    code, out, err = finish(start_anew(*SMALL, f"--run_dir={folder / 'whole'}"))
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
    assert {"loss/generator", "accuracy_real/pair", "gradient_norm/clip_differences", "learning_rate",
            "speed/clips_per_second", "speed/input_wait_share"} <= set(metric_lines(run)[-1])


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
    shown = EventAccumulator(str(run), purge_orphaned_data=True)
    shown.Reload()
    assert [event.step for event in shown.Scalars("loss/generator")] == list(range(1, 21))
    assert [event.step for event in shown.Images("clips/generated")] == [10, 20]


def test_a_run_whose_terminal_is_closed_saves_its_last_step(folder):
    run = folder / "closed"
    terminal, end = os.openpty()
    become = ("import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_DFL)\n"  # which nohup would ignore
              "os.login_tty(int(sys.argv[1])); os.execv(sys.executable, [sys.executable, *sys.argv[2:]])")
    process = subprocess.Popen(
        [sys.executable, "-c", become, str(end), str(ROOT / "train.py"), *QUICK, f"--run_dir={run}", "--steps=100000",
         "--checkpoint_every=100000"], env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1"}, pass_fds=[end])
    os.close(end)
    shown = b""
    while len(metric_lines(run)) < 5:
        if select.select([terminal], [], [], 0.05)[0]:
            shown += os.read(terminal, 65536)
        assert process.poll() is None, shown
    os.close(terminal)
    assert process.wait(120) == 128 + signal.SIGHUP
    assert checkpoints.saved_steps(run / "checkpoints")[-1] == metric_lines(run)[-1]["step"] >= 5


def assert_equal(found, expected):
    assert found.keys() == expected.keys() and len(expected) > 50
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_two_virtual_devices_train_and_one_goes_on(folder):
    run = folder / "virtual"
    code, _, err = finish(start(*QUICK, f"--run_dir={run}", "--virtual_devices=2", "--steps=2",
                                "--noexport"))
    assert code == 0, err
    code, _, err = finish(start(f"--run_dir={run}", "--virtual_devices=3", "--steps=4"))
    assert code == 2 and "What would do: --virtual_devices=1 or 2." in err
    code, _, err = finish(start(f"--run_dir={run}", "--virtual_devices=1", "--steps=4", "--noexport"))
    assert code == 0 and f"Resuming {run} at step 2" in err
    assert [line["step"] for line in metric_lines(run)] == [1, 2, 3, 4]


def test_time_can_be_limited(folder):
    run = folder / "limited"
    code, out, err = finish(start(*QUICK, f"--run_dir={run}", "--steps=1000000", "--minutes=0.02", "--noexport"))
    assert code == 0 and "Done" in out, err
    assert metric_lines(run)[-1]["step"] == checkpoints.saved_steps(run / "checkpoints")[-1] < 1000000


@pytest.mark.parametrize(("arguments", "message"), [
    (["--colour=red"], "Unknown command line flag 'colour'"),
    (["run"], "Not a flag: run"),
    ([], "`data` must name a source"),
    (["--run_dir=run", "--data=shapes:4", "--resolution=50"], "`resolution` must be a multiple of 8"),
    (["--run_dir=file/run", "--data=shapes:4"], "cannot be written"),
    (["--data=shapes:4", "--task=translate"], "`target_data` names the clips that --task=translate"),
    (["--run_dir=run", "--data=nowhere"], "There is no file or folder nowhere"),
    (["--run_dir=run", "--data=shapes:4", "--virtual_devices=2", "--batch_size=3"],
     "`batch_size` must be a multiple of the 2 devices"),
])
def test_the_users_mistakes_end_with_2_and_one_line(tmp_path, arguments, message):
    (tmp_path / "file").write_text("")
    code, out, err = finish(start(*arguments, folder=tmp_path))
    assert code == 2 and out == "" and len(err.splitlines()) == 1 and message in err, err
    assert [path.name for path in tmp_path.iterdir()] == ["file"]  # nothing was made


def test_the_folder_of_another_model_is_refused_and_kept(whole):
    run, _, _ = whole
    before = tensors(run)
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--generator=mocogan"))
    assert code == 2 and "`generator` cannot change within a run" in err
    code, _, err = finish(start(*SMALL, f"--run_dir={run}", "--beta_1=0.5"))
    assert code == 2 and "`beta_1` cannot change within a run" in err
    assert_equal(tensors(run), before)


def test_a_run_is_named_after_its_source_and_goes_on_with_the_same_command(tmp_path, monkeypatch):
    """From an empty folder, of a source in the home folder, whose name has spaces."""
    clips = np.random.default_rng(0).integers(0, 256, (12, 4, 16, 16, 3), np.uint8)
    home, empty, other = (tmp_path / name for name in ("home", "empty", "other"))
    for folder in (home, empty, other):
        folder.mkdir()
        np.savez(folder / "my clips.npz", videos=clips)
    (empty / "my clips.npz").unlink()
    monkeypatch.setenv("HOME", str(home))
    command = ["--data=~/my clips.npz", *(flag for flag in QUICK if not flag.startswith("--data")), "--noexport"]
    code, out, err = finish(start(*command, "--steps=1", folder=empty))
    assert code == 0 and "Done: runs/my-clips" in out and "evaluate.py --run_dir=runs/my-clips\n" in out, err
    code, _, err = finish(start(*command, "--steps=2", folder=empty))
    assert code == 0 and "Resuming runs/my-clips at step 1." in err, err
    code, _, err = finish(start(f"--data={other / 'my clips.npz'}", *command[1:], folder=empty))
    assert code == 2 and "`run_dir` must be named: runs/my-clips is the run of " in err and err.count("\n") == 1
    code, _, err = finish(start(*command, "--generator=dcgan3d", folder=empty))
    assert code == 2 and "`generator` cannot change within a run: runs/my-clips was begun with" in err
    home.rename(tmp_path / "moved")
    monkeypatch.setenv("HOME", str(tmp_path / "moved"))
    code, _, err = finish(start(*command, "--steps=3", folder=empty))
    assert code == 0 and "Resuming runs/my-clips at step 2." in err, err


def test_clips_of_one_domain_are_translated_to_another_and_the_run_goes_on(folder):
    """Its target clips are prepared beside the others, and found again."""
    run = folder / "translate"
    arguments = [argument for argument in SMALL if not argument.startswith(("--data", "--generator=", "--steps"))]
    arguments += ["--task=translate", "--data=shapes:12,colour=red", "--target_data=shapes:12,colour=blue",
                  f"--run_dir={run}", "--noexport", "--discriminators=frame", "--penalty=none"]  # traced sooner
    for steps in (3, 5):
        code, _, err = finish(start(*arguments, f"--steps={steps}"))
        assert code == 0, err
    lines = [line for line in metric_lines(run) if "loss/inverse" in line]
    assert [line["step"] for line in lines] == [1, 2, 3, 4, 5] and "terms/inverse/cycle_of_source" in lines[-1]
    code, _, err = finish(start(*arguments, "--steps=6", "--target_data=shapes:12,colour=green"))
    assert code == 2 and "shapes:12,colour=green is not the data that" in err


def test_help_lists_flags_and_choices_and_ends_well():
    code, out, _ = finish(start("--help"))
    assert code == 0 and "--generator=drift" in out and "relativistic: Relativistic pairing loss" in out
