"""Downsampling trunk of discriminators and encoders: from pictures or clips to few positions with many channels."""

import keras

from gan_keras.config.train import ModelSettings
from gan_keras.layers import blocks
from gan_keras.layers.attention import attention
from gan_keras.layers.resampling import downsample, level_for, resolution_levels

_MAX_WIDTH = 8


def downsampling_trunk(x: keras.KerasTensor, model: ModelSettings, width: int, stem_side: int, num_frames: int = 0
                       ) -> keras.KerasTensor:
    """Residual blocks and downsampling until about 4 pixels are left, without normalization (as R3GAN's,
    arXiv:2501.05441, with plain convolutions).

    The first convolution brings pictures to `stem_side` pixels by its stride: layers of few channels over many pixels
    take as long as the rest together, and make the least of what the machine can do.

    Args:
        x: pictures [N, H, W, C].
        model: attention at the sizes that it names.
        width: channels at full size; doubled at each level, up to eight times.
        stem_side: most pixels on the shorter side after the first convolution.
        num_frames: T, where so many consecutive pictures are a clip: what follows the first convolution then alternates
            between space and time ((2+1)D, Tran et al., 2018, arXiv:1711.11248), which costs 0.4 of 3-D convolutions.

    Returns:
        Features [N, h, w, C'], of clips [N / T, t, h, w, C'].
    """
    levels = resolution_levels(x.shape[1:3])
    first = level_for(levels, stem_side)
    kernels = (blocks.SPACE, blocks.TIME) if num_frames else (3, 3)
    x = blocks.stem(x, width * min(2**first, _MAX_WIDTH), 2**first, "stem")
    if num_frames:
        x = keras.ops.reshape(x, (-1, num_frames, *x.shape[1:]))
    for level in range(1 + first, len(levels)):
        x = blocks.residual_block(x, x.shape[-1], kernels, f"level_{level}")
        x = downsample(attention(x, model.attention), f"level_{level}_downsample")
        x = blocks.convolution(x, width * min(2**level, _MAX_WIDTH), 1, f"level_{level}_widen")
    return attention(blocks.residual_block(x, x.shape[-1], kernels, "top"), model.attention)
