"""Encoder from a clip to the latents that a generator would make it of: frame by frame, then over time.

Input: `clips` [B, T, H, W, 3], about -1 to 1. Outputs, float32: for each latent its `NAME_mean` and
`NAME_log_variance`, [B, dim] or [B, T, dim]: the normal distribution that it is sampled from (Kingma and Welling, 2014,
arXiv:1312.6114).

Latents of the clip come from the mean over the frames and the last outputs of a bidirectional recurrent layer; those of
a frame from that layer's output there. Variances start small, so that training begins with reconstructions.
"""

from collections.abc import Mapping

import keras
from keras import layers

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.layers.recurrent import bidirectional
from gan_keras.models.downsampling_trunk import downsampling_trunk
from gan_keras.models.latents import Latent

_STEM_SIDE = 16
_RECURRENT_WIDTH = 4
_INITIAL_LOG_VARIANCE = -2.0


def clip(clip: ClipSettings, model: ModelSettings, latents: Mapping[str, Latent]) -> keras.Model:
    """Builds the encoder."""
    clips = keras.Input(clip.shape, name="clips")
    frames = keras.ops.reshape(clips, (-1, *clip.shape[1:]))
    x = downsampling_trunk(frames, model, model.discriminator_width, _STEM_SIDE)
    per_frame, last = bidirectional(x, model.recurrence, _RECURRENT_WIDTH * model.discriminator_width, clip.num_frames)
    whole = layers.Concatenate(dtype="float32", name="whole")(
        [last, layers.GlobalAveragePooling1D(dtype="float32", name="mean_frame")(per_frame)])
    outputs = {}
    for name, latent in latents.items():
        x = per_frame if latent.per_frame else whole
        outputs[f"{name}_mean"] = layers.Dense(latent.dim, dtype="float32", name=f"{name}_mean")(x)
        outputs[f"{name}_log_variance"] = layers.Dense(
            latent.dim, kernel_initializer="zeros", dtype="float32", name=f"{name}_log_variance",
            bias_initializer=keras.initializers.Constant(_INITIAL_LOG_VARIANCE))(x)
    return keras.Model({"clips": clips}, outputs, name="encoder")
