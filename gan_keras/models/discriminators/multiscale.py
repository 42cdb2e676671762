"""Patches of single frames at full, half and quarter size (Wang et al., 2018, arXiv:1711.11585, section 3.2).

Input: samples [N, H, W, 3], about -1 to 1. Output: features [N, P, C], of the patches of all three sizes. A network of
its own sees each size, so that small patches judge texture and large ones what is where.
"""

import keras

from gan_keras.models import blocks
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import single_frames
from gan_keras.models.discriminators.patch import patches
from gan_keras.train_settings import ClipSettings, ModelSettings

_SIZES = 3
_SMALLEST_SIDE = 4
VIEW = "close"


def multiscale(clips: ClipSettings, model: ModelSettings) -> Discriminator:
    """Builds the judge of patches of three sizes; of fewer where frames are small."""
    picture = keras.Input((clips.height, clips.width, 3), name="samples")
    x, found = picture, []
    for size in range(_SIZES):
        features = patches(x, model, f"size_{size}")
        found.append(keras.ops.reshape(features, (-1, features.shape[1] * features.shape[2], features.shape[3])))
        if min(x.shape[1:3]) < 2 * _SMALLEST_SIDE:
            break
        x = blocks.shrink(x, f"half_{size}")
    whole = keras.ops.concatenate(found, axis=1) if len(found) > 1 else found[0]
    return Discriminator(VIEW, single_frames, keras.Model(picture, whole, name="multiscale"), patches=True)
