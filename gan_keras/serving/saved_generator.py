"""A generator from a SavedModel alone: no run folder, no Keras."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.data.clips import to_uint8
from gan_keras.errors import UserError
from gan_keras.serving.asking import BY_SEED, question
from gan_keras.serving.description import Description
from gan_keras.serving.versions import find_version


class SavedGenerator:
    """A version that `export.py` made, loaded. Loading runs what is in it: a SavedModel is code.

    Args:
        path: the version folder, or the folder of versions, for the newest.

    Attributes:
        path: the version folder.
        description: what the version says of itself.
        endless: whether a sequence may have more frames than a clip.
        encodes: whether clips can be brought back to latents.

    Raises:
        UserError: no such version, or one that is damaged or of another make.
    """

    def __init__(self, path: Path) -> None:
        self.path = find_version(path)
        self.description = Description.load(self.path)
        try:
            self._loaded = tf.saved_model.load(str(self.path))
            self._loaded.signatures["serving_default"]
            self.endless = "continue" in self._loaded.signatures
            self.encodes = "encode" in self._loaded.signatures
        except (OSError, ValueError, LookupError, TypeError, AttributeError, tf.errors.OpError) as error:
            raise UserError(f"{self.path} cannot be loaded: {error}") from error

    def clips(self, seeds: Sequence[int], classes: Mapping[str, float] | None = None) -> np.ndarray:
        """The clips of some seeds.

        Args:
            seeds: of the clips.
            classes: names with weights, of which the clips are to be; None for the class that each seed draws.

        Returns:
            uint8 [B, T, H, W, 3].
        """
        names = self.description.classes
        if classes and len(classes) > 1:
            weights = np.array([[classes.get(name, 0.0) for name in names]] * len(seeds), np.float32)
            return self._loaded.signatures["mix"](seed=tf.constant(seeds, tf.int64),
                                                  label_weights=tf.constant(weights))["video"].numpy()
        return self._ask("serving_default", seeds, classes)["video"].numpy()

    def pieces(self, seeds: Sequence[int], frames: int, classes: Mapping[str, float] | None = None
               ) -> Iterator[np.ndarray]:
        """The first frames of some seeds' sequences, piece by piece.

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
        state = self._ask("start", seeds, classes)
        for first in range(0, frames, length):
            state = dict(self._loaded.signatures["continue"](**state))
            yield state.pop("video").numpy()[:, :frames - first]

    def encode(self, clips: np.ndarray) -> dict[str, np.ndarray]:
        """The latents of clips uint8 [B, T, H, W, 3], by name. Only where the model `encodes`, as `reconstruct`."""
        found = self._loaded.signatures["encode"](video=tf.constant(clips))
        return {name: value.numpy() for name, value in found.items()}

    def reconstruct(self, clips: np.ndarray) -> np.ndarray:
        """What the latents of clips uint8 [B, T, H, W, 3] make, of the same shape."""
        return self._loaded.signatures["reconstruct"](video=tf.constant(clips))["video"].numpy()

    def decode(self, latents: Mapping[str, np.ndarray]) -> np.ndarray:
        """What latents make, uint8 [B, T, H, W, 3]."""
        made = self._loaded.signatures["latents"](**{name: tf.constant(value, tf.float32)
                                                        for name, value in latents.items()})
        return to_uint8(made["video"]).numpy()

    def _ask(self, name: str, seeds: Sequence[int], classes: Mapping[str, float] | None) -> dict[str, tf.Tensor]:
        signature = self._loaded.signatures[name]
        label = self.description.classes.index(*classes) if classes else BY_SEED
        asked = question(signature.structured_input_signature[1], seeds, label)
        return signature(**{name: tf.constant(value) for name, value in asked.items()})
