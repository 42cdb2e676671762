"""How fast clips are prepared and read, and what share of a training step reading them would take.

    python benchmarks/input_pipeline.py --resolution=32
    python benchmarks/input_pipeline.py --data=my_videos/ --augment=flip --train_step_clips_per_second=36

Takes about a minute. Takes every flag of train.py. Raw videos are prepared into a temporary folder and timed; of a
prepared folder only the reading is. Ends with one JSON line. A prepared clip is `num_frames` frames. The share is how
long the reading of a step's clips takes by itself against how long the step takes; in training both run at once, so the
trainer waits for less.
"""

import dataclasses
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config

WARM_UP, SECONDS = 20, 5.0
SAMPLES = harness.ROOT / "data" / "shapes"


@dataclasses.dataclass(frozen=True)
class InputPipelineSettings(Settings):
    """The measurement."""

    train_step_clips_per_second: float = setting(
        0.0, "Speed of the training step to compare with; 0: measured by benchmarks/train_step.py.", minimum=0.0)


def main() -> None:
    """Times preparing, reading and, where its speed is not given, the step."""
    settings = flags.settings(InputPipelineSettings)
    config = Config().replace(**{"data": str(SAMPLES), **flags.named_config()})
    logging.import_tensorflow()
    from gan_keras.data.training_data import training_data

    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        prepared, manifest, config = training_data(config, flags.named_settings(), Path(folder))
        seconds = time.perf_counter() - begun
        numbers: dict[str, Any] = {}
        if prepared.parent == Path(folder):  # it was not prepared before
            frames = sum(map(manifest.frames, manifest.splits))
            numbers = {"prepare_seconds": round(seconds, 2), "prepared_frames_per_second": round(frames / seconds, 1),
                       "prepared_clips_per_second": round(frames / config.clip.num_frames / seconds, 1)}
            print(f"prepared {frames} frames in {seconds:.1f} s", flush=True)
        read = clips_per_second(prepared, manifest, config)
    print(f"read {read:.0f} clips a second", flush=True)
    step = settings.train_step_clips_per_second or harness.last_json(harness.script(
        "benchmarks/train_step.py", *harness.passed_on(InputPipelineSettings), "--noceiling"))["clips_per_second"]
    print(json.dumps({"benchmark": "input_pipeline", "resolution": config.clip.resolution,
                      "num_frames": config.clip.num_frames, "batch_size": config.optimization.batch_size, **numbers,
                      "clips_per_second": round(read, 1), "train_step_clips_per_second": step,
                      "share_of_step": round(step / read, 4)}))


def clips_per_second(prepared: Path, manifest: Any, config: Config) -> float:
    """Speed of reading training batches, after a warm-up in which buffers fill and `tf.data` tunes itself."""
    from gan_keras.data.input_pipeline import training_batches

    batches = iter(training_batches(prepared, manifest, config))
    for _ in range(WARM_UP):
        next(batches)
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < SECONDS:
        next(batches)
        count += 1
    return count * config.optimization.batch_size / (time.perf_counter() - begun)


if __name__ == "__main__":
    flags.define_config()
    flags.define(InputPipelineSettings)
    flags.run(main, sys.argv, __doc__)
