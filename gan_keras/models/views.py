"""What discriminators may look at. A view of a batch of clips, real or generated, is one of

    `small`: all frames, `small_scale` times smaller, [B, T, h, w, 3];
    `close`: pairs of frames at full size, [B, 2 * pairs, H, W, 3]; frames 2i and 2i + 1 are one. In half of them they
    are neighbours, so that motion is judged at full size, and in the others any two, or nobody would see at full size
    that what is shown stays what it is.

Each file of `models.discriminators` says in `VIEW` which one it looks at. What nobody looks at is not rendered.
"""

import importlib

import tensorflow as tf

from gan_keras.data.clips import shrink
from gan_keras.errors import UserError
from gan_keras.settings import split_weight
from gan_keras.train_settings import ClipSettings, ModelSettings

_SMALLEST_SIDE = 4
_APART = 0.5
"""Share of the pairs that are any two frames of their clip."""


UNIFORMS = 3
"""Random numbers that decide which frames a pair is of."""


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


def judged_frames(uniform: tf.Tensor, num_frames: int) -> tf.Tensor:
    """Which frames of clips are judged closely: pairs of which the earlier frame comes first.

    Args:
        uniform: float32 [B, pairs, 3] in [0, 1).
        num_frames: of a clip.

    Returns:
        int32 [B, 2 * pairs]; of clips of one frame that one, [B, 1].
    """
    if num_frames == 1:
        return tf.zeros([tf.shape(uniform)[0], 1], tf.int32)
    place, apart, how_far = tf.unstack(uniform, axis=-1)
    neighbour = tf.cast(place * (num_frames - 1), tf.int32)
    any_frame = tf.cast(place * num_frames, tf.int32)
    another = (any_frame + 1 + tf.cast(how_far * (num_frames - 1), tf.int32)) % num_frames
    first = tf.where(apart < _APART, tf.minimum(any_frame, another), neighbour)
    second = tf.where(apart < _APART, tf.maximum(any_frame, another), neighbour + 1)
    return tf.reshape(tf.stack([first, second], axis=-1), [tf.shape(first)[0], 2 * first.shape[1]])


def view_shapes(clips: ClipSettings, model: ModelSettings) -> dict[str, tuple[int, ...]]:
    """The shape of each view, without the batch."""
    scale = small_scale(clips, model)
    return {"small": (clips.num_frames, clips.height // scale, clips.width // scale, 3),
            "close": (2 * model.judged_pairs if clips.num_frames > 1 else 1, clips.height, clips.width, 3)}


def _view(name: str) -> str:
    return importlib.import_module(f"gan_keras.models.discriminators.{name}").VIEW
