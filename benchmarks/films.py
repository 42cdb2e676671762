"""How fast films go through a model, and in how much memory.

    python benchmarks/films.py --run_dir=runs/enhance --film=film.mp4

Makes the film, repeated to 300 and to 3,000 frames (`--frames`), each in a process of its own. Takes some minutes.
Ends with one JSON line: the peak memory of both, megapixels a second of what is made, with decoding and encoding; and
those of the model alone, with the share of the convolutions' ceiling in the same process.
"""

import dataclasses
import itertools
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import harness
from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.commands import GenerateSettings
from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

CALLS = 8
SIDE = 64
"""Pixels of a frame for which operations are counted."""


@dataclasses.dataclass(frozen=True)
class FilmsSettings(Settings):
    """What is measured."""

    run_dir: str = setting("", "Run whose exported model makes the films.", path=True)
    film: str = setting("", "A video; its frames are repeated.", path=True)
    mask: str = setting("", "For --task=inpaint, as generate.py takes it.", path=True)
    frames: tuple[str, ...] = setting(("300", "3000"), "Frames of each film.")
    alone: bool = setting(False, "Make the film as it is, in this process, and print what that took.")

    def check(self) -> None:
        """There is nothing to measure by default."""
        if not self.run_dir or not self.film:
            raise UserError(f"`run_dir` and `film` must be named. Received: run_dir={self.run_dir}, film={self.film}")


def main() -> None:
    """Makes films of each length, in processes of their own, and then pieces in this one."""
    settings = flags.settings(FilmsSettings)
    logging.import_tensorflow()
    if settings.alone:
        print(json.dumps(make_one(settings)))
        return
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        for count in settings.frames:
            film = repeated(Path(settings.film), int(count), Path(folder) / f"{count}.mp4")
            made[count] = harness.last_json(harness.script(
                "benchmarks/films.py", f"--run_dir={settings.run_dir}", f"--film={film}", f"--mask={settings.mask}",
                "--alone"))
            print(f"{count} frames: {made[count]}", flush=True)
    print(json.dumps({"benchmark": "films", "films": made, **network_speed(settings)}))


def repeated(film: Path, count: int, path: Path) -> Path:
    """The film's frames over and over, so many."""
    from gan_keras.video.decode import VideoFile, read_video
    from gan_keras.video.films import FilmWriter

    writer, written, rate = FilmWriter(path, 25.0, ""), 0, VideoFile(film).rate or 25.0
    while written < count:
        for pixels in read_video(film):
            if written == count:
                break
            writer.write(pixels, written / rate)
            written += 1
    writer.finish(None, 0.0)
    return path


def make_one(settings: FilmsSettings) -> dict[str, float]:
    """Makes one film in this process; what it took."""
    from gan_keras.serving.films import make_films
    from gan_keras.serving.saved_generator import SavedGenerator
    from gan_keras.video.decode import read_video

    model = SavedGenerator(Path(settings.run_dir) / "export")
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        film, = make_films(GenerateSettings(model=str(model.path), input=settings.film, mask=settings.mask,
                                            out=str(Path(folder) / "film.mp4")), model)
        seconds, peak = time.perf_counter() - begun, harness.megabytes()
        pixels = sum(frame.shape[0] * frame.shape[1] for frame in read_video(film.path))
    return {"megabytes": round(peak), "seconds": round(seconds, 1),
            "megapixels_per_second": round(pixels / 1e6 / seconds, 2)}


def network_speed(settings: FilmsSettings) -> dict[str, float]:
    """Megapixels a second of `next_segment` alone, and the share of the ceiling that its convolutions reach."""
    import numpy as np
    import tensorflow as tf

    from benchmarks import flops
    from benchmarks.ceiling import operations_per_second
    from gan_keras.runs.run_folder import RunFolder
    from gan_keras.serving.films import piece_length
    from gan_keras.serving.saved_generator import SavedGenerator
    from gan_keras.tasks.registry import find_task
    from gan_keras.video.decode import read_video

    model = SavedGenerator(Path(settings.run_dir) / "export")
    frames = read_video(Path(settings.film))
    first = next(frames)
    pixels = first.shape[0] * first.shape[1] * model.description.factor**2
    count = piece_length(pixels)
    piece = {"video": np.stack([first, *itertools.islice(frames, count - 1)])[np.newaxis]}
    if settings.mask:
        piece["mask"] = np.zeros((*piece["video"].shape[:4], 1), np.uint8)
        piece["mask"][:, :, :first.shape[0] // 4, :first.shape[1] // 4] = 1
    state, times = model("initial_state", piece), []
    for _ in range(CALLS):
        begun = time.perf_counter()
        state = model("next_segment", {**piece, **state})
        times.append(time.perf_counter() - begun)
        del state["video"]
    seconds = min(times[2:])  # at first frames are waited for

    network = find_task(RunFolder(Path(settings.run_dir)).load_config()).build_generator("float32").backbone
    shapes = {name: tf.TensorSpec([1, 1, SIDE, SIDE, tensor.shape[-1]]) for name, tensor in network.input.items()}
    traced = tf.function(lambda inputs: network(inputs)["pictures"], autograph=False).get_concrete_function(shapes)
    operations = flops.count(traced) / SIDE**2 * pixels * count
    return {"network_megapixels_per_second": round(count * pixels / 1e6 / seconds, 2),
            "network_share": round(operations / seconds / operations_per_second("float32"), 3)}


if __name__ == "__main__":
    flags.define(FilmsSettings)
    flags.run(main, sys.argv, __doc__)
