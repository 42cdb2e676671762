"""Whole clips, all frames small.

Input: samples [N, T, h, w, 3], about -1 to 1. Output: features [N, t, h, w, C].
"""

import keras

from gan_keras.models.discriminator import Discriminator
from gan_keras.models.pyramid import pyramid
from gan_keras.models.views import view_shapes
from gan_keras.train_settings import ClipSettings, ModelSettings

_STEM_SIDE = 8
VIEW = "small"


def clip(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of whole clips."""
    shown = keras.Input(view_shapes(clips, model)[VIEW], name="samples")
    frames = keras.ops.reshape(shown, (-1, *shown.shape[2:]))
    x = pyramid(frames, model, 2 * model.discriminator_width, _STEM_SIDE, clips.num_frames)
    return Discriminator(VIEW, lambda view: view, keras.Model(shown, x, name="clip"))
