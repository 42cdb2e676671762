"""Inpainting: holes in a clip are filled (`--holes`): scratches, things to be removed, frames that are missing.

The network begins with what other frames show there, the last before and the first after in which the pixel can be
seen, else with what is around, and sees both of these frames (`data.filling`). Losses as in E2FGVI and ProPainter
(arXiv:2204.02663, arXiv:2309.03897): L1 in the hole, of pixels and of their changes, and discriminators with a small
weight. Outside the hole the clip comes back bit by bit, so there is no loss there. Signatures: see
`tasks.video_to_video`; `mask` uint8 [B, T, H, W, 1] is not 0 where something is to be made.
"""

import tensorflow as tf

from gan_keras.data import filling, holes
from gan_keras.losses.forward_pass import LossTerm, Tensors
from gan_keras.tasks.video_to_video import Shape, VideoToVideo, change_term, difference_term


class Inpaint(VideoToVideo):
    """Holes are filled."""

    guide, warped, masked, takes_mask = filling.GUIDE, 2, True, True
    look_ahead = filling.TIME_REACH

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """Of the holes."""
        return {"holes": ("uniform", (holes.UNIFORMS + 1,)), "bits": ("uniform", holes.BITS)}

    def corrupt(self, clips: tf.Tensor, random: Tensors) -> tuple[Tensors, tf.Tensor]:
        """Makes holes."""
        mask = holes.holes(self.config.given.holes, self.config.clip.shape[:3], random["holes"], random["bits"])
        return {"video": clips * (1.0 - mask), "mask": mask}, clips

    def conditions(self, given: Tensors) -> Tensors:
        """The clip with its holes filled, where they are, and what was and will be there."""
        return self.conditions_between(given, 0, 0)

    def conditions_between(self, given: Tensors, before: tf.Tensor | int, after: tf.Tensor | int) -> Tensors:
        """See `VideoToVideo`."""
        base, beside = filling.fill(given["video"], given["mask"], before, after)
        return {"base": base, "guide": beside, "mask": given["mask"][:, before:tf.shape(given["mask"])[1] - after]}

    def fidelity_terms(self) -> list[LossTerm]:
        """L1 in the hole, of pixels and of their changes."""
        return [difference_term("l1_hole", 1.0, within_mask=True), change_term(0.5)]
