"""Does Apache Beam prepare the same clips as this program by itself, and what does it take?

    python benchmarks/beam.py

Needs the extra `beam`. Writes 2,000 small videos, 5 % of them bad, prepares them on this machine and by Beam's direct
runner, kills the process in the middle of another time and starts it again. Takes some minutes. Ends with one
JSON line: whether both second ways gave every byte of the first, seconds of each, videos that were left out.
"""

import dataclasses
import json
import random
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.settings import Settings, setting

CLIP_FLAGS = ("--resolution=32", "--num_frames=8")


@dataclasses.dataclass(frozen=True)
class BeamSettings(Settings):
    """What is prepared."""

    videos: int = setting(2000, "Videos.", minimum=20)
    bad: float = setting(0.05, "Share of them that is bad.", minimum=0.0, maximum=0.9)
    runner: str = setting("direct", "See prepare.py.")
    runner_options: str = setting("", "See prepare.py.")
    out: str = setting("runs/beam", "Folder of the videos and clips, made anew.", path=True)


def main() -> None:
    """Writes, prepares, compares."""
    settings = flags.settings(BeamSettings)
    logging.import_tensorflow()
    out = harness.empty_folder(Path(settings.out))
    bad = write_videos(out / "videos", settings.videos, settings.bad)
    by_beam = [f"--runner={settings.runner}", f"--runner_options={settings.runner_options}"]
    seconds = {name: _timed(out, name, *more) for name, more in (("local", []), ("beam", by_beam))}
    process = subprocess.Popen([sys.executable, *_command(out, "killed", *by_beam)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    time.sleep(0.6 * seconds["beam"])
    process.kill()
    process.wait()
    done = len(list((out / "killed").rglob("*.frames")))
    seconds["beam, gone on with"] = _timed(out, "killed", *by_beam)
    local = contents(out / "local")
    print(json.dumps({"benchmark": "beam", "videos": settings.videos, "bad": bad, "seconds": seconds,
                      "decoded before it was killed": done, "identical": local == contents(out / "beam"),
                      "identical, gone on with": local == contents(out / "killed"), "files": len(local)}))


def write_videos(folder: Path, count: int, bad: float) -> int:
    """Videos of drawn shapes; of the bad ones nothing, half, or text is left. How many these are."""
    import numpy as np

    from gan_keras.config.train import ClipSettings
    from gan_keras.data.sources.listing import list_source
    from gan_keras.video.encode import write_clip

    folder.mkdir(parents=True)
    chance, broken = random.Random(0), 0
    clip = ClipSettings(resolution="32", num_frames=8)
    for number, video in enumerate(list_source(f"shapes:{count}", clip).videos):
        path = folder / f"{number:05d}.mp4"
        write_clip(path, np.stack([frame.pixels for frame in video.open(None).frames])[np.newaxis], 12.0)
        if chance.random() < bad:
            data = path.read_bytes()
            path.write_bytes((b"", data[:len(data) // 3], b"not a video")[broken % 3])
            broken += 1
    return broken


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def _command(out: Path, name: str, *more: str) -> list[str]:
    return [str(harness.ROOT / "prepare.py"), f"--source={out / 'videos'}", f"--out={out / name}", *CLIP_FLAGS, *more]


def _timed(out: Path, name: str, *more: str) -> float:
    begun = time.monotonic()
    harness.run(sys.executable, *_command(out, name, *more))
    return round(time.monotonic() - begun, 1)


if __name__ == "__main__":
    flags.define(BeamSettings)
    flags.run(main, sys.argv, __doc__)
