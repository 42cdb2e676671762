"""No dead flag: every setting of a training run, changed, changes something that a test observes.

`OBSERVED` has another value for a setting and a way to look at it, which must see the change here. `ELSEWHERE` has the
test that sees it: what is named there must exist, and set the setting.
"""

import ast
import functools
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import Batch, DomainBatch
from gan_keras.training.distribution import Distribution
from gan_keras.training.train_step import VideoGAN
from tests.training.batches import step_of, values

BASE = {"resolution": "8", "num_frames": 3, "steps": 4, "batch_size": 2, "penalty_interval": 1, "generator": "dcgan3d",
        "optimizer": "sgd", "learning_rate": 0.01}  # Adam's first step hardly depends on how large a gradient is
ONE_DEVICE = Distribution(tf.distribute.get_strategy())


@pytest.fixture(autouse=True)
def eager(eagerly):
    """Operation by operation instead of traced: a step then takes a second."""


def weights(config, steps=1):
    """All variables after a step."""
    gan = VideoGAN.create(config, ONE_DEVICE)
    shape = (config.optimization.batch_size, *config.clip.shape)
    clips = tf.cast(tf.random.stateless_uniform(shape, [1, 2], 0, 256, tf.int32), tf.uint8)
    batch = Batch(clips, tf.range(len(clips), dtype=tf.int64) % 2)
    if config.objective.task == "translate":
        batch = DomainBatch(*batch, clips[::-1])
    for step in range(steps):
        step_of(gan, step, batch)
    return values(gan)


def later_weights(config):
    """All variables after two steps, the first of which is the same or changes nothing that is looked at."""
    return weights(config, steps=2)


def shapes(config):
    """Names and shapes of all variables."""
    gan = VideoGAN.create(config, ONE_DEVICE)
    return {name: tuple(variable.shape) for name, variable in gan.variables.items()}


def generator_weights(config):
    return {name: value for name, value in weights(config).items() if name.startswith("generator/")}


def ema_weights(config):
    return {name: value for name, value in weights(config).items() if name.startswith("ema/")}


OBSERVED = {
    "resolution": ("16", shapes), "num_frames": (4, shapes),
    "generator": ("layered", shapes), "discriminators": (("pair:0.5", "clip"), generator_weights),
    "generator_width": (8, shapes), "discriminator_width": (8, shapes), "content_dim": (7, shapes),
    "motion_dim": (5, shapes), "frame_pairs": (2, weights), "low_resolution_factor": (1, shapes),
    "recurrence": ("lstm", shapes), "oscillators": (3, shapes), "palette_size": (3, shapes),
    "attention": (("space:8",), shapes), "static_background": (True, shapes),
    "conditional_normalization": (True, shapes), "spectral_normalization": (True, shapes),
    "minibatch_stddev": (True, shapes), "classes": (("a", "b"), shapes), "class_conditioning": ("classifier", shapes),
    "categories": (3, shapes), "codes": (2, shapes), "discriminator_steps": (2, later_weights),
    "unroll_steps": (1, weights), "student_forcing": (2, weights), "picture_steps": (100, later_weights),
    "classification_weight": (0.5, weights), "mutual_information_weight": (0.5, weights),
    "feature_matching_weight": (1.0, weights), "mask_sparsity_weight": (0.5, weights),
    "freeze": (("generator/*",), generator_weights), "task": ("reconstruct", shapes),
    "encoder_prior": ("adversarial", shapes), "reconstruction": (("l2",), weights), "kl_weight": (0.5, weights),
    "latent_adversarial_weight": (0.9, generator_weights), "instance_noise": (0.1, weights),
    "ada_target": (0.5, later_weights), "ada_clips": (4, later_weights),
    "loss": ("hinge", weights), "penalty": ("r1", weights), "penalty_weight": (9.0, weights),
    "degrade": (("noise:9",), weights), "holes": (("text",), weights), "context_frames": (1, shapes),
    "cycle_weight": (5.0, later_weights), "recycle_weight": (5.0, later_weights),
    "identity_weight": (1.0, later_weights), "translation": ("motion", shapes),
    "smoothness_weight": (1.0, later_weights), "fidelity_steps": (1, later_weights), "sharpness": (0.5, weights),
    "penalty_interval": (2, later_weights), "diffaugment": (("brightness",), weights),
    "seed": (3, weights), "batch_size": (4, weights), "optimizer": ("adam", shapes), "learning_rate": (0.1, weights),
    "discriminator_learning_rate": (0.1, weights),
    "learning_rate_schedule": ("cosine", later_weights), "warmup_steps": (2, later_weights),
    "beta_1": (0.5, later_weights), "beta_2": (0.5, later_weights),
    "gradient_clip_norm": (1e-5, weights), "ema_decay": (0.0, ema_weights),
}
_TRANSLATE = {"task": "translate", "generator": "drift", "resolution": "16", "target_data": "shapes:9",
              "discriminators": ("clip",), "penalty": "none"}
