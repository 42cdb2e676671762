"""Modulation of feature maps by a vector: appearance that does not depend on the motion."""

import keras
from keras import layers


def modulate(x: keras.KerasTensor, content: keras.KerasTensor, name: str, normalize: bool = False,
             scale_offset: keras.KerasTensor | None = None) -> keras.KerasTensor:
    """Scales each channel by a linear function of the content, which carries the class where there is one.

    With `normalize` it is conditional instance normalization (Dumoulin et al., 2017, arXiv:1610.07629, eq. 5): each
    channel of each picture is brought to mean 0 and variance 1 first, and shifted as well as scaled after. Over one
    picture and not over the batch, so that several devices agree and a served clip does not depend on its batch.

    Args:
        x: features [N, ..., C].
        content: [N, D].
        name: of the product, and prefix of the other layers' names.
        normalize: see above.
        scale_offset: [N, C], added to the scales.
    """
    channels, ones = x.shape[-1], (1,) * (len(x.shape) - 2)
    if normalize:
        x = layers.GroupNormalization(-1, center=False, scale=False, name=f"{name}_normalized")(x)
    scales = layers.Dense(channels, bias_initializer="ones", name=f"{name}_scales")(content)
    if scale_offset is not None:
        scales = layers.Add(name=f"{name}_scales_sum")([scales, scale_offset])
    x = layers.Multiply(name=name)([x, layers.Reshape((*ones, channels), name=f"{name}_shape")(scales)])
    if normalize:
        shifts = layers.Dense(channels, name=f"{name}_shifts")(content)
        x = layers.Add(name=f"{name}_shifted")([x, layers.Reshape((*ones, channels), name=f"{name}_shift")(shifts)])
    return x
