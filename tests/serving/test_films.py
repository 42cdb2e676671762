"""Whole videos through exported models: what comes out, what is asked wrongly, and what one bad input does."""

from types import SimpleNamespace

import numpy as np
import pytest

from gan_keras.config.commands import GenerateSettings
from gan_keras.errors import UserError
from gan_keras.serving import films, tiles
from gan_keras.serving.films import make_films
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.video.decode import VideoFile, read_video
from gan_keras.video.encode import encode_png, write_clip

SIDE = (24, 40)


@pytest.fixture(scope="module")
def models(given_models):
    return given_models


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Eleven frames that go over from dark to bright; a cut after the sixth."""
    shade = np.linspace(30, 60, 11)[:, None, None, None] + np.linspace(0, 60, SIDE[1])[None, None, :, None]
    frames = np.broadcast_to(shade, (11, *SIDE, 3)).astype(np.uint8).copy()
    frames[6:] = 255 - frames[6:]
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    write_clip(path, frames, 10.0)
    return path


def settings(model, film, out, **more):
    return GenerateSettings(model=str(model.path), input=str(film), out=str(out), **more)


def frames_of(path):
    return np.stack(list(read_video(path))).astype(int)


def test_a_film_comes_out_as_long_and_as_large_with_a_name_made_of_its_own(models, film, tmp_path):
    made, = make_films(settings(models["inpaint"], film, tmp_path, mask="4,4,8,8"), models["inpaint"])
    assert made.path == tmp_path / "film-mended.mp4" and made.name == "film.mp4"
    assert VideoFile(made.path).rate == pytest.approx(10.0)
    given, result = frames_of(film), frames_of(made.path)
    assert result.shape == given.shape
    outside = np.ones(SIDE, bool)
    outside[0:17, 0:17] = False  # the box, and 4 pixels and the codec's blur around it
    assert np.abs(result - given)[:, outside].max() <= 6  # what compression changes
    assert np.abs(result - given)[:, 5:11, 5:11].max() > 10


def test_nothing_is_taken_from_beyond_a_cut(models, film, tmp_path, monkeypatch):
    """Half of the first frame of the second shot is missing; it is made as if that shot were all."""
    mask = np.zeros((11, *SIDE, 3), np.uint8)
    mask[6, :, :SIDE[1] // 2] = 255

    def first_of_second_shot(name, begin=0):
        write_clip(tmp_path / f"{name}.mp4", frames_of(film)[begin:].astype(np.uint8), 10.0)
        write_clip(tmp_path / f"{name}-mask.mp4", mask[begin:], 10.0)
        made, = make_films(settings(models["inpaint"], tmp_path / f"{name}.mp4", tmp_path / "made",
                                    mask=str(tmp_path / f"{name}-mask.mp4")), models["inpaint"])
        return frames_of(made.path)[6 - begin]

    alone, after_cut = first_of_second_shot("second", 6), first_of_second_shot("whole")
    monkeypatch.setattr(films, "CUT_THRESHOLD", 1.0)
    uncut = first_of_second_shot("uncut")
    assert np.abs(after_cut - alone).mean() < 3 and np.abs(uncut - alone).mean() > 15


def test_frames_are_enlarged(models, film, tmp_path):
    made, = make_films(settings(models["enhance"], film, tmp_path / "large.webm"), models["enhance"])
    assert made.path == tmp_path / "large.webm"
    assert frames_of(made.path).shape == (11, 2 * SIDE[0], 2 * SIDE[1], 3)


def test_a_film_is_put_on_another_size(models, film, tmp_path):
    made, = make_films(settings(models["reorient"], film, tmp_path, rotate=5.0, size="64x48"), models["reorient"])
    assert made.path.name == "film-turned.mp4" and frames_of(made.path).shape == (11, 48, 64, 3)


def test_a_film_is_continued(models, film, tmp_path):
    made, = make_films(settings(models["predict"], film, tmp_path, num_frames=7), models["predict"])
    result = frames_of(made.path)
    assert result.shape == (18, *SIDE, 3)
    assert np.abs(result[:11] - frames_of(film)).max() <= 6
    assert [frame.time for frame in VideoFile(made.path).frames()] == pytest.approx(np.arange(18) / 10, abs=0.002)


def test_a_preview_shows_the_first_seconds_beside_what_is_made(models, film, tmp_path):
    made, = make_films(settings(models["inpaint"], film, tmp_path, mask="4,4,8,8", preview=0.5), models["inpaint"])
    result = frames_of(made.path)
    assert made.path.name == "film-preview.mp4" and result.shape == (5, SIDE[0], 2 * SIDE[1], 3)
    assert np.abs(result[:, :, :SIDE[1]] - frames_of(film)[:5]).max() <= 8


@pytest.mark.parametrize("kind", ["picture", "video", "folder"])
def test_a_mask_may_be_a_picture_a_video_or_a_folder(models, film, tmp_path, kind):
    mask = np.zeros((11, *SIDE, 3), np.uint8)
    mask[:, 4:12, 4:12] = 255
    name = {"picture": "mask.png", "video": "mask.mp4", "folder": "mask"}[kind]
    if kind == "picture":
        (tmp_path / name).write_bytes(encode_png(mask[0]))
    else:
        write_clip(tmp_path / name, mask, 10.0)
    by_mask, by_box = (make_films(settings(models["inpaint"], film, tmp_path / folder, mask=asked),
                                  models["inpaint"])[0].path
                       for folder, asked in (("mask-made", str(tmp_path / name)), ("box-made", "4,4,8,8")))
    np.testing.assert_allclose(frames_of(by_mask), frames_of(by_box), atol=4)


@pytest.mark.parametrize(("task", "asked", "message"), [
    ("inpaint", {}, "`mask` must name what is to be made anew"),
    ("inpaint", {"mask": "no.png"}, "`mask` must name a video, a folder of pictures, a picture, or X,Y,WIDTH,HEIGHT"),
    ("inpaint", {"mask": "100,4,8,8"}, "`mask` must lie in the frame of 40x24"),
    ("inpaint", {"mask": "4,4,8,8", "rotate": 5.0}, "are for --task=reorient"),
    ("inpaint", {"mask": "4,4,8,8", "num_frames": 5}, "`num_frames` is for --task=predict"),
    ("enhance", {"mask": "4,4,8,8"}, "`mask` must not name"),
    ("enhance", {"fps": 5.0}, "films keep their rate"),
    ("reorient", {"shift": "5"}, "`shift` must be 2 numbers, as in 0,0. Received: shift=5"),
    ("reorient", {"size": "5"}, "`size` must be WIDTHxHEIGHT"),
    ("enhance", {"out": "film.gif"}, "`out` must end in one of .mp4, .mov, .mkv, .webm, or be a folder"),
    ("enhance", {"input": "no.mp4"}, "`input` must name a video")])
def test_what_is_asked_wrongly_is_said(models, film, tmp_path, monkeypatch, task, asked, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as raised:
        make_films(settings(models[task], **{"film": film, "out": "out", **asked}) if "input" not in asked else
                   settings(models[task], asked["input"], "out"), models[task])
    assert message in str(raised.value)


@pytest.mark.parametrize(("shape", "message"), [
    ((11, 24, 48), "`mask` must be as large as the frames, 40x24; it is 48x24"),
    ((7, 24, 40), "`mask` must be as long as the input: it ends after 7 frames")])
def test_a_mask_of_another_size_or_length_is_named_and_what_is_made_is_kept(models, film, tmp_path, shape, message):
    write_clip(tmp_path / "mask.mp4", np.zeros((*shape, 3), np.uint8), 10.0)
    with pytest.raises(UserError) as raised:
        make_films(settings(models["inpaint"], film, tmp_path / "out", mask=str(tmp_path / "mask.mp4")),
                   models["inpaint"])
    assert message in str(raised.value)


def test_one_bad_input_does_not_end_the_others(models, film, tmp_path):
    folder = tmp_path / "films"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(b"no video at all")
    (folder / "b.mp4").write_bytes(film.read_bytes())
    made = make_films(settings(models["enhance"], folder / "*.mp4", tmp_path / "out"), models["enhance"])
    assert [entry.path and entry.path.name for entry in made] == [None, "b-enhanced.mp4"]
    assert "unreadable" in made[0].problem and frames_of(made[1].path).shape[0] == 11
    with pytest.raises(UserError, match=r"a\.mp4"):
        make_films(settings(models["enhance"], folder / "a.mp4", tmp_path / "out"), models["enhance"])


def test_a_film_is_not_written_over_itself(models, film, tmp_path):
    with pytest.raises(UserError, match="another file than `input`"):
        make_films(settings(models["enhance"], film, film), models["enhance"])


def test_an_interrupted_film_goes_on_where_it_was(models, film, tmp_path, monkeypatch):
    """What was made before is not made again, and the film is the same."""
    monkeypatch.setattr(films, "WARM_UP", 2)
    monkeypatch.setattr(films, "MAX_PIECE", 2)
    monkeypatch.setattr("gan_keras.video.films.SEGMENT_SECONDS", 0.2)
    asked = settings(models["enhance"], film, tmp_path / "film.mkv")
    whole, = make_films(settings(models["enhance"], film, tmp_path / "whole.mkv"), models["enhance"])
    monkeypatch.setattr(models["enhance"], "calls", 0, raising=False)
    call = SavedGenerator.__call__

    def fails_later(self, name, inputs):
        self.calls += 1
        if self.calls == 9:
            raise KeyboardInterrupt
        return call(self, name, inputs)

    monkeypatch.setattr(SavedGenerator, "__call__", fails_later)
    with pytest.raises(KeyboardInterrupt):
        make_films(asked, models["enhance"])
    monkeypatch.setattr(SavedGenerator, "__call__", call)
    begun = len(list((tmp_path / ".film.mkv.segments").glob("*.mkv")))
    made, = make_films(asked, models["enhance"])
    assert begun >= 2
    np.testing.assert_allclose(frames_of(made.path), frames_of(whole.path), atol=4)


def test_frames_that_are_missing_are_no_cut_and_are_filled_from_those_beside(models, tmp_path):
    frames, masks = (np.full((8, *SIDE, 3), value, np.uint8) for value in (60, 0))
    frames[3:5], masks[3:5] = 255, 255
    write_clip(tmp_path / "film.mp4", frames, 10.0)
    write_clip(tmp_path / "mask.mp4", masks, 10.0)
    made, = make_films(settings(models["inpaint"], tmp_path / "film.mp4", tmp_path, mask=str(tmp_path / "mask.mp4")),
                       models["inpaint"])
    assert np.abs(frames_of(made.path) - 60).mean((1, 2, 3)).max() < 25  # a grey of its own is 67


@pytest.mark.parametrize(("task", "more"), [("enhance", {}), ("inpaint", {"mask": "90,4,150,20"})])
def test_tiles_equal_the_whole(models, film, tmp_path, monkeypatch, task, more):
    wide = np.tile(frames_of(film)[:3].astype(np.uint8), (1, 1, 22, 1))  # 880 pixels
    write_clip(tmp_path / "wide.mp4", wide, 10.0)
    arguments = models[task], tmp_path / "wide.mp4"
    whole, = make_films(settings(*arguments, tmp_path / "whole", **more), models[task])
    monkeypatch.setattr(films, "affordable_tiles", lambda size, work: tiles.cut(size, 128, tiles.margin_of(bool(more))))
    tiled, = make_films(settings(*arguments, tmp_path / "tiled", **more), models[task])
    assert np.abs(frames_of(tiled.path) - frames_of(whole.path)).max() <= 1


@pytest.mark.parametrize(("mask", "count"), [("", 1), ("0,0,8,8", 6)])
def test_frames_with_a_mask_take_more_memory_and_are_cut_earlier(mask, count, monkeypatch):
    monkeypatch.setattr(tiles, "available_memory", lambda: 50e9)
    work = SimpleNamespace(settings=GenerateSettings(model="model", mask=mask), parameters={},
                           model=SimpleNamespace(description=SimpleNamespace(factor=1)))
    assert len(films.affordable_tiles((2160, 3840), work)) == count


def test_tiles_cover_a_frame_once_with_margins_inside_it():
    covered, margin = np.zeros((300, 700), int), tiles.margin_of(masked=False)
    assert 80 <= margin < tiles.margin_of(masked=True)
    for tile in tiles.cut((300, 700), 256, margin):
        (top, bottom), (left, right) = tile.core
        covered[top:bottom, left:right] += 1
        assert tile.rows.start % 64 == tile.columns.start % 64 == 0
        assert tile.rows.start in (0, top - margin) and tile.columns.stop in (700, right + margin)
    assert (covered == 1).all()
