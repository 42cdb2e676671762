"""What a generator is: a few networks, so that nothing is drawn that nobody looks at.

The *motion* turns latents into a code of each frame; the *backbone* turns content and code of a frame into features
with a small picture; the *renderer* turns features into a full-size picture. In training, only frames that a
discriminator looks at are drawn, and only those it looks at closely are rendered; at generation all are (Saito et al.,
TGANv2, 2018, arXiv:1811.09245, renders for its discriminators in the same spirit). Families that draw a clip as a whole
have no motion network; their backbone makes all frames at once.

The motion also takes a *state* and gives the one after its last frame; who gives that back gets the frames that
follow. The network `start` makes the state before the first frame.
"""

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from gan_keras import catalog
from gan_keras.config import ClipSettings, ModelSettings
from gan_keras.sampling import Latent

_HELD_AS = {"start": "backbone", "motion": "backbone"}
"""Networks whose weights a checkpoint holds under the name of another: runs begun when they were one go on."""


@dataclasses.dataclass(frozen=True)
class Generator:
    """A generator of clips.

    Attributes:
        latents: what it is fed, by name, in the order of drawing.
        backbone: functional model. With `motion` it makes frames one by one: {latents of the clip [N, ...], `codes`
            [N, U]} → {`features` [N, h, w, F], `small` [N, h', w', 3]} and what else the renderer takes, [N, ...].
            Without it makes clips: latents → the same, [B, T, ...].
        renderer: functional model, {`features` [N, h, w, F], ...} → pictures [N, H, W, 3] float32. It takes any outputs
            of the backbone, by name. None where the features are the pictures.
        motion: functional model, {some latents, `state` [B, S]} → {`codes` [B, T, U], `state` [B, S]} float32.
        start: functional model, some latents of the clip → {`state` [B, S] float32}, before the first frame.
    """

    latents: Mapping[str, Latent]
    backbone: keras.Model
    renderer: keras.Model | None
    motion: keras.Model | None = None
    start: keras.Model | None = None

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks by name."""
        found = {"start": self.start, "motion": self.motion, "backbone": self.backbone, "renderer": self.renderer}
        return {name: network for name, network in found.items() if network is not None}

    @property
    def weights(self) -> list[keras.Variable]:
        """All that a checkpoint has to hold, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.weights]

    def named_weights(self, owner: str) -> dict[str, keras.Variable]:
        """The weights by the name under which a checkpoint holds them."""
        return {f"{owner}/{_HELD_AS.get(part, part)}/{variable.path}": variable
                for part, network in self.networks.items() for variable in network.weights}

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """The variables that training changes, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.trainable_variables]

    def first_state(self, latents: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """The state before the first frame, float32 [B, S]. Only where there is `start`."""
        return self.start({name: latents[name] for name in self.start.input}, training=training)["state"]

    def outputs(self, latents: Mapping[str, tf.Tensor], frames: tf.Tensor | None = None,
                state: tf.Tensor | None = None, training: bool = False) -> dict[str, tf.Tensor]:
        """What the backbone makes of B clips.

        Args:
            latents: by name.
            frames: int32 [B, K], which frames of each clip; None for all.
            state: float32 [B, S], before the first of these frames; None for that before the first frame of all.
            training: whether this is a step of training.

        Returns:
            See `backbone`, [B, K, ...]; with `motion` also `state` [B, S], after the last of all frames.
        """
        if self.motion is None:
            return _chosen(self.backbone(latents, training=training), frames)
        state = self.first_state(latents, training) if state is None else state
        given = {**latents, "state": state}
        moved = self.motion({name: given[name] for name in self.motion.input}, training=training)
        codes = _chosen({"codes": moved["codes"]}, frames)["codes"]
        count = codes.shape[1]
        each = {name: tf.repeat(latents[name], count, axis=0) for name in self.backbone.input if name in latents}
        drawn = self.backbone({**each, "codes": tf.reshape(codes, [-1, codes.shape[2]])}, training=training)
        return {"state": moved["state"],
                **{name: tf.reshape(output, [-1, count, *output.shape[1:]]) for name, output in drawn.items()}}

    def render(self, outputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None = None) -> tf.Tensor:
        """Full-size pictures.

        Args:
            outputs: of the backbone, for K frames of B clips.
            frames: int32 [B, L], which of these; None for all.

        Returns:
            float32 [B, L, H, W, 3].
        """
        names = self.renderer.input if self.renderer else ("features",)
        needed = _chosen({name: outputs[name] for name in names}, frames)
        if self.renderer is None:
            return needed["features"]
        pictures = self.renderer({name: tf.reshape(output, [-1, *output.shape[2:]]) for name, output in needed.items()})
        return tf.reshape(pictures, tf.concat([tf.shape(needed["features"])[:2], pictures.shape[1:]], 0))

    def clips(self, latents: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Whole clips at full size, float32 [B, T, H, W, 3], about -1 to 1."""
        return self.render(self.outputs(latents))


def _chosen(outputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """The frames int32 [B, K] of each output [B, T, ...]; None for all."""
    if frames is None:
        return dict(outputs)
    return {name: tf.gather(output, frames, batch_dims=1) for name, output in outputs.items()}


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
