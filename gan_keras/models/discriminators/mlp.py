"""Whole clips as one row of numbers, fully connected layers (Goodfellow et al., 2014, arXiv:1406.2661).

Input: samples [N, T, h, w, 3], about -1 to 1. Output: features [N, C].
Leaky ReLU instead of the paper's maxout and dropout.
"""

import keras
from keras import layers

from gan_keras.models import blocks
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.views import small_scale
from gan_keras.train_settings import ClipSettings, ModelSettings

_HIDDEN = 16
VIEW = "small"


def mlp(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge."""
    scale = small_scale(clips, model)
    shown = keras.Input((clips.num_frames, clips.height // scale, clips.width // scale, 3), name="samples")
    x = layers.Flatten(name="row")(shown)
    for i in range(2):
        x = blocks.activation(blocks.dense(x, _HIDDEN * model.discriminator_width, f"hidden_{i}"), f"activation_{i}")
    x = blocks.dense(x, _HIDDEN * model.discriminator_width, "hidden_2")
    return Discriminator(VIEW, lambda view: view, keras.Model(shown, x, name="mlp"))
