"""Recurrent motion: a code of each frame from what went before and what is new in it.

A GRU or LSTM reads, frame by frame, how the clip as a whole moves and what is new. Its state before the first frame
comes from the motion latent, by a network of its own; the state after the last frame is an output. Who gives that state
back with the noise of the next frames gets the frames that follow: a sequence without end.

Beside the recurrent layer there are *hands*, as of clocks: unit vectors that turn by an angle every frame, which the
motion latent decides, and the layer changes a little. What goes steadily, to and fro or round is a function of them at
once; a recurrent layer comes to rest where its input does not change, and has to learn the rest. They are part of the
state.

All of it is float32: rounding would add up over the frames, and XLA refuses the gradient in bfloat16.
"""

import keras
from keras import layers

from gan_keras.sampling import Latent
from gan_keras.train_settings import ModelSettings

_UNITS, _HANDS = 64, 8
CODE = _UNITS + 2 * _HANDS
"""Numbers in a code."""
STEADY = slice(_UNITS, CODE)
"""Those of them that are hands."""

_TINY = 1e-6
_FASTEST = 0.5
"""Radians by which a hand turns in a frame, at most."""
_UNSTEADY = 0.1
"""The most that the recurrent layer changes of that, as a share of the fastest turn."""

_UNROLLED_UP_TO = 32
"""Frames up to which the loop over them is written out, which is faster."""
_READER_UNITS = 4
_NOVELTY = 0.3
"""How strong what is new in a frame is at first, beside how the clip as a whole moves."""


def motion_latents(size: int) -> dict[str, Latent]:
    """What the networks here are fed."""
    return {"motion": Latent(size), "innovation": Latent(size, per_frame=True)}


def recurrent_layer(name: str) -> type[layers.Layer]:
    """The Keras layer that a value of `--recurrence` stands for."""
    return {"gru": layers.GRU, "lstm": layers.LSTM}[name]


def read_both_ways(frames: keras.KerasTensor, model: ModelSettings, num_frames: int
                   ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Reads the features of frames in order and backwards, in float32.

    Args:
        frames: features of all frames of all clips, [B * T, h, w, C]; where things are counts.
        model: kind of recurrence and width.
        num_frames: T.

    Returns:
        What is held at each frame [B, T, 2 U], and at the ends, after all frames [B, 2 U].
    """
    x = layers.Flatten(name="frame_features")(layers.LeakyReLU(negative_slope=0.2, name="frame_activation")(frames))
    x = keras.ops.reshape(x, (-1, num_frames, x.shape[-1]))
    reader = recurrent_layer(model.recurrence)(
        _READER_UNITS * model.discriminator_width, return_sequences=True, dtype="float32", name="reads",
        unroll=num_frames <= _UNROLLED_UP_TO)
    read = layers.Bidirectional(reader, dtype="float32", name="reads_both_ways")(x)
    half = read.shape[-1] // 2
    return read, layers.Concatenate(dtype="float32", name="ends")([read[:, -1, :half], read[:, 0, half:]])


def motion_networks(model: ModelSettings, num_frames: int) -> tuple[keras.Model, keras.Model]:
    """Builds the two networks of a recurrent motion.

    Args:
        model: size of the latents and kind of recurrence.
        num_frames: frames in a row.

    Returns:
        `start`, {`motion` [B, size]} → {`state` [B, S]}, before the first frame; and
        `motion`, {`motion` [B, size], `innovation` [B, T, size], `state` [B, S]} → {`codes` [B, T, CODE] from -1
        to 1, `state` [B, S] after the last of these frames}. The state is that of the recurrent layer (of an LSTM its
        output and its cell), then the hands.
    """
    size, parts = model.motion_size, 2 if model.recurrence == "lstm" else 1
    latent = keras.Input((size,), name="motion")
    state = layers.Dense(parts * _UNITS, activation="tanh", dtype="float32", name="motion_start")(latent)
    hands = layers.Dense(2 * _HANDS, dtype="float32", name="hands_start")(latent)
    state = layers.Concatenate(dtype="float32", name="start_state")([state, hands])
    start = keras.Model({"motion": latent}, {"state": state}, name="start")

    inputs = {"motion": keras.Input((size,), name="motion"),
              "innovation": keras.Input((num_frames, size), name="innovation"),
              "state": keras.Input((parts * _UNITS + 2 * _HANDS,), name="state")}
    motion = layers.RepeatVector(num_frames, dtype="float32", name="motion_every_frame")(inputs["motion"])
    novelty = layers.Rescaling(_NOVELTY, dtype="float32", name="innovation_scaled")(inputs["innovation"])
    steps = layers.Concatenate(dtype="float32", name="motion_steps")([motion, novelty])
    *before, hands = keras.ops.split(inputs["state"], [_UNITS * (part + 1) for part in range(parts)], -1)
    reader = recurrent_layer(model.recurrence)(
        _UNITS, return_sequences=True, return_state=True, unroll=num_frames <= _UNROLLED_UP_TO, dtype="float32",
        name=f"motion_{model.recurrence}")
    codes, *after = reader(steps, initial_state=before)
    turns = (layers.Dense(_HANDS, "tanh", dtype="float32", name="turns")(motion)
             + _UNSTEADY * layers.Dense(_HANDS, "tanh", dtype="float32", name="unsteady_turns")(codes))
    hands = Hands(dtype="float32", name="hands")(turns, hands)
    codes = layers.Concatenate(dtype="float32", name="codes")([codes, hands])
    after = layers.Concatenate(dtype="float32", name="state_after")([*after, hands[:, -1]])
    return start, keras.Model(inputs, {"codes": codes, "state": after}, name="motion")


class Hands(layers.Layer):
    """Unit vectors that turn frame by frame."""

    def call(self, turns: keras.KerasTensor, hands: keras.KerasTensor) -> keras.KerasTensor:
        """How the hands stand in each frame.

        Args:
            turns: how far each turns to a frame, [B, T, K], as a share of the fastest.
            hands: before the first frame, [B, K * 2], of any length.

        Returns:
            [B, T, K * 2].
        """
        ops, (frames, count) = keras.ops, turns.shape[1:]
        angle = _FASTEST * ops.cumsum(turns, axis=1)
        cos, sin = ops.cos(angle), ops.sin(angle)
        hands = ops.reshape(hands, (-1, 1, count, 2))
        # Not a sum with something tiny: hands that are of length one already have to stay as they are.
        hands = hands / ops.maximum(ops.norm(hands, axis=-1, keepdims=True), _TINY)
        x, y = hands[..., 0], hands[..., 1]
        return ops.reshape(ops.stack([x * cos - y * sin, x * sin + y * cos], -1), (-1, frames, 2 * count))
