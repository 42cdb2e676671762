import itertools

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.pixels import to_uint8
from gan_keras.models.latents import draw_latents
from gan_keras.serving.signatures import ServedGenerator, signature_specs
from gan_keras.tasks.registry import find_task
from tests.conftest import TINY

SEEDS = [5, 0, 2**40, 17, 3]


@pytest.fixture(scope="module", params=["layered", "mocogan", "dcgan3d"])
def generator(request):
    config = Config().replace(**TINY, generator=request.param)
    generator = find_task(config).build_generator("float32")
    random = np.random.default_rng(1)
    for weight in generator.weights:
        weight.assign(random.normal(0.0, 0.3, weight.shape))
    return config, generator


@pytest.fixture(scope="module")
def served(generator):
    config, networks = generator
    return ServedGenerator(find_task(config), networks)


def video(served, seeds):
    return served.signatures["serving_default"](seed=tf.constant(seeds, tf.int64))["video"].numpy()


def test_answers_what_the_generator_makes_of_the_same_seeds(generator, served):
    config, networks = generator
    latents = draw_latents(networks.latents, tf.constant(SEEDS, tf.int64), config.clip.num_frames)
    found = video(served, SEEDS)
    assert found.dtype == np.uint8 and found.shape == (5, 4, 16, 16, 3)
    # A batch may round differently from a clip alone, which shows where a number lies between two levels.
    assert np.abs(found.astype(int) - to_uint8(networks.clips(latents)).numpy()).max() <= 1
    assert found.std() > 10


def test_rows_do_not_depend_on_their_batch(served):
    alone = {seed: video(served, [seed])[0] for seed in SEEDS}
    for seeds in itertools.chain(itertools.permutations(SEEDS, 2), [SEEDS, SEEDS[::-1], SEEDS * 4]):
        for seed, clip in zip(seeds, video(served, list(seeds)), strict=True):
            np.testing.assert_array_equal(clip, alone[seed])


def test_float_rows_do_not_depend_on_their_batch(generator, served):
    config, networks = generator
    latents = draw_latents(networks.latents, tf.constant(SEEDS, tf.int64), config.clip.num_frames)
    together = served.signatures["latents"](**latents)["video"].numpy()
    for row in range(len(SEEDS)):
        alone = served.signatures["latents"](**{name: value[row:row + 1] for name, value in latents.items()})["video"]
        np.testing.assert_array_equal(alone[0], together[row])


def test_latents_gives_the_float_clip_behind_the_served_one(generator, served):
    config, networks = generator
    latents = draw_latents(networks.latents, tf.constant(SEEDS, tf.int64), config.clip.num_frames)
    floats = served.signatures["latents"](**latents)["video"]
    assert floats.dtype == tf.float32
    np.testing.assert_array_equal(to_uint8(floats), video(served, SEEDS))


@pytest.mark.slow
def test_jpeg_decodes_to_about_the_same_frames(generator):
    config, networks = generator
    for weight in networks.weights:  # smooth pictures: JPEG is not made for noise
        weight.assign(weight * 0.3)
    served = ServedGenerator(find_task(config), networks)
    encoded = served.signatures["jpeg"](seed=tf.constant(SEEDS, tf.int64))["frames_jpeg_bytes"].numpy()
    assert encoded.shape == (5, 4)
    decoded = np.array([[tf.io.decode_jpeg(frame).numpy() for frame in row] for row in encoded])
    assert np.abs(decoded.astype(int) - video(served, SEEDS)).mean() < 4


def test_every_input_and_output_begins_with_the_batch(generator, served):
    described = signature_specs(served.signatures)
    endless = {"initial_state", "next_segment"} if generator[1].initial_state else set()
    assert set(described) == {"serving_default", "jpeg", "latents"} | endless
    tensors = [tensor for signature in described.values() for group in signature.values() for tensor in group.values()]
    assert all(tensor["shape"][0] is None and None not in tensor["shape"][1:] for tensor in tensors)
    assert described["serving_default"] == {
        "inputs": {"seed": {"dtype": "int64", "shape": [None]}},
        "outputs": {"video": {"dtype": "uint8", "shape": [None, 4, 16, 16, 3]}}}


def test_an_empty_batch_is_answered_with_none(served):
    assert video(served, []).shape == (0, 4, 16, 16, 3)
