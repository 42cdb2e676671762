"""Layers over the frames of clips of any length and size: as pictures, back to clips, and into the time beside.

Shapes are read when a layer runs, so that networks made of them take any number of frames of any size.
"""

from typing import Any

import tensorflow as tf
from keras import layers

Shape = tuple[int | None, ...]


def sizes(x: tf.Tensor) -> list[int | tf.Tensor]:
    """Sizes of the axes: numbers as far as they are known before a graph runs, else scalars."""
    return [tf.shape(x)[axis] if size is None else size for axis, size in enumerate(x.shape)]


class ToPictures(layers.Layer):
    """Frames of clips as pictures, [B, T, H, W, C] → [B * T, H, W, C]."""

    def call(self, clips: tf.Tensor) -> tf.Tensor:
        """The pictures, those of a clip one after the other."""
        return tf.reshape(clips, [-1, *sizes(clips)[2:]])

    def compute_output_shape(self, clips_shape: Shape) -> Shape:
        """Without the axis of time."""
        return None, *clips_shape[2:]


class ToClips(layers.Layer):
    """Pictures as frames of clips, [B * T, H, W, C] → [B, T, H, W, C]."""

    def call(self, pictures: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
        """Clips with as many frames as `like` [B, T, ...] has."""
        return tf.reshape(pictures, [*sizes(like)[:2], *sizes(pictures)[1:]])

    def compute_output_shape(self, pictures_shape: Shape, like_shape: Shape) -> Shape:
        """With the batch and time of `like`."""
        return *like_shape[:2], *pictures_shape[1:]


class ForEachFrame(layers.Layer):
    """Repeats what belongs to a clip for each of its frames, [B, D] → [B * T, D]."""

    def call(self, values: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
        """Values for as many frames as `like` [B, T, ...] has."""
        return tf.repeat(values, tf.shape(like)[1], axis=0)

    def compute_output_shape(self, values_shape: Shape, like_shape: Shape) -> Shape:
        """The same, for more rows."""
        return values_shape


class Upsample(layers.Layer):
    """Bilinear upsampling of pictures of any size, [N, h, w, C] → [N, factor * h, factor * w, C] float32. (Keras' own
    layer, and `resampling.BilinearUpsample`, have to know the size before they run.)

    Args:
        factor: how many times larger.
    """

    def __init__(self, factor: int, **settings: Any) -> None:
        super().__init__(**{**settings, "dtype": "float32"})
        self._factor = factor

    def call(self, pictures: tf.Tensor) -> tf.Tensor:
        """The pictures, upsampled; what is outside is as the edge."""
        _, height, width, _ = sizes(pictures)
        return tf.image.resize(pictures, [self._factor * height, self._factor * width])

    def compute_output_shape(self, pictures_shape: Shape) -> Shape:
        """Larger, as far as it is known."""
        count, *sides, channels = pictures_shape
        return count, *(side and self._factor * side for side in sides), channels

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "factor": self._factor}


class Warp(layers.Layer):
    """Backward warping: each pixel is taken from elsewhere in the picture, bilinearly, [N, H, W, C] → [N, H, W, C].

    Args:
        max_displacement: pixels to each side from which it may come.
    """

    def __init__(self, max_displacement: int, **settings: Any) -> None:
        super().__init__(**{**settings, "dtype": "float32"})
        self._max_displacement = max_displacement

    def call(self, pictures: tf.Tensor, offsets: tf.Tensor) -> tf.Tensor:
        """The pictures at x + `max_displacement` * tanh(`offsets`), [N, H, W, 2], x and y; beyond an edge the edge."""
        count, height, width, channels = sizes(pictures)
        flow = self._max_displacement * tf.tanh(offsets)
        whole = tf.floor(flow)  # not of the place it leads to: a part of a picture is computed as in the whole
        share_x, share_y = tf.split(flow - whole, 2, axis=-1)
        columns = tf.range(width) + tf.cast(whole[..., 0], tf.int32)
        rows = tf.range(height)[:, tf.newaxis] + tf.cast(whole[..., 1], tf.int32)
        pixels = tf.reshape(pictures, [count, height * width, channels])

        def at(down: int, right: int) -> tf.Tensor:
            row, column = (tf.clip_by_value(place, 0, side - 1) for place, side in (
                (rows + down, height), (columns + right, width)))
            return tf.gather(pixels, row * width + column, axis=1, batch_dims=1)

        upper = (1.0 - share_x) * at(0, 0) + share_x * at(0, 1)
        lower = (1.0 - share_x) * at(1, 0) + share_x * at(1, 1)
        return (1.0 - share_y) * upper + share_y * lower

    def compute_output_shape(self, pictures_shape: Shape, offsets_shape: Shape) -> Shape:
        """That of the pictures."""
        return pictures_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "max_displacement": self._max_displacement}


