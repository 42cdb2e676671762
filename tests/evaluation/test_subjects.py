import re

import numpy as np
import pytest

from gan_keras.errors import UserError
from gan_keras.evaluation.command import check_shape
from gan_keras.evaluation.subjects import ClipsSubject, ModelSubject, RunSubject, open_subject
from gan_keras.run_folder import RunFolder
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io
from tests.conftest import DATA, STEP

CLIPS = np.random.default_rng(0).integers(0, 256, (20, 4, 16, 24, 3), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def of_run(trained):
    return RunSubject(trained[0], None, print)


def save(path, clips=CLIPS):
    if path.endswith(".npz"):
        np.savez_compressed(path, videos=clips)
    else:
        np.save(path, clips)
    return path


def refused(match, path="clips.npz", **settings):
    with pytest.raises(UserError, match=match) as error:
        ClipsSubject(path, say=lambda line: None, **settings)
    assert "\n" not in str(error.value) and str(error.value).count(path) >= 1


# ---- generators ----

def test_a_run_gives_the_clips_of_the_version_exported_from_it(trained, exported, of_run):
    of_model = ModelSubject(str(exported.parent))
    told = []
    clips = of_run.clips(11, 5, told.append)
    np.testing.assert_array_equal(clips, of_model.clips(11, 5))
    np.testing.assert_array_equal(clips[9], of_run.clips(1, 14)[0])
    assert clips.dtype == np.uint8 and clips.std() > 10 and told == [8, 3]
    assert (of_run.name, of_model.name) == (f"{trained[0].path} at step 30", f"{exported} at step 30")
    for subject in (of_run, of_model):
        assert (subject.step, subject.shape, subject.fps) == (STEP, (4, 16, 16, 3), DATA["fps"])
        assert subject.count is None and subject.generates


def test_a_run_that_is_none_is_refused(run):
    with pytest.raises(UserError, match=r"no checkpoint of step 7\. It has: 30"):
        RunSubject(run, 7, print)
    with pytest.raises(UserError, match="not a run folder"):
        RunSubject(RunFolder(run.path / "no"), None, print)
    for file in run.checkpoints.iterdir():
        file.unlink()
    with pytest.raises(UserError, match="has no checkpoint yet"):
        RunSubject(run, None, print)


# ---- clips in files ----

@pytest.mark.parametrize("name", ["clips.npz", "clips.npy"])
def test_an_array_file(name):
    subject, told = ClipsSubject(save(name)), []
    np.testing.assert_array_equal(subject.clips(20, advance=told.append), CLIPS)
    assert (subject.name, subject.step, subject.shape, subject.count) == (name, None, (4, 16, 24, 3), 20)
    assert not subject.generates and subject.fps == 15 and sum(told) == 20


def test_some_of_the_clips_are_drawn_from_all_of_them():
    subject = ClipsSubject(save("clips.npz"))
    parts = [subject.clips(8), subject.clips(8, 8), subject.clips(4, 16)]
    found = [np.flatnonzero((clip == CLIPS).all(axis=(1, 2, 3, 4))).item() for clip in np.concatenate(parts)]
    assert sorted(found) == list(range(20)) and found[:8] != list(range(8))
    np.testing.assert_array_equal(parts[0], ClipsSubject("clips.npz").clips(8))
    with pytest.raises(ValueError, match="holds 20 clips"):
        subject.clips(8, 16)


def test_grey_clips_become_colour():
    subject = ClipsSubject(save("clips.npz", CLIPS[..., :1]))
    np.testing.assert_array_equal(subject.clips(20), np.repeat(CLIPS[..., :1], 3, axis=-1))


def test_clips_are_cut_to_the_frames_asked_for():
    subject = ClipsSubject(save("clips.npz"), num_frames=3)
    assert subject.shape == (3, 16, 24, 3)
    np.testing.assert_array_equal(subject.clips(20), CLIPS[:, :3])
    refused("has 4 of the 5 frames .* Received: num_frames=5", num_frames=5)


def test_a_folder_of_arrays_and_folders_of_frames(tmp_path):
    (tmp_path / "some").mkdir()
    save("some/a.npz", CLIPS[:10])
    save("some/b.npy", np.concatenate([CLIPS[10:18], CLIPS[10:18]], axis=1))
    io.write_clip(tmp_path / "some" / "c", CLIPS[18], 10)
    io.write_clip(tmp_path / "some" / "d", CLIPS[19], 10)
    np.testing.assert_array_equal(ClipsSubject("some").clips(20), CLIPS)


def test_a_folder_of_videos(tmp_path):
    for index in range(16):
        frames = np.full((3 + index % 2, 16, 24, 3), 15 * index, np.uint8)
        io.write_clip(tmp_path / "some" / f"{index:02d}.webm", frames, 12)
    (tmp_path / "some" / "notes.txt").write_text("hello")
    said = []
    subject = ClipsSubject("some", say=said.append)
    assert (subject.shape, subject.fps, subject.count) == ((3, 16, 24, 3), 12, 16)
    np.testing.assert_allclose(subject.clips(16).mean(axis=(1, 2, 3, 4)), 15 * np.arange(16), atol=4)
    assert said == ["WARNING: some: 1 left out, first notes.txt: unsupported (.txt is no known kind of video)"]


def test_drawn_clips():
    subject = ClipsSubject("shapes:16", num_frames=4)
    assert subject.shape == (4, 64, 64, 3) and subject.clips(2).std() > 1


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
    refused(match)


def test_damaged_files_and_missing_ones(tmp_path):
    whole = (tmp_path / save("clips.npy")).read_bytes()
    (tmp_path / "clips.npy").write_bytes(whole[:-100])
    refused("unreadable", "clips.npy")
    (tmp_path / "clips.npy").write_bytes(b"\x80\x04\x95")
    refused("unreadable", "clips.npy")
    whole = (tmp_path / save("clips.npz")).read_bytes()
    for damaged in (whole[:-100], b"", b"nonsense"):
        (tmp_path / "clips.npz").write_bytes(damaged)
        refused("holds no clips that can be read: clips.npz: ")
    np.savez(tmp_path / "clips.npz", frames=CLIPS)
    refused("no array named `videos`")
    refused("There is no file or folder nowhere", "nowhere")


def test_an_archive_damaged_in_the_middle_is_refused_when_it_is_read(tmp_path):
    data = bytearray((tmp_path / save("clips.npz")).read_bytes())
    data[len(data) // 2] ^= 255
    (tmp_path / "clips.npz").write_bytes(data)
    subject = ClipsSubject("clips.npz")
    for count in (20, 3):
        with pytest.raises(UserError, match=r"clips\.npz cannot be read: unreadable"):
            subject.clips(count)


def test_the_file_that_broke_is_named(tmp_path):
    (tmp_path / "some").mkdir()
    save("some/a.npy", CLIPS[:18])
    io.write_clip(tmp_path / "some" / "b", CLIPS[19], 10)
    subject = ClipsSubject("some")
    (tmp_path / "some" / "b" / "00001.png").write_bytes(b"nonsense")
    with pytest.raises(UserError, match=r"^some/b cannot be read: unreadable: 00001.png"):
        subject.clips(19)


def test_folders_that_cannot_be_measured(tmp_path, prepared):
    (tmp_path / "some").mkdir()
    refused("holds no clips that can be read", "some")
    save("some/a.npz", CLIPS)
    save("some/b.npz", CLIPS.swapaxes(2, 3))
    refused("frames of different sizes, 24x16 in a.npz/000000 and 16x24 in b.npz/000000", "some")
    refused("is prepared data", str(prepared[0]))


# ---- which one ----

def test_the_subject_is_what_the_user_named(trained, exported):
    run, model = str(trained[0].path), str(exported)
    assert isinstance(open_subject(run, "", "", STEP, 0), RunSubject)
    assert isinstance(open_subject("", model, "", 0, 4), ModelSubject)
    assert isinstance(open_subject("", "", save("clips.npz"), 0, 2), ClipsSubject)
    with pytest.raises(UserError, match=r"makes 4 frames\. Received: num_frames=3"):
        open_subject("", model, "", 0, 3)


@pytest.mark.parametrize(("settings", "advice"), [
    ({"resolution": "64"}, "holds clips of 4 frames of 24x16 and the real clips are 3 frames of 64x64. Name the raw "
     "source as --data, or data prepared for 4 frames of 24x16."),
    ({"resolution": "24x16"}, "real clips are 3 frames of 24x16. --num_frames=3 takes the first 3 frames of each.")])
def test_clips_of_other_frames_than_the_real_ones_are_refused(settings, advice):
    subject = ClipsSubject(save("clips.npz"))
    with pytest.raises(UserError, match=re.escape(advice)):
        check_shape(subject, ClipSettings(num_frames=3, **settings))
    check_shape(subject, ClipSettings(num_frames=4, resolution="24x16"))


def test_clips_of_a_size_that_no_data_can_be_prepared_for_are_to_be_resized():
    with pytest.raises(UserError, match="Bring the clips to 24x16"):
        check_shape(ClipsSubject(save("clips.npz", CLIPS[:, :, :-1])), ClipSettings(num_frames=4, resolution="24x16"))
