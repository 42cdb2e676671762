"""Series of numbered pictures."""

import os

import pytest

from gan_keras.data.sources.series import find_series, series_pictures, without_companions


def grouped(*names):
    """Names of each series by its pattern, and those of no series."""
    series, others = find_series(names)
    return {entry.pattern: [name for _, name in entry.pictures] for entry in series}, others


def touch(folder, *names):
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).touch()


def test_pictures_that_differ_in_one_number_are_a_series_in_the_order_of_the_numbers():
    assert grouped("f10.png", "f9.png", "f1.PNG", "cover.png") == ({"f*.png": ["f1.PNG", "f9.png", "f10.png"]},
                                                                    ["cover.png"])


def test_each_prefix_is_a_series():
    assert grouped("walk_1.png", "walk_2.png", "jump_1.png", "jump_2.png", "lone_1.png") == (
        {"jump_*.png": ["jump_1.png", "jump_2.png"], "walk_*.png": ["walk_1.png", "walk_2.png"]}, ["lone_1.png"])


@pytest.mark.parametrize(("names", "pattern"), [
    (["cam2_0001_640x480.png", "cam2_0002_640x480.png"], "cam2_*_640x480.png"),
    (["photo (1).jpg", "photo (2).jpg"], "photo (*).jpg"), (["1*1.png", "1*2.png"], "1**.png"),
    (["é٣.png", "é٤.png"], "é*.png"), (["10.png", "9.png"], "*.png"), (["a.b.1.tif", "a.b.2.tif"], "a.b.*.tif")])
def test_the_last_number_that_changes_counts(names, pattern):
    assert list(grouped(*names)[0]) == [pattern]


def test_pictures_of_one_number_are_no_series_and_only_one_of_them_is_in_one():
    assert grouped("1.png", "01.png") == ({}, ["01.png", "1.png"])
    assert grouped("1.png", "01.png", "02.PNG", "02.png") == ({"*.png": ["01.png", "02.PNG"]}, ["02.png", "1.png"])
    assert grouped("a1_b1.png", "a1_b2.png", "a2_b1.png", "a3_b1.png") == (
        {"a1_b*.png": ["a1_b1.png", "a1_b2.png"]}, ["a2_b1.png", "a3_b1.png"])


def test_masks_under_the_same_numbers_are_no_video():
    def split(*names):
        videos, companions = without_companions(find_series(names)[0])
        return [video.pattern for video in videos], [(entry.pattern, video.pattern) for entry, video in companions]

    assert split("1.png", "2.png", "1.jpg", "2.jpg") == (["*.jpg"], [("*.png", "*.jpg")])
    assert split("1.png", "2.png", "3.png", "1.jpg", "2.jpg") == (["*.png"], [("*.jpg", "*.png")])
    assert split("1.png", "2.png", "1_mask.png", "2_mask.png") == (["*.png"], [("*_mask.png", "*.png")])
    assert split("1.png", "2.png", "1-mask.png", "2-mask.png") == (["*.png"], [("*-mask.png", "*.png")])
    assert split("1.png", "2.png", "3.jpg", "4.jpg", "a1.bmp", "a2.bmp") == (["*.jpg", "*.png", "a*.bmp"], [])


@pytest.mark.parametrize("prefix", ["frame_", "", "a*b[1]x", "12*"])
def test_a_path_lists_the_pictures_of_its_series(tmp_path, prefix):
    names = [f"{prefix}{number}.png" for number in ("2", "0010", "0001")]
    touch(tmp_path / "in", *names, f"{prefix}2.PNG", "other1.png", f"{prefix}1.jpg", f"{prefix}.png")
    os.mkfifo(tmp_path / "in" / f"{prefix}5.png")
    series, _ = find_series(names)
    assert [entry.pattern for entry in series] == [f"{prefix}*.png"]
    assert series_pictures(f"{tmp_path}/in/{series[0].pattern}") == [
        (1, tmp_path / "in" / names[2]), (2, tmp_path / "in" / f"{prefix}2.PNG"), (10, tmp_path / "in" / names[1])]
