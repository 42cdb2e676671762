"""Features of a network that the user brings, frozen in a SavedModel: I3D, VideoMAE, any that takes whole clips.

The network is taken as it is. It gets frames of the size and in the range of numbers that it was made for, and gives a
vector for each clip. Where it gives more, a vector for each of several moments or places, their mean is taken.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras.data.records import hash_file
from gan_keras.errors import UserError
from gan_keras.script_settings import FeatureSettings

_MODEL = "saved_model.pb"
_FOLDERS = ("assets", "variables")
"""Beside the model itself, what its numbers can depend on."""

_AT_ONCE = 4
"""Clips in a batch, where the network leaves that open. Networks of this kind need much memory."""

_RANGES: Mapping[str, tuple[float, float]] = {"-1..1": (127.5, 1.0), "0..1": (255.0, 0.0), "0..255": (1.0, 0.0)}
"""What 0 to 255 is divided by, and what is subtracted then."""

_CLIPS = tf.TensorShape([None, None, None, None, 3])


class SavedFeatures:
    """A network loaded from a SavedModel. Loading runs what is in it: a SavedModel is code. Load those that you trust.

    The signature has one input, float32 or uint8 [B, T, H, W, 3], of which B, T, H and W may be left open. The output
    is a float [B, D], or [B, ..., D], of which the mean over all in between is taken.

    What the file leaves open can still go wrong at the first call. Ask for the features of one clip before long work.

    Args:
        settings: which network, and how to call it; `features` is not empty.

    Attributes:
        name: what the features are called.

    Raises:
        UserError: no such folder, signature or output; not a SavedModel; one that does not take clips or give numbers.
    """

    def __init__(self, settings: FeatureSettings) -> None:
        self.name = settings.features_name
        self._settings = settings
        # Its variables live as long as this does; the function alone does not hold them.
        self._loaded = _load(settings)
        self._function = _find_signature(self._loaded, settings)
        self._input = _find_input(self._function, settings)
        self._layer = _find_layer(self._function.structured_outputs, settings)
        self._size = _frame_size(self._input, settings)
        self._hash = _hash(Path(settings.features))
        shape = self._function.structured_outputs[self._layer].shape
        self._dimensions: int | None = shape[-1] if shape.rank else None

    @property
    def description(self) -> dict[str, str]:
        """What the numbers depend on, for the protocol. `dimensions` may be unknown until the first call.

        `SHA-256` is what `sha256sum assets/* saved_model.pb variables/* | sha256sum` gives in the folder, as far as
        there are such files, in the order of the C locale.
        """
        frames = self._input.shape[1]
        height, width = (side or "?" for side in self._size)
        return {"SavedModel": Path(self._settings.features).resolve().name,
                "signature": self._settings.features_signature,
                "layer": f"{self._layer}, {_shown(self._function.structured_outputs[self._layer])}",
                "input size": f"{width}x{height}" if any(self._size) else "as the clips",
                "frames": str(frames) if frames else "as the clips",
                "range": "0..255" if self._input.dtype == tf.uint8 else self._settings.features_range,
                "dimensions": str(self._dimensions or "unknown"),
                "SHA-256": self._hash}

    def __call__(self, clips: np.ndarray, advance: Callable[[int], object] = lambda count: None) -> np.ndarray:
        """Features of clips.

        Args:
            clips: uint8 [N, T, H, W, 3], N at least 1.
            advance: is told how many more clips are done.

        Returns:
            float32 [N, D], all finite.

        Raises:
            UserError: clips of another length than the network takes, a network that fails on such clips, or that
                answers with anything but finite numbers for each.
        """
        frames = self._input.shape[1]
        if frames not in (None, clips.shape[1]):
            raise self._mistake(f"a network that takes clips of {clips.shape[1]} frames; this one takes {frames}")
        batch = self._input.shape[0] or _AT_ONCE
        found = []
        for start in range(0, len(clips), batch):
            few = clips[start:start + batch]
            found.append(self._features(few))
            advance(len(few))
        return np.concatenate(found)

    def _features(self, clips: np.ndarray) -> np.ndarray:
        """uint8 [B, T, H, W, 3] → float32 [B, D], for B as the network takes it or fewer."""
        count = len(clips)
        if missing := (self._input.shape[0] or count) - count:
            clips = np.concatenate([clips, np.repeat(clips[-1:], missing, axis=0)])
        try:
            found = self._function(**{self._input.name: self._numbers(clips)})[self._layer]
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise self._mistake(f"a network that takes clips of shape {list(clips.shape[1:])}; this one fails on them "
                                f"({_reason(error)})") from error
        if found.shape.rank < 2 or found.shape[0] != len(clips) or not found.shape[-1]:
            raise self._mistake(f"a network that gives [B, D] or [B, ..., D]; for {len(clips)} clips this one gives "
                                f"{self._layer} {_shown(found)}")
        found = tf.cast(found, tf.float32)
        features = tf.reduce_mean(found, axis=list(range(1, found.shape.rank - 1))).numpy()[:count]
        if not np.isfinite(features).all():
            raise self._mistake(f"a network that gives finite numbers; in {self._layer} of this one are others. Does "
                                f"it take numbers of the range {self.description['range']}?")
        self._dimensions = features.shape[1]
        return features

    def _numbers(self, clips: np.ndarray) -> tf.Tensor:
        """uint8 [B, T, H, W, 3] → the network's input."""
        *leading, height, width, channels = clips.shape
        size = self._size[0] or height, self._size[1] or width
        numbers = tf.cast(clips, tf.float32)
        if size != (height, width):
            frames = tf.reshape(numbers, [-1, height, width, channels])
            frames = tf.image.resize(frames, size, tf.image.ResizeMethod.BILINEAR, antialias=True)
            numbers = tf.reshape(frames, [*leading, *size, channels])
        if self._input.dtype == tf.uint8:
            return tf.cast(tf.round(numbers), tf.uint8)
        divisor, less = _RANGES[self._settings.features_range]
        return numbers / divisor - less

    def _mistake(self, what: str) -> UserError:
        return UserError(f"`features` must be {what}. Received: features={self._settings.features}")


