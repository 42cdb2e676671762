"""Reads the factors of clips of one solid shape on a plain ground: shape, colour, size and place, frame by frame.

A frame is explained as `ground + coverage * contrast`: the ground is the median of the frame's border, the contrast is
what the middle of its largest patch differs from the ground by, and the coverage, 0 to 1, is that of an ideal shape
with soft edges of one pixel, which has the patch's centre and area. What the best of the ideal shapes leaves
unexplained decides whether the frame is valid, separately inside the shape, at its edge and on the ground. So holes,
texture, a second colour, a second shape, frayed or soft edges and shapes of another form, turned or cut by the frame
are all found without a rule for each.

Drawn clips (`video.shapes`) are explained all but exactly; clips that were drawn without antialiasing, as those of the
MoCoGAN shapes set, within half a pixel along the edge.
"""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from gan_keras.video import shapes

# In levels of 255, over the three channels together: what noise of 3 levels a channel stays below (its 99.9th
# percentile), its root mean square with something to spare, and what is too faint to be a shape.
NOISE, USUAL_NOISE = 12.0, 6.0
FAINTEST = 30.0
# Root mean square per channel that a plain ground stays below. Noise of 8 levels is 5.7 on black, where half is cut.
GROUND_NOISE = 5.0
# What may be left unexplained, as shares of the contrast: root mean square inside, and squares summed at the edge and
# on the ground for each pixel of the outline's length. A shape that fades to a third of its strength from one side to
# the other leaves about 0.15 inside; an edge without antialiasing leaves 1/12.
INSIDE, EDGE, GROUND = 0.1, 0.22, 0.04
# Sum of coverage * (1 - coverage) for each pixel of outline: 1/6 for an edge of one pixel, 1/2 for one of three.
SOFTNESS = 0.34
# A form between two of the shapes: the best one leaves much, in all, and little less than the next one does. Real
# shapes leave 0.13 at most, drawn without antialiasing and with noise of 3 levels.
AMBIGUOUS_FROM, AMBIGUOUS = 0.18, 0.75
# Radius in pixels below which a patch is a speck without a form that could be read.
SMALLEST = 1.75
# Of the edge, on either side of the outline, in pixels.
_EDGE_WIDTH = 1.5
_CHUNK = 1 << 21  # pixels read at once: about 130 MB

_HUES = np.array([0.0, 120.0, 240.0, 60.0, 300.0, 180.0])  # of the names in shapes.COLOURS, in their order


