"""The generator `drift`: a picture in steady motion at first, nothing from later frames, and no rim."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.models.build import build_generator
from gan_keras.models.latents import draw_latents


@pytest.fixture
def drift(tiny):
    """A new generator of clips of 32x24 pixels, and latents of two clips."""
    config = tiny.replace(generator="drift", resolution="32x24")
    generator = build_generator(config.clip, config.model, "float32")
    return generator, draw_latents(generator.latents, tf.constant([3, 4], tf.int64), config.clip.num_frames)


def changed_from(latents, frame):
    """The latents with other noise from a frame on."""
    noise = latents["frame_noise"]
    return {**latents, "frame_noise": tf.concat([noise[:, :frame], noise[:, frame:] + 9.0], 1)}


def layer(generator, name):
    return next(network.get_layer(name) for network in generator.networks.values()
                if name in {each.name for each in network.layers})


def velocities(generator, latents):
    """Of both frames of reference, [B, T - 1, 4]."""
    given = {name: latents[name] for name in ("motion", "frame_noise")}
    codes = generator.motion({**given, "state": generator.state_before(latents)})["codes"]
    return np.diff(codes[..., -4:], axis=1)


def test_a_new_one_draws_pictures_in_steady_motion_whatever_the_noise(drift):
    generator, latents = drift
    clips = generator.clips(latents)
    np.testing.assert_array_equal(generator.clips(changed_from(latents, 0)), clips)
    steps = velocities(generator, latents)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), atol=1e-5)
    np.testing.assert_allclose(steps[..., :2], steps[..., 2:], atol=1e-5)  # in one direction, as fast
    np.testing.assert_allclose(np.linalg.norm(steps[..., :2], axis=-1), 0.03, rtol=1e-3)


def test_frames_of_reference_move_one_way_at_speeds_of_their_own(drift):
    generator, latents = drift
    kernel = layer(generator, "speeds").kernel
    kernel.assign(tf.random.stateless_normal(kernel.shape, [1, 2]))
    one, other = np.split(velocities(generator, latents), 2, -1)
    lengths = np.linalg.norm(one, axis=-1), np.linalg.norm(other, axis=-1)
    np.testing.assert_allclose((one * other).sum(-1), lengths[0] * lengths[1], rtol=1e-3)
    assert np.abs(lengths[0] / lengths[1] - 1.0).min() > 0.1


def test_a_trained_one_is_causal(drift):
    generator, latents = drift
    for name in ("unsteadiness", "style_change"):
        kernel = layer(generator, name).kernel
        kernel.assign(tf.random.stateless_normal(kernel.shape, [1, 2]))
    before, after = generator.clips(latents), generator.clips(changed_from(latents, 2))
    np.testing.assert_allclose(before[:, :2], after[:, :2], atol=1e-5)
    assert np.abs(before[:, 2:] - after[:, 2:]).max() > 1e-3


def test_what_is_the_same_everywhere_is_so_at_the_edges(drift):
    generator, latents = drift
    layer(generator, "point_0").kernel.assign(tf.zeros_like(layer(generator, "point_0").kernel))
    layer(generator, "point_0").bias.assign(tf.ones_like(layer(generator, "point_0").bias))
    for network in generator.networks.values():  # the ends of residual branches, which are 0 in a new network
        for each in network.layers:
            if each.name.endswith("convolution_1"):
                each.kernel.assign(tf.random.stateless_normal(each.kernel.shape, [3, 4]))
    clips = generator.clips(latents)
    np.testing.assert_allclose(clips, tf.broadcast_to(clips[:, :, :1, :1], clips.shape), atol=1e-4)
    assert np.abs(clips).max() > 0.1
