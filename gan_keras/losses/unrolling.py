"""Unrolled discriminators (Metz et al., 2017, arXiv:1611.02163, eq. 10 and 11)."""

import tensorflow as tf

from gan_keras.losses.adversarial import AdversarialLoss
from gan_keras.losses.forward_pass import sum_over_replicas
from gan_keras.models.discriminator import Discriminator, DiscriminatorOutputs


def unrolled_outputs(discriminator: Discriminator, loss: AdversarialLoss, real: tf.Tensor, generated: tf.Tensor,
                     label: tf.Tensor | None, steps: int, learning_rate: float
                     ) -> tuple[DiscriminatorOutputs, DiscriminatorOutputs]:
    """Outputs of the discriminator after some gradient steps more against these samples.

    The gradient of what is computed from them goes through these steps too. The discriminator itself stays as it is.

    Args:
        discriminator: the discriminator.
        loss: whose discriminator part the steps descend.
        real: samples [N, ...].
        generated: samples [N, ...].
        label: weights of the classes [N, K] or None.
        steps: gradient steps.
        learning_rate: of these steps.

    Returns:
        Outputs for real and for generated samples.
    """
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    weights = [tf.convert_to_tensor(variable.value) for variable in discriminator.network.trainable_variables]

    def outputs(samples: tf.Tensor) -> DiscriminatorOutputs:
        return discriminator(samples, label, training=True, weights=weights)

    for _ in range(steps):
        with tf.GradientTape() as tape:
            tape.watch(weights)
            mean = tf.reduce_mean(loss(outputs(real).logits, outputs(generated).logits)[0]) / replicas
        gradients = tape.gradient(mean, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        weights = [weight - learning_rate * gradient
                   for weight, gradient in zip(weights, sum_over_replicas(gradients), strict=True)]
    return outputs(real), outputs(generated)
