"""From a clip back to the latents that a generator would make it of: frame by frame, then over time.

Input: `clips` [B, T, H, W, 3], about -1 to 1. Outputs, float32: for each latent its `NAME_mean` and
`NAME_log_variance`, [B, size] or [B, T, size]: the normal distribution from which it is drawn (Kingma and Welling,
2014, arXiv:1312.6114).

Latents of the clip come from the mean over the frames and from both ends of what a recurrent layer reads in both
directions; those of a frame from what that layer holds there. Variances start small, so that training begins with
reconstructions.
"""

from collections.abc import Mapping

import keras
from keras import layers

from gan_keras.models.motion import read_both_ways
from gan_keras.models.pyramid import pyramid
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_STEM_SIDE = 16
_LOG_VARIANCE = -2.0


def clip(clips: ClipSettings, model: ModelSettings, latents: Mapping[str, Latent]) -> keras.Model:
    """Builds the encoder of whole clips."""
    shown = keras.Input(clips.shape, name="clips")
    x = pyramid(keras.ops.reshape(shown, (-1, *clips.shape[1:])), model, model.discriminator_width, _STEM_SIDE)
    read, ends = read_both_ways(x, model, clips.num_frames)
    whole = layers.Concatenate(dtype="float32", name="whole")(
        [ends, layers.GlobalAveragePooling1D(dtype="float32", name="mean_frame")(read)])
    outputs = {}
    for name, latent in latents.items():
        x = read if latent.per_frame else whole
        outputs[f"{name}_mean"] = layers.Dense(latent.size, dtype="float32", name=f"{name}_mean")(x)
        outputs[f"{name}_log_variance"] = layers.Dense(
            latent.size, kernel_initializer="zeros", dtype="float32", name=f"{name}_log_variance",
            bias_initializer=keras.initializers.Constant(_LOG_VARIANCE))(x)
    return keras.Model({"clips": shown}, outputs, name="encoder")
