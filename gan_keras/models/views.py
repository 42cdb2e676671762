"""Views: what discriminators see of a batch of clips, real or generated.

    `low_resolution`: all frames, downsampled, [B, T, h, w, C];
    `full_resolution`: pairs of frames, [B, 2 * pairs, H, W, C]; frames 2i and 2i + 1 are a pair. In half of the pairs
    they are neighbours, so that motion is seen at full resolution, and in the others any two, or no discriminator
    would see at full resolution that what is shown stays what it is.

Each file of `models.discriminators` names its view in `VIEW`. A view that nothing looks at is not rendered.
"""

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import tensorflow as tf

from gan_keras.config.train import ClipSettings, ModelSettings
from gan_keras.data.pixels import downsample
from gan_keras.errors import UserError

View = Literal["low_resolution", "full_resolution"]

UNIFORMS = 3
"""Random numbers that decide which frames a pair consists of."""

_MIN_SIDE = 4
_DISTANT_PAIRS = 0.5
"""Share of the pairs that are any two frames of their clip."""


class Views(NamedTuple):
    """Something for each view: tensors, shapes or noise; None for a view that nothing looks at."""

    low_resolution: Any
    full_resolution: Any


def for_each_view(function: Callable[..., tf.Tensor], views: Views, *others: Views) -> Views:
    """A function of each view that there is.

    Args:
        function: of a view, and of what the others have for it.
        views: the views.
        others: what there is for each view beside.
    """
    return Views(*(None if view is None else function(view, *beside)
                   for view, *beside in zip(views, *others, strict=True)))


def low_resolution_factor(clip: ClipSettings, model: ModelSettings) -> int:
    """Downsampling factor of the low-resolution view, 2, 4 or 8 by the resolution or as set.

    Raises:
        UserError: the requested factor leaves too few pixels.
    """
    side, requested = min(clip.height, clip.width), model.low_resolution_factor
    if requested and side // requested < _MIN_SIDE:
        raise UserError(f"`low_resolution_factor` must leave at least {_MIN_SIDE} pixels. Received: "
                        f"low_resolution_factor={requested}, resolution={clip.resolution}")
    return requested or (2 if side < 64 else 4 if side < 256 else 8)


def view_shapes(clip: ClipSettings, model: ModelSettings, factor: int, channels: int = 3) -> Views:
    """Shape of each view without the batch dimension.

    Args:
        clip: shape of a clip.
        model: number of frame pairs.
        factor: downsampling factor of the low-resolution view.
        channels: of a frame.
    """
    frames = 2 * model.frame_pairs if clip.num_frames > 1 else 1
    return Views((clip.num_frames, clip.height // factor, clip.width // factor, channels),
                 (frames, clip.height, clip.width, channels))


def views_of(clips: tf.Tensor, frames: tf.Tensor, factor: int | None) -> Views:
    """Views of whole clips.

    Args:
        clips: float32 [B, T, H, W, C].
        frames: int32 [B, 2 * pairs], frames of the full-resolution view.
        factor: downsampling factor of the low-resolution view; None: without that view.
    """
    return Views(downsample(clips, factor) if factor else None, tf.gather(clips, frames, batch_dims=1))


def neighbouring_pairs(first: tf.Tensor) -> tf.Tensor:
    """Frames t and t + 1 side by side, first frames int32 [B, pairs] → int32 [B, 2 * pairs]."""
    pairs = tf.stack([first, first + 1], axis=-1)
    return tf.reshape(pairs, [tf.shape(first)[0], 2 * first.shape[1]])


def sampled_frames(uniform: tf.Tensor, num_frames: int) -> tf.Tensor:
    """Frames of the full-resolution view: pairs of which the earlier frame comes first.

    Args:
        uniform: float32 [B, pairs, 3] in [0, 1).
        num_frames: frames of a clip.

    Returns:
        int32 [B, 2 * pairs]; of clips of one frame that one, [B, 1].
    """
    if num_frames == 1:
        return tf.zeros([tf.shape(uniform)[0], 1], tf.int32)
    position, kind, distance = tf.unstack(uniform, axis=-1)
    neighbour = tf.cast(position * (num_frames - 1), tf.int32)
    any_frame = tf.cast(position * num_frames, tf.int32)
    another = (any_frame + 1 + tf.cast(distance * (num_frames - 1), tf.int32)) % num_frames
    first = tf.where(kind < _DISTANT_PAIRS, tf.minimum(any_frame, another), neighbour)
    second = tf.where(kind < _DISTANT_PAIRS, tf.maximum(any_frame, another), neighbour + 1)
    return tf.reshape(tf.stack([first, second], axis=-1), [tf.shape(first)[0], 2 * first.shape[1]])
