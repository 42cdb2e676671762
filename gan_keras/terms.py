"""What a loss can have beside the adversarial part: pure functions, one number for each sample, [N] float32.

References:
    1. Odena et al., Conditional image synthesis with auxiliary classifier GANs, 2017 (arXiv:1610.09585), eq. 3.
    2. Chen et al., InfoGAN, 2016 (arXiv:1606.03657), eq. 5.
    3. Salimans et al., Improved techniques for training GANs, 2016 (arXiv:1606.03498), section 3.1.
    4. Vondrick et al., Generating videos with scene dynamics, 2016 (arXiv:1609.02612), section 3.2.
    5. Kingma and Welling, Auto-encoding variational Bayes, 2014 (arXiv:1312.6114), appendix B.
    6. Larsen et al., Autoencoding beyond pixels using a learned similarity metric, 2016 (arXiv:1512.09300), eq. 7.
"""


import tensorflow as tf


def classification(logits: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
    """Cross-entropy of the class (Odena 2017); 0 where no class is known.

    Args:
        logits: [N, K].
        label: weights of the classes [N, K]; zeros where none is known.
    """
    return -tf.reduce_sum(label * tf.nn.log_softmax(logits), axis=-1)


def information(guesses: tf.Tensor, codes: tf.Tensor) -> tf.Tensor:
    """How badly codes from -1 to 1 are guessed, as -log of a normal density of variance 1 without its constant.

    With the entropy of the codes, which is fixed, it bounds the information that clips carry about them (Chen 2016).

    Args:
        guesses: [N, c].
        codes: [N, c].
    """
    return 0.5 * tf.reduce_sum(tf.square(codes - guesses), axis=-1)


def feature_matching(real: tf.Tensor, fake: tf.Tensor) -> tf.Tensor:
    """The squared distance of two means of features (Salimans 2016), a scalar.

    Args:
        real: mean of the features of real samples, [C].
        fake: of generated ones, [C].
    """
    return tf.reduce_sum(tf.square(tf.stop_gradient(real) - fake))


def sparsity(mask: tf.Tensor) -> tf.Tensor:
    """The mean of a mask from 0 to 1: what a foreground covers (Vondrick 2016, λ|m|).

    Args:
        mask: [N, ...].
    """
    return tf.reduce_mean(tf.abs(mask), axis=list(range(1, mask.shape.rank)))


def divergence(mean: tf.Tensor, log_variance: tf.Tensor) -> tf.Tensor:
    """KL divergence of a normal distribution from the standard one, summed over its numbers (Kingma 2014).

    Args:
        mean: [N, ...].
        log_variance: of the same shape.
    """
    each = 0.5 * (tf.exp(log_variance) + tf.square(mean) - 1.0 - log_variance)
    return tf.reduce_sum(each, axis=list(range(1, mean.shape.rank)))


def l1(real: tf.Tensor, made: tf.Tensor) -> tf.Tensor:
    """Mean absolute difference of samples [N, ...] and what was made of them."""
    return tf.reduce_mean(tf.abs(made - real), axis=list(range(1, real.shape.rank)))


def l2(real: tf.Tensor, made: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of samples [N, ...] and what was made of them; of features, Larsen 2016."""
    return tf.reduce_mean(tf.square(made - real), axis=list(range(1, real.shape.rank)))
