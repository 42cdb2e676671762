"""A generator from a SavedModel alone: no run folder, no Keras."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.data.pixels import to_uint8
from gan_keras.errors import UserError
from gan_keras.serving.model_description import ModelDescription
from gan_keras.serving.requests import clip_request
from gan_keras.serving.versions import find_version
from gan_keras.tasks.generate import LABEL_BY_SEED


class SavedGenerator:
    """An exported version, loaded. Loading runs its code: load those that you trust.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Attributes:
        path: the version folder.
        description: facts about the model.
        inputs: names of the inputs of each signature.
        endless: whether a sequence may have more frames than a clip.
        encodes: whether clips can be mapped back to latents.
        clip_signature: the signature that makes clips of clips; None where there is none.

    Raises:
        UserError: no such version, or one that is damaged or of another make.
    """

    def __init__(self, path: Path) -> None:
        self.path = find_version(path)
        self.description = ModelDescription.load(self.path)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
            self._signatures = self._loaded.signatures
            self.inputs = {name: tuple(signature.structured_input_signature[1])
                           for name, signature in self._signatures.items()}
            self.inputs["serving_default"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError, tf.errors.OpError) as error:
            raise UserError(f"{self.path} cannot be loaded: {error}") from error
        self.endless, self.encodes = "next_segment" in self.inputs, "encode" in self.inputs
        default = "serving_default" if self.description.needs_clips else None
        self.clip_signature = self.description.paired_signature or default

    def __call__(self, signature: str, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a signature by name."""
        outputs = self._signatures[signature](**{name: tf.constant(value) for name, value in inputs.items()})
        return {name: value.numpy() for name, value in outputs.items()}

    def clips(self, seeds: Sequence[int], classes: Mapping[str, float] | None = None) -> np.ndarray:
        """Clips of some seeds.

        Args:
            seeds: of the clips.
            classes: names of classes with weights, which are mixed; None for the class that each seed draws.

        Returns:
            uint8 [B, T, H, W, 3].
        """
        names = self.description.classes
        if classes and len(classes) > 1:
            weights = np.array([[classes.get(name, 0.0) for name in names]] * len(seeds), np.float32)
            return self("mix_classes", {"seed": np.array(seeds, np.int64), "label_weights": weights})["video"]
        return self._request("serving_default", seeds, classes)["video"]

    def segments(self, seeds: Sequence[int], frames: int, classes: Mapping[str, float] | None = None
                 ) -> Iterator[np.ndarray]:
        """The first frames of some seeds' sequences, segment by segment.

        Args:
            seeds: of the sequences.
            frames: how many; above the frames of a clip only where the model is `endless`, and of one class.
            classes: see `clips`.

        Yields:
            uint8 [B, t, H, W, 3], the next frames of all.
        """
        length = self.description.num_frames
        if frames <= length:
            yield self.clips(seeds, classes)[:, :frames]
            return
        state = self._request("initial_state", seeds, classes)
        for first in range(0, frames, length):
            state = self("next_segment", state)
            yield state.pop("video")[:, :frames - first]

    def encode(self, clips: np.ndarray) -> dict[str, np.ndarray]:
        """Latents of clips uint8 [B, T, H, W, 3], by name; only where the model `encodes`."""
        return self("encode", {"video": clips})

    def clips_of(self, clips: np.ndarray, seeds: Sequence[int]) -> np.ndarray:
        """What the `clip_signature` makes of clips uint8 [B, T, H, W, 3], of the same shape.

        Args:
            clips: one of each seed.
            seeds: not looked at where the signature takes none.
        """
        name = self.clip_signature
        return self(name, clip_request(self.inputs[name], seeds, clips=clips))["video"]

    def decode(self, latents: Mapping[str, np.ndarray]) -> np.ndarray:
        """Clips made from latents, uint8 [B, T, H, W, 3]."""
        video = self("latents", {name: np.asarray(value, np.float32) for name, value in latents.items()})["video"]
        return to_uint8(video).numpy()

    def _request(self, name: str, seeds: Sequence[int], classes: Mapping[str, float] | None) -> dict[str, np.ndarray]:
        label = self.description.classes.index(*classes) if classes else LABEL_BY_SEED
        return self(name, clip_request(self.inputs[name], seeds, label))
