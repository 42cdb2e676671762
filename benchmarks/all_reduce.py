"""Times sums over the workers that TF_CONFIG names: started once for each of them. Prints one JSON line.

    TF_CONFIG=... python benchmarks/all_reduce.py --megabytes=1,4,16
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

    megabytes: tuple[str, ...] = setting(("1", "4", "16"), "Sizes of the sums.", placeholder="1")


def main() -> None:
    """Sums of all sizes."""
    settings = flags.settings(AllReduceSettings)
    logging.import_tensorflow()
    import tensorflow as tf

    from gan_keras.config.train import HardwareSettings
    from gan_keras.training.distribution import make_distribution

    strategy = make_distribution(HardwareSettings(strategy="multi_worker")).strategy
    seconds = {}
    for size in settings.megabytes:
        values = tf.random.stateless_uniform([round(float(size) * 2**18)], [0, 0])

        @tf.function(autograph=False)
        def summed(values: tf.Tensor = values) -> tf.Tensor:
            def of_replica() -> tf.Tensor:
                total = tf.distribute.get_replica_context().all_reduce("sum", 1.0 * values)
                return tf.reduce_max(total)
            return strategy.run(of_replica)

        times = []
        for _ in range(WARM_UP + REPEATS):
            begun = time.perf_counter()
            float(strategy.experimental_local_results(summed())[0])
            times.append(time.perf_counter() - begun)
        seconds[size] = round(statistics.median(times[WARM_UP:]), 5)
    print(json.dumps({"benchmark": "all_reduce", "seconds": seconds}))


if __name__ == "__main__":
    flags.define(AllReduceSettings)
    flags.run(main, sys.argv, __doc__)
