"""Identity: given a clip, return it. All that a task is, in one file, for the tests."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.losses import reconstruction
from gan_keras.losses.forward_pass import Example, LossTerm, StepNoise, Tensors
from gan_keras.models.generator import Generator
from gan_keras.tasks.task import Networks, Signature, Task


class Identity(Task):
    """A clip from itself: one convolution, shown to the discriminators beside the clip that it was given."""

    shown_conditions: Mapping[str, int] = {"video": 3}
    given_clips = True
    paired_signature = "serving_default"

    def build_generator(self, precision: str) -> Generator:
        """One convolution."""
        clip = self.config.clip
        video = keras.Input(clip.shape, name="video")
        pictures = keras.layers.Conv3D(3, 3, padding="same", dtype="float32", name="to_rgb")(video)
        return Generator({}, keras.Model({"video": video}, {"pictures": pictures}, name="backbone"))

    def example(self, batch: Batch, noise: StepNoise) -> Example:
        """The clip is condition and target."""
        clips = to_float(batch.clips)
        return Example({"video": clips}, clips)

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Adversarial losses, and the distance from the target."""
        return [LossTerm("l1", 10.0, "generator", lambda forward: reconstruction.l1(
            forward.real.low_resolution, forward.generated.low_resolution)), *super().terms(networks)]

    def sample(self, generator: Generator, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """The clips again."""
        return {"video": to_uint8(generator.clips({"video": to_float(clips)}))}

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """`serving_default`: `video` → `video`."""
        shape = self.config.clip.shape

        def serve(inputs: Tensors) -> Tensors:
            return self.sample(generator, tf.zeros([1], tf.int64), inputs["video"])

        def example() -> Mapping[str, np.ndarray]:
            return {"video": np.random.default_rng(0).integers(0, 256, (2, *shape), np.uint8)}

        request = {"video": tf.TensorSpec([None, *shape], tf.uint8, "video")}
        return {"serving_default": Signature(request, {"video": tf.TensorSpec(shape, tf.uint8)}, serve, example)}
