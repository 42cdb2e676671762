"""Recurrent motion: a code of each frame from what went before and what is new in it.

A GRU reads, frame by frame, how the clip as a whole moves and what is new. Its state before the first frame comes from
the motion latent, by a network of its own; the state after the last frame is an output. Who gives that state back with
the noise of the next frames gets the frames that follow: a sequence without end.

All of it is float32: rounding would add up over the frames, and XLA refuses the gradient in bfloat16.
"""

import keras
from keras import layers

from gan_keras.sampling import Latent

UNITS = 64
"""Numbers in a code, and in the state."""

_UNROLLED_UP_TO = 32
_NOVELTY = 0.3
"""How strong what is new in a frame is at first, beside how the clip as a whole moves."""


def motion_latents(size: int) -> dict[str, Latent]:
    """What the networks here are fed."""
    return {"motion": Latent(size), "innovation": Latent(size, per_frame=True)}


def motion_networks(size: int, num_frames: int) -> tuple[keras.Model, keras.Model]:
    """Builds the two networks of a recurrent motion.

    Args:
        size: numbers in a motion latent.
        num_frames: frames in a row.

    Returns:
        `start`, {`motion` [B, size]} → {`state` [B, UNITS]}, before the first frame; and
        `motion`, {`motion` [B, size], `innovation` [B, T, size], `state` [B, UNITS]} → {`codes` [B, T, UNITS] from -1
        to 1, `state` [B, UNITS] after the last of these frames}.
    """
    latent = keras.Input((size,), name="motion")
    state = layers.Dense(UNITS, activation="tanh", dtype="float32", name="motion_start")(latent)
    start = keras.Model({"motion": latent}, {"state": state}, name="start")

    inputs = {"motion": keras.Input((size,), name="motion"),
              "innovation": keras.Input((num_frames, size), name="innovation"),
              "state": keras.Input((UNITS,), name="state")}
    motion = layers.RepeatVector(num_frames, dtype="float32", name="motion_every_frame")(inputs["motion"])
    novelty = layers.Rescaling(_NOVELTY, dtype="float32", name="innovation_scaled")(inputs["innovation"])
    steps = layers.Concatenate(dtype="float32", name="motion_steps")([motion, novelty])
    codes, state = layers.GRU(UNITS, return_sequences=True, return_state=True, unroll=num_frames <= _UNROLLED_UP_TO,
                              dtype="float32", name="motion_gru")(steps, initial_state=[inputs["state"]])
    return start, keras.Model(inputs, {"codes": codes, "state": state}, name="motion")
