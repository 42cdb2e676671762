"""What discriminators may look at. A view of a batch of clips, real or generated, is one of

    `small`: all frames, `small_scale` times smaller, [B, T, h, w, 3];
    `close`: neighbouring pairs of frames at full size, [B, 2 * pairs, H, W, 3]; frames 2i and 2i + 1 are neighbours.

Each file of `models.discriminators` says in `VIEW` which one it looks at. What nobody looks at is not rendered.
"""

import importlib

import tensorflow as tf

from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.data.clips import shrink
from gan_keras.errors import UserError
from gan_keras.settings import split_weight

_SMALLEST_SIDE = 4


def small_scale(clips: ClipSettings, model: ModelSettings) -> int:
    """How many times smaller than full size the small view is.

    It is full size where no discriminator looks at the close view: something has to judge the full size.

    Raises:
        UserError: the scale asked for leaves too few pixels, or nothing that judges the full size.
    """
    side, asked = min(clips.height, clips.width), model.small_scale
    judged_close = "close" in {_view(split_weight(item)[0]) for item in model.discriminators}
    if asked and side // asked < _SMALLEST_SIDE:
        raise UserError(f"`small_scale` must leave at least {_SMALLEST_SIDE} pixels. Received: small_scale={asked}, "
                        f"resolution={clips.resolution}")
    if asked > 1 and not judged_close:
        raise UserError("`small_scale` must be 1 or 0 where no discriminator looks at full size. Received: "
                        f"small_scale={asked}, discriminators={','.join(model.discriminators)}")
    if not judged_close:
        return 1
    return asked or (2 if side < 64 else 4 if side < 256 else 8)


def small_view(clips: tf.Tensor, scale: int) -> tf.Tensor:
    """Finished clips float32 [B, T, H, W, 3] at the `small_scale`, [B, T, H / scale, W / scale, 3]."""
    return shrink(clips, scale)


def close_view(clips: tf.Tensor, frames: tf.Tensor) -> tf.Tensor:
    """The frames int32 [B, 2 * pairs] of `pairs_from` out of finished clips [B, T, H, W, 3]."""
    return tf.gather(clips, frames, batch_dims=1)


def pairs_from(first: tf.Tensor) -> tf.Tensor:
    """Frames t and t + 1 side by side, first frames int32 [B, pairs] → int32 [B, 2 * pairs]."""
    pairs = tf.stack([first, first + 1], axis=-1)
    return tf.reshape(pairs, [tf.shape(first)[0], 2 * first.shape[1]])


def _view(name: str) -> str:
    return importlib.import_module(f"gan_keras.models.discriminators.{name}").VIEW
