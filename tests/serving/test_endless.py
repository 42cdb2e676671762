"""Sequences without end: `initial_state` and `next_segment`, and what generate.py makes of them."""

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.commands import GenerateSettings
from gan_keras.data.pixels import to_float
from gan_keras.errors import UserError
from gan_keras.models.build import build_generator
from gan_keras.models.latents import draw_latents
from gan_keras.serving import generate as generate_module
from gan_keras.serving.export import export
from gan_keras.serving.generate import generate
from gan_keras.serving.model_description import ModelDescription
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.tasks.registry import find_task
from gan_keras.video.contact_sheets import grid
from gan_keras.video.decode import read_video
from gan_keras.video.pictures import read_picture
from tests.conftest import make_run
from tests.serving.test_export import serve

pytestmark = pytest.mark.slow

SEEDS = [5, 0, 2**40]
FRAMES = 4


def go_on(version, state, times):
    """The videos of some calls of `next_segment`, in the order of time, and the last state."""
    videos = []
    for _ in range(times):
        state = serve(version, "next_segment", **state)
        videos.append(state.pop("video"))
    return np.concatenate(videos, axis=1), state


@pytest.fixture(scope="module")
def sequence(exported):
    """The first 12 frames of the sequence of each seed, in three segments."""
    return go_on(exported, serve(exported, "initial_state", seed=SEEDS), 3)[0]


@pytest.fixture(scope="module")
def finite(tmp_path_factory, tiny):
    """A version of a generator whose clips cannot go on."""
    run, _ = make_run(tmp_path_factory.mktemp("finite") / "run", tiny.replace(generator="dcgan3d"))
    return export(run, run.exports)


def test_the_first_frames_are_the_clip_but_for_rounding(exported, sequence):
    assert sequence.dtype == np.uint8 and sequence.shape == (3, 3 * FRAMES, 16, 16, 3)
    clips = serve(exported, "serving_default", seed=SEEDS)["video"]
    # TensorFlow optimizes the graphs of `initial_state` and `next_segment` otherwise than one graph of both.
    apart = np.abs(sequence[:, :FRAMES].astype(int) - clips)
    assert apart.max() <= 1 and apart.mean() < 0.001
    assert np.abs(sequence[:, FRAMES:2 * FRAMES].astype(int) - clips).mean() > 5


def test_the_frames_are_those_of_a_generator_of_long_clips(trained, tiny, sequence):
    """One pass over 8 frames with the same weights, which knows of no segments."""
    long = tiny.replace(num_frames=2 * FRAMES)
    generator = build_generator(long.clip, long.model, "float32")
    for mine, weight in zip(generator.weights, trained[1].ema.weights, strict=True):
        mine.assign(weight)
    short = trained[1].ema
    seeds = tf.constant(SEEDS, tf.int64)
    whole = generator.clips(draw_latents(generator.latents, seeds, 2 * FRAMES))
    first = short.outputs(draw_latents(short.latents, seeds, FRAMES))
    second = short.outputs(draw_latents(short.latents, seeds, FRAMES, tf.constant([FRAMES] * 3, tf.int64)),
                           state=first["state"])
    segments = tf.concat([short.render(first), short.render(second)], axis=1)
    # Sharp edges magnify what the rounding of a segment's state has moved.
    np.testing.assert_allclose(segments, whole, atol=2e-4 * float(tf.reduce_max(tf.abs(whole))))
    assert np.abs(to_float(sequence[:, :2 * FRAMES]) - np.clip(whole, -1, 1)).max() < 1.01 / 127.5


def test_rows_of_a_batch_may_be_anywhere_in_their_sequences(exported, sequence):
    begun = serve(exported, "initial_state", seed=SEEDS)
    _, once = go_on(exported, begun, 1)
    _, twice = go_on(exported, begun, 2)
    assert [state["first_frame"].tolist() for state in (begun, once, twice)] == [[0] * 3, [4] * 3, [8] * 3]
    mixed = {name: np.stack([twice[name][2], begun[name][0], once[name][1], twice[name][0]]) for name in begun}
    videos, after = go_on(exported, mixed, 1)
    for video, (row, first) in zip(videos, [(2, 8), (0, 0), (1, 4), (0, 8)], strict=True):
        np.testing.assert_array_equal(video, sequence[row, first:first + FRAMES])
    assert after["first_frame"].tolist() == [12, 4, 8, 12] and after["seed"].tolist() == [2**40, 5, 0, 5]


def test_every_tensor_begins_with_the_batch_and_what_comes_out_goes_in(exported):
    signatures = ModelDescription.load(exported).signatures
    state = {"seed": {"dtype": "int64", "shape": [None]}, "first_frame": {"dtype": "int64", "shape": [None]},
             "state": {"dtype": "float32", "shape": [None, 2 * 3 + 2 * 8 + 2 * 2]}}  # codes, phases, shifts
    assert signatures["initial_state"] == {"inputs": {"seed": state["seed"]}, "outputs": state}
    assert signatures["next_segment"] == {
        "inputs": state, "outputs": state | {"video": {"dtype": "uint8", "shape": [None, FRAMES, 16, 16, 3]}}}


