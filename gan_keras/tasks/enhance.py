"""Enhancement: a degraded clip back to what it was (`--degrade`), sharper, larger, without noise or blocks.

The network begins as the given clip, enlarged (bicubic) where it was made smaller. It is trained by the Charbonnier
distance; then discriminators join with a small weight, and their features are matched (Real-ESRGAN and RealBasicVSR
train so: arXiv:2107.10833, arXiv:2111.12704). Signatures: see `tasks.video_to_video`; frames of `serving_default` are 2
or 4 times as large where `--degrade` has down2 or down4.
"""

import tensorflow as tf

from gan_keras.data import DEGRADATIONS, degradations
from gan_keras.losses import reconstruction
from gan_keras.losses.forward_pass import LossTerm, Tensors
from gan_keras.tasks.video_to_video import Shape, VideoToVideo


class Enhance(VideoToVideo):
    """A degraded clip back to what it was."""

    adversarial_weight, feature_weight = 0.05, 0.5

    @property
    def factor(self) -> int:
        """How many times larger a clip becomes."""
        return degradations.downscaling(self.config.given.degrade)

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """Strengths, and the noise."""
        frames, height, width, channels = self.config.clip.shape
        return {"strengths": ("uniform", (len(DEGRADATIONS),)),
                "noise": ("normal", (frames, height // self.factor, width // self.factor, channels))}

    def corrupt(self, clips: tf.Tensor, random: Tensors) -> tuple[Tensors, tf.Tensor]:
        """Degrades clips."""
        degraded = degradations.degrade(clips, self.config.given.degrade, random["strengths"], random["noise"])
        return {"video": degraded}, clips

    def conditions(self, given: Tensors) -> Tensors:
        """The clip at its later size."""
        return {"base": degradations.enlarge(given["video"], self.factor)}

    def fidelity_terms(self) -> list[LossTerm]:
        """The Charbonnier distance."""
        return [LossTerm("charbonnier", 1.0, "generator", lambda forward: reconstruction.charbonnier(
            forward.example.target, forward.outputs["pictures"]))]
