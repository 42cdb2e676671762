"""Answers to a hole in a clip that need no network: what was or will be there, else what is around.

A generator of mended clips begins with them, and is measured against them. Clips are float32 [B, T, H, W, C], masks
float32 [B, T, H, W, 1], 1 where something is missing.
"""

import tensorflow as tf

TIME_REACH = 8
"""Frames before and after, among which a pixel is looked for, a power of 2."""
_NEVER = 1e3
"""Age of a pixel that was not seen."""
LEVELS = 6
"""Halvings of the frame from which what is around is taken; sides of tiles have to be multiples of 2 ** LEVELS."""
_SWEEPS = (4, 4, 4, 4, 1, 1, 1)
"""At each level, the finest first: a pixel is reached from as many of its squares away."""
SPATIAL_REACH = 2**LEVELS + sum(sweeps * 2**level for level, sweeps in enumerate(_SWEEPS))
"""Pixels from beyond which nothing reaches a pixel of a hole."""
_CROSS = [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
"""The four neighbours of a pixel."""

GUIDE = 8
"""Channels of what `fill` says beside: the two frames, and how far they are."""


def fill(clips: tf.Tensor, mask: tf.Tensor, before: tf.Tensor | int = 0, after: tf.Tensor | int = 0
         ) -> tuple[tf.Tensor, tf.Tensor]:
    """Fills holes by going over evenly from the last frame before to the first after in which a pixel can be seen; by
    the one of them that there is; and where there is none from what is around.

    Args:
        clips: [B, T, H, W, C]; not looked at where the mask is 1.
        mask: [B, T, H, W, 1].
        before: frames at the start that are looked at and not filled, at most `TIME_REACH`.
        after: likewise, at the end.

    Returns:
        Filled clips, of T - `before` - `after` frames, equal to `clips` where the mask is 0; and [..., 2 C + 2]: each
        pixel as it was seen last in a frame before, as it is seen first in one after, and how far these are, from 0 to
        1, 1 where there is none.
    """
    earlier, earlier_age, later, later_age = _beside(clips, mask, before, after)
    end = tf.shape(clips)[1] - after
    clips, mask = clips[:, before:end], mask[:, before:end]
    total = tf.maximum(earlier_age + later_age, 1.0)
    share = tf.where(earlier_age > TIME_REACH, 1.0, tf.where(later_age > TIME_REACH, 0.0, earlier_age / total))
    known = tf.cast(tf.minimum(earlier_age, later_age) <= TIME_REACH, clips.dtype)
    between = ((1.0 - share) * earlier + share * later) * known
    filled = tf.where(known > 0, between, harmonic(between, known))
    ages = [tf.minimum(age / (TIME_REACH + 1.0), 1.0) for age in (earlier_age, later_age)]
    return tf.where(mask > 0, filled, clips), tf.concat([earlier, later, *ages], -1)


def nearest(clips: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """Fills holes from the nearest frame in which a pixel can be seen, and where there is none from around."""
    earlier, earlier_age, later, later_age = _beside(clips, mask, 0, 0)
    known = tf.cast(tf.minimum(earlier_age, later_age) <= TIME_REACH, clips.dtype)
    pixels = tf.where(earlier_age <= later_age, earlier, later) * known
    return tf.where(mask > 0, tf.where(known > 0, pixels, harmonic(pixels, known)), clips)


def _beside(clips: tf.Tensor, mask: tf.Tensor, before: tf.Tensor | int, after: tf.Tensor | int
            ) -> tuple[tf.Tensor, ...]:
    """Each pixel as it was seen last before, how many frames ago, as it is seen first after, and in how many frames."""
    beyond = [[0, 0], [TIME_REACH - before, TIME_REACH - after], [0, 0], [0, 0], [0, 0]]
    seen = tf.pad(1.0 - mask, beyond)
    clips, age = tf.pad(clips, beyond) * seen, tf.where(seen > 0, 1.0, _NEVER)
    end, begin = tf.shape(age)[1] - TIME_REACH - 1, TIME_REACH + 1
    return *_nearest(clips[:, :end], age[:, :end], reverse=False), *_nearest(clips[:, begin:], age[:, begin:],
                                                                            reverse=True)


def harmonic(clips: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """Fills each frame from what is around, as smoothly as it can be: each pixel is about the mean of its neighbours.

    That is the discrete Laplace equation, solved from coarse to fine (cascadic multigrid, Bornemann and Deuflhard,
    1996): some sweeps by Jacobi's method at each level, begun with the level above.

    Args:
        clips: [B, T, H, W, C], 0 where not known; sides of any length.
        known: [B, T, H, W, 1], 1 or 0.

    Returns:
        [B, T, H, W, C]; 0 where nothing is known near enough, see `SPATIAL_REACH`.
    """
    shape, channels = tf.shape(clips), clips.shape[-1]
    levels = [tf.reshape(tf.concat([clips, known], -1), [-1, shape[2], shape[3], channels + 1])]
    for _ in range(LEVELS):
        levels.append(tf.nn.avg_pool2d(_even(levels[-1]), 2, 2, "VALID"))
    neighbours = tf.reshape(_CROSS, [3, 3, 1, 1])
    pictures = tf.zeros_like(levels[-1])
    for level, sweeps in zip(reversed(levels), reversed(_SWEEPS), strict=True):
        size = tf.shape(level)
        known = tf.cast(level[..., -1:] > 0, clips.dtype)
        fixed = _normalized(level)  # the mean of what is known of a square
        pictures = fixed + (1.0 - known) * tf.repeat(tf.repeat(pictures, 2, 1), 2, 2)[:, :size[1], :size[2]]
        count = tf.nn.conv2d(tf.ones([1, size[1], size[2], 1], clips.dtype), neighbours, 1, "SAME")
        unknown = (1.0 - known) / tf.maximum(count, 1.0)
        for _ in range(sweeps):
            pictures = fixed + unknown * tf.nn.conv2d(pictures, neighbours * tf.eye(channels + 1), 1, "SAME")
        pictures = _normalized(pictures)
    return tf.reshape(pictures[..., :-1], shape)


def _normalized(pictures: tf.Tensor) -> tf.Tensor:
    """Divides by the last channel, how much of the others is known; 0 stays (normalized convolution, Knutsson and
    Westin, 1993): what was not reached yet does not count."""
    return pictures / tf.maximum(pictures[..., -1:], 1e-6)


def _even(pictures: tf.Tensor) -> tf.Tensor:
    """Pads sides to even lengths with what is not known."""
    size = tf.shape(pictures)
    return tf.pad(pictures, [[0, 0], [0, size[1] % 2], [0, size[2] % 2], [0, 0]])


def _nearest(clips: tf.Tensor, age: tf.Tensor, reverse: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """The last of `TIME_REACH` frames up to each in which a pixel was seen, with its age, `_NEVER` where in none;
    without the first frames, which have not as many. With `reverse` the first frame from each on, without the last.

    Each round doubles the frames that are looked through.
    """
    step = 1
    while step < TIME_REACH:
        here, there = (slice(None, -step), slice(step, None))[::1 if reverse else -1]
        there_age = age[:, there] + step
        clips = tf.where(age[:, here] <= there_age, clips[:, here], clips[:, there])
        age = tf.minimum(age[:, here], there_age)
        step *= 2
    return clips, tf.where(age <= TIME_REACH, age, _NEVER)