# ---- what is in a SavedModel ----

def _load(settings: FeatureSettings) -> tf.Module:
    folder = Path(settings.features)
    if not (folder / _MODEL).is_file():
        wanted = f"a SavedModel, with a {_MODEL} in it" if folder.is_dir() else "a folder that is there"
        raise UserError(f"`features` must be {wanted}. Received: features={folder}")
    try:
        return tf.saved_model.load(str(folder))
    except (OSError, ValueError, LookupError, AttributeError, TypeError, RuntimeError, tf.errors.OpError) as error:
        # A file that is cut short is an IndexError, one with a wrong byte an OpError, one of another make any of these.
        raise UserError(f"`features` must be a SavedModel that can be loaded; this one cannot ({_reason(error)}). "
                        f"Received: features={folder}") from error


def _find_signature(loaded: tf.Module, settings: FeatureSettings) -> tf.types.experimental.ConcreteFunction:
    signatures = loaded.signatures
    if not len(signatures):
        raise UserError("`features` must be a SavedModel with signatures, as tf.saved_model.save(network, folder, "
                        f"signatures=...) makes it; this one has none. Received: features={settings.features}")
    if settings.features_signature not in signatures:
        raise UserError(f"`features_signature` must be one of {', '.join(sorted(signatures))}, which "
                        f"{settings.features} has. Received: features_signature={settings.features_signature}")
    return signatures[settings.features_signature]


def _find_input(function: tf.types.experimental.ConcreteFunction, settings: FeatureSettings) -> tf.TensorSpec:
    """The only input, its shape of rank 5."""
    inputs = function.structured_input_signature[1]
    if len(inputs) != 1:
        names = ", ".join(sorted(inputs)) or "none"
        raise UserError("`features_signature` must be a signature with one input, for the clips; this one has "
                        f"{names}. Received: features_signature={settings.features_signature}")
    (name, spec), = inputs.items()
    if spec.dtype not in (tf.float32, tf.uint8) or not spec.shape.is_compatible_with(_CLIPS):
        raise UserError("`features_signature` must be a signature that takes clips, float32 or uint8 [B, T, H, W, 3]; "
                        f"this one takes {name} {_shown(spec)}. "
                        f"Received: features_signature={settings.features_signature}")
    return tf.TensorSpec(spec.shape.merge_with(_CLIPS), spec.dtype, name)


def _find_layer(outputs: Mapping[str, tf.Tensor | tf.TensorSpec], settings: FeatureSettings) -> str:
    layer = settings.features_layer
    if not layer and len(outputs) == 1:
        layer, = outputs
    if layer not in outputs:
        raise UserError(f"`features_layer` must be one of {', '.join(sorted(outputs))}, which signature "
                        f"{settings.features_signature} gives. Received: features_layer={layer}")
    output = outputs[layer]
    if not output.dtype.is_floating or output.shape.rank in (0, 1):
        raise UserError("`features_layer` must be an output of floats [B, D] or [B, ..., D]; "
                        f"{layer} is {_shown(output)}. Received: features_layer={settings.features_layer}")
    return layer


def _frame_size(clips: tf.TensorSpec, settings: FeatureSettings) -> tuple[int | None, int | None]:
    """Height and width that the network gets; None for the clips' own."""
    height, width = clips.shape[2:4]
    side = settings.features_size
    if side and (height not in (None, side) or width not in (None, side)):
        raise UserError(f"`features_size` must be 0 for a network that declares the size of its frames, as this one "
                        f"does: {clips.name} {_shown(clips)}. Received: features_size={side}")
    return (side, side) if side else (height, width)


def _hash(folder: Path) -> str:
    """SHA-256 of a list of all files that matter, each with its own; see `SavedFeatures.description`."""
    paths = [folder / _MODEL, *(path for name in _FOLDERS for path in (folder / name).rglob("*") if path.is_file())]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    return hashlib.sha256("".join(f"{hash_file(folder / name)}  {name}\n" for name in names).encode()).hexdigest()


def _shown(tensor: tf.Tensor | tf.TensorSpec) -> str:
    """As in `float32 [?, 16, 224, 224, 3]`."""
    if tensor.shape.rank is None:
        return f"{tensor.dtype.name} of unknown shape"
    return f"{tensor.dtype.name} [{', '.join('?' if side is None else str(side) for side in tensor.shape)}]"


def _reason(error: Exception) -> str:
    """What an error of TensorFlow says, without the graph around it."""
    around = ("Graph execution error", "Detected at", "<stack")
    lines = [line.strip() for line in str(error).splitlines()]
    return next((line for line in lines if line and not line.startswith(around)), type(error).__name__)
