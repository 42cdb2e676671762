"""Times the training step on clips of noise, without the input pipeline.

    python benchmarks/train_step.py --resolution=32

Takes about 40 seconds. Takes every flag of train.py that makes the model or the step. Ends with one JSON line:
milliseconds of a step without and with the penalty (medians), and clips per second over a whole round of
`penalty_every` steps.
"""

import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from gan_keras import flags, quiet
from gan_keras.config import Config

STEPS = 15


def main() -> None:
    """Builds the networks, times the steps, prints."""
    config = Config().replace(**flags.given())
    quiet.import_tensorflow()
    import tensorflow as tf

    from gan_keras import hardware
    from gan_keras.gan import VideoGAN

    strategy = hardware.make_strategy(config.hardware)
    precision = hardware.precision_policy(config.hardware)
    gan = VideoGAN(config, strategy, precision, hardware.uses_xla(config.hardware))
    shape = (config.optimization.batch_size, *config.clips.shape)
    clips = gan.split(tf.cast(tf.random.stateless_uniform(shape, [0, 0], 0, 256, tf.int32), tf.uint8))

    def milliseconds(penalize: bool) -> float:
        times = []
        for step in range(STEPS):
            begun = time.perf_counter()
            float(gan.train_step(clips, tf.constant(step, tf.int64), penalize)["skipped"])
            times.append(1000 * (time.perf_counter() - begun))
        return statistics.median(times[3:])

    plain = milliseconds(False)
    objective = config.objective
    penalized = milliseconds(True) if objective.penalty != "none" else plain
    mean = plain + (penalized - plain) / objective.penalty_every
    print(json.dumps({
        "benchmark": "train_step", "generator": config.model.generator, "resolution": config.clips.resolution,
        "num_frames": config.clips.num_frames, "batch_size": config.optimization.batch_size, "precision": precision,
        "devices": strategy.num_replicas_in_sync, "milliseconds": round(plain, 1),
        "milliseconds_with_penalty": round(penalized, 1),
        "clips_per_second": round(1000 * config.optimization.batch_size / mean, 1)}))


if __name__ == "__main__":
    flags.define_config()
    flags.run(main)
