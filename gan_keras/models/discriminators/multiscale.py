"""Discriminator of patches of single frames at full, half and quarter resolution (Wang et al., 2018, arXiv:1711.11585,
section 3.2).

Input: samples [N, H, W, C], about -1 to 1. Output: features [N, P, C'], of the patches at all three scales. Each scale
has a network of its own, so that patches of high resolution see texture and those of low resolution composition.
"""

import keras

from gan_keras.config.train import ModelSettings
from gan_keras.layers.resampling import downsample
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import single_frames
from gan_keras.models.discriminators.patch import patch_features

_SCALES = 3
_MIN_SIDE = 4
VIEW = "full_resolution"


def multiscale(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk, of three scales, or fewer where frames are small."""
    samples = keras.Input(view_shape[1:], name="samples")
    x, scales = samples, []
    for scale in range(_SCALES):
        features = patch_features(x, model, f"scale_{scale}")
        scales.append(keras.ops.reshape(features, (-1, features.shape[1] * features.shape[2], features.shape[3])))
        if min(x.shape[1:3]) < 2 * _MIN_SIDE:
            break
        x = downsample(x, f"downsample_{scale}")
    features = keras.ops.concatenate(scales, axis=1) if len(scales) > 1 else scales[0]
    return Discriminator(VIEW, single_frames, keras.Model(samples, features, name="multiscale"), patches=True)
