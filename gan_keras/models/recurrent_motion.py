"""Recurrent motion: a motion code of each frame from the motion latent, per-frame noise, and a state.

A GRU or LSTM reads, frame by frame, the motion latent of the clip and the noise of the frame. Its state before the
first frame is a function of the motion latent; the state after the last frame is an output, from which the next call
goes on: a sequence without end.

Beside the recurrent layer there are *phase oscillators*: unit vectors that rotate each frame by an angular velocity
that the motion latent decides, and the recurrent layer changes a little. What moves steadily, to and fro or round is a
function of them; a recurrent layer comes to rest where its input does not change, and has to learn the rest. Their
phases are part of the state.

All of it is float32: rounding would add up over the frames, and XLA refuses the gradient in bfloat16.
"""

import keras
from keras import layers

from gan_keras.config.train import ModelSettings
from gan_keras.layers.oscillators import PhaseOscillators
from gan_keras.layers.recurrent import recurrent_layer
from gan_keras.models.latents import Latent

_UNITS = 4
"""Dimension of the recurrent state, as a multiple of the generator's width."""
_MAX_ANGULAR_VELOCITY = 0.5
"""Radians a frame."""
_UNSTEADINESS = 0.1
"""Most that the recurrent layer changes an angular velocity, as a share of the maximum."""
_FRAME_NOISE_SCALE = 0.3
"""Strength of the noise of a frame at first, beside the motion latent."""


def motion_latents(dim: int) -> dict[str, Latent]:
    """Latents that the networks here take."""
    return {"motion": Latent(dim), "frame_noise": Latent(dim, per_frame=True)}


def code_dim(model: ModelSettings) -> int:
    """Dimension of a motion code: the recurrent layer's output, then the oscillators' phases."""
    return _units(model) + 2 * model.oscillators


def phases_of(codes: keras.KerasTensor, model: ModelSettings) -> keras.KerasTensor:
    """The part of motion codes [N, code_dim] that is the oscillators' phases, [N, 2 * oscillators]."""
    return codes[:, _units(model):]


def motion_networks(model: ModelSettings, num_frames: int) -> tuple[keras.Model, keras.Model]:
    """Builds the two networks of a recurrent motion.

    Args:
        model: dimension of the latents, kind of recurrence, oscillators.
        num_frames: frames of a clip, T.

    Returns:
        `initial_state`, {`motion` [B, dim]} → {`state` [B, S]}, before the first frame; and
        `motion`, {`motion` [B, dim], `frame_noise` [B, T, dim], `state` [B, S]} → {`codes` [B, T, code_dim] from -1
        to 1, `state` [B, S] after the last of these frames}. The state is that of the recurrent layer (of an LSTM its
        output and its cell), then the phases.
    """
    dim, units, oscillators = model.motion_dim, _units(model), model.oscillators
    parts = 2 if model.recurrence == "lstm" else 1
    latent = keras.Input((dim,), name="motion")
    state = layers.Dense(parts * units, activation="tanh", dtype="float32", name="recurrent_state")(latent)
    phases = layers.Dense(2 * oscillators, dtype="float32", name="phases")(latent)
    state = layers.Concatenate(dtype="float32", name="state")([state, phases])
    initial_state = keras.Model({"motion": latent}, {"state": state}, name="initial_state")

    inputs = {"motion": keras.Input((dim,), name="motion"),
              "frame_noise": keras.Input((num_frames, dim), name="frame_noise"),
              "state": keras.Input((parts * units + 2 * oscillators,), name="state")}
    motion = layers.RepeatVector(num_frames, dtype="float32", name="motion_every_frame")(inputs["motion"])
    noise = layers.Rescaling(_FRAME_NOISE_SCALE, dtype="float32", name="frame_noise_scaled")(inputs["frame_noise"])
    steps = layers.Concatenate(dtype="float32", name="steps")([motion, noise])
    *before, phases = keras.ops.split(inputs["state"], [units * (part + 1) for part in range(parts)], -1)
    recurrent = recurrent_layer(model.recurrence, units, num_frames, "recurrent", return_state=True)
    codes, *after = recurrent(steps, initial_state=before)
    velocities = (layers.Dense(oscillators, "tanh", dtype="float32", name="angular_velocities")(motion)
                  + _UNSTEADINESS * layers.Dense(oscillators, "tanh", dtype="float32", name="velocity_changes")(codes))
    phases = PhaseOscillators(_MAX_ANGULAR_VELOCITY, dtype="float32", name="oscillators")(velocities, phases)
    codes = layers.Concatenate(dtype="float32", name="codes")([codes, phases])
    after = layers.Concatenate(dtype="float32", name="state_after")([*after, phases[:, -1]])
    return initial_state, keras.Model(inputs, {"codes": codes, "state": after}, name="motion")


def _units(model: ModelSettings) -> int:
    return _UNITS * model.generator_width
