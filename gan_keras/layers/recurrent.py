"""Recurrent layers over the frames of a clip."""

import keras
from keras import layers

from gan_keras.layers import blocks

_MAX_UNROLLED_FRAMES = 32
"""Frames up to which the loop over them is unrolled, which is faster."""


def recurrent_layer(recurrence: str, units: int, num_frames: int, name: str, return_state: bool = False
                    ) -> layers.Layer:
    """GRU or LSTM over the frames of a clip, in float32: rounding would add up over them.

    Args:
        recurrence: `"gru"` or `"lstm"`.
        units: dimension of the state.
        num_frames: frames of a clip, T.
        name: of the layer.
        return_state: whether it returns its state after the last frame as well.
    """
    layer = {"gru": layers.GRU, "lstm": layers.LSTM}[recurrence]
    return layer(units, return_sequences=True, return_state=return_state, dtype="float32", name=name,
                 unroll=num_frames <= _MAX_UNROLLED_FRAMES)


def bidirectional(frames: keras.KerasTensor, recurrence: str, units: int, num_frames: int
                  ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Bidirectional recurrent layer over the features of frames, in float32.

    Args:
        frames: features of all frames of all clips, [B * T, h, w, C]; flattened, so that positions matter.
        recurrence: `"gru"` or `"lstm"`.
        units: dimension of the state of each direction, U.
        num_frames: T.

    Returns:
        Outputs of both directions at each frame [B, T, 2 U], and the last one of each direction, after all frames,
        [B, 2 U].
    """
    x = layers.Flatten(name="frame_features")(blocks.leaky_relu(frames, "frame_activation"))
    x = keras.ops.reshape(x, (-1, num_frames, x.shape[-1]))
    layer = recurrent_layer(recurrence, units, num_frames, "recurrent")
    outputs = layers.Bidirectional(layer, dtype="float32", name="bidirectional")(x)
    half = outputs.shape[-1] // 2
    last = layers.Concatenate(dtype="float32", name="last_outputs")([outputs[:, -1, :half], outputs[:, 0, half:]])
    return outputs, last
