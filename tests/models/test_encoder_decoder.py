"""The network of tasks that are given clips: what it begins as, what reaches what, films as a whole or in pieces."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.models.encoder_decoder import SPATIAL_REACH, encoder_decoder
from gan_keras.models.latents import Latent

FRAMES, HEIGHT, WIDTH = 9, 16, 24
GUIDE = 7
"""Channels: two pictures that may be warped, and one more."""


def draw(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def with_random_weights(network):
    for i, weight in enumerate(network.clips.weights):
        weight.assign(draw(weight.shape, i) * 0.1)
    return network


@pytest.fixture(scope="module")
def network():
    return with_random_weights(encoder_decoder(4, guide=GUIDE, masked=True, latents={"noise": Latent(3)}, warped=2))


@pytest.fixture(scope="module")
def given():
    shape = (1, FRAMES, HEIGHT, WIDTH)
    return {"base": draw((*shape, 3)), "guide": draw((*shape, GUIDE)), "noise": draw((1, 3)),
            "mask": (draw((*shape, 1)) > 0).astype(np.float32)}


def test_it_begins_as_the_base(given):
    network = encoder_decoder(4, guide=GUIDE, masked=True, latents={"noise": Latent(3)}, warped=2)
    np.testing.assert_array_equal(network.clips(given)["pictures"], given["base"])


def test_outside_the_mask_it_gives_the_base_to_the_bit(network, given):
    made, outside = network.clips(given)["pictures"].numpy(), given["mask"][..., 0] == 0
    np.testing.assert_array_equal(made[outside], given["base"][outside])
    assert np.abs(made[~outside] - given["base"][~outside]).min(-1).max() > 0.01


def test_noise_changes_what_is_made(network, given):
    other = network.clips({**given, "noise": -given["noise"]})["pictures"]
    assert np.abs(other - network.clips(given)["pictures"]).max() > 1e-4


def stream(network, given, pieces, film=slice(None)):
    """The film in pieces, and behind it what is late."""
    frames = {name: value[0, film] for name, value in given.items() if name != "noise"}
    count = len(frames["base"])
    frames = {name: np.concatenate([value, np.zeros((network.reach, *value.shape[1:]), np.float32)])
              for name, value in frames.items()}
    buffers = {name: np.zeros((n, HEIGHT // factor, WIDTH // factor, c), np.float32)
              for name, (n, factor, c) in network.buffers.items()}
    made, begin = [], 0
    latents = {"noise": given["noise"]} if "noise" in given else {}
    for length in filter(None, [*pieces, network.reach]):
        outputs = network.streaming({
            **{name: value[begin:begin + length] for name, value in frames.items()}, **latents, **buffers,
            "time": np.arange(begin, begin + length), "last": np.full(length, count - 1)})
        buffers = {name: outputs[name].numpy() for name in buffers}
        made.append(outputs["pictures"].numpy())
        begin += length
    return np.concatenate(made)[network.reach:]


@pytest.mark.parametrize("pieces", [[FRAMES], [1] * FRAMES, [4, 1, 4], [1, 8]], ids=str)
def test_any_way_of_cutting_time_gives_the_same_frames(network, given, pieces):
    np.testing.assert_allclose(stream(network, given, pieces), network.clips(given)["pictures"][0], atol=1e-5)


def test_a_causal_network_is_not_late_and_sees_nothing_later(given):
    network = with_random_weights(encoder_decoder(4, guide=0, masked=False, causal=True))
    base = {"base": given["base"]}
    whole = network.clips(base)["pictures"].numpy()
    assert network.reach == 0
    np.testing.assert_allclose(stream(network, base, [4, 5]), whole[0], atol=1e-5)
    shorter = network.clips({"base": given["base"][:, :5]})["pictures"]
    np.testing.assert_allclose(shorter, whole[:, :5], atol=1e-5)


def test_nothing_reaches_farther_than_it_says(network):
    side, frames = 256, 2 * network.reach + 3
    given = {"base": np.zeros((1, frames, side, side, 3), np.float32), "noise": np.zeros((1, 3), np.float32),
             "guide": np.zeros((1, frames, side, side, GUIDE), np.float32),
             "mask": np.ones((1, frames, side, side, 1), np.float32)}
    before = network.clips(given)["pictures"].numpy()
    given["guide"][0, frames // 2, side // 2, side // 2] = 1e3
    changed = np.abs(network.clips(given)["pictures"].numpy() - before).max(-1)[0] > 0
    times, rows, columns = (np.flatnonzero(changed.any(axis)) for axis in ((1, 2), (0, 2), (0, 1)))
    assert (times.min(), times.max()) == (frames // 2 - network.reach, frames // 2 + network.reach)
    for found in (rows, columns):
        assert SPATIAL_REACH - 8 <= max(side // 2 - found.min(), found.max() - side // 2) <= SPATIAL_REACH


def test_of_what_is_the_same_everywhere_it_makes_no_pattern_wider_than_two_pixels(network):
    shape = (1, 1, 240, 240)
    given = {"base": np.full((*shape, 3), 0.3, np.float32), "guide": np.ones((*shape, GUIDE), np.float32),
             "mask": np.ones((*shape, 1), np.float32), "noise": draw((1, 3))}
    inner = network.clips(given)["pictures"].numpy()[0, 0, SPATIAL_REACH:-SPATIAL_REACH, SPATIAL_REACH:-SPATIAL_REACH]
    squares = inner.reshape(40, 2, 40, 2, 3)
    np.testing.assert_allclose(squares, np.broadcast_to(squares[:1, :, :1], squares.shape), atol=1e-5)
    assert np.abs(inner - 0.3).max() > 0.01


def test_a_tile_with_its_margin_equals_the_same_part_of_the_whole(network):
    shape = (1, 3, 32, 256)
    given = {"base": draw((*shape, 3)), "guide": draw((*shape, GUIDE)), "noise": draw((1, 3)),
             "mask": np.ones((*shape, 1), np.float32)}
    whole = network.clips(given)["pictures"].numpy()
    part = {name: value[..., 64:, :] if value.ndim == 5 else value for name, value in given.items()}
    tile = network.clips(part)["pictures"].numpy()
    np.testing.assert_allclose(tile[..., SPATIAL_REACH:, :], whole[..., 64 + SPATIAL_REACH:, :], atol=1e-5)


def test_pixels_are_taken_from_where_the_network_says():
    network = encoder_decoder(4, guide=GUIDE, masked=True, warped=2)
    moved = np.arctanh(3 / 8)
    top = next(layer for layer in network.clips.layers if layer.name == "top_convolution")
    # Nothing is added but all of the first picture, from 3 pixels to the right and above; of the second one nothing.
    bias = [0, 0, 0, 1, moved, -moved, 0, 0, 0]
    top.set_weights([np.zeros(top.kernel.shape, np.float32), np.tile(bias, 4)])
    guide = draw((1, 2, HEIGHT, WIDTH, GUIDE))
    made = network.clips({"base": np.zeros((1, 2, HEIGHT, WIDTH, 3), np.float32), "guide": guide,
                          "mask": np.ones((1, 2, HEIGHT, WIDTH, 1), np.float32)})["pictures"].numpy()
    np.testing.assert_allclose(made[:, :, 3:, :-3], guide[:, :, :-3, 3:, :3], atol=1e-5)
    np.testing.assert_allclose(made[:, :, 0, -1], guide[:, :, 0, -1, :3], atol=1e-5)  # beyond an edge, the edge


@pytest.fixture(scope="module")
def warping():
    network = with_random_weights(encoder_decoder(4, guide=0, masked=False, only_warps=True))
    top = next(layer for layer in network.clips.layers if layer.name == "top_convolution")
    top.kernel.assign(30.0 * top.kernel)  # to several pixels
    return network


def test_a_network_that_only_warps_begins_as_the_base_and_makes_no_colours(warping, given):
    base = np.broadcast_to(np.float32([0.1, 0.2, 0.3]), given["base"].shape).copy()
    base[:, :, 4:9, 5:12] = [0.9, -0.8, 0.7]
    new = encoder_decoder(4, guide=0, masked=False, only_warps=True)
    np.testing.assert_array_equal(new.clips({"base": base})["pictures"], base)
    made = warping.clips({"base": base})["pictures"].numpy()
    assert np.abs(made - base).max() > 0.1
    share = (made - base[0, 0, 0, 0]) / (base[0, 0, 4, 5] - base[0, 0, 0, 0])  # of the second colour
    np.testing.assert_allclose(share, np.broadcast_to(share[..., :1], share.shape), atol=1e-5)
    assert share.min() >= -1e-5 and share.max() <= 1 + 1e-5


def test_the_flow_says_where_pixels_are_taken_from(given):
    network = encoder_decoder(4, guide=0, masked=False, only_warps=True)
    top = next(layer for layer in network.clips.layers if layer.name == "top_convolution")
    top.set_weights([np.zeros(top.kernel.shape, np.float32), np.float32([8 * np.arctanh(3 / 8), 0])])
    outputs = network.clips({"base": given["base"]})
    assert outputs["flow"].shape == (1, FRAMES, HEIGHT // 4, WIDTH // 4, 2)
    np.testing.assert_allclose(outputs["pictures"][..., :-3, :], given["base"][..., 3:, :], atol=1e-5)


def test_a_film_is_warped_in_pieces_and_in_tiles_as_it_is_as_a_whole(warping, given):
    base = {"base": given["base"]}
    whole = warping.clips(base)["pictures"][0]
    np.testing.assert_allclose(stream(warping, base, [4, 1, 4]), whole, atol=1e-4)
    wide = draw((1, 3, 32, 256, 3))
    tile = warping.clips({"base": wide[..., 64:, :]})["pictures"].numpy()
    np.testing.assert_allclose(tile[..., SPATIAL_REACH:, :],
                               warping.clips({"base": wide})["pictures"][..., 64 + SPATIAL_REACH:, :], atol=1e-4)


def test_shapes_are_known_where_the_clip_s_are(network):
    @tf.function
    def make(base, guide, mask, noise):
        made = network.clips({"base": base, "guide": guide, "mask": mask, "noise": noise})["pictures"]
        assert made.shape == (2, 5, 8, 16, 3)
        return made

    make(*(tf.zeros((2, 5, 8, 16, channels)) for channels in (3, GUIDE, 1)), tf.zeros((2, 3)))
