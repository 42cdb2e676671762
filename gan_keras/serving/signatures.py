"""What a server answers: the signatures of a generator's SavedModel.

| signature         | inputs                                 | outputs                                |
|-------------------|----------------------------------------|----------------------------------------|
| `serving_default` | `seed` int64 [B]                       | `video` uint8 [B, T, H, W, 3]          |
| `jpeg`            | `seed` int64 [B]                       | `frames_jpeg_bytes` string [B, T]      |
| `latents`         | every latent by name, float32 [B, ...] | `video` float32 [B, T, H, W, 3], -1..1 |
| `start`           | `seed` int64 [B]                       | `seed`, `first_frame`, `state`         |
| `continue`        | `seed` int64 [B], `first_frame` int64  | `video` uint8 [B, T, H, W, 3], `seed`, |
|                   | [B], `state` float32 [B, S]            | `first_frame`, `state`                 |
| `mix`             | `seed` int64 [B], `label_weights`      | `video` uint8 [B, T, H, W, 3]          |
|                   | float32 [B, K]                         |                                        |

`start` and `continue` are there where the generator is recurrent: sequences without end. What `start` answers is what
the first `continue` takes, and what a `continue` answers beside its `video` is what the next one takes: T more frames
of each row, wherever in its sequence each is. The server itself remembers nothing. The first of them is the clip that
`serving_default` answers.

Where there is an encoder, `encode` takes `video` uint8 [B, T, H, W, 3] and answers the latents of each clip, to be
changed, mixed and given to `latents`; `reconstruct` takes such a `video` and answers what its latents make.

Where the generator was trained with classes, whatever takes `seed` takes `label` int64 [B] too, the number of a class,
or -1 for the one that the seed draws; `start` answers it and `continue` takes and answers it. `mix` is there then:
clips of several classes at once, as much of each as its weight says.

Dimension 0 is the batch of every input and output, so a server may batch requests together. Names that end in `_bytes`
come back from TF Serving's REST interface as base64.

Clips are rendered one at a time. A batch then needs the memory of one clip's features and no more, and a row is the
same to the last bit whatever is asked for beside it: a matrix product rounds differently for another number of rows.
At 64x64x16 on a CPU this costs no time, one clip keeps all cores busy.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from gan_keras.data.clips import to_float, to_uint8
from gan_keras.models.generator import Generator
from gan_keras.sampling import draw_latents
from gan_keras.serving.asking import BY_SEED, question
from gan_keras.train_settings import ClipSettings

Tensors = Mapping[str, tf.Tensor]

_JPEG_QUALITY = 95


class ServedGenerator(tf.Module):
    """A generator as plain TensorFlow, ready for `tf.saved_model.save(served, path, signatures=served.signatures)`.

    It holds the bare `tf.Variable`s and no Keras object: with one, the SavedModel would load in Python and fail in TF
    Serving's loader, or hold every weight twice.

    Args:
        generator: float32.
        clips: what a clip is.

    Attributes:
        parameters: the generator's variables.
    """

    def __init__(self, generator: Generator, clips: ClipSettings) -> None:
        super().__init__(name="served_generator")
        self.parameters = [weight.value for weight in generator.weights]
        self._functions = _functions(generator, clips)

    @property
    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The functions by signature name."""
        return dict(self._functions)

    def video(self, seeds: Sequence[int], labels: int | Sequence[int] = BY_SEED) -> np.ndarray:
        """What `serving_default` answers, uint8 [B, T, H, W, 3]; see `asking.question`."""
        serve = self._functions["serving_default"]
        asked = question(serve.structured_input_signature[1], seeds, labels)
        return serve(**{name: tf.constant(value) for name, value in asked.items()})["video"].numpy()


def describe(signatures: Mapping[str, tf.types.experimental.ConcreteFunction]) -> dict[str, dict]:
    """The signatures as plain data: name → `inputs` and `outputs` → name → `dtype` and `shape` (None: the batch)."""
    return {name: {"inputs": _describe(function.structured_input_signature[1]),
                   "outputs": _describe(function.structured_outputs)} for name, function in signatures.items()}


def _describe(tensors: Mapping[str, tf.TensorSpec | tf.Tensor]) -> dict[str, dict]:
    return {name: {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}
            for name, tensor in sorted(tensors.items())}


def _functions(generator: Generator, clips: ClipSettings) -> dict[str, tf.types.experimental.ConcreteFunction]:
    def draw(inputs: Tensors) -> Tensors:
        return _latents(generator, clips, inputs)

    def video(inputs: Tensors) -> Tensors:
        return _each_clip(lambda row: {"video": to_uint8(generator.clips(row))}, draw(inputs), {"video": frames})

    def jpeg(inputs: Tensors) -> Tensors:
        return _each_clip(lambda row: {"frames_jpeg_bytes": _encode_jpeg(generator.clips(row)[0])[tf.newaxis]},
                          draw(inputs), {"frames_jpeg_bytes": tf.TensorSpec([clips.num_frames], tf.string)})

    def latents(inputs: Tensors) -> Tensors:
        return _each_clip(lambda row: {"video": generator.clips(row)}, inputs,
                          {"video": tf.TensorSpec(clips.shape, tf.float32)})

    def mix(inputs: Tensors) -> Tensors:
        drawn = draw_latents(generator.latents, inputs["seed"], clips.num_frames)
        return _each_clip(lambda row: {"video": to_uint8(generator.clips(row))},
                          drawn | {"label": inputs["label_weights"]}, {"video": frames})

    frames = tf.TensorSpec(clips.shape, tf.uint8)
    seed = _asked(generator)
    drawn = {name: tf.TensorSpec([None, *latent.shape(clips.num_frames)], tf.float32, name)
             for name, latent in generator.latents.items()}
    functions = {"serving_default": _trace(video, seed), "jpeg": _trace(jpeg, seed), "latents": _trace(latents, drawn)}
    if "label" in generator.latents:
        weights = tf.TensorSpec([None, generator.latents["label"].size], tf.float32, "label_weights")
        functions["mix"] = _trace(mix, {"seed": seed["seed"], "label_weights": weights})
    if generator.encoder:
        functions |= _encoder_functions(generator, clips)
    return functions | (_endless_functions(generator, clips) if generator.start else {})