class TemporalShift(layers.Layer):
    """Takes some channels of each frame from the frame before it, and some from the one after it.

    What convolutions over space then see is the time beside (Lin et al., TSM, 2019, arXiv:1811.08383), without a
    product more. Before the first and after the last frame of a clip there are zeros.

    Args:
        share: of the channels, that come from the frame before; as many come from the one after.
        causal: whether none come from the frame after.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, share: float = 0.25, causal: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share, self.causal = share, causal

    def call(self, pictures: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
        """Pictures [B * T, H, W, C], shifted among the frames of the same clip.

        Args:
            pictures: those of a clip one after the other.
            like: clips [B, T, ...], which say how many frames are of one clip.
        """
        # By splitting, whose gradient is a concatenation: that of slices took half as long as all convolutions.
        shape = sizes(pictures)
        frames = sizes(like)[1]
        clips = tf.reshape(pictures, [-1, frames, *shape[1:]])
        before, after, rest = self.split(clips)
        beyond = tf.zeros_like(before[:, :1])
        before = tf.concat([beyond, tf.split(before, [frames - 1, 1], 1)[0]], 1)
        if not self.causal:
            after = tf.concat([tf.split(after, [1, frames - 1], 1)[1], beyond], 1)
        return tf.reshape(tf.concat([before, after, rest], -1), [-1, *shape[1:]])

    def split(self, pictures: tf.Tensor) -> list[tf.Tensor]:
        """The channels that come from the frame before, those from the frame after, and the rest."""
        channels = pictures.shape[-1]
        count = max(1, int(self.share * channels))
        return tf.split(pictures, [count, count, channels - 2 * count], -1)

    def compute_output_shape(self, pictures_shape: Shape, like_shape: Shape) -> Shape:
        """That of the pictures."""
        return pictures_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "share": self.share, "causal": self.causal}


class StreamingShift(TemporalShift):
    """The same for the next frames of a film, with the last ones before them.

    Where it takes channels from the frame after, its pictures are those of the frame before: one cannot know earlier.
    """

    @property
    def buffered_frames(self) -> int:
        """Frames that it buffers."""
        return 1 if self.causal else 2

    def call(self, pictures: tf.Tensor, buffer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """The shifted pictures, the pictures of the same frames as they were, and the next buffer.

        Args:
            pictures: of the next frames, [N, H, W, C].
            buffer: the last frames before them, [n, H, W, C].
        """
        frames, count = tf.concat([buffer, pictures], 0), tf.shape(pictures)[0]
        here = frames[1:1 + count]
        _, after, rest = self.split(here)
        if not self.causal:
            after = self.split(frames[2:])[1]
        return tf.concat([self.split(frames[:count])[0], after, rest], -1), here, frames[count:]

    def compute_output_shape(self, pictures_shape: Shape, buffer_shape: Shape) -> tuple[Shape, Shape, Shape]:
        """All as that of the pictures."""
        return pictures_shape, pictures_shape, pictures_shape


class Delay(layers.Layer):
    """Pictures of a film by some frames later."""

    def call(self, pictures: tf.Tensor, buffer: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The frames before, and the next buffer.

        Args:
            pictures: of the next frames, [N, H, W, C].
            buffer: those before them, as many as it delays by, [n, H, W, C].
        """
        frames, count = tf.concat([buffer, pictures], 0), tf.shape(pictures)[0]
        return frames[:count], frames[count:]

    def compute_output_shape(self, pictures_shape: Shape, buffer_shape: Shape) -> tuple[Shape, Shape]:
        """All as that of the pictures."""
        return pictures_shape, pictures_shape


class WithinFilm(layers.Layer):
    """Zeros in place of pictures of times at which there is no frame.

    Args:
        delay: by how many frames the pictures are late.
        **kwargs: of `keras.layers.Layer`.
    """

    def __init__(self, delay: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.delay = delay

    def call(self, pictures: tf.Tensor, time: tf.Tensor, last: tf.Tensor) -> tf.Tensor:
        """The pictures [N, H, W, C] from the first to the last frame of a film.

        Args:
            pictures: late ones.
            time: numbers of the frames that came in, int64 [N].
            last: number of the last frame of the film, int64 [N].
        """
        number = time - self.delay
        there = tf.logical_and(number >= 0, number <= last)
        return tf.where(there[:, tf.newaxis, tf.newaxis, tf.newaxis], pictures, tf.zeros_like(pictures))

    def compute_output_shape(self, pictures_shape: Shape, time_shape: Shape, last_shape: Shape) -> Shape:
        """That of the pictures."""
        return pictures_shape

    def get_config(self) -> dict[str, Any]:
        """Arguments of the constructor."""
        return {**super().get_config(), "delay": self.delay}


class SpaceToDepth(layers.Layer):
    """Squares of 2 x 2 pixels as channels of one, [N, H, W, C] → [N, H / 2, W / 2, 4 C]: nothing is lost."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """x at half its size."""
        return tf.nn.space_to_depth(x, 2)

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Half the sides, four times the channels."""
        return x_shape[0], *(side and side // 2 for side in x_shape[1:3]), 4 * x_shape[3]


class DepthToSpace(layers.Layer):
    """Channels as squares of 2 x 2 pixels, [N, H, W, 4 C] → [N, 2 H, 2 W, C]."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        """x at twice its size."""
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, x_shape: Shape) -> Shape:
        """Twice the sides, a quarter of the channels."""
        return x_shape[0], *(side and 2 * side for side in x_shape[1:3]), x_shape[3] // 4
