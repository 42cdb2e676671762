"""Prediction: the frames that follow one to four given ones. From one frame it is a picture that begins to move.

The network sees the given frames beside each frame to be made, and how far that is; it begins as the last given frame,
which stands. No frame is made from those after it. Random numbers (`seed`) choose one of the possible futures.

| signature         | inputs                                      | outputs                                           |
|-------------------|---------------------------------------------|---------------------------------------------------|
| `serving_default` | `video` uint8 [B, K, H, W, 3], any number,  | `video` uint8 [B, T - context_frames, H, W, 3],   |
|                   | of which the last are taken; `seed`         | the frames that follow                            |

Longer: give it the last frames that it made. `pairs` as in `tasks.video_to_video`, the given frames first.
"""

from collections.abc import Mapping

import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.layers.frames import sizes
from gan_keras.losses.forward_pass import LossTerm, Tensors
from gan_keras.models.generator import Generator
from gan_keras.models.latents import Latent
from gan_keras.tasks.task import Signature
from gan_keras.tasks.video_to_video import Shape, VideoToVideo, difference_term

_LATENT_DIM = 16


class Predict(VideoToVideo):
    """What follows the first frames."""

    masked, causal, streams = True, True, False
    latents: Mapping[str, Latent] = {"future": Latent(_LATENT_DIM)}
    adversarial_weight, feature_weight = 0.02, 0.2

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        if self.count >= config.clip.num_frames:
            raise UserError("`context_frames` must be fewer than the frames of a clip. Received: "
                            f"context_frames={self.count}, num_frames={config.clip.num_frames}")

    @property
    def count(self) -> int:
        """Frames that are given, at most."""
        return self.config.given.context_frames

    @property
    def guide(self) -> int:
        """The given frames, and how far a frame is from them."""
        return 3 * self.count + 1

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """How many frames are given."""
        return {"count": ("uniform", (1,))}

    def corrupt(self, clips: tf.Tensor, random: Tensors) -> tuple[Tensors, tf.Tensor]:
        """The first frames; of those that are not given, the first given one stands in their places."""
        missing = tf.cast(random["count"][:, 0] * self.count, tf.int32)
        places = tf.maximum(tf.range(self.count)[tf.newaxis], missing[:, tf.newaxis])
        first = tf.gather(clips, places, batch_dims=1)
        return {"video": first}, tf.concat([first, clips[:, self.count:]], 1)

    def conditions(self, given: Tensors) -> Tensors:
        """Given frames and then the last of them; all of them beside each frame, with its distance; what is made."""
        last = given["video"][:, -self.count:]
        batch, known, height, width, _ = sizes(last)
        first = tf.gather(last, tf.maximum(tf.range(self.count) - (self.count - known), 0), axis=1)
        total = self.config.clip.num_frames
        future = total - self.count
        base = tf.concat([first, tf.repeat(first[:, -1:], future, axis=1)], 1)
        beside = tf.repeat(tf.reshape(tf.transpose(first, [0, 2, 3, 1, 4]), [batch, 1, height, width, 3 * self.count]),
                           total, axis=1)
        distance = tf.maximum(tf.range(total, dtype=tf.float32) - (self.count - 1), 0.0)[
            tf.newaxis, :, tf.newaxis, tf.newaxis, tf.newaxis]
        each = tf.ones([batch, total, height, width, 1])
        return {"base": base, "guide": tf.concat([beside, each * distance / future], -1),
                "mask": each * tf.cast(distance > 0, tf.float32)}

    def fidelity_terms(self) -> list[LossTerm]:
        """L1 of the frames that follow."""
        return [difference_term("l1", 1.0, within_mask=True)]

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """See the top of this file."""
        signatures = super().signatures(generator)
        whole = signatures["serving_default"]
        return {**signatures, "serving_default": whole._replace(
            function=lambda inputs: {"video": whole.function(inputs)["video"][:, self.count:]})}