def _asked(generator: Generator) -> dict[str, tf.TensorSpec]:
    """What a clip is asked for by."""
    names = ("seed", "label") if "label" in generator.latents else ("seed",)
    return {name: tf.TensorSpec([None], tf.int64, name) for name in names}


def _latents(generator: Generator, clips: ClipSettings, inputs: Tensors) -> Tensors:
    """What the seeds draw, of the classes that are asked for; from `first_frame` on where that is named."""
    drawn = draw_latents(generator.latents, inputs["seed"], clips.num_frames, inputs.get("first_frame"))
    if "label" not in drawn:
        return drawn
    named = tf.one_hot(inputs["label"], generator.latents["label"].size)
    return {**drawn, "label": tf.where(inputs["label"][:, tf.newaxis] < 0, drawn["label"], named)}


def _encoder_functions(generator: Generator, clips: ClipSettings
                       ) -> dict[str, tf.types.experimental.ConcreteFunction]:
    def means(row: Tensors) -> dict[str, tf.Tensor]:
        return {name: mean for name, (mean, _) in generator.encode(to_float(row["video"])).items()}

    def encode(inputs: Tensors) -> Tensors:
        return _each_clip(means, inputs, {name: tf.TensorSpec(latent.shape(clips.num_frames), tf.float32)
                                          for name, latent in generator.latents.items()})

    def reconstruct(inputs: Tensors) -> Tensors:
        return _each_clip(lambda row: {"video": to_uint8(generator.clips(means(row)))}, inputs,
                          {"video": tf.TensorSpec(clips.shape, tf.uint8)})

    video = {"video": tf.TensorSpec([None, *clips.shape], tf.uint8, "video")}
    return {"encode": _trace(encode, video), "reconstruct": _trace(reconstruct, video)}


def _endless_functions(generator: Generator, clips: ClipSettings
                       ) -> dict[str, tf.types.experimental.ConcreteFunction]:
    size = generator.start.output["state"].shape[-1]
    state, frames = tf.TensorSpec([size], tf.float32), tf.TensorSpec(clips.shape, tf.uint8)

    def start(inputs: Tensors) -> Tensors:
        latents = _latents(generator, clips, inputs)
        return {**_answered(inputs), "first_frame": tf.zeros_like(inputs["seed"]),
                **_each_clip(lambda row: {"state": generator.first_state(row)}, latents, {"state": state})}

    def go_on(inputs: Tensors) -> Tensors:
        latents = _latents(generator, clips, inputs)
        return {**_answered(inputs), "first_frame": inputs["first_frame"] + clips.num_frames,
                **_each_clip(lambda row: _clip_and_state(generator, row), latents | {"state": inputs["state"]},
                             {"video": frames, "state": state})}

    def _answered(inputs: Tensors) -> Tensors:
        return {name: tf.identity(inputs[name]) for name in asked}

    asked = _asked(generator)
    where = asked | {"first_frame": tf.TensorSpec([None], tf.int64, "first_frame"),
                    "state": tf.TensorSpec([None, size], tf.float32, "state")}
    return {"start": _trace(start, asked), "continue": _trace(go_on, where)}


def _clip_and_state(generator: Generator, row: Tensors) -> Tensors:
    outputs = generator.outputs({name: row[name] for name in generator.latents}, state=row["state"])
    return {"video": to_uint8(generator.render(outputs)), "state": outputs["state"]}


def _trace(function: Callable[[Tensors], Tensors], inputs: Mapping[str, tf.TensorSpec]
           ) -> tf.types.experimental.ConcreteFunction:
    # Never compiled: TF Serving is built without XLA for CPUs.
    return tf.function(lambda **given: function(given), autograph=False).get_concrete_function(**inputs)


def _each_clip(function: Callable[[Tensors], Tensors], rows: Tensors, answer: Mapping[str, tf.TensorSpec]) -> Tensors:
    """Calls a function of a batch with one row after the other.

    Args:
        function: tensors by name, [1, ...] → tensors by name, [1, ...].
        rows: [B, ...] by name.
        answer: shape, without the batch, and dtype of what the function gives.

    Returns:
        By name, [B, ...].
    """
    def one(row: Tensors) -> Tensors:
        found = function({name: value[tf.newaxis] for name, value in row.items()})
        return {name: tf.ensure_shape(found[name][0], expected.shape) for name, expected in answer.items()}

    return tf.map_fn(one, dict(rows), parallel_iterations=1, fn_output_signature=dict(answer))


def _encode_jpeg(clip: tf.Tensor) -> tf.Tensor:
    """float32 [T, H, W, 3] → string [T]."""
    frames = tf.ensure_shape(to_uint8(clip), [None, None, None, 3])
    return tf.map_fn(lambda frame: tf.io.encode_jpeg(frame, quality=_JPEG_QUALITY), frames,
                     fn_output_signature=tf.TensorSpec([], tf.string))
