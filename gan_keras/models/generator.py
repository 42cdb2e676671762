"""A generator as a few networks, so that nothing is rendered that no discriminator looks at.

The *motion* turns latents into a motion code of each frame; the *backbone* turns content and motion code of a frame
into features and a picture at low resolution; the *renderer* turns features into a picture at full resolution. In
training, only frames that a discriminator sees are drawn, and only those that one sees at full resolution are rendered;
at generation all are (Saito et al., TGANv2, 2018, arXiv:1811.09245, renders for its discriminators in the same spirit).
Architectures that draw a clip as a whole have no motion network; their backbone makes all frames at once.

The motion also takes a *state* and returns the one after its last frame; with that state it goes on with the frames
that follow. The network `initial_state` makes the state before the first frame.

An *encoder*, where there is one, maps clips back to latents. Conditions (a class, codes) go through a network in front,
the *mapping* (`models.conditioning`).
"""

import dataclasses
from collections.abc import Mapping

import keras
import tensorflow as tf

from gan_keras.data.pixels import downsample
from gan_keras.models.encoder_decoder import EncoderDecoder
from gan_keras.models.latents import Latent
from gan_keras.models.views import Views


@dataclasses.dataclass(frozen=True)
class Generator:
    """Generator of clips.

    Attributes:
        latents: random inputs by name, in the order of drawing.
        backbone: functional model. With `motion` it makes frames one by one: {inputs of the clip [N, ...], `codes`
            [N, U]} → {`pictures` [N, h, w, 3], and what the renderer takes, [N, ...]}. Without it makes clips:
            inputs → the same, [B, T, ...]. Inputs may be latents, and conditions of any shape.
        factor: how many times smaller than full resolution the backbone's pictures are.
        renderer: functional model, outputs of the backbone by name → pictures [N, H, W, 3] float32. None where the
            backbone's pictures are at full resolution.
        motion: functional model, {some latents, `state` [B, S]} → {`codes` [B, T, U], `state` [B, S]} float32.
        initial_state: functional model, some latents of the clip → {`state` [B, S] float32}, before the first frame.
        mapping: functional model, {latents of the clip and conditions} → {latents of the clip}, which the others get.
        encoder: functional model, {`clips` [B, T, H, W, 3]} → {`NAME_mean`, `NAME_log_variance`} of each latent.
        stream: the backbone for the next frames of a film, whose weights are those of the backbone; see
            `models.encoder_decoder`.
    """

    latents: Mapping[str, Latent]
    backbone: keras.Model
    factor: int = 1
    renderer: keras.Model | None = None
    motion: keras.Model | None = None
    initial_state: keras.Model | None = None
    mapping: keras.Model | None = None
    encoder: keras.Model | None = None
    stream: EncoderDecoder | None = None

    @property
    def networks(self) -> dict[str, keras.Model]:
        """Its networks by name."""
        networks = {name: getattr(self, name) for name in
                    ("mapping", "initial_state", "motion", "backbone", "renderer", "encoder")}
        return {name: network for name, network in networks.items() if network is not None}

    @property
    def weights(self) -> list[keras.Variable]:
        """All weights, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.weights]

    @property
    def trainable_variables(self) -> list[keras.Variable]:
        """Weights that training changes, in a fixed order."""
        return [variable for network in self.networks.values() for variable in network.trainable_variables]

    def named_weights(self, owner: str) -> dict[str, keras.Variable]:
        """Weights by their names in a checkpoint, `OWNER/NETWORK/PATH`."""
        return {f"{owner}/{name}/{variable.path}": variable
                for name, network in self.networks.items() for variable in network.weights}

    def state_before(self, inputs: Mapping[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """State before the first frame, float32 [B, S]; only where there is `initial_state`."""
        return self._initial_state(self._mapped(inputs, training), training)

    def state_after(self, inputs: Mapping[str, tf.Tensor], noise: Mapping[str, tf.Tensor], clips: tf.Tensor
                    ) -> tf.Tensor:
        """State after the first clips of a sequence, float32 [B, S]; gradients do not go back through these.

        Args:
            inputs: latents and conditions by name, [B, ...].
            noise: latents of each frame of N clips, by name, [B, N, T, dim].
            clips: int32 [B], after how many of them; 0: the state before the first frame, with its gradient.
        """
        inputs = self._mapped(inputs, training=True)
        states = [self._initial_state(inputs, training=True)]
        for of_clip in zip(*(tf.unstack(values, axis=1) for values in noise.values()), strict=True):
            inputs |= {**dict(zip(noise, of_clip, strict=True)), "state": states[-1]}
            after = self.motion({name: inputs[name] for name in self.motion.input}, training=True)
            states.append(tf.stop_gradient(after["state"]))
        return tf.gather(tf.stack(states, axis=1), clips, batch_dims=1)

    def outputs(self, inputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None = None,
                state: tf.Tensor | None = None, training: bool = False) -> dict[str, tf.Tensor]:
        """Outputs of the backbone for B clips.

        Args:
            inputs: latents and conditions by name, [B, ...].
            frames: int32 [B, K], which frames of each clip; None for all.
            state: float32 [B, S], before the first of all frames; None for that of `initial_state`.
            training: whether this is a training step.

        Returns:
            See `backbone`, [B, K, ...]; with `motion` also `state` [B, S], after the last of all frames.
        """
        inputs = self._mapped(inputs, training)
        if self.motion is None:
            return _gather(self.backbone({name: inputs[name] for name in self.backbone.input}, training=training),
                           frames)
        inputs["state"] = self._initial_state(inputs, training) if state is None else state
        motion = self.motion({name: inputs[name] for name in self.motion.input}, training=training)
        codes = _gather({"codes": motion["codes"]}, frames)["codes"]
        count = codes.shape[1]
        each_frame = {name: tf.repeat(inputs[name], count, axis=0) for name in self.backbone.input if name != "codes"}
        outputs = self.backbone({**each_frame, "codes": tf.reshape(codes, [-1, codes.shape[2]])}, training=training)
        return {"state": motion["state"],
                **{name: tf.reshape(output, [-1, count, *output.shape[1:]]) for name, output in outputs.items()}}

    def render(self, outputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None = None) -> tf.Tensor:
        """Pictures at full resolution.

        Args:
            outputs: of the backbone, for K frames of B clips.
            frames: int32 [B, L], which of these; None for all.

        Returns:
            float32 [B, L, H, W, 3], about -1 to 1.
        """
        if self.renderer is None:
            return _gather({"pictures": outputs["pictures"]}, frames)["pictures"]
        inputs = _gather({name: outputs[name] for name in self.renderer.input}, frames)
        pictures = self.renderer({name: tf.reshape(value, [-1, *value.shape[2:]]) for name, value in inputs.items()})
        return tf.reshape(pictures, tf.concat([tf.shape(inputs["features"])[:2], pictures.shape[1:]], 0))

    def views(self, outputs: Mapping[str, tf.Tensor], frames: tf.Tensor, factor: int | None) -> Views:
        """Views of generated clips, see `models.views`.

        Args:
            outputs: of the backbone, for all T frames of B clips; without low-resolution view only for `frames`.
            frames: int32 [B, 2 * pairs], frames to render at full resolution.
            factor: downsampling factor of the low-resolution view; None: without that view.
        """
        if factor is None:
            return Views(None, self.render(outputs))
        low = outputs["pictures"] if factor == self.factor else downsample(self.render(outputs), factor)
        return Views(low, self.render(outputs, frames))

    def clips(self, inputs: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Whole clips at full resolution, float32 [B, T, H, W, 3], about -1 to 1."""
        return self.render(self.outputs(inputs))

    def encode(self, clips: tf.Tensor, training: bool = False) -> dict[str, tuple[tf.Tensor, tf.Tensor]]:
        """Mean and log-variance of each latent of clips float32 [B, T, H, W, 3]; only where there is `encoder`."""
        outputs = self.encoder({"clips": clips}, training=training)
        return {name: (outputs[f"{name}_mean"], outputs[f"{name}_log_variance"]) for name in self.latents}

    def _mapped(self, inputs: Mapping[str, tf.Tensor], training: bool) -> dict[str, tf.Tensor]:
        """The inputs, latents moved by the conditions among them."""
        if self.mapping is None:
            return dict(inputs)
        return {**inputs, **self.mapping({name: inputs[name] for name in self.mapping.input}, training=training)}

    def _initial_state(self, mapped: Mapping[str, tf.Tensor], training: bool) -> tf.Tensor:
        return self.initial_state({name: mapped[name] for name in self.initial_state.input}, training=training)["state"]


def _gather(outputs: Mapping[str, tf.Tensor], frames: tf.Tensor | None) -> dict[str, tf.Tensor]:
    """The frames int32 [B, K] of each output [B, T, ...]; None for all."""
    if frames is None:
        return dict(outputs)
    return {name: tf.gather(output, frames, batch_dims=1) for name, output in outputs.items()}