TOGETHER = {"motion_dim": {"generator": "mocogan"}, "recurrence": {"generator": "mocogan"},
            "oscillators": {"generator": "mocogan"}, "palette_size": {"generator": "layered"},
            "conditional_normalization": {"generator": "mocogan", "resolution": "16"},
            "student_forcing": {"generator": "mocogan"},
            "class_conditioning": {"classes": ("a", "b")},
            "classification_weight": {"classes": ("a", "b"), "class_conditioning": "classifier"},
            "mutual_information_weight": {"categories": 2},
            "mask_sparsity_weight": {"static_background": True},
            "minibatch_stddev": {"batch_size": 4}, "encoder_prior": {"task": "reconstruct"},
            "reconstruction": {"task": "reconstruct"}, "kl_weight": {"task": "reconstruct"},
            "latent_adversarial_weight": {"task": "reconstruct", "encoder_prior": "adversarial"},
            **{name: _TRANSLATE for name in ("cycle_weight", "recycle_weight", "identity_weight", "translation")},
            "smoothness_weight": {**_TRANSLATE, "translation": "motion"},
            "degrade": {"task": "enhance", "generator": "drift"}, "holes": {"task": "inpaint", "generator": "drift"},
            "context_frames": {"task": "predict", "generator": "drift", "context_frames": 2},
            "fidelity_steps": {"task": "enhance", "generator": "drift", "resolution": "16"},
            "sharpness": {"task": "enhance", "generator": "drift", "resolution": "16", "fidelity_steps": 0},
            "beta_1": {"optimizer": "adam"}, "beta_2": {"optimizer": "adam"},
            "ada_target": {"diffaugment": ("brightness",)},
            "ada_clips": {"diffaugment": ("brightness",), "ada_target": 1e-6, "discriminator_learning_rate": 0.1}}
"""Settings without which another has no effect."""
ELSEWHERE = {
    "frame_stride": "data/preparation/test_segments.py", "fps": "data/preparation/test_segments.py",
    "test_fraction": "data/preparation/test_prepare.py",
    "cut_threshold": "data/preparation/test_prepare.py", "follow_links": "data/sources/test_listing.py",
    "crop": "data/preparation/test_segments.py",
    "keep": "data/preparation/test_prepare.py", "workers": "data/preparation/test_prepare.py",
    "augment": "data/test_input_pipeline.py", "precision": "training/test_distribution.py",
    "xla": "training/test_distribution.py",
    "gradient_accumulation_steps": "training/test_train_step.py", "strategy": "training/test_distribution.py",
    "virtual_devices": "commands/test_train.py", "data": "commands/test_train.py",
    "target_data": "commands/test_train.py", "run_dir": "commands/test_train.py",
    "log_every": "commands/test_train.py", "sample_every": "commands/test_train.py",
    "checkpoint_every": "commands/test_train.py", "export": "commands/test_train.py", "steps": "commands/test_train.py",
    "keep_checkpoints": "commands/test_train.py", "minutes": "commands/test_train.py",
    "init_from": "training/test_loop.py", "encoder": "serving/test_conditional.py",
    "perceptual_network": "losses/test_perceptual.py", "perceptual_weight": "losses/test_perceptual.py",
    "evaluate_every": "commands/test_evaluate.py", "evaluate_clips": "evaluation/test_callback.py",
    "keep_best": "evaluation/test_callback.py", "patience": "evaluation/test_callback.py",
}


def test_every_setting_is_observed_somewhere():
    assert set(Config.names()) == set(OBSERVED) | set(ELSEWHERE)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_observed_elsewhere_is_set_there(name):
    """As a keyword argument or key of a test's settings, or as a flag of a command; a comment does not count."""
    tree = ast.parse((Path(__file__).parents[1] / ELSEWHERE[name]).read_text())
    keywords = {node.arg for node in ast.walk(tree) if isinstance(node, ast.keyword)}
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    flags = {text.lstrip("-").split("=")[0].removeprefix("no") for text in texts if text.startswith("--")}
    assert name in keywords | texts | flags


@pytest.fixture(scope="module")
def base(tiny):
    return tiny.replace(**BASE)


@functools.cache
def seen(look, config):
    """What a way of looking sees; many settings are changed from the same others."""
    return look(config)


@pytest.mark.slow
@pytest.mark.parametrize("name", OBSERVED)
def test_changing_a_setting_changes_what_is_observed(name, base):
    value, look = OBSERVED[name]
    base = base.replace(**TOGETHER.get(name, {}))
    before, after = seen(look, base), look(base.replace(**{name: value}))
    if before.keys() == after.keys():
        assert any(not np.array_equal(before[key], after[key]) for key in before), name
