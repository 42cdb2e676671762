"""Generation of clips from noise, and from a class where the model was trained with classes.

| signature         | inputs                                 | outputs                                |
|-------------------|----------------------------------------|----------------------------------------|
| `serving_default` | `seed` int64 [B]                       | `video` uint8 [B, T, H, W, 3]          |
| `jpeg`            | `seed` int64 [B]                       | `frames_jpeg_bytes` string [B, T]      |
| `latents`         | every latent by name, float32 [B, ...] | `video` float32 [B, T, H, W, 3], -1..1 |
| `initial_state`   | `seed` int64 [B]                       | `seed`, `first_frame`, `state`         |
| `next_segment`    | `seed` int64 [B], `first_frame` int64  | `video` uint8 [B, T, H, W, 3], `seed`, |
|                   | [B], `state` float32 [B, S]            | `first_frame`, `state`                 |
| `mix_classes`     | `seed` int64 [B], `label_weights`      | `video` uint8 [B, T, H, W, 3]          |
|                   | float32 [B, K]                         |                                        |

`initial_state` and `next_segment` are there where the generator is recurrent: sequences without end. The output of
`initial_state` is the input of the first `next_segment`, and the output of each beside its `video` that of the next
one: T more frames of each row, wherever in its sequence each is. The server itself remembers nothing. The first of them
is the clip of `serving_default`.

Where the model was trained with classes, whatever takes `seed` takes `label` int64 [B] too, the number of a class, or
-1 for the one that the seed draws; `initial_state` returns it and `next_segment` takes and returns it. `mix_classes` is
there then: clips of several classes at once, by their weights.

Names that end in `_bytes` come back from TF Serving's REST interface as base64.
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.losses.forward_pass import Example, LossTerm, StepNoise, Tensors
from gan_keras.losses.perceptual import PerceptualFeatures, perceptual_terms
from gan_keras.models.build import build_generator
from gan_keras.models.generator import Generator
from gan_keras.models.latents import draw_latents
from gan_keras.tasks.task import Networks, Signature, Task

LABEL_BY_SEED = -1
"""In place of a class: the one that the seed draws."""

_JPEG_QUALITY = 95
_EXAMPLE_SEEDS = (0, 7, 2**40 + 3)


class Generate(Task):
    """Clips from noise."""

    conditioned = True

    def build_generator(self, precision: str) -> Generator:
        """Builds the generator of the settings."""
        return build_generator(self.config.clip, self.config.model, precision)

    def example(self, batch: Batch, noise: StepNoise) -> Example:
        """Clips with their classes: each generated clip is of the class of the real clip beside it."""
        classes = len(self.config.model.classes)
        return Example({"label": tf.one_hot(batch.label, classes)} if classes else {}, to_float(batch.clips))

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Adversarial, auxiliary and perceptual losses."""
        objective = self.config.objective
        if not objective.perceptual_network:
            return super().terms(networks)
        return perceptual_terms(objective, PerceptualFeatures(objective.perceptual_network)) + super().terms(networks)

    def sample(self, generator: Generator, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """Clips of some seeds."""
        latents = draw_latents(generator.latents, seeds, self.config.clip.num_frames)
        return {"video": to_uint8(generator.clips(latents))}

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """See the top of this file."""
        clip, latents = self.config.clip, generator.latents
        video = {"video": tf.TensorSpec(clip.shape, tf.uint8)}
        request, example = _request(generator), self._example(generator)

        def serve(inputs: Tensors) -> Tensors:
            return {"video": to_uint8(generator.clips(self._latents(generator, inputs)))}

        def serve_jpeg(inputs: Tensors) -> Tensors:
            return {"frames_jpeg_bytes": _encode_jpeg(generator.clips(self._latents(generator, inputs)))}

        def serve_latents(inputs: Tensors) -> Tensors:
            return {"video": generator.clips(inputs)}

        def draw_example() -> Mapping[str, np.ndarray]:
            seeds = tf.constant(_EXAMPLE_SEEDS, tf.int64)
            return {name: value.numpy() for name, value in draw_latents(latents, seeds, clip.num_frames).items()}

        signatures = {
            "serving_default": Signature(request, video, serve, lambda: example),
            "jpeg": Signature(request, {"frames_jpeg_bytes": tf.TensorSpec([clip.num_frames], tf.string)}, serve_jpeg,
                              lambda: example),
            "latents": Signature({name: tf.TensorSpec([None, *latent.shape(clip.num_frames)], tf.float32, name)
                                  for name, latent in latents.items()},
                                 {"video": tf.TensorSpec(clip.shape, tf.float32)}, serve_latents, draw_example)}
        if "label" in latents:
            signatures["mix_classes"] = self._mix_classes(generator, video)
        if generator.initial_state:
            signatures |= self._sequences(generator, video)
        return signatures

    def _mix_classes(self, generator: Generator, video: Mapping[str, tf.TensorSpec]) -> Signature:
        classes = generator.latents["label"].dim

        def mix(inputs: Tensors) -> Tensors:
            latents = draw_latents(generator.latents, inputs["seed"], self.config.clip.num_frames)
            return {"video": to_uint8(generator.clips({**latents, "label": inputs["label_weights"]}))}

        weights = np.full([len(_EXAMPLE_SEEDS), classes], 1 / classes, np.float32)
        return Signature({"seed": _request(generator)["seed"],
                          "label_weights": tf.TensorSpec([None, classes], tf.float32, "label_weights")}, video, mix,
                         lambda: {"seed": np.array(_EXAMPLE_SEEDS, np.int64), "label_weights": weights})

    def _sequences(self, generator: Generator, video: Mapping[str, tf.TensorSpec]) -> dict[str, Signature]:
        size, num_frames = generator.initial_state.output["state"].shape[-1], self.config.clip.num_frames
        request, example = _request(generator), self._example(generator)
        position = {**{name: tf.TensorSpec([], tf.int64) for name in request},
                    "first_frame": tf.TensorSpec([], tf.int64), "state": tf.TensorSpec([size], tf.float32)}

        def initial_state(inputs: Tensors) -> Tensors:
            return {**{name: tf.identity(inputs[name]) for name in request},
                    "first_frame": tf.zeros_like(inputs["seed"]),
                    "state": generator.state_before(self._latents(generator, inputs))}

        def next_segment(inputs: Tensors) -> Tensors:
            outputs = generator.outputs(self._latents(generator, inputs), state=inputs["state"])
            return {**{name: tf.identity(inputs[name]) for name in request},
                    "first_frame": inputs["first_frame"] + num_frames,
                    "video": to_uint8(generator.render(outputs)), "state": outputs["state"]}

        def second_segment() -> Mapping[str, np.ndarray]:
            outputs = next_segment(initial_state({name: tf.constant(value) for name, value in example.items()}))
            return {name: value.numpy() for name, value in outputs.items() if name != "video"}

        where = {name: tf.TensorSpec([None, *spec.shape], spec.dtype, name) for name, spec in position.items()}
        return {"initial_state": Signature(request, position, initial_state, lambda: example),
                "next_segment": Signature(where, {**position, **video}, next_segment, second_segment)}

    def _example(self, generator: Generator) -> dict[str, np.ndarray]:
        values = {"seed": _EXAMPLE_SEEDS, "label": (LABEL_BY_SEED,) * len(_EXAMPLE_SEEDS)}
        return {name: np.array(values[name], np.int64) for name in _request(generator)}

    def _latents(self, generator: Generator, inputs: Tensors) -> Tensors:
        """Latents of the seeds, of the classes asked for; from `first_frame` on where that is given."""
        latents = draw_latents(generator.latents, inputs["seed"], self.config.clip.num_frames,
                               inputs.get("first_frame"))
        if "label" not in latents:
            return latents
        label = tf.one_hot(inputs["label"], generator.latents["label"].dim)
        return {**latents, "label": tf.where(inputs["label"][:, tf.newaxis] < 0, latents["label"], label)}


def _request(generator: Generator) -> dict[str, tf.TensorSpec]:
    """Inputs by which a clip is asked for."""
    names = ("seed", "label") if "label" in generator.latents else ("seed",)
    return {name: tf.TensorSpec([None], tf.int64, name) for name in names}


def _encode_jpeg(clips: tf.Tensor) -> tf.Tensor:
    """float32 [B, T, H, W, 3] → string [B, T]."""
    frames = tf.reshape(to_uint8(clips), [-1, *clips.shape[2:]])
    encoded = tf.map_fn(lambda frame: tf.io.encode_jpeg(frame, quality=_JPEG_QUALITY), frames,
                        fn_output_signature=tf.TensorSpec([], tf.string))
    return tf.reshape(encoded, [-1, clips.shape[1]])
