"""Where the time of a training step goes, by TensorFlow's profiler.

    python benchmarks/operations.py --resolution=64

Takes about a minute and every flag of train.py that makes the model or the step. Prints the kinds of operations and the
layers that take longest, in milliseconds of a step without the penalty. Operations run side by side, on two cores two
at a time, so that the sum is more than the step takes. Ends with one JSON line; `--trace=FOLDER` keeps the trace for
TensorBoard's profiler.
"""

import collections
import dataclasses
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from benchmarks.train_step import Step
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.config.train import Config
from gan_keras.errors import UserError

STEPS = 5
ROWS = 15
_LAYER = re.compile(r"/([a-z]+)(?:_\d+)?/([a-z]+_?[a-z0-9]*)")


@dataclasses.dataclass(frozen=True)
class OperationsSettings(Settings):
    """The measurement."""

    trace: str = setting("", "Folder to keep the trace in; empty: none.", path=True)


def main() -> None:
    """One table for the kinds of operations, one for the layers."""
    settings, config = flags.settings(OperationsSettings), Config().replace(**flags.named_config())
    logging.import_tensorflow()
    step = Step(config)
    step.clips_per_second()  # traces and warms up
    if settings.trace:
        traced = list(operations(step, Path(settings.trace)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            traced = list(operations(step, Path(folder)))
    kinds, layers, counts = collections.Counter(), collections.Counter(), collections.Counter()
    for name, kind, milliseconds in traced:
        kinds[kind] += milliseconds
        counts[kind] += 1 / STEPS
        layers[layer_of(name)] += milliseconds
    total = sum(kinds.values())
    print(f"\n{total:.0f} ms of operations in a step\n")
    rows = [(kind, round(spent, 1), round(counts[kind])) for kind, spent in kinds.most_common(ROWS)]
    print(harness.table(["operation", "ms", "times"], rows) + "\n")
    print(harness.table(["layer", "ms"], [(name, round(spent, 1)) for name, spent in layers.most_common(ROWS)]) + "\n")
    print(json.dumps({"benchmark": "operations", "milliseconds": round(total, 1),
                      "convolutions": round(sum(spent for kind, spent in kinds.items() if "Conv" in kind), 1),
                      "operations": {kind: spent for kind, spent, _ in rows}}))


def operations(step: Step, folder: Path) -> Iterator[tuple[str, str, float]]:
    """Name, kind and milliseconds of every operation in a step, each of `STEPS` steps counting a share.

    Raises:
        UserError: the profiler wrote nothing.
    """
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    tf.profiler.experimental.start(str(folder))
    for _ in range(STEPS):
        step.run(next(iter(step.kinds)))
    tf.profiler.experimental.stop()
    files = sorted(folder.rglob("*.xplane.pb"), key=lambda file: file.stat().st_mtime)
    if not files:
        raise UserError(f"The profiler wrote nothing. Received: trace={folder}")
    space = xplane_pb2.XSpace.FromString(files[-1].read_bytes())
    for plane in space.planes:
        names = {key: about.name for key, about in plane.event_metadata.items()}
        for event in (event for line in plane.lines for event in line.events):
            name, _, kind = names[event.metadata_id].rpartition(":")
            if "/" in name and kind.isidentifier():  # an operation of a graph, not what called it
                yield name, kind, event.duration_ps / 1e9 / STEPS


def layer_of(name: str) -> str:
    """`"Call/backbone_1/point_0_1/Conv2D"` → `"backbone point_0"`; what belongs to no layer is `"other"`."""
    found = _LAYER.search(name.removeprefix("StatefulPartitionedCall").replace("/gradient_tape", ""))
    return " ".join(found.groups()) if found else "other"


if __name__ == "__main__":
    flags.define_config()
    flags.define(OperationsSettings)
    flags.run(main, sys.argv, __doc__)
