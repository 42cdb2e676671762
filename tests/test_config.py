"""Settings: bounds in the user's language, and the way to JSON and back."""

import json

import pytest

from gan_keras import catalog
from gan_keras.config import Config
from gan_keras.errors import UserError
from gan_keras.settings import split_weight
from gan_keras.train_settings import ClipSettings, ModelSettings


def test_a_config_survives_json(tiny):
    config = tiny.replace(discriminators=("frame:0.5", "clip"), augment=("flip",), export=False)
    assert Config.from_json(config.to_json()) == config


def test_a_config_written_before_a_setting_existed_takes_its_default():
    stored = json.loads(Config().to_json())
    del stored["model"]["generator_width"]
    assert Config.from_json(json.dumps(stored)) == Config()


@pytest.mark.parametrize("text", ["", "[]", "{\"clips\": 3}", "{\"clips\": {\"colour\": 1}}", "{\"sound\": {}}"])
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
    ({"generator": "gpt"}, "`generator` must be one of dcgan3d, layered, mlp, mocogan. Received: generator=gpt"),
    ({"discriminators": ()}, "at least one"),
    ({"discriminators": ("frame", "frame:2")}, "without repetition"),
    ({"discriminators": ("frame:-1",)}, "weight above 0"),
    ({"discriminators": ("frame:inf",)}, "weight above 0"),
    ({"small_scale": 3}, "`small_scale` must be 0, 1, 2, 4 or 8"),
    ({"learning_rate": float("nan")}, "`learning_rate` must be a finite number. Received: learning_rate=nan"),
    ({"learning_rate": 0.0}, "`learning_rate` must be above 0.0"),
    ({"still_background": True}, "`still_background` is for --generator=dcgan3d. Received: generator=layered"),
    ({"augment_target": 0.5}, "`augment_target` needs `augment_step`"),
    ({"penalty": "r3"}, "`penalty` must be one of none, r1, r1r2, wgan_gp, dragan")])
def test_impossible_settings_are_refused_in_the_users_language(settings, message):
    with pytest.raises(UserError) as raised:
        Config().replace(**settings)
    assert message in str(raised.value)


def test_resolution_is_width_by_height():
    clips = ClipSettings(resolution="96x64")
    assert (clips.width, clips.height, clips.shape) == (96, 64, (16, 64, 96, 3))


def test_weights_follow_a_colon():
    assert split_weight("frame") == ("frame", 1.0) and split_weight("clip:0.25") == ("clip", 0.25)
    assert ModelSettings(discriminators=("clip:0.25",)).discriminators == ("clip:0.25",)


def test_the_catalog_lists_functions_and_files_with_a_line_of_help():
    assert list(catalog.choices("losses")) == ["bce", "minimax", "least_squares", "wasserstein", "hinge",
                                               "relativistic"]
    assert catalog.choices("models.generators")["mocogan"].startswith("Content and recurrent motion")
    for room in ("losses", "penalties", "data.augment", "models.generators", "models.discriminators"):
        for name, line in catalog.choices(room).items():
            assert callable(catalog.find(room, name)) and line
