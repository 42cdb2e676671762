import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gan_keras.config.commands import GenerateSettings
from gan_keras.errors import UserError
from gan_keras.serving import generate as generate_module
from gan_keras.serving.generate import generate
from gan_keras.serving.requests import parse_seeds
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.serving.versions import find_version
from gan_keras.video.contact_sheets import contact_sheet, grid
from gan_keras.video.decode import VideoFile, read_video
from gan_keras.video.pictures import read_picture
from tests.conftest import DATA, STEP
from tests.processes import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(**values):
        return GenerateSettings(**{"model": str(exported.parent), "seeds": "3,0-1", **values})
    return make


@pytest.fixture(scope="module")
def clips(exported):
    """The clips of the seeds 3, 0 and 1."""
    return SavedGenerator(exported).clips([3, 0, 1])


def names(folder):
    return sorted(child.name for child in Path(folder).iterdir())


@pytest.mark.parametrize(("text", "seeds"), [
    ("0-15", list(range(16))), ("1,5,9", [1, 5, 9]), ("7", [7]), ("20, 0-2,9", [20, 0, 1, 2, 9]),
    ("9223372036854775807", [2**63 - 1])])
def test_seeds(text, seeds):
    assert [seed for part in parse_seeds(text) for seed in part] == seeds


@pytest.mark.parametrize(("text", "message"), [
    ("", "numbers from 0"), ("a", "numbers from 0"), ("1,,2", "numbers from 0"), ("-3", "numbers from 0"),
    ("1-2-3", "numbers from 0"), ("1.5", "numbers from 0"), ("9223372036854775808", "numbers from 0"),
    ("²", "numbers from 0"), ("5-3", "smaller to the larger"), ("1,1", "without repetition"), ("0-9,4", "repetition")])
def test_seeds_that_are_no_numbers(text, message):
    with pytest.raises(UserError, match=f"{message}.*Received: seeds={text}"):
        parse_seeds(text)


def test_many_seeds_are_not_listed():
    assert parse_seeds("0-1000000000000000") == [range(10**15 + 1)]


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif"])
def test_video_of_all_clips(settings, clips, suffix):
    generate(settings(out=f"deep/er/clips{suffix}"))
    frames = np.stack(list(read_video(Path(f"deep/er/clips{suffix}"))))
    assert frames.shape == (4, 34, 34, 3)
    right, wrong = (np.abs(frames.astype(int) - grid(order)).mean() for order in (clips, clips[::-1]))
    assert right < wrong / 2  # codecs blur
    assert VideoFile(Path(f"deep/er/clips{suffix}")).rate == pytest.approx(DATA.fps, rel=0.05)  # GIFs count in 1/100 s


def test_contact_sheet(settings, clips):
    generate(settings(out="clips.png"))
    np.testing.assert_array_equal(read_picture(Path("clips.png")), contact_sheet(clips))


def test_array(settings, clips):
    generate(settings(out="clips.npz"))
    np.testing.assert_array_equal(np.load("clips.npz", allow_pickle=False)["videos"], clips)


def test_array_of_more_clips_than_are_generated_at_once(settings, exported):
    generate(settings(out="clips.npz", seeds="0-18"))
    videos = np.load("clips.npz")["videos"]
    assert videos.shape == (19, 4, 16, 16, 3)
    np.testing.assert_array_equal(videos[17:], SavedGenerator(exported).clips([17, 18]))


def test_folder_of_frames(settings, clips):
    generate(settings(out="one/", seeds="3"))
    generate(settings(out="several"))
    assert names("one") == [f"{time:05d}.png" for time in range(4)]
    assert names("several") == ["0", "1", "3"]
    for seed, clip in zip([3, 0, 1], clips, strict=True):
        for moment, frame in enumerate(clip):
            np.testing.assert_array_equal(read_picture(Path(f"several/{seed}/{moment:05d}.png")), frame)
    with pytest.raises(UserError, match="`out` must be another folder: one is not empty"):
        generate(settings(out="one", seeds="3"))


def test_a_file_for_each_clip(settings, clips):
    generate(settings(out="clips/{seed}-of-{seed}.npz"))
    assert names("clips") == ["0-of-0.npz", "1-of-1.npz", "3-of-3.npz"]
    np.testing.assert_array_equal(np.load("clips/0-of-0.npz")["videos"], clips[1:2])


def test_fewer_frames_are_the_beginning(settings, clips):
    generate(settings(out="clips.npz", num_frames=2))
    np.testing.assert_array_equal(np.load("clips.npz")["videos"], clips[:, :2])


def test_frames_per_second(settings):
    generate(settings(out="clips.webm", fps=30.0))
    assert VideoFile(Path("clips.webm")).rate == pytest.approx(30, rel=0.02)


