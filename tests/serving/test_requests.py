"""Requests in the words of the command line."""

import pytest

from gan_keras.config.settings import format_value
from gan_keras.errors import UserError
from gan_keras.serving.requests import parse_label

CLASSES = ("walk", "walk:2", "Putting something, something", "a:b", 'x"y', "ä #1", " leading", "k=v", "*|`_")


@pytest.mark.parametrize("name", CLASSES)
def test_the_name_of_a_class_is_that_class_whatever_is_in_it(name):
    assert parse_label(name, CLASSES, "model") == {name: 1.0}


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_of_any_name_has_a_weight_in_a_list(name):
    text = format_value((f"{name}:0.25", "k=v" if name != "k=v" else "walk"))
    assert parse_label(text, CLASSES, "model")[name] == 0.25


@pytest.mark.parametrize(("text", "weights"), [
    ("", {}), ("walk:0.7, a:b:0.3", {"walk": 0.7, "a:b": 0.3}), ("walk,walk:2", {"walk": 1.0, "walk:2": 1.0}),
    ("walk:2:0.5", {"walk:2": 0.5}), ('"Putting something, something:0.5",walk:0.5',
                                      {"Putting something, something": 0.5, "walk": 0.5})])
def test_weights_follow_the_last_colon(text, weights):
    assert parse_label(text, CLASSES, "model") == weights


@pytest.mark.parametrize("text", ["fly", "walk:0", "walk:x", "walk:-1", "walk:inf", "walk,walk:3", "walk,", " ",
                                  '"walk'])
def test_what_is_no_class_is_refused(text):
    with pytest.raises(UserError) as raised:
        parse_label(text, ("walk", "a, b"), "model")
    assert str(raised.value).startswith("`label` must be one of walk, a, b; or several")
    assert '''walk:0.5,"a, b:0.5"''' in str(raised.value) and str(raised.value).endswith(f"Received: label={text}")


def test_a_refusal_names_the_class_that_was_meant_and_not_hundreds():
    with pytest.raises(UserError, match=r"class 19, \.\.\.; .*Did you mean class 87\? Received: label=klass 87$"):
        parse_label("klass 87", [f"class {number}" for number in range(174)], "model")


def test_a_model_without_classes_has_no_label():
    with pytest.raises(UserError, match=r"must be empty: runs/a was trained without --classes\. Received: label=walk$"):
        parse_label("walk", (), "runs/a")
