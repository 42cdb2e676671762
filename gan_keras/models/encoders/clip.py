"""From a clip back to the latents that a generator would make it of: frame by frame, then over time.

Input: `clips` [B, T, H, W, 3], about -1 to 1. Outputs, float32: for each latent its `NAME_mean` and
`NAME_log_variance`, [B, size] or [B, T, size]: the normal distribution from which it is drawn (Kingma and Welling,
2014, arXiv:1312.6114).

Latents of the clip come from the mean over the frames and from both ends of a recurrent layer that reads in both
directions; those of a frame from what that layer holds there. Variances start small, so that training begins with
reconstructions.
"""

from collections.abc import Mapping

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.motion import UNROLLED_UP_TO, recurrent_layer
from gan_keras.sampling import Latent
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8
_STEM_SIDE = 16
_UNITS = 4
_LOG_VARIANCE = -2.0


def clip(clips: ClipSettings, model: ModelSettings, latents: Mapping[str, Latent]) -> keras.Model:
    """Builds the encoder of whole clips."""
    shown = keras.Input(clips.shape, name="clips")
    features = _frame_features(keras.ops.reshape(shown, (-1, *clips.shape[1:])), model)
    features = keras.ops.reshape(features, (-1, clips.num_frames, features.shape[-1]))
    reader = recurrent_layer(model.recurrence)(
        _UNITS * model.discriminator_width, return_sequences=True, dtype="float32", name="reads",
        unroll=clips.num_frames <= UNROLLED_UP_TO)
    read = layers.Bidirectional(reader, dtype="float32", name="reads_both_ways")(features)
    whole = layers.Concatenate(dtype="float32", name="whole")(
        [read[:, 0], read[:, -1], layers.GlobalAveragePooling1D(dtype="float32", name="mean_frame")(features)])
    outputs = {}
    for name, latent in latents.items():
        x = read if latent.per_frame else whole
        outputs[f"{name}_mean"] = layers.Dense(latent.size, dtype="float32", name=f"{name}_mean")(x)
        outputs[f"{name}_log_variance"] = layers.Dense(
            latent.size, kernel_initializer="zeros", dtype="float32", name=f"{name}_log_variance",
            bias_initializer=keras.initializers.Constant(_LOG_VARIANCE))(x)
    return keras.Model({"clips": shown}, outputs, name="encoder")


def _frame_features(x: keras.KerasTensor, model: ModelSettings) -> keras.KerasTensor:
    """Frames [N, H, W, 3] → [N, C]."""
    width, levels = model.discriminator_width, blocks.halvings(x.shape[1:3])
    first = blocks.first_within(levels, _STEM_SIDE)
    x = blocks.stem(x, width * min(2**first, _WIDEST), 2**first, "stem")
    for level in range(1 + first, len(levels)):
        x = blocks.residual(x, x.shape[-1], (3, 3), f"level_{level}")
        x = blocks.shrink(x, f"level_{level}_shrink")
        x = blocks.convolution(x, width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    x = blocks.activation(blocks.residual(x, x.shape[-1], (3, 3), "top"), "top_activation")
    return layers.Flatten(name="frame_features")(x)  # where things are is most of what there is to know
