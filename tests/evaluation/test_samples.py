"""Sources of clips to evaluate: a run, an exported version, files, and those that are refused."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gan_keras.config.train import ClipSettings
from gan_keras.errors import UserError
from gan_keras.evaluation import samples
from gan_keras.evaluation.evaluate import check_shape
from gan_keras.evaluation.metrics.inputs import ClipSet
from gan_keras.evaluation.samples import ClipFiles, RunSamples, SavedModelSamples, open_samples
from gan_keras.runs.run_folder import RunFolder
from gan_keras.video.encode import write_clip
from tests.conftest import DATA, STEP, make_run

CLIPS = np.random.default_rng(0).integers(0, 256, (20, 4, 16, 24, 3), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def run_samples(trained):
    return RunSamples(trained[0], None)


def save(path, clips=CLIPS):
    if path.endswith(".npz"):
        np.savez_compressed(path, videos=clips)
    else:
        np.save(path, clips)
    return path


def assert_refused(match, path="clips.npz", **settings):
    with pytest.raises(UserError, match=match) as error:
        ClipFiles(path, **settings)
    assert "\n" not in str(error.value) and str(error.value).count(path) >= 1


# ---- generators ----

def clip_set(clips):
    return ClipSet(clips, np.arange(len(clips)), {})


@pytest.mark.slow
def test_a_run_gives_the_clips_of_the_version_exported_from_it(trained, exported, run_samples):
    model_samples = SavedModelSamples(str(exported.parent))
    counts = []
    clips = run_samples.clips(11, 5, counts.append)
    np.testing.assert_array_equal(clips, model_samples.clips(11, 5))
    np.testing.assert_array_equal(clips[9], run_samples.clips(1, 14)[0])
    assert clips.dtype == np.uint8 and clips.std() > 10 and counts == [8, 3]
    assert (run_samples.name, model_samples.name) == (f"{trained[0].path} at step 30", f"{exported} at step 30")
    for source in (run_samples, model_samples):
        assert (source.step, source.shape, source.fps) == (STEP, (4, 16, 16, 3), DATA.fps)
        assert source.count is None and source.generates
        assert source.pairs(clip_set(clips)) is None


def test_outputs_of_a_run_that_reconstructs_are_paired_with_their_clips(tmp_path, tiny):
    config = tiny.replace(task="reconstruct", generator="mlp", discriminators=("mlp",))
    run, _ = make_run(tmp_path / "reconstruct", config)
    source = RunSamples(run, None)
    clips = np.random.default_rng(1).integers(0, 256, (3, *source.shape), np.uint8)
    outputs, targets, video_ids, given, mask, _ = source.pairs(clip_set(clips))
    np.testing.assert_array_equal(targets, clips)
    assert given is mask is None and list(video_ids) == [0, 1, 2]
    assert outputs.shape == clips.shape and outputs.dtype == np.uint8 and (outputs[0] != outputs[1]).any()
    np.testing.assert_array_equal(source.pairs(clip_set(clips[1:2])).outputs[0], outputs[1])


def test_runs_without_the_checkpoint_are_refused(run):
    with pytest.raises(UserError, match=r"no checkpoint of step 7\. It has: 30"):
        RunSamples(run, 7)
    with pytest.raises(UserError, match="not a run folder"):
        RunSamples(RunFolder(run.path / "no"), None)
    for file in run.checkpoints.iterdir():
        file.unlink()
    with pytest.raises(UserError, match="has no checkpoint yet"):
        RunSamples(run, None)


# ---- clips in files ----

@pytest.mark.parametrize("name", ["clips.npz", "clips.npy"])
def test_an_array_file(name):
    source, counts = ClipFiles(save(name)), []
    np.testing.assert_array_equal(source.clips(20, advance=counts.append), CLIPS)
    assert (source.name, source.step, source.shape, source.count) == (name, None, (4, 16, 24, 3), 20)
    assert not source.generates and source.fps == 15 and sum(counts) == 20


def test_seeds_number_the_clips_in_random_order():
    source = ClipFiles(save("clips.npz"))
    parts = [source.clips(8), source.clips(8, 8), source.clips(4, 16)]
    indices = [np.flatnonzero((clip == CLIPS).all(axis=(1, 2, 3, 4))).item() for clip in np.concatenate(parts)]
    assert sorted(indices) == list(range(20)) and indices[:8] != list(range(8))
    np.testing.assert_array_equal(parts[0], ClipFiles("clips.npz").clips(8))
    with pytest.raises(ValueError, match="holds 20 clips"):
        source.clips(8, 16)


def test_grey_clips_become_colour():
    source = ClipFiles(save("clips.npz", CLIPS[..., :1]))
    np.testing.assert_array_equal(source.clips(20), np.repeat(CLIPS[..., :1], 3, axis=-1))


def test_clips_are_cut_to_num_frames():
    source = ClipFiles(save("clips.npz"), num_frames=3)
    assert source.shape == (3, 16, 24, 3)
    np.testing.assert_array_equal(source.clips(20), CLIPS[:, :3])
    assert_refused("has 4 of the 5 frames .* Received: num_frames=5", num_frames=5)


def test_a_folder_of_arrays_and_folders_of_frames(tmp_path):
    (tmp_path / "some").mkdir()
    save("some/a.npz", CLIPS[:10])
    save("some/b.npy", np.concatenate([CLIPS[10:18], CLIPS[10:18]], axis=1))
    write_clip(tmp_path / "some" / "c", CLIPS[18], 10)
    write_clip(tmp_path / "some" / "d", CLIPS[19], 10)
    np.testing.assert_array_equal(ClipFiles("some").clips(20), CLIPS)


def test_a_folder_of_videos(tmp_path, log):
    for index in range(16):
        frames = np.full((3 + index % 2, 16, 24, 3), 15 * index, np.uint8)
        write_clip(tmp_path / "some" / f"{index:02d}.webm", frames, 12)
    (tmp_path / "some" / "notes.txt").write_text("hello")
    source = ClipFiles("some")
    assert (source.shape, source.fps, source.count) == ((3, 16, 24, 3), 12, 16)
    np.testing.assert_allclose(source.clips(16).mean(axis=(1, 2, 3, 4)), 15 * np.arange(16), atol=4)
    assert log.messages == ["some: 1 skipped, first notes.txt: not a video"]
    assert log.records[0].levelname == "WARNING"


def test_drawn_clips():
    source = ClipFiles("shapes:16", num_frames=4)
    assert source.shape == (4, 64, 64, 3) and source.clips(2).std() > 1


@pytest.mark.parametrize(("array", "match"), [
    (np.full((20, 2, 8, 8, 3), np.nan, np.float32), r"must be uint8 .* is float32 .*saved as uint8, 0 to 255"),
    (np.zeros((16, 8, 8, 3), np.uint8), r"must be uint8 \[N, T, H, W, 3 or 1\], is uint8 \[16, 8, 8, 3\]"),
    (np.zeros((16, 2, 8, 8, 4), np.uint8), r"is uint8 \[16, 2, 8, 8, 4\]"),
    (np.zeros((0, 2, 8, 8, 3), np.uint8), r"is uint8 \[0, 2"),
    (np.array([{"a": 1}]), r"is object \[1\]"),
    (CLIPS[:5], "^At least 16 clips are needed to measure anything; clips.npz holds 5.$"),
    (CLIPS[:, :1], "1 of the 2 frames")])
def test_arrays_that_cannot_be_measured(array, match):
    save("clips.npz", array)
    assert_refused(match)


def test_damaged_and_missing_files(tmp_path):
    data = (tmp_path / save("clips.npy")).read_bytes()
    (tmp_path / "clips.npy").write_bytes(data[:-100])
    assert_refused("unreadable", "clips.npy")
    (tmp_path / "clips.npy").write_bytes(b"\x80\x04\x95")
    assert_refused("unreadable", "clips.npy")
    data = (tmp_path / save("clips.npz")).read_bytes()
    for damaged in (data[:-100], b"", b"nonsense"):
        (tmp_path / "clips.npz").write_bytes(damaged)
        assert_refused("holds no clips that can be read: clips.npz: ")
    np.savez(tmp_path / "clips.npz", frames=CLIPS)
    assert_refused("no array named `videos`")
    assert_refused("There is no file or folder nowhere", "nowhere")


def test_an_archive_damaged_in_the_middle_is_refused_when_it_is_read(tmp_path):
    data = bytearray((tmp_path / save("clips.npz")).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "clips.npz").write_bytes(data)
    source = ClipFiles("clips.npz")
    for count in (20, 3):
        with pytest.raises(UserError, match=r"clips\.npz cannot be read: unreadable"):
            source.clips(count)


def test_an_error_names_the_damaged_file(tmp_path):
    (tmp_path / "some").mkdir()
    save("some/a.npy", CLIPS[:18])
    write_clip(tmp_path / "some" / "b", CLIPS[19], 10)
    source = ClipFiles("some")
    (tmp_path / "some" / "b" / "00001.png").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"^some/b/\*\.png cannot be read: unreadable: 1 of its 4 pictures: 00001.png"):
        source.clips(19)


def test_folders_that_cannot_be_measured(tmp_path, prepared):
    (tmp_path / "some").mkdir()
    assert_refused("holds no clips that can be read", "some")
    save("some/a.npz", CLIPS)
    save("some/b.npz", CLIPS.swapaxes(2, 3))
    assert_refused("frames of different sizes, 24x16 in a.npz/000000 and 16x24 in b.npz/000000", "some")
    assert_refused("is prepared data", str(prepared[0]))


# ---- what the user names ----

def test_the_source_is_what_the_user_named(monkeypatch):
    for name in ("RunSamples", "SavedModelSamples"):
        monkeypatch.setattr(samples, name, lambda *arguments, name=name: SimpleNamespace(
            opened=(name, *arguments), name="it", shape=(4, 16, 16, 3)))
    assert open_samples("run", "", "", STEP, 0).opened == ("RunSamples", RunFolder(Path("run")), STEP)
    assert open_samples("run", "", "", 0, 4).opened == ("RunSamples", RunFolder(Path("run")), None)
    assert open_samples("", "model", "", 0, 4).opened == ("SavedModelSamples", "model")
    source = open_samples("", "", save("clips.npz"), 0, 2)
    assert isinstance(source, ClipFiles) and source.name == "clips.npz" and source.shape[0] == 2
    for run, model in (("run", ""), ("", "model")):
        with pytest.raises(UserError, match=r"it makes 4 frames\. Received: num_frames=3"):
            open_samples(run, model, "", 0, 3)


@pytest.mark.parametrize(("settings", "advice"), [
    ({"resolution": "64"}, "holds clips of 4 frames of 24x16 and the real clips are 3 frames of 64x64. Name the raw "
     "source as --data, or data prepared for 4 frames of 24x16."),
    ({"resolution": "24x16"}, "real clips are 3 frames of 24x16. --num_frames=3 takes the first 3 frames of each.")])
def test_clips_of_another_shape_than_the_real_ones_are_refused(settings, advice):
    source = ClipFiles(save("clips.npz"))
    with pytest.raises(UserError, match=re.escape(advice)):
        check_shape(source, ClipSettings(num_frames=3, **settings))
    check_shape(source, ClipSettings(num_frames=4, resolution="24x16"))


def test_clips_of_a_size_that_no_data_can_be_prepared_for_have_to_be_resized():
    with pytest.raises(UserError, match="Bring the clips to 24x16"):
        check_shape(ClipFiles(save("clips.npz", CLIPS[:, :, :-1])), ClipSettings(num_frames=4, resolution="24x16"))
