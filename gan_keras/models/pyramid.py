"""The way down that discriminators and encoders share: from pictures or clips to few places with many channels."""

import keras

from gan_keras.models import blocks
from gan_keras.models.attention import attend
from gan_keras.train_settings import ModelSettings

_WIDEST = 8


def pyramid(x: keras.KerasTensor, model: ModelSettings, width: int, stem_side: int, frames: int = 0
            ) -> keras.KerasTensor:
    """Residual blocks and halvings until about 4 pixels are left, without normalization (as R3GAN's, arXiv:2501.05441,
    with plain convolutions).

    The first convolution brings pictures to `stem_side` pixels by its stride: layers of few channels over many pixels
    take as long as the rest together, and are least of what the machine can do.

    Args:
        x: pictures [N, H, W, C].
        model: attention at the sizes that it names.
        width: channels at full size; doubled at each halving, up to eight times.
        stem_side: pixels on the shorter side after the first convolution, or fewer.
        frames: T, where so many pictures in a row are a clip: what follows the first convolution then alternates
            between space and time ((2+1)D, Tran et al., 2018, arXiv:1711.11248), which costs 0.4 of 3-D convolutions.

    Returns:
        Features [N, h, w, C'], of clips [N / T, t, h, w, C'].
    """
    levels = blocks.halvings(x.shape[1:3])
    first = blocks.first_within(levels, stem_side)
    kernels = (blocks.SPACE, blocks.TIME) if frames else (3, 3)
    x = blocks.stem(x, width * min(2**first, _WIDEST), 2**first, "stem")
    if frames:
        x = keras.ops.reshape(x, (-1, frames, *x.shape[1:]))
    for level in range(1 + first, len(levels)):
        x = blocks.residual(x, x.shape[-1], kernels, f"level_{level}")
        x = blocks.shrink(attend(x, model), f"level_{level}_shrink")
        x = blocks.convolution(x, width * min(2**level, _WIDEST), 1, f"level_{level}_widen")
    return attend(blocks.residual(x, x.shape[-1], kernels, "top"), model)
