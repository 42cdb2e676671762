"""Reader of the factors of clips of one solid shape on a plain background: shape, colour, size and position by frame.

A frame is explained as `background + coverage * contrast`. The background is the median of the frame's border. The
contrast is the difference of the middle of the largest patch from the background. The coverage, 0 to 1, is that of an
ideal shape with soft edges of one pixel, which has the patch's centre and area. What the best of the ideal shapes
leaves unexplained decides whether the frame is valid, separately inside the shape, at its edge and on the background.
So holes, texture, a second colour, a second shape, frayed or soft edges and other forms, turned or cut off by the
frame, all make a frame invalid without a rule for each.

Drawn clips (`moving_shapes`) are explained almost exactly; clips that were drawn without antialiasing, as those of
the MoCoGAN shapes set, within half a pixel along the edge.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gan_keras.data.drawn import moving_shapes

# In levels of 255, over the three channels together: the 99.9th percentile of noise of 3 levels a channel, its root
# mean square with a margin, and the contrast below which a patch is too faint to be a shape.
_MAX_NOISE, _USUAL_NOISE = 12.0, 6.0
_MIN_CONTRAST = 30.0
_MAX_BACKGROUND_NOISE = 5.0
"""Root mean square per channel of a plain background. Noise of 8 levels is 5.7 on black, where half is clipped."""

# Limits of what is left unexplained, as shares of the contrast: root mean square inside, and squares summed at the edge
# and on the background for each pixel of the outline's length. A shape that fades to a third of its strength from one
# side to the other leaves about 0.15 inside; an edge without antialiasing leaves 1/12.
_MAX_INSIDE, _MAX_EDGE, _MAX_BACKGROUND = 0.1, 0.22, 0.04
_MAX_SOFTNESS = 0.34
"""Sum of coverage * (1 - coverage) for each pixel of outline: 1/6 for an edge of one pixel, 1/2 for one of three."""

# A form between two of the shapes is ambiguous: the best shape leaves much unexplained, and little less than the next
# one. Real shapes leave 0.13 at most, drawn without antialiasing and with noise of 3 levels.
_AMBIGUOUS_ERROR, _AMBIGUOUS_RATIO = 0.18, 0.75
_MIN_RADIUS = 1.75
"""In pixels; the form of smaller patches cannot be read."""
_EDGE_WIDTH = 1.5
"""In pixels, on either side of the outline."""
_CHUNK_PIXELS = 1 << 21
"""Pixels that are read at a time: about 130 MB."""

_HUES = np.array([0.0, 120.0, 240.0, 60.0, 300.0, 180.0])  # of moving_shapes.COLOURS, in their order


@dataclass(frozen=True, eq=False)
class Readings:
    """Factors of each frame of clips; -1 and NaN for frames that are not valid.

    Attributes:
        valid: bool [N, T], whether the frame shows exactly one solid shape on a plain background.
        shape: int64 [N, T], index into `moving_shapes.SHAPES`.
        colour: int64 [N, T], index into the names of `moving_shapes.COLOURS`: the nearest hue. Each name covers a sixth
            of the circle of hues, so any colour has one; that of a grey means nothing.
        rgb: float32 [N, T, 3], the shape's colour, 0 to 255.
        contrast: float32 [N, T], distance of the colour from the background's, 0 to 442.
        radius: float32 [N, T], of the disc of equal area, in units of the frame's shorter side.
        positions: float32 [N, T, 2], x and y of the centre in units of the frame's shorter side.
    """

    valid: np.ndarray
    shape: np.ndarray
    colour: np.ndarray
    rgb: np.ndarray
    contrast: np.ndarray
    radius: np.ndarray
    positions: np.ndarray

    @property
    def velocities(self) -> np.ndarray:
        """Displacements of the centre, float32 [N, T - 1, 2]; NaN unless both frames are valid."""
        return np.diff(self.positions, axis=1)

    @property
    def accelerations(self) -> np.ndarray:
        """Differences of the velocity, float32 [N, T - 2, 2]; NaN unless all three frames are valid."""
        return np.diff(self.positions, n=2, axis=1)


def read_clips(clips: np.ndarray) -> Readings:
    """Reads the factors of every frame.

    Args:
        clips: uint8 [N, T, H, W, 3].

    Raises:
        ValueError: the clips have another dtype or shape.
    """
    if clips.ndim != 5 or clips.shape[-1] != 3 or clips.dtype != np.uint8:
        raise ValueError(f"`clips` must be uint8 [N, T, H, W, 3]. Received: {clips.dtype} {list(clips.shape)}")
    frames = clips.reshape(-1, *clips.shape[2:])
    step = max(1, _CHUNK_PIXELS // (clips.shape[2] * clips.shape[3]))
    chunks = [_read_frames(frames[start:start + step]) for start in range(0, max(1, len(frames)), step)]
    fields = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Readings(**{name: field.reshape(*clips.shape[:2], *field.shape[1:]) for name, field in fields.items()})


def _read_frames(frames: np.ndarray) -> dict[str, np.ndarray]:
    """The fields of `Readings` for uint8 [M, H, W, 3], with M in the place of N and T."""
    count, height, width = frames.shape[:3]
    fields = {"valid": np.zeros(count, bool), "shape": np.full(count, -1), "colour": np.full(count, -1),
              "rgb": np.full((count, 3), np.nan, np.float32), "contrast": np.full(count, np.nan, np.float32),
              "radius": np.full(count, np.nan, np.float32), "positions": np.full((count, 2), np.nan, np.float32)}
    background = _border_median(frames)
    difference = frames - background[:, None, None]  # [M, H, W, 3], float32
    patch, middle = _largest_patch(difference)
    rows = np.flatnonzero(middle.any((1, 2)))  # only frames with a patch from here on
    difference, patch, middle, background = (values[rows] for values in (difference, patch, middle, background))
    contrast = (np.einsum("mhwc,mhw->mc", difference, middle, dtype=np.float32)
                / middle.sum((1, 2), dtype=np.float32)[:, None])
    shape, radius, centre, explained = _fit_shape(difference, patch, contrast)
    rgb = background + contrast
    readings = {"valid": np.ones(len(rows), bool), "shape": shape, "colour": nearest_hue(rgb), "rgb": rgb,
                "contrast": np.linalg.norm(contrast, axis=-1), "radius": radius / min(height, width),
                "positions": centre / min(height, width)}
    for name, values in readings.items():
        fields[name][rows[explained]] = values[explained]
    return fields


def _border_median(frames: np.ndarray) -> np.ndarray:
    """The colour of the background, float32 [M, 3]."""
    border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]], axis=1)
    return np.median(border, axis=1).astype(np.float32)


def _largest_patch(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest patch of each frame and its middle.

    The patch is a connected set of pixels more than half as far from the background as the brightest ones. Its middle
    is the pixels with four neighbours in the patch, which the shape covers completely.

    Args:
        difference: float32 [M, H, W, 3], from the background.

    Returns:
        Patch and middle, bool [M, H, W] each; all False where there is no patch.
    """
    strength = np.sqrt(np.einsum("mhwc,mhwc->mhw", difference, difference))
    count, height, width = strength.shape
    # The brightest 1 in 256 pixels may be noise.
    rank = height * width - 1 - height * width // 256
    peak = np.partition(strength.reshape(count, height * width), rank, axis=1)[:, rank]
    mask = strength > np.maximum(peak, _MIN_CONTRAST)[:, None, None] / 2
    mask &= (peak >= _MIN_CONTRAST)[:, None, None]
    in_plane = np.zeros((3, 3, 3), bool)
    in_plane[1] = True
    labels, num_labels = ndimage.label(mask, in_plane)
    pixels = np.flatnonzero(mask)
    frame_of = np.zeros(num_labels + 1, int)
    frame_of[labels.ravel()[pixels]] = pixels // (height * width)
    by_size = np.argsort(np.bincount(labels.ravel()[pixels], minlength=num_labels + 1), kind="stable")
    by_size = by_size[by_size > 0]
    largest = np.full(count, -1)  # no label
    largest[frame_of[by_size]] = by_size  # the largest label of a frame is written last
    patch = labels == largest[:, None, None]
    middle = np.zeros_like(patch)
    middle[:, 1:-1, 1:-1] = (patch[:, 1:-1, 1:-1] & patch[:, :-2, 1:-1] & patch[:, 2:, 1:-1] & patch[:, 1:-1, :-2]
                             & patch[:, 1:-1, 2:])
    return patch, middle