@dataclass(frozen=True, eq=False)
class Readings:
    """What was read from clips; frames that are not valid have -1 and NaN.

    Attributes:
        valid: bool [N, T], whether the frame shows exactly one solid shape on a plain ground.
        shape: int64 [N, T], index into `shapes.SHAPES`.
        colour: int64 [N, T], index into the names of `shapes.COLOURS`: the one of the nearest hue. Each stands for a
            sixth of the circle of hues, so any colour has a name; that of a grey means nothing.
        rgb: float32 [N, T, 3], the shape's colour, 0 to 255.
        contrast: float32 [N, T], how far the colour is from the ground's, 0 to 442.
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
        """float32 [N, T - 1, 2]: how far the centre moves; NaN unless both frames are valid."""
        return np.diff(self.positions, axis=1)

    @property
    def accelerations(self) -> np.ndarray:
        """float32 [N, T - 2, 2]: how much the velocity changes; NaN unless all three frames are valid."""
        return np.diff(self.positions, n=2, axis=1)


def read_clips(clips: np.ndarray) -> Readings:
    """Reads the factors of every frame.

    Args:
        clips: uint8 [N, T, H, W, 3].

    Raises:
        ValueError: the clips are something else.
    """
    if clips.ndim != 5 or clips.shape[-1] != 3 or clips.dtype != np.uint8:
        raise ValueError(f"`clips` must be uint8 [N, T, H, W, 3]. Received: {clips.dtype} {list(clips.shape)}")
    frames = clips.reshape(-1, *clips.shape[2:])
    step = max(1, _CHUNK // (clips.shape[2] * clips.shape[3]))
    chunks = [_read_frames(frames[start:start + step]) for start in range(0, max(1, len(frames)), step)]
    fields = {name: np.concatenate([chunk[name] for chunk in chunks]) for name in chunks[0]}
    return Readings(**{name: field.reshape(*clips.shape[:2], *field.shape[1:]) for name, field in fields.items()})


def _read_frames(frames: np.ndarray) -> dict[str, np.ndarray]:
    """The fields of `Readings` for uint8 [M, H, W, 3], with M in the place of N and T."""
    count, height, width = frames.shape[:3]
    fields = {"valid": np.zeros(count, bool), "shape": np.full(count, -1), "colour": np.full(count, -1),
              "rgb": np.full((count, 3), np.nan, np.float32), "contrast": np.full(count, np.nan, np.float32),
              "radius": np.full(count, np.nan, np.float32), "positions": np.full((count, 2), np.nan, np.float32)}
    ground = _border_median(frames)
    difference = frames - ground[:, None, None]  # [M, H, W, 3], float32
    patch, middle = _largest_patch(difference)
    known = np.flatnonzero(middle.any((1, 2)))
    # Frames without a patch worth a look are left out from here on.
    difference, patch, middle, ground = (part[known] for part in (difference, patch, middle, ground))
    contrast = (np.einsum("mhwc,mhw->mc", difference, middle, dtype=np.float32)
                / middle.sum((1, 2), dtype=np.float32)[:, None])
    shape, radius, centre, explained = _explain(difference, patch, contrast)
    where = known[explained]
    rgb = ground + contrast
    readings = {"valid": np.ones(len(known), bool), "shape": shape, "colour": name_colours(rgb), "rgb": rgb,
                "contrast": np.linalg.norm(contrast, axis=-1), "radius": radius / min(height, width),
                "positions": centre / min(height, width)}
    for name, values in readings.items():
        fields[name][where] = values[explained]
    return fields


def _border_median(frames: np.ndarray) -> np.ndarray:
    """The colour of the ground, float32 [M, 3]."""
    border = np.concatenate([frames[:, 0], frames[:, -1], frames[:, :, 0], frames[:, :, -1]], axis=1)
    return np.median(border, axis=1).astype(np.float32)


def _largest_patch(difference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest connected patch of pixels more than half as far from the ground as the brightest are, and its middle:
    the pixels with four neighbours in the patch. Less than all of such a pixel is never covered by the shape.

    Returns:
        bool [M, H, W] twice; all false where there is no patch.
    """
    strength = np.sqrt(np.einsum("mhwc,mhwc->mhw", difference, difference))
    count, height, width = strength.shape
    # The brightest 1 in 256 pixels may be specks.
    rank = height * width - 1 - height * width // 256
    peak = np.partition(strength.reshape(count, height * width), rank, axis=1)[:, rank]
    mask = strength > np.maximum(peak, FAINTEST)[:, None, None] / 2
    mask &= (peak >= FAINTEST)[:, None, None]
    in_plane = np.zeros((3, 3, 3), bool)
    in_plane[1] = True
    labels, found = ndimage.label(mask, in_plane)
    pixels = np.flatnonzero(mask)
    frame_of = np.zeros(found + 1, int)
    frame_of[labels.ravel()[pixels]] = pixels // (height * width)
    by_size = np.argsort(np.bincount(labels.ravel()[pixels], minlength=found + 1), kind="stable")
    by_size = by_size[by_size > 0]
    largest = np.full(count, -1)  # No label.
    largest[frame_of[by_size]] = by_size  # The last that is written, the largest, stays.
    patch = labels == largest[:, None, None]
    middle = np.zeros_like(patch)
    middle[:, 1:-1, 1:-1] = (patch[:, 1:-1, 1:-1] & patch[:, :-2, 1:-1] & patch[:, 2:, 1:-1] & patch[:, 1:-1, :-2]
                             & patch[:, 1:-1, 2:])
    return patch, middle


