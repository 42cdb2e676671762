"""What a generator is: a few networks, so that nothing is drawn that nobody looks at.

The *motion* turns latents into a code of each frame; the *backbone* turns content and code of a frame into features
with a small picture; the *renderer* turns features into a full-size picture. In training, only frames that a
discriminator looks at are drawn, and only those it looks at closely are rendered; at generation all are (Saito et al.,
TGANv2, 2018, arXiv:1811.09245, renders for its discriminators in the same spirit). Families that draw a clip as a whole
have no motion network; their backbone makes all frames at once.

The motion also takes a *state* and gives the one after its last frame; who gives that back gets the frames that
follow. The network `start` makes the state before the first frame.

With an *encoder*, clips can be brought back to latents. What a generator is told beside its own latents goes through a
network in front, the *mapping* (`models/conditions.py`).
"""

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from gan_keras.sampling import Latent


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
        mapping: functional model, {latents of the clip and conditions} → {latents of the clip}, which the others get.
        encoder: functional model, {`clips` [B, T, H, W, 3]} → {`NAME_mean`, `NAME_log_variance`} of each latent.
    """

    latents: Mapping[str, Latent]
    backbone: keras.Model
    renderer: keras.Model | None
    motion: keras.Model | None = None
    start: keras.Model | None = None
    mapping: keras.Model | None = None
    encoder: keras.Model | None = None

    @property
    def networks(self) -> dict[str, keras.Model]:
        """The networks by name."""
        found = {"mapping": self.mapping, "start": self.start, "motion": self.motion, "backbone": self.backbone,
                 "renderer": self.renderer, "encoder": self.encoder}
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

    def first_state(self, latents: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """The state before the first frame, float32 [B, S]. Only where there is `start`."""
        return self._first_state(self._mapped(latents, training), training)

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
        latents = self._mapped(latents, training)
        if self.motion is None:
            return _chosen(self.backbone({name: latents[name] for name in self.backbone.input}, training=training),
                           frames)
        state = self._first_state(latents, training) if state is None else state
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

    def encode(self, clips: tf.Tensor, training: bool = False) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """Mean and log-variance of each latent of clips float32 [B, T, H, W, 3]. Only where there is `encoder`."""
        found = self.encoder({"clips": clips}, training=training)
        return {name: (found[f"{name}_mean"], found[f"{name}_log_variance"]) for name in self.latents}

    def _mapped(self, latents: Mapping[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        """The latents, moved by the conditions among them."""
        if self.mapping is None:
            return dict(latents)
        moved = self.mapping({name: latents[name] for name in self.mapping.input}, training=training)
        return {**latents, **moved}

    def _first_state(self, mapped: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        return self.start({name: mapped[name] for name in self.start.input}, training=training)["state"]


def _chosen(outputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """The frames int32 [B, K] of each output [B, T, ...]; None for all."""
    if frames is None:
        return dict(outputs)
    return {name: tf.gather(output, frames, batch_dims=1) for name, output in outputs.items()}


class keras_precision:
    """Context in which new layers take the given dtype policy; the policy before is put back."""

    def __init__(self, policy: str) -> None:
        self._policy = policy

    def __enter__(self) -> None:
        self._before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self._policy)

    def __exit__(self, *_: object) -> None:
        keras.config.set_dtype_policy(self._before)
