"""What a generator is: a backbone and a renderer.

The *backbone* turns latents into features of every frame, with a small picture of each; the *renderer* turns features
of any frames into full-size pictures. In training only the frames that a discriminator looks at are rendered; at
generation all are (Saito et al., TGANv2, 2018, arXiv:1811.09245, renders for its discriminators in the same spirit).
"""

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from gan_keras import catalog
from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.sampling import Latent


@dataclasses.dataclass(frozen=True)
class Generator:
    """A generator of clips.

    Attributes:
        latents: what it is fed, by name, in the order of drawing.
        backbone: functional model, latents → {`features` [B, T, h, w, F], `small` [B, T, h', w', 3]}.
        renderer: functional model, {`features` [N, h, w, F], `small` [N, h', w', 3]} → pictures [N, H, W, 3] float32.
            None where the features are the pictures.
    """

    latents: Mapping[str, Latent]
    backbone: keras.Model
    renderer: keras.Model | None

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks by name."""
        found = {"backbone": self.backbone, "renderer": self.renderer}
        return {name: network for name, network in found.items() if network is not None}

    @property
    def weights(self) -> list[keras.Variable]:
        """All that a checkpoint has to hold, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.weights]

    def named_weights(self, owner: str) -> dict[str, keras.Variable]:
        """The weights by the name under which a checkpoint holds them."""
        return {f"{owner}/{part}/{variable.path}": variable
                for part, network in self.networks.items() for variable in network.weights}

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables that training changes, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.trainable_variables]

    def render(self, outputs: Mapping[str, tf.Tensor], frames: tf.Tensor) -> tf.Tensor:
        """Full-size pictures of some frames.

        Args:
            outputs: of the backbone, for B clips.
            frames: int32 [B, K], which frames of each clip.

        Returns:
            float32 [B, K, H, W, 3].
        """
        return self._render({name: tf.gather(output, frames, batch_dims=1) for name, output in outputs.items()})

    def clips(self, latents: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Whole clips at full size, float32 [B, T, H, W, 3], about -1 to 1."""
        return self._render(self.backbone(latents))

    def _render(self, outputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        if self.renderer is None:
            return outputs["features"]
        frames = self.renderer({name: tf.reshape(output, [-1, *output.shape[2:]]) for name, output in outputs.items()})
        return tf.reshape(frames, tf.concat([tf.shape(outputs["features"])[:2], frames.shape[1:]], 0))


def build_generator(clips: ClipSettings, model: ModelSettings, precision: str) -> Generator:
    """Builds the generator that the settings name, with fresh weights.

    Args:
        clips: what a clip is.
        model: which family, how wide.
        precision: a Keras dtype policy, `"float32"` or `"mixed_bfloat16"`.
    """
    with keras_precision(precision):
        return catalog.find("models.generators", model.generator)(clips, model)


class keras_precision:
    """Context in which new layers take the given dtype policy; the policy before is put back."""

    def __init__(self, policy: str) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._policy)

    def __exit__(self, *_: object) -> None:
        keras.config.set_dtype_policy(self._before)
