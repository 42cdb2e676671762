"""Random numbers of a step: functions of seed, stream and step, and the same for any number of replicas."""

import numpy as np
import tensorflow as tf

from gan_keras.models.latents import Latent
from gan_keras.training.step_noise import StepRandom
from gan_keras.training.train_step import VideoGAN


def random(seed=1, step=5, replicas=1, replica=0):
    return StepRandom(seed, tf.constant(step, tf.int64), 4, 3, replicas, replica)


def test_numbers_depend_on_run_stream_and_step():
    base = random().uniform("frames", 2).numpy().tolist()
    assert base == random().uniform("frames", 2).numpy().tolist()
    others = [random(seed=2).uniform("frames", 2), random(step=6).uniform("frames", 2), random().uniform("penalty", 2)]
    assert base not in [other.numpy().tolist() for other in others]


def test_replicas_take_their_rows_of_the_numbers_of_the_batch():
    latents = {"content": Latent(5), "motion": Latent(2, per_frame=True)}
    for draw in (lambda each: each.uniform("a", 3), lambda each: each.normal("a", 3),
                 lambda each: each.latents("a", latents)["motion"]):
        parts = [draw(random(replicas=2, replica=replica)) for replica in range(2)]
        np.testing.assert_array_equal(tf.concat(parts, 0), draw(random()))


def test_a_step_draws_what_its_settings_need(tiny, undistributed):
    config = tiny.replace(resolution="8", num_frames=2, generator="dcgan3d", diffaugment=("flip", "crop"),
                          instance_noise=0.1, penalty="dragan", task="reconstruct", low_resolution_factor=2)
    noise = VideoGAN.create(config, undistributed).noise(tf.constant(3, tf.int64), 0)
    assert noise.latents["content"].shape == noise.task["content"].shape == (4, 4)
    assert (noise.latents["content"] != noise.task["content"]).numpy().all()
    assert noise.diffaugment.low_resolution.shape == (4, 2, 4) and noise.frames.shape == (4, 1, 3)
    for views in (noise.perturbation, noise.instance):
        assert views.low_resolution.shape == (4, 2, 4, 4, 3) and views.full_resolution.shape == (4, 2, 8, 8, 3)
    assert (noise.perturbation.full_resolution != noise.instance.full_resolution).numpy().any()
    plain = VideoGAN.create(config.replace(instance_noise=0.0, penalty="r1", task="generate"), undistributed).noise(
        tf.constant(3, tf.int64), 0)
    assert plain.perturbation is None and plain.instance is None and not plain.task
    np.testing.assert_array_equal(plain.latents["content"], noise.latents["content"])
