"""What is shown decides how strong each channel is: appearance that does not depend on the motion."""

import keras
from keras import layers


def styled(x: keras.KerasTensor, content: keras.KerasTensor, name: str, normalize: bool = False,
           more: keras.KerasTensor | None = None) -> keras.KerasTensor:
    """Scales each channel by the content, and with it by the class that the content was moved by.

    With `normalize` it is conditional normalization: each channel of each picture is brought to mean 0 and variance 1
    first, and shifted as well as scaled after (conditional instance normalization, Dumoulin et al., 2017,
    arXiv:1610.07629, eq. 5). Over one picture and not over the batch, so that several devices agree and a served clip
    does not depend on those asked for beside it.

    Args:
        x: features [N, ..., C].
        content: [N, content_size].
        name: of the layers.
        normalize: see above.
        more: added to the scales, [N, C].
    """
    channels, ones = x.shape[-1], (1,) * (len(x.shape) - 2)
    if normalize:
        x = layers.GroupNormalization(-1, center=False, scale=False, name=f"{name}_normalized")(x)
    scales = layers.Dense(channels, bias_initializer="ones", name=f"{name}_scales")(content)
    if more is not None:
        scales = layers.Add(name=f"{name}_more")([scales, more])
    x = layers.Multiply(name=name)([x, layers.Reshape((*ones, channels), name=f"{name}_shape")(scales)])
    if normalize:
        shifts = layers.Dense(channels, name=f"{name}_shifts")(content)
        x = layers.Add(name=f"{name}_shifted")([x, layers.Reshape((*ones, channels), name=f"{name}_shift")(shifts)])
    return x
