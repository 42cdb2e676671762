"""Adversarial losses: pure functions of logits. `losses.ADVERSARIAL_LOSSES` lists them.

Each takes the logits of paired real and generated samples, any shape, and returns `(discriminator, generator)`: the
loss of each, element by element, same shape. The caller averages once, over the global batch. (A loss with a mean over
the batch in it would take that by `forward_pass.mean_over_batch`, and its terms in `losses.terms` be marked
`crosses_replicas`, as those of unrolling are.)

References:
    1. Goodfellow et al., Generative Adversarial Networks, 2014 (arXiv:1406.2661).
    2. Lim and Ye, Geometric GAN, 2017 (arXiv:1705.02894); Miyato et al., 2018 (arXiv:1802.05957), eq. 16 and 17.
    3. Jolicoeur-Martineau, The relativistic discriminator, 2018 (arXiv:1807.00734); Huang et al., R3GAN, 2024
       (arXiv:2501.05441), eq. 2.
    4. Mao et al., Least Squares GAN, 2017 (arXiv:1611.04076), eq. 9.
    5. Arjovsky et al., Wasserstein GAN, 2017 (arXiv:1701.07875), eq. 2 and 3.
"""

from collections.abc import Callable

import tensorflow as tf

AdversarialLoss = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def bce(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Binary cross-entropy with the non-saturating generator loss (Goodfellow 2014).

    Discriminator: -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))). Generator: -log sigmoid(D(G(z))).
    """
    return tf.nn.softplus(-real) + tf.nn.softplus(generated), tf.nn.softplus(-generated)


def minimax(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Binary cross-entropy of both, the game as first written (Goodfellow 2014, eq. 1).

    Discriminator: -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))). Generator: log(1 - sigmoid(D(G(z)))), whose gradient
    vanishes where the discriminator is sure.
    """
    return tf.nn.softplus(-real) + tf.nn.softplus(generated), -tf.nn.softplus(generated)


def least_squares(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Least squares, targets 1 for real and 0 for generated (LSGAN, Mao 2017).

    Discriminator: (D(x) - 1)² / 2 + D(G(z))² / 2. Generator: (D(G(z)) - 1)² / 2.
    """
    return 0.5 * (tf.square(real - 1.0) + tf.square(generated)), 0.5 * tf.square(generated - 1.0)


def wasserstein(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The critic's difference (Wasserstein GAN, Arjovsky 2017); needs --penalty=wgan_gp to keep the critic Lipschitz.

    Discriminator: D(G(z)) - D(x). Generator: -D(G(z)).
    """
    return generated - real, -generated


def hinge(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Hinge loss (Lim and Ye 2017).

    Discriminator: max(0, 1 - D(x)) + max(0, 1 + D(G(z))). Generator: -D(G(z)).
    """
    return tf.nn.relu(1.0 - real) + tf.nn.relu(1.0 + generated), -generated


def relativistic(real: tf.Tensor, generated: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Relativistic pairing loss: is this real one more real than that generated one? (R3GAN 2024).

    Discriminator: softplus(-(D(x) - D(G(z)))). Generator: softplus(-(D(G(z)) - D(x))).
    """
    return tf.nn.softplus(generated - real), tf.nn.softplus(real - generated)


FUNCTIONS = {loss.__name__: loss for loss in (bce, minimax, least_squares, wasserstein, hinge, relativistic)}
"""The losses by name."""
