"""What a server answers: the signatures of a generator's SavedModel.

| signature         | inputs                                 | outputs                                |
|-------------------|----------------------------------------|----------------------------------------|
| `serving_default` | `seed` int64 [B]                       | `video` uint8 [B, T, H, W, 3]          |
| `jpeg`            | `seed` int64 [B]                       | `frames_jpeg_bytes` string [B, T]      |
| `latents`         | every latent by name, float32 [B, ...] | `video` float32 [B, T, H, W, 3], -1..1 |

Dimension 0 is the batch of every input and output, so a server may batch requests together. Names that end in `_bytes`
come back from TF Serving's REST interface as base64.

Clips are rendered one at a time. A batch then needs the memory of one clip's features and no more, and a row is the
same to the last bit whatever is asked for beside it: a matrix product rounds differently for another number of rows.
At 64x64x16 on a CPU this costs no time, one clip keeps all cores busy.
"""

from collections.abc import Callable, Mapping

import tensorflow as tf

from gan_keras.config import ClipSettings
from gan_keras.data.clips import to_uint8
from gan_keras.models.generator import Generator
from gan_keras.sampling import draw_latents

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


def describe(signatures: Mapping[str, tf.types.experimental.ConcreteFunction]) -> dict[str, dict]:
    """The signatures as plain data: name → `inputs` and `outputs` → name → `dtype` and `shape` (None: the batch)."""
    return {name: {"inputs": _describe(function.structured_input_signature[1]),
                   "outputs": _describe(function.structured_outputs)} for name, function in signatures.items()}


def _describe(tensors: Mapping[str, tf.TensorSpec | tf.Tensor]) -> dict[str, dict]:
    return {name: {"dtype": tensor.dtype.name, "shape": tensor.shape.as_list()}
            for name, tensor in sorted(tensors.items())}


def _functions(generator: Generator, clips: ClipSettings) -> dict[str, tf.types.experimental.ConcreteFunction]:
    def draw(inputs: Tensors) -> Tensors:
        return draw_latents(generator.latents, inputs["seed"], clips.num_frames)

    def video(inputs: Tensors) -> Tensors:
        return {"video": _each_clip(generator, draw(inputs), to_uint8, tf.TensorSpec(clips.shape, tf.uint8))}

    def jpeg(inputs: Tensors) -> Tensors:
        encoded = tf.TensorSpec([clips.num_frames], tf.string)
        return {"frames_jpeg_bytes": _each_clip(generator, draw(inputs), _encode_jpeg, encoded)}

    def latents(inputs: Tensors) -> Tensors:
        return {"video": _each_clip(generator, inputs, tf.identity, tf.TensorSpec(clips.shape, tf.float32))}

    seed = {"seed": tf.TensorSpec([None], tf.int64, "seed")}
    drawn = {name: tf.TensorSpec([None, *latent.shape(clips.num_frames)], tf.float32, name)
             for name, latent in generator.latents.items()}
    return {"serving_default": _trace(video, seed), "jpeg": _trace(jpeg, seed), "latents": _trace(latents, drawn)}


def _trace(function: Callable[[Tensors], Tensors], inputs: Mapping[str, tf.TensorSpec]
           ) -> tf.types.experimental.ConcreteFunction:
    # Never compiled: TF Serving is built without XLA for CPUs.
    return tf.function(lambda **given: function(given), autograph=False).get_concrete_function(**inputs)


def _each_clip(generator: Generator, latents: Tensors, finish: Callable[[tf.Tensor], tf.Tensor], output: tf.TensorSpec
               ) -> tf.Tensor:
    """Renders clip by clip.

    Args:
        generator: the networks.
        latents: [B, ...] by name.
        finish: float32 [T, H, W, 3] → what the answer holds of each clip.
        output: shape and dtype of that.

    Returns:
        [B, *output.shape].
    """
    def one(row: Tensors) -> tf.Tensor:
        clip = generator.clips({name: value[tf.newaxis] for name, value in row.items()})[0]
        return finish(tf.ensure_shape(clip, [None, None, None, 3]))

    return tf.map_fn(one, dict(latents), parallel_iterations=1, fn_output_signature=output)


def _encode_jpeg(clip: tf.Tensor) -> tf.Tensor:
    """float32 [T, H, W, 3] → string [T]."""
    return tf.map_fn(lambda frame: tf.io.encode_jpeg(frame, quality=_JPEG_QUALITY), to_uint8(clip),
                     fn_output_signature=tf.TensorSpec([], tf.string))