def _explain(difference: np.ndarray, patch: np.ndarray, contrast: np.ndarray,
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Finds the ideal shape that leaves least unexplained.

    Args:
        difference: float32 [M, H, W, 3], from the ground.
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
    # What is of another colour, squared, as a share of the contrast.
    other_colour = np.maximum(total / np.maximum(strength**2, 1e-6) - coverage**2, 0)
    near = np.where(_grow(patch), coverage, 0)
    area = near.sum((1, 2))
    y, x = (np.arange(size, dtype=np.float32) + 0.5 for size in difference.shape[1:3])
    centre = np.stack([near.sum(1) @ x, near.sum(2) @ y], axis=-1) / np.maximum(area, 1)[:, None]
    radius = np.sqrt(np.maximum(area, 1) / np.pi)
    # On the ground, which is large, noise counts for nothing, up to a fifth of a faint shape's contrast. The edge has
    # too few pixels for noise to matter. Inside, a gradient would pass for it, and only its usual sum is taken off.
    noise = np.minimum(NOISE / np.maximum(strength, 1e-6), 0.2)
    errors, verdicts = [], []
    dx, dy = x - centre[:, 0, None, None], y[:, None] - centre[:, 1, None, None]  # [M, 1, W] and [M, H, 1]
    for name in shapes.SHAPES:
        distance = shapes.outline_distance(name, dx, dy, radius[:, None, None])
        left = (coverage - np.clip(0.5 - distance, 0, 1))**2 + other_colour
        beyond_noise = np.maximum(np.sqrt(left) - noise, 0)**2
        inside, ground = distance < -_EDGE_WIDTH, distance > _EDGE_WIDTH
        edge = ~(inside | ground)
        # In pixels, and only what of it is within the frame: a shape may touch the border.
        outline = np.maximum(edge.sum((1, 2)), 1) / (2 * _EDGE_WIDTH)
        at_edge = (left * edge).sum((1, 2)) / outline
        on_ground = (beyond_noise * ground).sum((1, 2)) / outline
        within = (left * inside).sum((1, 2)) / np.maximum(inside.sum((1, 2)), 1)
        within = np.sqrt(np.maximum(within - USUAL_NOISE**2 / np.maximum(power, 1e-6), 0))
        soft = (coverage * (1 - coverage) * edge).sum((1, 2)) / outline
        ripple = np.sqrt((total * ground).sum((1, 2)) / np.maximum(3 * ground.sum((1, 2)), 1))
        errors.append(at_edge + on_ground + within)
        verdicts.append((at_edge < EDGE) & (on_ground < GROUND) & (within < INSIDE) & (soft < SOFTNESS)
                        & (ripple < GROUND_NOISE) & (radius >= SMALLEST))
    shape = np.argmin(errors, axis=0)
    best, second, *_ = np.sort(errors, axis=0)
    plain = (best < AMBIGUOUS_FROM) | (best < AMBIGUOUS * second)
    return shape, radius, centre, plain & np.take_along_axis(np.array(verdicts), shape[None], axis=0)[0]


def _grow(patch: np.ndarray) -> np.ndarray:
    """A patch and all within two pixels of it: what its soft edge may cover."""
    for axis in (1, 2):
        padded = np.pad(patch, [(2, 2) if this == axis else (0, 0) for this in range(3)])
        size = patch.shape[axis]
        patch = np.logical_or.reduce([np.take(padded, range(start, start + size), axis) for start in range(5)])
    return patch


def name_colours(rgb: np.ndarray) -> np.ndarray:
    """The nearest of six hues.

    Args:
        rgb: [..., 3], 0 to 255.

    Returns:
        int64 [...], index into the names of `shapes.COLOURS`.
    """
    red, green, blue = np.moveaxis(rgb, -1, 0)
    hue = np.degrees(np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue))
    apart = np.abs((hue[..., None] - _HUES + 180) % 360 - 180)
    return np.argmin(apart, axis=-1)
