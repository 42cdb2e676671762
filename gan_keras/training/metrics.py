"""Metrics of training steps."""

from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf

from gan_keras.losses.forward_pass import Tensors, sum_over_replicas


def discriminator_metrics(logits: Mapping[str, tuple[tf.Tensor, tf.Tensor]]) -> dict[str, tf.Tensor]:
    """How often each discriminator is right about a global batch; to be called on each replica.

    Args:
        logits: of this replica's real samples and of its generated ones, [N] each, by discriminator.

    Returns:
        For each discriminator NAME, the same on all replicas: `logit_real/NAME`, `logit_generated/NAME`, means;
        `accuracy_real/NAME`, share of real samples above the mean generated logit; `accuracy_generated/NAME`, share of
        generated samples below the mean real logit; `accuracy_pairs/NAME`, share of pairs in which the real sample is
        above the generated one.
    """
    means = _mean({f"logit_{kind}/{name}": values for name, pair in logits.items()
                   for kind, values in zip(("real", "generated"), pair, strict=True)})
    right = {}
    for name, (real, generated) in logits.items():
        right |= {f"accuracy_real/{name}": real > means[f"logit_generated/{name}"],
                  f"accuracy_generated/{name}": generated < means[f"logit_real/{name}"],
                  f"accuracy_pairs/{name}": real > generated}
    return means | _mean(right)


def _mean(values: Tensors) -> dict[str, tf.Tensor]:
    """Mean of each [N] over the global batch."""
    replicas = tf.distribute.get_replica_context().num_replicas_in_sync
    return sum_over_replicas({name: tf.reduce_mean(tf.cast(value, tf.float32)) / replicas
                              for name, value in values.items()})


def mean_over_steps(steps: Sequence[Tensors]) -> dict[str, float]:
    """Mean of each metric over the steps that computed it."""
    names = dict.fromkeys(name for metrics in steps for name in metrics)
    return {name: float(np.mean([metrics[name] for metrics in steps if name in metrics])) for name in names}