def test_any_number_of_clips_needs_the_same_memory(settings, monkeypatch):
    sizes = []
    monkeypatch.setattr(SavedGenerator, "clips", lambda self, seeds, classes: sizes.append(len(seeds)) or np.zeros(
        [len(seeds), 4, 16, 16, 3], np.uint8))
    generate(settings(out="clips.npz", seeds="0-999"))
    assert max(sizes) <= 8 and sum(sizes) == 1000


@pytest.mark.parametrize(("values", "message"), [
    ({"out": "clips.avi"}, "`out` must end in one of .webm, .mp4, .webp, .gif, .png, .npz or have no extension"),
    ({"out": "clips.webm", "seeds": "0-100"}, "`out` must have {seed} in it.* at most 100 clips .* 101 are asked for"),
    ({"out": "file/clips.webm"}, "cannot be written"),
    ({"out": "file/{seed}.webm"}, "cannot be written"),
    ({"out": "file", "seeds": "0"}, "cannot be written"),
    ({"out": "folder.gif"}, "`out` cannot be written: it is a folder.* Received: out=folder.gif$"),
    ({"seeds": "x"}, "`seeds` must be"),
    ({"model": "nowhere"}, "There is no folder nowhere"),
    ({"model": "."}, "holds no SavedModel"),
])
def test_mistakes_are_refused_and_leave_nothing(settings, values, message, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(UserError, match=message):
        generate(settings(**values))
    assert names(tmp_path) == ["file", "folder.gif"]


def test_a_model_must_be_named():
    with pytest.raises(UserError, match="`model` must name a path"):
        GenerateSettings()


@pytest.mark.parametrize("asked", [{"mask": "1,1,2,2"}, {"rotate": 3.0}, {"preview": 1.0}])
def test_what_only_films_take_is_not_ignored(exported, tmp_path, asked):
    with pytest.raises(UserError, match=f"`{next(iter(asked))}` is for models that make films of films"):
        generate(GenerateSettings(model=str(exported), out=str(tmp_path / "x.npz"), **asked))


def test_clips_go_to_a_file_of_the_working_folder_where_none_is_named(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    generate(GenerateSettings(model=str(exported), seeds="3"))
    assert names(tmp_path) == ["clips.webm"]


def test_a_damaged_model_is_refused(exported, settings, tmp_path):
    version = tmp_path / "1"
    version.mkdir()
    shutil.copy(exported / "model.json", version)
    (version / "saved_model.pb").write_bytes((exported / "saved_model.pb").read_bytes()[:2000])
    with pytest.raises(UserError, match="cannot be loaded"):
        generate(settings(model="1"))


def test_a_model_whose_weights_are_cut_short_is_refused(exported, tmp_path):
    copy = tmp_path / "models" / "1"
    shutil.copytree(exported, copy)
    weights = copy / "variables" / "variables.data-00000-of-00001"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="cannot be loaded"):
        SavedGenerator(copy)


def test_a_full_disk_is_reported(settings, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(generate_module, "write_segments", full)
    with pytest.raises(UserError, match=r"`out` cannot be written: No space left .* Received: out=clips.webm$"):
        generate(settings(out="clips.webm"))


def command(*arguments, folder):
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=folder, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)


def test_the_scripts(run, tmp_path):
    """Export, then generate from a model that was moved away from its run."""
    done = command(ROOT / "export.py", f"--run_dir={run.path}", "--export_dir=models", f"--checkpoint={STEP}",
                   folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Exported step 30 as models/1" in done.stderr and "generate.py --model=models" in done.stdout
    run.path.rename(tmp_path / "moved")
    done = command(ROOT / "generate.py", "--model=models", "--seeds=0-3", "--num_frames=3", "--fps=9",
                   "--out=clips.npz", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Clips: clips.npz (seeds 0-3, from models/1)" in done.stdout
    expected = SavedGenerator(find_version(tmp_path / "models")).clips(range(4))[:, :3]
    made = np.load(tmp_path / "clips.npz")["videos"]
    np.testing.assert_allclose(made.astype(int), expected, atol=1)  # graphs are not optimized here, see conftest


@pytest.mark.parametrize(("script", "arguments", "message"), [
    ("export.py", [], "export.py: `run_dir` must name a run folder"),
    ("export.py", ["--checkpoint=-1"], "export.py: "),
    ("generate.py", [], "generate.py: `model` must name a path"),
    ("generate.py", ["--model=m", "--num_frames=-1"], "generate.py: `num_frames` must be at least 0"),
    ("generate.py", ["--model=m", "--frames=4"], "Unknown command line flag 'frames'"),
])
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, script, arguments, message):
    done = command(ROOT / script, *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("script", ["export.py", "generate.py", "evaluate.py"])
def test_help_is_instant(tmp_path, script):
    """TensorFlow and OpenCV are not imported."""
    done = command("-X", "importtime", ROOT / script, "--help", folder=tmp_path)
    assert done.returncode == 0 and f"{script} --" in done.stdout
    assert not [line for line in done.stderr.splitlines() if line.split("|")[-1].strip() in ("tensorflow", "cv2")]
