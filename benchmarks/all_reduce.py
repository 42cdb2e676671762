"""Times sums over the workers that TF_CONFIG names: started once for each of them. Prints one JSON line.

    TF_CONFIG=... python benchmarks/all_reduce.py --megabytes=4,8,16
"""

import dataclasses
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting

WARM_UP, REPEATS = 3, 15


@dataclasses.dataclass(frozen=True)
class AllReduceSettings(Settings):
    """What is summed."""

    megabytes: tuple[str, ...] = setting(("4", "8", "16"), "Sizes of the sums, in MiB.", placeholder="4")


def main() -> None:
    """Sums of all sizes."""
    settings = flags.settings(AllReduceSettings)
    logging.import_tensorflow()
    import tensorflow as tf

    from gan_keras.config.train import HardwareSettings
    from gan_keras.training.distribution import make_distribution

    strategy = make_distribution(HardwareSettings(strategy="multi_worker")).strategy

    @tf.function(autograph=False)
    def summed(values: tf.Tensor) -> tf.Tensor:
        def of_replica() -> tf.Tensor:
            gradient = 1.0 * values  # made on the replica, as gradients are
            return tf.reduce_max(tf.distribute.get_replica_context().all_reduce("sum", gradient))

        return strategy.run(of_replica)

    seconds = {}
    for size in settings.megabytes:
        values, times = tf.random.stateless_uniform([round(float(size) * 2**18)], [0, 0]), []
        for _ in range(WARM_UP + REPEATS):
            begun = time.perf_counter()
            float(strategy.experimental_local_results(summed(values))[0])
            times.append(time.perf_counter() - begun)
        seconds[size] = round(statistics.median(times[WARM_UP:]), 5)
    print(json.dumps({"benchmark": "all_reduce", "seconds": seconds}))


if __name__ == "__main__":
    flags.define(AllReduceSettings)
    flags.run(main, sys.argv, __doc__)
