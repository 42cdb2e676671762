"""Discriminator of patches of single frames at full resolution (Isola et al., 2017, arXiv:1611.07004, section 3.2.2).

Input: samples [N, H, W, C], about -1 to 1. Output: features [N, h, w, C'], of a patch each; a patch is 34 pixels wide.
"""

import keras

from gan_keras.config.train import ModelSettings
from gan_keras.layers import blocks
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.discriminators.frame import single_frames

_STRIDED = 3
VIEW = "full_resolution"


def patch(view_shape: tuple[int, ...], model: ModelSettings) -> Discriminator:
    """Builds the trunk."""
    samples = keras.Input(view_shape[1:], name="samples")
    trunk = keras.Model(samples, patch_features(samples, model, "patch"), name="patch")
    return Discriminator(VIEW, single_frames, trunk, patches=True)


def patch_features(x: keras.KerasTensor, model: ModelSettings, name: str) -> keras.KerasTensor:
    """Features of the patches of pictures, [N, H, W, C] → [N, h, w, C']: strided convolutions and nothing wider."""
    side = min(x.shape[1:3])
    for i in range(_STRIDED):
        # A picture that is small already is not made smaller than the patches of a large one.
        stride = 2 if side >= 8 else 1
        x = x if i == 0 else blocks.leaky_relu(x, f"{name}_activation_{i}")
        x = blocks.stem(x, model.discriminator_width * 2**(i + 1), stride, f"{name}_{i}")
        side = -(-side // stride)
    return blocks.convolution(blocks.leaky_relu(x, f"{name}_activation"), x.shape[-1], 3, f"{name}_top")