def test_the_card_tells_where_sequences_have_no_end(exported, finite):
    assert "Sequences without end" in (exported / "model_card.md").read_text()
    assert "| `initial_state` | `seed` int64 [B] |" in (exported / "model_card.md").read_text()
    assert "without end" not in (finite / "model_card.md").read_text()
    assert set(ModelDescription.load(finite).signatures) == {"serving_default", "jpeg", "latents"}


def test_weights_are_held_by_network(trained):
    generator = trained[1].ema
    assert set(generator.networks) == {"initial_state", "motion", "backbone", "renderer"}
    names = list(generator.named_weights("ema"))
    assert len(set(names)) == len(generator.weights)
    assert {"ema/initial_state/origin/kernel", "ema/motion/speeds/kernel"} <= set(names)


# ---- generate.py ----

@pytest.fixture
def settings(exported, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def make(**values):
        return GenerateSettings(**{"model": str(exported), "seeds": f"5,0,{2**40}", "num_frames": 10, **values})
    return make


def test_long_sequences_in_an_array(settings, sequence):
    generate(settings(out="long.npz"))
    np.testing.assert_array_equal(np.load("long.npz")["videos"], sequence[:, :10])


def test_long_sequences_in_an_array_each(settings, sequence):
    generate(settings(out="{seed}.npz", num_frames=8))
    np.testing.assert_array_equal(np.load("0.npz")["videos"], sequence[1:2, :8])


@pytest.mark.parametrize("suffix", [".webm", ".mp4", ".gif"])
def test_long_sequences_side_by_side(settings, sequence, suffix):
    generate(settings(out=f"long{suffix}"))
    frames = np.stack(list(read_video(Path(f"long{suffix}"))))
    assert frames.shape == (10, 34, 34, 3)
    assert np.abs(frames.astype(int) - grid(sequence[:, :10])).mean() < 40  # noise, which codecs blur


def test_more_seeds_side_by_side_than_are_generated_at_once(settings, exported):
    generate(settings(out="many", seeds="0-8", num_frames=5))
    generate(settings(out="many.webm", seeds="0-8", num_frames=5))
    together = list(read_video(Path("many.webm")))
    assert len(together) == 5 and together[0].shape == (52, 52, 3)
    *_, last = SavedGenerator(exported).segments([8], 5)
    np.testing.assert_array_equal(read_picture(Path("many/8/00004.png")), last[0, 0])


def test_a_long_sequence_as_a_folder_of_frames(settings, sequence):
    generate(settings(out="frames", seeds="5"))
    assert sorted(path.name for path in Path("frames").iterdir()) == [f"{time:05d}.png" for time in range(10)]
    np.testing.assert_array_equal(read_picture(Path("frames/00009.png")), sequence[0, 9])


def test_memory_does_not_grow_with_the_sequence(settings, monkeypatch):
    """Frames are handed on before the next ones are made."""
    made = []
    monkeypatch.setattr(SavedGenerator, "segments", lambda self, seeds, frames, classes: (
        made.append(first) or np.zeros([len(seeds), 4, 16, 16, 3], np.uint8) for first in range(0, frames, 4)))
    written = []
    monkeypatch.setattr(generate_module, "write_segments", lambda path, segments, fps: written.extend(
        len(made) for _ in segments))
    generate(settings(out="long.webm", seeds="5", num_frames=40))
    assert written == list(range(1, 11))


def test_what_is_made_in_memory_has_a_limit(settings, monkeypatch):
    monkeypatch.setattr(generate_module, "MAX_HELD_BYTES", 3 * 16 * 16 * 3 * 9)
    for out in ("long.gif", "long.png"):
        with pytest.raises(UserError, match=r"at most 9 for .*a \.webm may have any.*Received: num_frames=10$"):
            generate(settings(out=out))
    generate(settings(out="long.gif", num_frames=9))
    generate(settings(out="{seed}.gif", seeds="5,0"))  # each in a file of its own
    assert sorted(path.name for path in Path().iterdir()) == ["0.gif", "5.gif", "long.gif"]


def test_clips_that_cannot_go_on_are_refused(settings, finite):
    with pytest.raises(UserError, match=r"`num_frames` must be at most 4.*recurrent.*Received: num_frames=10$"):
        generate(settings(out="long.webm", model=str(finite)))
    assert list(Path().iterdir()) == []
    generate(settings(out="short.npz", model=str(finite), num_frames=3))
    assert np.load("short.npz")["videos"].shape == (3, 3, 16, 16, 3)


def test_served_functions_of_a_finite_generator(tiny):
    config = tiny.replace(generator="dcgan3d")
    task = find_task(config)
    generator = task.build_generator("float32")
    assert generator.initial_state is None and set(generator.networks) == {"backbone"}
    assert not {"initial_state", "next_segment"} & set(task.signatures(generator))
