"""How fast a SavedModel makes clips, alone or by turns with a peer's generator.

    python benchmarks/generate.py --model=runs/quickstart/export
    python benchmarks/generate.py --model=runs/quickstart/export --peer=PATH --peer_python=ITS_INTERPRETER
    python benchmarks/generate.py --model=runs/quickstart/export/2 --reference=runs/quickstart/export/1

Takes about 20 seconds, with a peer a minute more. Ends with one JSON line: seconds to load the model and to its first
clip, latency of one clip asked for alone, clips a second one and eight at a time; `clips_per_second` is the better of
the two. With a reference, another version of the same run, also how far frames are from its own, in levels of 255. The
peer is a script with a class `MoCoGAN(dtype)` that has `cast()`, the context of that precision, and `sample(count)`;
its better precision counts.
"""

import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

if TYPE_CHECKING:
    from gan_keras.serving.saved_generator import SavedGenerator

BATCHES = (1, 8)
COMPARED, NEAR = range(8), 2
"""Seeds whose frames are compared with those of the reference; levels that count as near."""
CALLS, SECONDS = 30, 3.0

PEER = """
import importlib.util, json, sys, time
specification = importlib.util.spec_from_file_location("peer", sys.argv[1])
peer = importlib.util.module_from_spec(specification)
specification.loader.exec_module(peer)
found = {}
for dtype in ("bfloat16", "float32"):
    model, times = peer.MoCoGAN(dtype), []
    for _ in range(4):
        begun = time.perf_counter()
        with model.cast():
            shape = model.sample(64).shape
        times.append(time.perf_counter() - begun)
    found[dtype] = 64 / sorted(times[1:])[1]
print(json.dumps({"clips_per_second": found, "shape": shape[1:]}))
"""
"""Times 64 clips of the peer's generator in both precisions: the median of three, after one that is not timed."""


@dataclasses.dataclass(frozen=True)
class SavedModelSettings(Settings):
    """What is measured."""

    model: str = setting("", "Exported version, or the folder of versions, for the newest.", path=True)
    reference: str = setting("", "Another version of the same run, as one in float32 for one in bfloat16.", path=True)

    def check(self) -> None:
        """There is no model to measure by default."""
        if not self.model:
            raise UserError("`model` must name what export.py made. Received: model=")


def main() -> None:
    """Loads, generates, compares."""
    settings, peer = flags.settings(SavedModelSettings), flags.settings(harness.PeerSettings)
    logging.import_tensorflow()
    from gan_keras.serving.saved_generator import SavedGenerator

    begun = time.perf_counter()
    model = SavedGenerator(Path(settings.model))
    loaded = time.perf_counter()
    shape = model.clips([0]).shape[1:]
    first = time.perf_counter()
    alone = latencies(model)
    numbers = {"shape": shape, "load_seconds": round(loaded - begun, 2), "first_clip_seconds": round(first - loaded, 2),
               "latency_p50_milliseconds": round(1000 * statistics.median(alone), 2),
               "latency_p95_milliseconds": round(1000 * statistics.quantiles(alone, n=20)[-1], 2)}
    numbers |= {f"clips_per_second_at_{count}": round(clips_per_second(model, count), 2) for count in BATCHES}
    best = max(BATCHES, key=lambda count: numbers[f"clips_per_second_at_{count}"])
    numbers["clips_per_second"] = numbers[f"clips_per_second_at_{best}"]
    if settings.reference:
        numbers |= differences(model, SavedGenerator(Path(settings.reference)))
    if peer.peer:
        turns = harness.take_turns(lambda: clips_per_second(model, best), lambda: peer_clips_per_second(peer, shape))
        numbers["clips_per_second"] = round(statistics.median(turns["ours"]), 2)
        numbers |= harness.comparison(turns, "clips_per_second")
    print(json.dumps({"benchmark": "generate", **numbers, "peak_megabytes": round(harness.megabytes())}))


def differences(model: "SavedGenerator", reference: "SavedGenerator") -> dict[str, float]:
    """Of the frames of two versions, in levels: mean, share of the values that are near, largest."""
    import numpy as np

    clips, others = (np.asarray(version.clips(list(COMPARED)), float) for version in (model, reference))
    levels = np.abs(clips - others)
    return {"levels_mean": round(levels.mean(), 3), f"share_within_{NEAR}_levels": round((levels <= NEAR).mean(), 4),
            "levels_max": round(levels.max(), 1)}


def latencies(model: "SavedGenerator") -> list[float]:
    """Seconds until one clip asked for alone is there, of each call."""
    return [seconds(model, [seed]) for seed in range(CALLS)]


def clips_per_second(model: "SavedGenerator", at_once: int) -> float:
    """Speed of clips made some at a time."""
    seconds(model, range(at_once))  # the first call with a batch of another size allocates
    times: list[float] = []
    while sum(times) < SECONDS:
        times.append(seconds(model, range(len(times) * at_once, (len(times) + 1) * at_once)))
    return len(times) * at_once / sum(times)


def seconds(model: "SavedGenerator", seeds: Sequence[int]) -> float:
    """Of one call."""
    begun = time.perf_counter()
    model.clips(list(seeds))
    return time.perf_counter() - begun


def peer_clips_per_second(peer: harness.PeerSettings, shape: Sequence[int]) -> float:
    """The peer's generator in its better precision.

    Args:
        peer: which.
        shape: [T, H, W, C] of our clips; a note says so where the peer's are others.
    """
    found = harness.last_json(harness.run(peer.peer_python, "-c", PEER, peer.peer))
    if list(shape) != found["shape"]:
        print(f"NOTE: our clips are {list(shape)}, the peer's {found['shape']}.")
    return max(found["clips_per_second"].values())


if __name__ == "__main__":
    flags.define(SavedModelSettings)
    flags.define(harness.PeerSettings)
    flags.run(main, sys.argv, __doc__)
