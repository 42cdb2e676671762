"""Whole clips, frame by frame: convolutions draw features of each small frame, a recurrent layer reads them in order.

Input: samples [N, T, h, w, 3], about -1 to 1. Output: features [N, C], the state after the last frame.
The recurrent layer is that of `--recurrence`; it reads in both directions, or the first frames would be judged through
all the others. Its numbers are float32: rounding would add up over the frames.
"""

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.motion import UNROLLED_UP_TO, recurrent_layer
from gan_keras.models.views import small_scale
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8
_UNITS = 4
VIEW = "small"


def recurrent(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of whole clips."""
    scale = small_scale(clips, model)
    size = clips.height // scale, clips.width // scale
    shown = keras.Input((clips.num_frames, *size, 3), name="samples")
    width, levels = model.discriminator_width, blocks.halvings(size)
    x = blocks.stem(keras.ops.reshape(shown, (-1, *size, 3)), 2 * width, 2 if min(size) >= 8 else 1, "stem")
    for level in range(1, len(levels)):
        x = blocks.residual(x, x.shape[-1], (3, 3), f"level_{level}")
        if min(x.shape[1:3]) >= 8:
            x = blocks.shrink(attend(x, model), f"level_{level}_shrink")
        x = blocks.convolution(x, 2 * width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    x = layers.GlobalAveragePooling2D(dtype="float32", name="frame_features")(blocks.activation(x, "frame_activation"))
    x = keras.ops.reshape(x, (-1, clips.num_frames, x.shape[-1]))
    reader = recurrent_layer(model.recurrence)
    read = [reader(_UNITS * width, unroll=clips.num_frames <= UNROLLED_UP_TO, go_backwards=backwards, dtype="float32",
                   name=f"reads_{'backwards' if backwards else 'forwards'}")(x) for backwards in (False, True)]
    state = layers.Concatenate(dtype="float32", name="state")(read)
    return Discriminator(VIEW, lambda view: view, keras.Model(shown, state, name="recurrent"))
