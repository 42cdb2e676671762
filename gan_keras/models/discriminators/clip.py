"""Whole clips, all frames small.

Input: samples [N, T, h, w, 3], about -1 to 1. Output: features [N, t, h, w, C].
The first convolution brings the frames to 8 pixels by its stride, so that no layer has many pixels and few channels.
Convolutions over space and over time alternate ((2+1)D, Tran et al., 2018, arXiv:1711.11248), which costs 0.4 of full
3-D ones on a CPU.
"""

import keras

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.views import small_scale
from gan_keras.train_settings import ClipSettings, ModelSettings

_WIDEST = 8
_STEM_SIDE = 8
VIEW = "small"


def clip(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of whole clips."""
    scale = small_scale(clips, model)
    size = clips.height // scale, clips.width // scale
    shown = keras.Input((clips.num_frames, *size, 3), name="samples")
    width = 2 * model.discriminator_width
    levels = blocks.halvings(size)
    first = blocks.first_within(levels, _STEM_SIDE)
    x = keras.ops.reshape(shown, (-1, *size, 3))
    x = blocks.stem(x, width * min(2**first, _WIDEST), 2**first, "stem")
    x = keras.ops.reshape(x, (-1, clips.num_frames, *x.shape[1:]))
    for level in range(1 + first, len(levels)):
        x = blocks.residual(x, x.shape[-1], (blocks.SPACE, blocks.TIME), f"level_{level}")
        x = blocks.shrink(attend(x, model), f"level_{level}_shrink")
        x = blocks.convolution(x, width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    x = blocks.residual(x, x.shape[-1], (blocks.SPACE, blocks.TIME), "top")
    return Discriminator(VIEW, lambda view: view, keras.Model(shown, attend(x, model), name="clip"))
