"""generate.py on whole videos, in processes of its own."""

import signal
import time

import numpy as np
import pytest

from gan_keras.video.decode import read_video
from gan_keras.video.encode import write_clip
from tests.processes import finish, start

pytestmark = pytest.mark.slow

FRAMES, RATE = 900, 10.0


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A folder with a film of a minute and a half, whose frames go over from dark to bright, and a broken one."""
    folder = tmp_path_factory.mktemp("films")
    shade = np.linspace(20, 200, FRAMES)[:, None, None, None] + np.linspace(0, 40, 40)[None, None, :, None]
    write_clip(folder / "film.mp4", np.broadcast_to(shade, (FRAMES, 24, 40, 3)).astype(np.uint8), RATE)
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def shades(path):
    return np.array([float(frame.mean()) for frame in read_video(path)])


def test_one_bad_input_is_named_and_the_others_are_made(given_models, films, tmp_path):
    code, out, err = finish(start(f"--model={given_models['enhance'].path}", f"--input={films}", "--preview=2",
                                  f"--out={tmp_path}", script="generate.py"))
    assert code == 2 and "1 of 2 inputs could not be used" in err
    assert f"Film: {tmp_path / 'film-preview.mp4'} (of film.mp4)" in out and "None of broken.mp4: unreadable" in out
    assert next(read_video(tmp_path / "film-preview.mp4")).shape == (48, 160, 3)


def test_a_film_whose_process_was_killed_goes_on_behind_what_was_closed(given_models, films, tmp_path):
    arguments = (f"--model={given_models['enhance'].path}", f"--input={films / 'film.mp4'}",
                 f"--out={tmp_path / 'made.mp4'}")
    process = start(*arguments, script="generate.py")
    listed = tmp_path / ".made.mp4.segments" / "segments.json"
    deadline = time.monotonic() + 120
    while not listed.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not (tmp_path / "made.mp4").exists()
    code, out, err = finish(start(*arguments, script="generate.py"))
    assert code == 0 and "going on behind" in err and "Film: " in out, err
    assert [path.name for path in tmp_path.iterdir()] == ["made.mp4"]
    made, given = shades(tmp_path / "made.mp4"), shades(films / "film.mp4")
    assert len(made) == FRAMES and np.corrcoef(made, given)[0, 1] > 0.99 and np.abs(np.diff(made)).max() < 3


def test_a_mask_is_asked_for_in_one_line(given_models, films):
    code, out, err = finish(start(f"--model={given_models['inpaint'].path}", f"--input={films / 'film.mp4'}",
                                  script="generate.py"))
    assert code == 2 and out == "" and len(err.splitlines()) == 1 and "`mask` must name" in err
