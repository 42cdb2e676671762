"""Smooth motion: frames of reference that drift, phases that turn, and codes that change slowly; nothing trembles.

From the motion latent of the clip: the direction in which frames of reference move and the speed of each, angular
velocities of oscillators, where both are at first. From the noise of each frame: codes smooth in time
(`layers.smooth_noise`), which also disturb the velocities a little. All of it is known for any frame to come: a
sequence without end.

All of it is float32: rounding would add up over the frames.
"""

import keras
from keras import layers

from gan_keras.config.train import ModelSettings
from gan_keras.layers.oscillators import PhaseOscillators
from gan_keras.layers.smooth_noise import SmoothNoise
from gan_keras.models.latents import Latent

FRAMES_OF_REFERENCE = 2
"""That drift, in one direction, each at its own speed: what is near and what is far."""

_MEMORY = 8.0
"""Frames over which a code forgets."""
_MAX_ANGULAR_VELOCITY = 0.4
"""Radians a frame."""
_VELOCITY, _UNSTEADINESS = 0.03, 0.01
"""Of a frame of reference, in half frames a frame, where networks are new; what the codes change of it."""
_HIDDEN = 4
"""Units of the hidden layer, as a multiple of the generator's width."""


def smooth_motion_latents(dim: int) -> dict[str, Latent]:
    """Latents that the networks here take."""
    return {"motion": Latent(dim), "code_start": Latent(2 * dim), "frame_noise": Latent(dim, per_frame=True)}


def smooth_motion_networks(model: ModelSettings, num_frames: int) -> tuple[keras.Model, keras.Model]:
    """Builds the two networks of a smooth motion.

    Args:
        model: dimension of the latents, oscillators.
        num_frames: frames of a clip, T.

    Returns:
        `initial_state`, {`motion` [B, dim], `code_start` [B, 2 * dim]} → {`state` [B, S]}, before the first frame; and
        `motion`, {`motion`, `frame_noise` [B, T, dim], `state`} → {`codes` [B, T, U], `state`}. Codes are the smooth
        noise, the phases, and the shifts of the frames of reference, see `split_codes`.
    """
    dim, oscillators, shifts = model.motion_dim, model.oscillators, 2 * FRAMES_OF_REFERENCE
    start = {"motion": keras.Input((dim,), name="motion"), "code_start": keras.Input((2 * dim,), name="code_start")}
    hidden = layers.Dense(_HIDDEN * model.generator_width, "leaky_relu", dtype="float32", name="start_hidden")(
        start["motion"])
    phases = layers.Dense(2 * oscillators, dtype="float32", name="phases")(hidden)
    origin = layers.Dense(shifts, dtype="float32", name="origin")(hidden)
    noise_state = SmoothNoise(_MEMORY, name="smooth_start").start(start["code_start"])
    state = layers.Concatenate(dtype="float32", name="state")([noise_state, phases, origin])
    initial_state = keras.Model(start, {"state": state}, name="initial_state")

    inputs = {"motion": keras.Input((dim,), name="motion"),
              "frame_noise": keras.Input((num_frames, dim), name="frame_noise"),
              "state": keras.Input((state.shape[1],), name="state")}
    noise_state, phases, origin = keras.ops.split(inputs["state"], [2 * dim, 2 * dim + 2 * oscillators], -1)
    smooth, noise_state = SmoothNoise(_MEMORY, name="smooth_noise")(inputs["frame_noise"], noise_state)
    hidden = layers.Dense(_HIDDEN * model.generator_width, "leaky_relu", dtype="float32", name="velocity_hidden")(
        inputs["motion"])
    steady = layers.Dense(oscillators, "tanh", dtype="float32", name="angular_velocities")(hidden)
    phases = PhaseOscillators(_MAX_ANGULAR_VELOCITY, dtype="float32", name="oscillators")(
        layers.RepeatVector(num_frames, dtype="float32", name="steady")(steady), phases)
    drift = _drift(hidden)
    unsteady = layers.Dense(shifts, kernel_initializer="zeros", dtype="float32", name="unsteadiness")(smooth)
    velocity = (_VELOCITY * layers.RepeatVector(num_frames, dtype="float32", name="drift_every_frame")(drift)
                + _UNSTEADINESS * unsteady)
    shift = keras.ops.cumsum(velocity, axis=1) + keras.ops.expand_dims(origin, 1)
    codes = layers.Concatenate(dtype="float32", name="codes")([smooth, phases, shift])
    after = layers.Concatenate(dtype="float32", name="state_after")([noise_state, phases[:, -1], shift[:, -1]])
    return initial_state, keras.Model(inputs, {"codes": codes, "state": after}, name="motion")


def _drift(hidden: keras.KerasTensor) -> keras.KerasTensor:
    """Velocities of the frames of reference, [N, D] → [N, 2 * FRAMES_OF_REFERENCE]: one direction, and a speed for
    each, 1 in new networks."""
    direction = layers.Dense(2, dtype="float32", name="direction")(hidden)
    direction = layers.UnitNormalization(dtype="float32", name="unit_direction")(direction)
    speeds = layers.Dense(FRAMES_OF_REFERENCE, "exponential", kernel_initializer="zeros", dtype="float32",
                          name="speeds")(hidden)
    velocities = keras.ops.expand_dims(speeds, 2) * keras.ops.expand_dims(direction, 1)
    return keras.ops.reshape(velocities, (-1, 2 * FRAMES_OF_REFERENCE))


def code_dim(model: ModelSettings) -> int:
    """Dimension of a code, U."""
    return model.motion_dim + 2 * model.oscillators + 2 * FRAMES_OF_REFERENCE


def split_codes(codes: keras.KerasTensor, model: ModelSettings
                ) -> tuple[keras.KerasTensor, list[keras.KerasTensor]]:
    """Codes [N, U] → what changes the picture [N, V], and the shift of each frame of reference, [N, 2] each."""
    count = model.motion_dim + 2 * model.oscillators
    return codes[:, :count], [codes[:, count + 2 * i:count + 2 * i + 2] for i in range(FRAMES_OF_REFERENCE)]
