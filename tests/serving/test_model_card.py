"""Names of any letters in the model card."""

import re
import shlex

import pytest

from gan_keras.config.settings import format_value
from gan_keras.config.train import Config
from gan_keras.reports.html import markdown_code
from gan_keras.runs.run_folder import TrainingData
from gan_keras.serving.model_card import model_card
from gan_keras.serving.model_description import ModelDescription, serve_command
from gan_keras.serving.requests import parse_label

CLASSES = ["Putting something, something", "a:b", 'x"y', "ä #1", " leading", "<b>|*`_`", "it's"]
SIGNATURES = {"serving_default": {"inputs": {"label": {"dtype": "int64", "shape": [None]},
                                             "seed": {"dtype": "int64", "shape": [None]}},
                                  "outputs": {"video": {"dtype": "uint8", "shape": [None, 4, 8, 8, 3]}}}}


def card(classes):
    description = ModelDescription(30, 4, 8, 8, 12.0, SIGNATURES, classes)
    return model_card(description, Config().replace(classes=tuple(classes)),
                      TrainingData("my_videos|`1`", 12.0, classes, {"train": 24}), 0, "float32")


@pytest.mark.parametrize(("text", "markdown"), [
    ("walk", "`walk`"), ("", ""), ("a`b", "``a`b``"), ("`a``", "``` `a`` ```"), (" a ", "`  a  `"), ("a\nb", "`a b`"),
    ("a|b", "`a|b`")])
def test_code_in_markdown_shows_a_text_as_it_is(text, markdown):
    assert markdown_code(text) == markdown


def test_every_class_is_shown_as_it_is():
    text = card(CLASSES)
    for number, name in enumerate(CLASSES):
        assert f"{number} {markdown_code(name)}" in text
    assert f"{markdown_code('my_videos|`1`')}, 24 clips, of the classes `Putting something, something`, " in text
    row, = (line for line in text.splitlines() if line.startswith("| classes |"))
    assert row == f"| classes | {markdown_code(format_value(tuple(CLASSES)), in_table=True)} |"
    assert len(re.findall(r"(?<!\\)\|", row)) == 3  # cells of a table


def test_its_commands_ask_for_the_classes_they_name():
    text = card(CLASSES)
    one, mixture = re.search(r"From the command line: (`+ ?)(.*?)\1, or `(.*)` for a mixture", text).group(2, 3)
    (single,), (both,) = shlex.split(one), shlex.split(mixture)
    assert parse_label(single.removeprefix("--label="), CLASSES, "model") == {CLASSES[0]: 1.0}
    assert parse_label(both.removeprefix("--label="), CLASSES, "model") == {CLASSES[0]: 0.5, CLASSES[-1]: 0.5}


def test_a_single_class_is_not_mixed():
    assert "From the command line: `--label=walk`.\n" in card(["walk"])


def test_a_model_is_served_from_a_folder_of_any_name():
    words = shlex.split(serve_command('/my runs/a,b:c/export'))
    assert words[words.index("--mount") + 1] == 'type=bind,"source=/my runs/a,b:c/export",target=/models/video_gan'
