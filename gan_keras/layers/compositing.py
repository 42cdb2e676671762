"""Compositing of pictures and clips from layers by masks."""

import keras
from keras import layers

from gan_keras.layers.clipping import clip_with_inward_gradient
from gan_keras.layers.resampling import BilinearUpsample


class MaskedForeground(layers.Layer):
    """A moving foreground where its mask is 1, over a static background (VGAN, Vondrick et al., 2016, eq. 3)."""

    def call(self, foreground: keras.KerasTensor, background: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """Composites.

        Args:
            foreground: RGB and the mask before its sigmoid, [N, T, H, W, 4].
            background: [N, 1, H, W, 3].

        Returns:
            `clip` [N, T, H, W, 3] and `mask` [N, T, H, W, 1] from 0 to 1.
        """
        mask = keras.ops.sigmoid(foreground[..., 3:])
        return {"clip": mask * foreground[..., :3] + (1.0 - mask) * background, "mask": mask}


def composite(masks: keras.KerasTensor, palette: keras.KerasTensor, background: keras.KerasTensor, name: str
              ) -> keras.KerasTensor:
    """Composites colours over each other and over a background.

    Args:
        masks: opacity of each colour but the first, [N, h, w, colours - 1]; clipped to 0..1.
        palette: the colours, [N, colours * 3].
        background: added to the first colour, [N, h', w', 3]; upsampled to the size of the masks.
        name: of the last layer, and prefix of the other layers' names.

    Returns:
        Pictures [N, h, w, 3] float32.
    """
    ops, size, colours = keras.ops, masks.shape[1:3], masks.shape[3] + 1
    opacities = layers.Activation(_clip_opacity, dtype="float32", name=f"{name}_opacities")(masks)
    visible, transparent = [], 1.0
    for opacity in reversed(ops.split(opacities, colours - 1, -1)):
        visible.insert(0, opacity * transparent)
        transparent = transparent * (1.0 - opacity)
    visible = ops.reshape(ops.concatenate([transparent, *visible], -1), (-1, size[0] * size[1], colours))
    picture = ops.reshape(ops.matmul(visible, ops.reshape(palette, (-1, colours, 3))), (-1, *size, 3))
    if background.shape[1:3] != size:
        background = BilinearUpsample(size, name=f"{name}_background")(background)
    return layers.Activation("linear", dtype="float32", name=name)(picture + transparent * background)


def _clip_opacity(masks: keras.KerasTensor) -> keras.KerasTensor:
    return clip_with_inward_gradient(masks, 0.0, 1.0)
