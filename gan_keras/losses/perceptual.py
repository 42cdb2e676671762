"""Perceptual loss: distances between the features of a frozen network that the user brings (Johnson et al., 2016,
arXiv:1603.08155).

The network takes pictures float32 [N, H, W, 3] or clips [N, T, H, W, 3], about -1 to 1, and gives one output,
[N, ...]. It is a `.keras` file or the folder of a SavedModel whose `serving_default` is such a function. Pictures are
resized to the size that it declares. Loading a SavedModel runs its code: load those that you trust.
"""

import tensorflow as tf

from gan_keras.config.train import ObjectiveSettings
from gan_keras.losses.auxiliary import feature_matching
from gan_keras.losses.forward_pass import ForwardPass, LossTerm, mean_over_batch, mean_per_clip, same_for_clips
from gan_keras.losses.reconstruction import l2
from gan_keras.models.user_network import UserNetwork
from gan_keras.models.views import View, Views

_FLAG = "perceptual_network"
_PICTURES, _CLIPS = 4, 5


class PerceptualFeatures:
    """Features of a frozen network, as a differentiable function of a view of clips.

    Args:
        path: of the network's file or folder.

    Attributes:
        view: view of the clips that it sees: full resolution, frame by frame, where it takes pictures; else low
            resolution.

    Raises:
        UserError: nothing there that can be loaded, or a network that takes something else.
    """

    def __init__(self, path: str) -> None:
        self._network = UserNetwork(path, _FLAG)
        rank, shape = self._network.input.shape.rank, self._network.input.shape
        if rank not in (_PICTURES, _CLIPS) or shape[-1] != 3:
            raise self._network.mistake(f"a network that takes [N, H, W, 3] or [N, T, H, W, 3]; this one takes "
                                        f"{shape.as_list() if rank else 'unknown shapes'}")
        self._output = self._network.find_output("")
        self.view: View = "full_resolution" if rank == _PICTURES else "low_resolution"
        self._size = shape[-3:-1]

    def __call__(self, views: Views) -> tf.Tensor:
        """Features of views float32 [B, F, h, w, 3] → float32 [N, D], N a multiple of B."""
        clips = getattr(views, self.view)
        frames, (height, width) = clips.shape[1], clips.shape[2:4]
        pictures = tf.reshape(clips, [-1, height, width, 3])
        size = self._size[0] or height, self._size[1] or width
        if size != (height, width):
            pictures = tf.image.resize(pictures, size)
        if self.view == "low_resolution":
            pictures = tf.reshape(pictures, [-1, frames, *size, 3])
        features = tf.cast(self._network(pictures)[self._output], tf.float32)
        return tf.reshape(features, [tf.shape(features)[0], -1])


def perceptual_terms(settings: ObjectiveSettings, features: PerceptualFeatures) -> list[LossTerm]:
    """Perceptual loss of a generator whose clips belong to no target: distance of the mean features over the batch."""
    def compute(forward: ForwardPass) -> tf.Tensor:
        real, generated = (mean_over_batch(features(views)) for views in (forward.real, forward.generated))
        return same_for_clips(feature_matching(real, generated), forward)

    return [LossTerm("perceptual", settings.perceptual_weight, "generator", compute, crosses_replicas=True)]


def perceptual_distance(features: PerceptualFeatures, target: Views, reconstruction: Views, forward: ForwardPass
                        ) -> tf.Tensor:
    """Perceptual loss of clips that belong to a target: mean squared distance of the features of each, [B]."""
    return mean_per_clip(l2(features(target), features(reconstruction)), forward)
