"""No dead flag: every setting of a training run, changed, changes something that a test observes.

`OBSERVED` has another value for a setting and a way to look, which must see the change here. `ELSEWHERE` names the
file whose tests see it.
"""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras import hardware
from gan_keras.config import Config
from gan_keras.gan import VideoGAN
from gan_keras.train_settings import HardwareSettings

BASE = {"resolution": "8", "num_frames": 3, "steps": 4, "batch_size": 2, "penalty_every": 1}


@pytest.fixture(autouse=True)
def eager():
    """Step by step instead of traced: two steps then take a second."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def weights(config):
    """All variables after two steps."""
    gan = VideoGAN(config, tf.distribute.get_strategy())
    shape = (config.optimization.batch_size, *config.clips.shape)
    clips = tf.cast(tf.random.stateless_uniform(shape, [1, 2], 0, 256, tf.int32), tf.uint8)
    batch = {"clips": clips, "label": tf.range(len(clips), dtype=tf.int64) % 2}
    for step in range(2):
        gan.train_step(batch, tf.constant(step, tf.int64), gan.due(step))
    return {name: variable.numpy() for name, variable in gan.variables.items()}


def shapes(config):
    """Names and shapes of all variables."""
    gan = VideoGAN(config, tf.distribute.get_strategy())
    return {name: tuple(variable.shape) for name, variable in gan.variables.items()}


def generator_weights(config):
    return {name: value for name, value in weights(config).items() if name.startswith("generator/")}


def average_weights(config):
    return {name: value for name, value in weights(config).items() if name.startswith("average/")}


OBSERVED = {
    "resolution": ("16", shapes), "num_frames": (4, shapes),
    "generator": ("dcgan3d", shapes), "discriminators": (("pair:0.5", "clip"), generator_weights),
    "generator_width": (8, shapes), "discriminator_width": (8, shapes), "content_size": (7, shapes),
    "motion_size": (5, shapes), "judged_pairs": (2, weights), "small_scale": (1, shapes),
    "recurrence": ("lstm", shapes), "attention": (("space:8",), shapes), "still_background": (True, shapes),
    "conditional_normalization": (True, shapes), "spectral_normalization": (True, shapes),
    "minibatch_statistics": (True, shapes), "classes": (("a", "b"), shapes), "class_judge": ("classifier", shapes),
    "categories": (3, shapes), "codes": (2, shapes), "discriminator_steps": (2, weights), "unroll_steps": (1, weights),
    "class_weight": (0.5, weights), "information_weight": (0.5, weights), "feature_matching": (1.0, weights),
    "mask_sparsity": (0.5, weights), "freeze": (("generator/*",), generator_weights),
    "encoder": ("clip", shapes), "encoder_prior": ("adversarial", shapes), "reconstruction": (("l2",), weights),
    "prior_weight": (0.5, weights), "instance_noise": (0.1, weights),
    "augment_target": (0.5, weights), "augment_clips": (4, weights),
    "loss": ("hinge", weights), "penalty": ("r1", weights), "penalty_weight": (9.0, weights),
    "penalty_every": (2, weights), "augment_step": (("brightness",), weights),
    "seed": (3, weights), "batch_size": (4, weights), "optimizer": ("sgd", shapes), "learning_rate": (0.1, weights),
    "discriminator_learning_rate": (0.1, weights),
    "learning_rate_schedule": ("cosine", weights), "warmup_steps": (2, weights), "beta_1": (0.5, weights),
    "beta_2": (0.5, weights), "gradient_norm_limit": (1e-5, weights), "average_decay": (0.0, average_weights),
}
TOGETHER = {"still_background": {"generator": "dcgan3d"},
            "conditional_normalization": {"generator": "mocogan", "resolution": "16"},
            "class_judge": {"classes": ("a", "b")},
            "class_weight": {"classes": ("a", "b"), "class_judge": "classifier"},
            "information_weight": {"categories": 2},
            "mask_sparsity": {"generator": "dcgan3d", "still_background": True},
            "minibatch_statistics": {"batch_size": 4}, "encoder_prior": {"encoder": "clip"},
            "reconstruction": {"encoder": "clip"}, "prior_weight": {"encoder": "clip"},
            "augment_target": {"augment_step": ("brightness",)},
            "augment_clips": {"augment_step": ("brightness",), "augment_target": 1e-6,
                              "discriminator_learning_rate": 0.1}}
"""Settings without which another says nothing."""
ELSEWHERE = {
    "frame_stride": "test_prepare", "fps": "test_prepare", "test_fraction": "test_prepare",
    "cut_threshold": "test_prepare", "keep": "test_prepare", "workers": "test_prepare",
    "augment": "test_pipeline", "precision": "test_flags", "xla": "test_flags", "strategy": "test_flags",
    "virtual_devices": "test_command_line", "data": "test_command_line", "run_dir": "test_command_line",
    "log_every": "test_command_line", "sample_every": "test_command_line", "checkpoint_every": "test_command_line",
    "export": "test_command_line", "steps": "test_command_line", "keep_checkpoints": "test_command_line",
    "minutes": "test_command_line",
    "init_from": "test_trainer", "perceptual": "test_perceptual", "perceptual_weight": "test_perceptual",
    "evaluate_every": "test_evaluate_command_line", "evaluate_clips": "evaluation/test_watch",
    "keep_best": "evaluation/test_watch", "patience": "evaluation/test_watch",
}


def test_every_setting_is_observed_somewhere():
    assert {field.name for field, _ in Config().items()} == set(OBSERVED) | set(ELSEWHERE)
    for name, file in ELSEWHERE.items():
        assert name in (Path(__file__).parent / f"{file}.py").read_text(), name


@pytest.fixture(scope="module")
def base(tiny):
    return tiny.replace(**BASE)


@pytest.fixture(scope="module")
def looks(base):
    """What each way of looking sees at the base values."""
    tf.config.run_functions_eagerly(True)
    return {look: look(base) for look in {look for _, look in OBSERVED.values()}}


@pytest.mark.parametrize("name", OBSERVED)
def test_changing_a_setting_changes_what_is_seen(name, base, looks):
    value, look = OBSERVED[name]
    base = base.replace(**TOGETHER.get(name, {}))
    before, after = looks[look] if name not in TOGETHER else look(base), look(base.replace(**{name: value}))
    if before.keys() == after.keys():
        assert any(not np.array_equal(before[key], after[key]) for key in before), name


def test_precision_decides_the_policy(monkeypatch):
    assert hardware.precision_policy(HardwareSettings(precision="float32")) == "float32"
    assert hardware.precision_policy(HardwareSettings(precision="bfloat16")) == "mixed_bfloat16"
    for has, policy in ((True, "mixed_bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "has_bfloat16", lambda has=has: has)
        assert hardware.precision_policy(HardwareSettings()) == policy


def test_xla_is_for_gpus_unless_asked_for():
    assert [hardware.uses_xla(HardwareSettings(xla=value)) for value in ("auto", "on", "off")] == [False, True, False]


def test_strategy_takes_all_devices_or_one():
    assert hardware.make_strategy(HardwareSettings()).num_replicas_in_sync == 2
    assert hardware.make_strategy(HardwareSettings(strategy="single")).num_replicas_in_sync == 1
