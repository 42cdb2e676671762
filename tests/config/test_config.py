"""Settings: bounds in the user's language, and the way to JSON and back."""

import importlib
import json
import pkgutil

import pytest

from gan_keras import data, losses, tasks
from gan_keras.config.settings import format_value, parse_list, setting, split_weight
from gan_keras.config.train import ClipSettings, Config, ModelSettings
from gan_keras.data import augment
from gan_keras.errors import UserError
from gan_keras.losses import adversarial, gradient_penalties, reconstruction
from gan_keras.models import discriminators, encoders, generators


def test_a_config_survives_json(tiny):
    config = tiny.replace(discriminators=("frame:0.5", "clip"), augment=("flip",), export=False)
    assert Config.from_json(config.to_json()) == config


def test_a_config_written_before_a_setting_existed_takes_its_default():
    stored = json.loads(Config().to_json())
    del stored["model"]["generator_width"]
    assert Config.from_json(json.dumps(stored)) == Config()


@pytest.mark.parametrize("text", ["", "[]", "{\"clip\": 3}", "{\"clip\": {\"colour\": 1}}", "{\"sound\": {}}"])
def test_what_is_no_config_is_named(text):
    with pytest.raises(UserError, match=r"config\.json"):
        Config.from_json(text)


@pytest.mark.parametrize(("settings", "message"), [
    ({"resolution": "50"}, "`resolution` must be a multiple of 8 from 8 to 2048. Received: resolution=50"),
    ({"resolution": "4096"}, "multiple of 8 from 8 to 2048"),
    ({"resolution": "64x64x3"}, "must be a size as 64 or 96x64"),
    ({"num_frames": 0}, "`num_frames` must be at least 1. Received: num_frames=0"),
    ({"test_fraction": 0.95}, "`test_fraction` must be at most 0.9"),
    ({"cut_threshold": 0.0}, "`cut_threshold` must be above 0.0"),
    ({"num_frames": 2.5}, "`num_frames` must be of type int"),
    ({"keep": ("torn",)}, "`keep` must be a list of blank, frozen, duplicate. Received: keep=torn"),
    ({"generator": "gpt"}, "`generator` must be one of dcgan3d, "),
    ({"discriminators": ()}, "at least one"),
    ({"num_frames": 1}, "`discriminators` must be without pair where clips have one frame"),
    ({"discriminators": ("frame", "frame:2")}, "without repetition"),
    ({"discriminators": ("frame:-1",)}, "weight above 0"),
    ({"discriminators": ("frame:inf",)}, "weight above 0"),
    ({"low_resolution_factor": 3}, "`low_resolution_factor` must be 0, 1, 2, 4 or 8"),
    ({"learning_rate": float("nan")}, "`learning_rate` must be a finite number. Received: learning_rate=nan"),
    ({"learning_rate": 0.0}, "`learning_rate` must be above 0.0"),
    ({"static_background": True}, "`static_background` is for --generator=dcgan3d. Received: static_background=true, "
                                  "generator=drift"),
    ({"student_forcing": 4, "generator": "mlp"}, "`student_forcing` is for --generator=drift or layered or mocogan. "
                                                 "Received: student_forcing=4, generator=mlp"),
    ({"holes": ("text",)}, "`holes` is for --task=inpaint. Received: holes=text, task=generate"),
    ({"task": "enhance", "generator": "mocogan"}, "`generator` is for --task=generate or reconstruct. Received: "
                                                  "generator=mocogan, task=enhance"),
    ({"ada_target": 0.5}, "`ada_target` needs `diffaugment`"),
    ({"penalty": "r3"}, "`penalty` must be one of none, r1, r1r2, approximate_r1, approximate_r1r2, wgan_gp, dragan")])
def test_impossible_settings_are_refused_in_the_users_language(settings, message):
    with pytest.raises(UserError) as raised:
        Config().replace(**settings)
    assert message in str(raised.value)


def test_only_a_setting_that_is_named_is_refused_for_what_else_is_set():
    config = Config().replace(task="enhance", degrade=("down4",), sharpness=0.0)
    assert config.replace(task="generate").given == config.given


def test_resolution_is_width_by_height():
    clips = ClipSettings(resolution="96x64")
    assert (clips.width, clips.height, clips.shape) == (96, 64, (16, 64, 96, 3))


def test_weights_follow_a_colon():
    assert split_weight("frame") == ("frame", 1.0) and split_weight("clip:0.25") == ("clip", 0.25)
    assert split_weight("a:b:2") == ("a:b", 2.0)
    assert ModelSettings(discriminators=("clip:0.25",)).discriminators == ("clip:0.25",)


@pytest.mark.parametrize(("text", "items"), [
    ("", ()), ("a", ("a",)), (" a , b ", ("a", "b")), ("a b", ("a b",)), ('"a, b", c', ("a, b", "c")),
    ('" a "', (" a ",)), ('x"y', ('x"y',)), ('"x""y"', ('x"y',)), ('""', ("",)), ("a,", ("a", ""))])
def test_a_list_is_read_as_csv(text, items):
    assert parse_list(text) == items and parse_list(format_value(items)) == items


@pytest.mark.parametrize("text", ['"a', '"a"b', 'a,"b', ' "a" b'])
def test_a_list_with_half_a_quote_is_refused(text):
    with pytest.raises(ValueError, match="not a list"):
        parse_list(text)


@pytest.mark.parametrize(("name", "message"), [("bacth_size", "did you mean 'batch_size'"), ("x", "no setting 'x'")])
def test_a_setting_that_does_not_exist_is_refused(name, message):
    with pytest.raises(TypeError, match=message):
        Config().replace(**{name: 3})


def test_a_rule_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="minimun"):
        setting(3, "Help.", minimun=5)


@pytest.mark.parametrize(("names", "functions"), [
    (losses.ADVERSARIAL_LOSSES, adversarial.FUNCTIONS), (losses.GRADIENT_PENALTIES, gradient_penalties.FUNCTIONS),
    ({*losses.RECONSTRUCTION_LOSSES} - {"features"}, reconstruction.FUNCTIONS),
    (data.AUGMENTATIONS, augment.FUNCTIONS)])
def test_choices_are_the_functions_beside_them(names, functions):
    assert set(names) == set(functions)
    assert all(function.__name__ == name and callable(function) for name, function in functions.items())


@pytest.mark.parametrize(("names", "package"), [
    (generators.GENERATORS, generators), (discriminators.DISCRIMINATORS, discriminators),
    (encoders.ENCODERS, encoders), (tasks.TASKS, tasks)])
def test_choices_are_the_files_beside_them(names, package):
    files = {module.name for module in pkgutil.iter_modules(package.__path__)} - {"task", "registry", "video_to_video"}
    assert set(names) == files
    for name in files:
        attribute = "".join(part.capitalize() for part in name.split("_")) if package is tasks else name
        assert callable(getattr(importlib.import_module(f"{package.__name__}.{name}"), attribute))