def _fit_shape(difference: np.ndarray, patch: np.ndarray, contrast: np.ndarray,
               ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fits the ideal shape that leaves least unexplained.

    Args:
        difference: float32 [M, H, W, 3], from the background.
        patch: bool [M, H, W].
        contrast: float32 [M, 3], of the shape.

    Returns:
        Index of the shape int64 [M], radius [M] and centre [M, 2] in pixels, and whether it explains the frame, bool
        [M].
    """
    power = np.einsum("mc,mc->m", contrast, contrast)
    coverage = np.einsum("mhwc,mc->mhw", difference, contrast / np.maximum(power, 1e-6)[:, None])
    total = np.einsum("mhwc,mhwc->mhw", difference, difference)
    strength = np.sqrt(power)[:, None, None]
    # Squared difference in another colour, as a share of the contrast.
    other_colour = np.maximum(total / np.maximum(strength**2, 1e-6) - coverage**2, 0)
    near = np.where(_dilate(patch), coverage, 0)
    area = near.sum((1, 2))
    y, x = (np.arange(size, dtype=np.float32) + 0.5 for size in difference.shape[1:3])
    centre = np.stack([near.sum(1) @ x, near.sum(2) @ y], axis=-1) / np.maximum(area, 1)[:, None]
    radius = np.sqrt(np.maximum(area, 1) / np.pi)
    # On the background, which is large, noise is ignored up to a fifth of a faint shape's contrast. The edge has too
    # few pixels for noise to matter. Inside, a gradient would pass for noise, so only its usual sum is subtracted.
    noise = np.minimum(_MAX_NOISE / np.maximum(strength, 1e-6), 0.2)
    errors, explained = [], []
    dx, dy = x - centre[:, 0, None, None], y[:, None] - centre[:, 1, None, None]  # [M, 1, W] and [M, H, 1]
    for name in moving_shapes.SHAPES:
        distance = moving_shapes.outline_distance(name, dx, dy, radius[:, None, None])
        residual = (coverage - np.clip(0.5 - distance, 0, 1))**2 + other_colour
        beyond_noise = np.maximum(np.sqrt(residual) - noise, 0)**2
        inside, outside = distance < -_EDGE_WIDTH, distance > _EDGE_WIDTH
        edge = ~(inside | outside)
        # In pixels, of the part within the frame: a shape may touch the border.
        outline = np.maximum(edge.sum((1, 2)), 1) / (2 * _EDGE_WIDTH)
        edge_error = (residual * edge).sum((1, 2)) / outline
        background_error = (beyond_noise * outside).sum((1, 2)) / outline
        inside_error = (residual * inside).sum((1, 2)) / np.maximum(inside.sum((1, 2)), 1)
        inside_error = np.sqrt(np.maximum(inside_error - _USUAL_NOISE**2 / np.maximum(power, 1e-6), 0))
        softness = (coverage * (1 - coverage) * edge).sum((1, 2)) / outline
        background_noise = np.sqrt((total * outside).sum((1, 2)) / np.maximum(3 * outside.sum((1, 2)), 1))
        errors.append(edge_error + background_error + inside_error)
        explained.append((edge_error < _MAX_EDGE) & (background_error < _MAX_BACKGROUND) & (inside_error < _MAX_INSIDE)
                         & (softness < _MAX_SOFTNESS) & (background_noise < _MAX_BACKGROUND_NOISE)
                         & (radius >= _MIN_RADIUS))
    shape = np.argmin(errors, axis=0)
    best, second, *_ = np.sort(errors, axis=0)
    unambiguous = (best < _AMBIGUOUS_ERROR) | (best < _AMBIGUOUS_RATIO * second)
    return shape, radius, centre, unambiguous & np.take_along_axis(np.array(explained), shape[None], axis=0)[0]


def _dilate(patch: np.ndarray) -> np.ndarray:
    """A patch and all within two pixels of it, which its soft edge may cover."""
    for axis in (1, 2):
        padded = np.pad(patch, [(2, 2) if this == axis else (0, 0) for this in range(3)])
        size = patch.shape[axis]
        patch = np.logical_or.reduce([np.take(padded, range(start, start + size), axis) for start in range(5)])
    return patch


def nearest_hue(rgb: np.ndarray) -> np.ndarray:
    """The nearest of the six hues of `moving_shapes.COLOURS`.

    Args:
        rgb: [..., 3], 0 to 255.

    Returns:
        int64 [...], index into the names of `moving_shapes.COLOURS`.
    """
    red, green, blue = np.moveaxis(rgb, -1, 0)
    hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    distance = np.abs((hue[..., None] - _HUES + 180) % 360 - 180)
    return np.argmin(distance, axis=-1)
