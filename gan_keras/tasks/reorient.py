"""Reorientation: a clip is turned, enlarged, shifted and put on another size, and the corners that it does not cover
are filled.

In training, a smaller frame is cut out of each, at an angle, so that what lies beyond its corners is known. The network
begins with the clip's edges, drawn out, and sees it mirrored beside. All else is as in `tasks.inpaint`. Signatures: see
`tasks.video_to_video`, with `angle` float32 [B], degrees clockwise; `zoom` float32 [B], above 1 enlarges; `shift`
float32 [B, 2], pixels to the right and down; `size` int64 [B, 2], height and width of the result, 0 for those of the
clip.
"""

import tensorflow as tf

from gan_keras.data.warping import extrapolated, reorientation, warp
from gan_keras.layers.frames import sizes
from gan_keras.losses.forward_pass import LossTerm, Tensors
from gan_keras.tasks.video_to_video import Shape, VideoToVideo, change_term, difference_term

MAX_ANGLE = 15.0
"""Degrees either way in training."""
_INNER = 0.7
"""Sides of the smaller frame, as a share of the whole one's."""
_ZOOM, _SHIFT = (0.92, 1.25), 0.1
_COVERED = 0.999


class Reorient(VideoToVideo):
    """A clip in another orientation, its corners filled."""

    guide, masked = 3, True

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """Angle, zoom, shift."""
        return {"orientation": ("uniform", (4,))}

    def corrupt(self, clips: tf.Tensor, random: Tensors) -> tuple[Tensors, tf.Tensor]:
        """A turned part of the clips is the target; given is what an upright frame as large as that part has of it."""
        uniform, (height, width) = random["orientation"], self.config.clip.shape[1:3]
        angle = MAX_ANGLE * (2.0 * uniform[:, 0] - 1.0)
        zoom = _ZOOM[0] + (_ZOOM[1] - _ZOOM[0]) * uniform[:, 1]
        shift = _SHIFT * (2.0 * uniform[:, 2:] - 1.0) * tf.constant([width, height], tf.float32)
        size = height, width
        target = warp(clips, reorientation(size, size, angle, zoom / _INNER, tf.zeros_like(shift)))
        # The smaller frame in the coordinates of the target: as if all of it had been turned and shifted.
        inner, replicated, reflected = extrapolated(target, reorientation(size, size, angle, zoom, shift))
        mask = tf.repeat(1.0 - inner, clips.shape[1], axis=1)
        return {"video": target * (1.0 - mask), "mask": mask, "replicated": replicated, "reflected": reflected}, target

    def parameters(self) -> dict[str, tuple[tf.TensorSpec, float]]:
        """See the top of this file."""
        number, pair = tf.TensorSpec([], tf.float32), tf.TensorSpec([2], tf.float32)
        return {"angle": (number, 5.0), "zoom": (number, 1.0), "shift": (pair, 0.0),
                "size": (tf.TensorSpec([2], tf.int64), 0)}

    def given_by(self, inputs: Tensors) -> Tensors:
        """The clip as it is to lie, and where nothing of it does."""
        video = super().given_by({"video": inputs["video"]})["video"]
        size = sizes(video)[2:4]
        wanted = tf.cast(inputs["size"][0], tf.int32)
        new_size = tf.where(wanted > 0, wanted, tf.stack(size))
        transform = reorientation(size, (new_size[0], new_size[1]), inputs["angle"], inputs["zoom"], inputs["shift"])
        turned, replicated, reflected = (warp(video, transform, new_size, mode)
                                   for mode in ("CONSTANT", "NEAREST", "REFLECT"))
        covered = warp(tf.ones_like(video[:, :, :, :, :1]), transform, new_size, "CONSTANT")
        mask = tf.cast(covered < _COVERED, tf.float32)
        return {"video": turned * (1.0 - mask), "mask": mask, "replicated": replicated, "reflected": reflected}

    def conditions(self, given: Tensors) -> Tensors:
        """The clip with the pixels of its edges in its corners, itself mirrored there beside, and where they are."""
        mask = given["mask"]
        base = tf.where(mask > 0, given["replicated"], given["video"])
        return {"base": base, "guide": given["reflected"] * mask, "mask": mask}

    def fidelity_terms(self) -> list[LossTerm]:
        """L1 in the corners, of pixels and of their changes."""
        return [difference_term("l1_hole", 1.0, within_mask=True), change_term(0.5)]
