"""The loop around the training step: data, checkpoints, numbers, samples, a clean end."""

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf

from gan_keras import checkpoints, hardware
from gan_keras.config import Config
from gan_keras.data.pipeline import first_clips, training_batches
from gan_keras.data.records import Manifest
from gan_keras.evaluation.watch import Watch
from gan_keras.gan import VideoGAN
from gan_keras.progress import Progress
from gan_keras.run_folder import RunFolder
from gan_keras.summaries import Summaries, enlarge
from gan_keras.video import io

SAMPLES = 16
"""Clips drawn from the fixed seeds 0 to 15 every time."""

_ROWS = 8
"""Of them on a contact sheet."""

_FPS_WHERE_UNKNOWN = 15.0
"""Speed at which clips are shown that came without one (arrays, image strips)."""


class Trainer:
    """One start of one run: a new one, or the continuation of what its folder holds.

    Args:
        config: the resolved settings.
        prepared: folder of the prepared clips.
        manifest: of that folder.
    """

    def __init__(self, config: Config, prepared: Path, manifest: Manifest) -> None:
        self.config = config
        self.run = RunFolder(Path(config.run.run_dir))
        self._fps = manifest.fps or _FPS_WHERE_UNKNOWN
        strategy = hardware.make_strategy(config.hardware)
        self.gan = VideoGAN(config, strategy, hardware.precision_policy(config.hardware),
                            hardware.uses_xla(config.hardware))
        self.step = checkpoints.restore(self.run.checkpoints, self.gan.variables, _say) or 0
        if self.step:
            _say(f"Resuming {self.run.path} at step {self.step}.")
        elif config.run.init_from:
            self._begin_with(RunFolder(Path(config.run.init_from)))
        self.run.describe(config, {"source": Path(manifest.source).name, "fps": self._fps, "classes": manifest.classes,
                                   "clips": {split: manifest.count(split) for split in manifest.splits}})
        self.run.forget_metrics_after(self.step)
        self._batches = iter(training_batches(prepared, manifest, config, self.step))
        self._real = first_clips(prepared, manifest, config.clips.num_frames, SAMPLES)
        self._watch = Watch(self.run, config, prepared, manifest) if config.run.evaluate_every else None
        self._measured: list[dict[str, tf.Tensor]] = []
        self._seconds = {"step": 0.0, "input": 0.0}
        self._signal = self._shown_at = 0
        self._saved_at = self.step

    def train(self) -> None:
        """Trains to the last step, until it no longer improves, or until SIGTERM or Ctrl-C.

        Raises:
            FloatingPointError: no gradient was finite for a whole stretch of `log_every` steps.
            SystemExit: a signal asked for the end, and the run was saved; the code is 128 + the signal's number.
        """
        run, steps = self.config.run, self.config.optimization.steps
        self._summaries = Summaries(self.run)
        self._summaries.settings(self.step)
        self._summaries.clips(self.step, "clips/real", self._real, self._fps)
        actions = ((run.log_every, self._log), (run.sample_every, self._show), (run.evaluate_every, self._evaluate),
                   (run.checkpoint_every, self._save))
        limit = math.ceil(60 * run.minutes)
        begun = time.monotonic()
        with self._signals_noted(), _progress(self.step, steps, limit) as self._progress:
            while self.step < steps and not self._ends and (not limit or time.monotonic() - begun < limit):
                self._train_one()
                for every, action in actions:
                    if every and self.step % every == 0:
                        action()
                self._progress.reach(int(time.monotonic() - begun) if limit else self.step)
            if not self._signal:
                self._evaluate()
        self._save()
        if self._signal:
            _say(f"Stopped by {signal.Signals(self._signal).name} at step {self.step}, which is saved. "
                 "The same command goes on from here.")
            raise SystemExit(128 + self._signal)
        if self._watch and self._watch.exhausted:
            best = self._watch.best
            _say(f"Stopped at step {self.step}: {best.metric} was best at step {best.step}, {best.value:.4g}, and has "
                 f"not improved in {run.patience} evaluations.")
        self._show()

    @property
    def _ends(self) -> bool:
        """Whether something asks for the end before the last step."""
        return bool(self._signal) or (self._watch is not None and self._watch.exhausted)

    def sample(self, seeds: range) -> np.ndarray:
        """Clips of the running average, uint8 [N, T, H, W, 3]."""
        return np.concatenate([self.gan.sample(tf.constant([seed], tf.int64)) for seed in seeds])

    def _begin_with(self, other: RunFolder) -> None:
        other.load_config()  # says so where it is no run
        taken = checkpoints.begin_with(other.checkpoints, self.gan.weights, _say)
        _say(f"Begins with {taken} of {len(self.gan.weights)} weights from {other.path}.")

    def _train_one(self) -> None:
        start = time.monotonic()
        batch = next(self._batches)
        ready = time.monotonic()
        self._measured.append(self.gan.train_step(self.gan.split(batch), tf.constant(self.step, tf.int64),
                                                  self.gan.due(self.step)))
        self.step += 1
        self._seconds["input"] += ready - start
        self._seconds["step"] += time.monotonic() - start

    def _log(self) -> None:
        start = time.monotonic()
        numbers = _means(self._measured)
        self._seconds["step"] += time.monotonic() - start  # where devices run behind, reading waits for them
        count = len(self._measured)
        skipped = round(numbers.pop("skipped") * count)
        if skipped:
            where = f"steps {self.step - count + 1} to {self.step}"
            if skipped == count:
                raise FloatingPointError(f"No gradient was finite in {where}: the run diverged. The last checkpoint "
                                         "is older. Try a lower --learning_rate or --precision=float32.")
            self._progress.say(f"WARNING: {skipped} of {where} skipped, their gradients were not finite.")
        numbers |= {"skipped_steps": skipped, "learning_rate": self.gan.learning_rate,
                    "speed/clips_per_second": count * self.config.optimization.batch_size / self._seconds["step"],
                    "speed/input_wait_share": self._seconds["input"] / self._seconds["step"]}
        self._summaries.scalars(self.step, numbers)
        self.run.append_metrics(self.step, {name: round(value, 6) for name, value in numbers.items()})
        self._progress.note = f"step {self.step}, {numbers['speed/clips_per_second']:.1f} clips/s, loss " + ", ".join(
            f"{name.removeprefix('loss/')} {value:.2f}" for name, value in numbers.items() if name.startswith("loss/"))
        self._measured, self._seconds = [], dict.fromkeys(self._seconds, 0.0)

    def _show(self) -> None:
        """Samples and weights for TensorBoard; a contact sheet and a playing clip for the samples folder."""
        if self._shown_at == self.step:
            return
        self._shown_at = self.step
        clips = self.sample(range(SAMPLES))
        self._summaries.clips(self.step, "clips/generated", clips, self._fps)
        self._summaries.weights(self.step, self.gan.average.named_weights("weights"))
        shown = enlarge(clips)
        self.shown = self.run.samples / f"step-{self.step:06d}"
        io.write_clip(self.shown.with_suffix(".png"), shown[:_ROWS], self._fps)
        io.write_clip(self.shown.with_suffix(".webm"), shown, self._fps)

    def _evaluate(self) -> None:
        """Measures the generator; where that makes it the best one so far, its checkpoint is kept."""
        if not self._watch or self._watch.has_seen(self.step):
            return
        before = self._watch.best
        self._summaries.scalars(self.step, self._watch.evaluate(self.step, self.sample))
        if self._watch.best != before:
            self._save()
            self.run.remember_best(self._watch.best)
        self._progress.say(str(self._watch))

    def _save(self) -> None:
        if self._saved_at == self.step:
            return
        self._saved_at = self.step
        best = self.run.best()  # what is written down: until that changes, its checkpoint is needed
        checkpoints.save(self.run.checkpoints, self.step, self.gan.variables, self.config.run.keep_checkpoints,
                         best.step if best else None)

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        def note(number: int, _: object) -> None:
            self._signal = number

        before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _progress(step: int, steps: int, limit: int) -> Progress:
    """Counts seconds where the time is limited, else steps."""
    return Progress("train", limit, "s") if limit else Progress("train", steps, "steps", step)


def _means(measured: list[dict[str, tf.Tensor]]) -> dict[str, float]:
    """The mean of each number over the steps that measured it."""
    names = dict.fromkeys(name for numbers in measured for name in numbers)
    return {name: float(np.mean([numbers[name] for numbers in measured if name in numbers])) for name in names}


def _say(line: str) -> None:
    print(line, flush=True)
