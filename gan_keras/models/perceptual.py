"""Features of a network that the user brings, frozen, through which a generator can be trained (perceptual loss,
Johnson et al., 2016, arXiv:1603.08155).

The network takes pictures float32 [N, H, W, 3] or clips [N, T, H, W, 3], about -1 to 1, and gives one output,
[N, ...]. It is a `.keras` file or the folder of a SavedModel whose `serving_default` is such a function. Pictures are
brought to the size that it declares. Loading a SavedModel runs what is in it: load those that you trust.
"""

from pathlib import Path

import keras
import tensorflow as tf

from gan_keras.errors import UserError

_PICTURES, _CLIPS = 4, 5


class FrozenFeatures:
    """The network, as a differentiable function of clips.

    Args:
        path: of the file or folder.

    Attributes:
        view: which view of the clips it looks at: `close`, frame by frame, where it takes pictures; else `small`.

    Raises:
        UserError: nothing there that can be loaded, or a network that takes something else.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        try:
            self._function, shape = self._load()
        except (OSError, ValueError, LookupError, AttributeError, TypeError, RuntimeError, tf.errors.OpError) as error:
            reason = str(error).splitlines()[0]
            raise self._mistake(f"a network that can be loaded; this one cannot ({reason})") from error
        rank = len(shape)
        if rank not in (_PICTURES, _CLIPS) or shape[-1] != 3:
            raise self._mistake(f"a network that takes [N, H, W, 3] or [N, T, H, W, 3]; this one takes {list(shape)}")
        self.view = "close" if rank == _PICTURES else "small"
        self._size = shape[-3:-1]

    def __call__(self, clips: tf.Tensor) -> tf.Tensor:
        """Features of a view float32 [B, F, h, w, 3] → float32 [N, D], N a multiple of B."""
        frames, (height, width) = clips.shape[1], clips.shape[2:4]
        pictures = tf.reshape(clips, [-1, height, width, 3])
        wanted = self._size[0] or height, self._size[1] or width
        if wanted != (height, width):
            pictures = tf.image.resize(pictures, wanted)
        if self.view == "small":
            pictures = tf.reshape(pictures, [-1, frames, *wanted, 3])
        features = tf.cast(self._function(pictures), tf.float32)
        return tf.reshape(features, [tf.shape(features)[0], -1])

    def _load(self) -> tuple[tf.types.experimental.Callable, tuple[int | None, ...]]:
        if self._path.endswith(".keras"):
            network = keras.saving.load_model(self._path, compile=False)
            return (lambda x: network(x, training=False)), tuple(network.input_shape)
        if not (Path(self._path) / "saved_model.pb").is_file():
            raise OSError("it is no .keras file, nor a folder with a saved_model.pb")
        self._loaded = tf.saved_model.load(self._path)  # its variables live as long as this does
        signature = self._loaded.signatures["serving_default"]
        (given,), (answer,) = signature.structured_input_signature[1].values(), signature.structured_outputs
        return (lambda x: signature(**{given.name: x})[answer]), tuple(given.shape)

    def _mistake(self, what: str) -> UserError:
        return UserError(f"`perceptual` must be {what}. Received: perceptual={self._path}")
