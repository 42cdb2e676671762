"""Features of a network that the user brings, frozen: I3D, VideoMAE, any that takes whole clips.

The network is used as it is. Its input is frames of the size and the range of values that it was trained with. Its
output is a vector for each clip; of several vectors, for times or positions, the mean is taken.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.config.commands import FeatureSettings
from gan_keras.errors import UserError, error_text
from gan_keras.files import hash_file
from gan_keras.models.user_network import UserNetwork, shape_text

_MODEL_FILE = "saved_model.pb"
_FOLDERS = ("assets", "variables")
"""Folders beside the model file that its outputs can depend on."""

_BATCH_SIZE = 4
"""Clips of a batch, where the network leaves that open. Networks of this kind need much memory."""

_RANGES: Mapping[str, tuple[float, float]] = {"-1..1": (127.5, 1.0), "0..1": (255.0, 0.0), "0..255": (1.0, 0.0)}
"""Divisor of values from 0 to 255, and offset that is subtracted then, by range."""

_CLIPS = tf.TensorShape([None, None, None, None, 3])


class UserFeatures:
    """Features of the user's network. Loading a SavedModel runs its code: load those that you trust.

    The network has one input, float32 or uint8 [B, T, H, W, 3], of which B, T, H and W may be left open. The output
    is a float [B, D], or [B, ..., D], of which the mean over all in between is taken.

    Shapes that the file leaves open are checked at the first call. Extract the features of one clip before long work.

    Args:
        settings: the network, and how to call it; `features` is not empty.

    Attributes:
        name: of the features.

    Raises:
        UserError: no such network, signature or output; one that does not take clips or give numbers.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self.name = settings.features_name
        self._settings = settings
        self._network = UserNetwork(settings.features, "features", settings.features_signature)
        self._input = _clip_input(self._network.input, settings)
        self._layer = self._network.find_output(settings.features_layer)
        self._size = _frame_size(self._input, settings)
        self._hash = _hash(Path(settings.features))
        shape = self._network.outputs[self._layer].shape
        self._dimensions: int | None = shape[-1] if shape.rank else None

    @property
    def description(self) -> dict[str, str]:
        """What the features depend on, for the protocol. `dimensions` may be unknown until the first call.

        `SHA-256` of a SavedModel is what `sha256sum assets/* saved_model.pb variables/* | sha256sum` gives in its
        folder, as far as there are such files, in the order of the C locale; of a file it is its own.
        """
        frames = self._input.shape[1]
        height, width = (side or "?" for side in self._size)
        return {"network": Path(self._settings.features).resolve().name,
                "signature": self._settings.features_signature,
                "layer": f"{self._layer}, {shape_text(self._network.outputs[self._layer])}",
                "input size": f"{width}x{height}" if any(self._size) else "as the clips",
                "frames": str(frames) if frames else "as the clips",
                "range": "0..255" if self._input.dtype == tf.uint8 else self._settings.features_range,
                "dimensions": str(self._dimensions or "unknown"),
                "SHA-256": self._hash}

    def __call__(self, clips: np.ndarray, advance: Callable[[int], object] = lambda count: None) -> np.ndarray:
        """Features of clips.

        Args:
            clips: uint8 [N, T, H, W, 3], N at least 1.
            advance: called with the number of further clips done.

        Returns:
            float32 [N, D], all finite.

        Raises:
            UserError: clips of another length than the network takes, a network that fails on such clips, or that
                answers with anything but finite numbers for each.
        """
        frames = self._input.shape[1]
        if frames not in (None, clips.shape[1]):
            raise self._network.mistake(f"a network that takes clips of {clips.shape[1]} frames; this one takes "
                                        f"{frames}")
        size, features = self._input.shape[0] or _BATCH_SIZE, []
        for start in range(0, len(clips), size):
            batch = clips[start:start + size]
            features.append(self._batch_features(batch))
            advance(len(batch))
        return np.concatenate(features)

    def _batch_features(self, clips: np.ndarray) -> np.ndarray:
        """uint8 [B, T, H, W, 3] → float32 [B, D], for B as the network takes it or fewer."""
        count = len(clips)
        if missing := (self._input.shape[0] or count) - count:
            clips = np.concatenate([clips, np.repeat(clips[-1:], missing, axis=0)])
        try:
            output = self._network(self._to_input(clips))[self._layer]
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise self._network.mistake(f"a network that takes clips of shape {list(clips.shape[1:])}; this one fails "
                                        f"on them ({error_text(error)})") from error
        if output.shape.rank < 2 or output.shape[0] != len(clips) or not output.shape[-1]:
            raise self._network.mistake(f"a network that gives [B, D] or [B, ..., D]; for {len(clips)} clips this one "
                                        f"gives {self._layer} {shape_text(output)}")
        output = tf.cast(output, tf.float32)
        features = tf.reduce_mean(output, axis=list(range(1, output.shape.rank - 1))).numpy()[:count]
        if not np.isfinite(features).all():
            raise self._network.mistake(f"a network that gives finite numbers; in {self._layer} of this one are "
                                        f"others. Does it take values of the range {self.description['range']}?")
        self._dimensions = features.shape[1]
        return features

    def _to_input(self, clips: np.ndarray) -> tf.Tensor:
        """uint8 [B, T, H, W, 3] → the network's input."""
        *leading, height, width, channels = clips.shape
        size = self._size[0] or height, self._size[1] or width
        values = tf.cast(clips, tf.float32)
        if size != (height, width):
            frames = tf.reshape(values, [-1, height, width, channels])
            frames = tf.image.resize(frames, size, tf.image.ResizeMethod.BILINEAR, antialias=True)
            values = tf.reshape(frames, [*leading, *size, channels])
        if self._input.dtype == tf.uint8:
            return tf.cast(tf.round(values), tf.uint8)
        divisor, offset = _RANGES[self._settings.features_range]
        return values / divisor - offset


def _clip_input(spec: tf.TensorSpec, settings: FeatureSettings) -> tf.TensorSpec:
    """The input, its shape of rank 5."""
    if spec.dtype not in (tf.float32, tf.uint8) or not spec.shape.is_compatible_with(_CLIPS):
        raise UserError("`features_signature` must be a signature that takes clips, float32 or uint8 [B, T, H, W, 3]; "
                        f"this one takes {spec.name} {shape_text(spec)}. "
                        f"Received: features_signature={settings.features_signature}")
    return tf.TensorSpec(spec.shape.merge_with(_CLIPS), spec.dtype, spec.name)


def _frame_size(clips: tf.TensorSpec, settings: FeatureSettings) -> tuple[int | None, int | None]:
    """Height and width that the network gets; None for the clips' own."""
    height, width = clips.shape[2:4]
    side = settings.features_size
    if side and (height not in (None, side) or width not in (None, side)):
        raise UserError(f"`features_size` must be 0 for a network that declares the size of its frames, as this one "
                        f"does: {clips.name} {shape_text(clips)}. Received: features_size={side}")
    return (side, side) if side else (height, width)


def _hash(path: Path) -> str:
    """SHA-256 of a file, or of the list of all files of a SavedModel that matter; see `UserFeatures.description`."""
    if path.is_file():
        return hash_file(path)
    paths = [path / _MODEL_FILE, *(file for name in _FOLDERS for file in (path / name).rglob("*") if file.is_file())]
    names = sorted(file.relative_to(path).as_posix() for file in paths)
    return hashlib.sha256("".join(f"{hash_file(path / name)}  {name}\n" for name in names).encode()).hexdigest()
