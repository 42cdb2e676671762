"""The loop around the training step: batches, steps, actions, a clean end."""

import dataclasses
import json
import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from absl import logging

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import training_batches, with_target
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError
from gan_keras.evaluation import features
from gan_keras.losses.forward_pass import Tensors
from gan_keras.progress import Progress
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder, TrainingData
from gan_keras.training import hardware
from gan_keras.training.distribution import Distribution
from gan_keras.training.train_step import VideoGAN

_NO_CLIPS = np.zeros((0,), np.uint8)
_FIRST_SHARE = 1 / 3
"""Share of a run's minutes after which its first steps end, whatever their number: most of what it has is for what
follows, on slow machines too."""


class Notice(NamedTuple):
    """What processes tell each other before each step: 1 for yes; summed over all of them.

    Attributes:
        signalled: a signal asks for the end.
        ends: the time is over, or an action asks for the end.
        failed: the chief has failed.
        ends_first_steps: a third of the minutes is over, and with it the first steps.
        samples: the chief waits for the others to make samples.
    """

    signalled: float = 0.0
    ends: float = 0.0
    failed: float = 0.0
    ends_first_steps: float = 0.0
    samples: float = 0.0


class Action:
    """Something that is done every so many steps, and at the end of training; see `training.actions`.

    Args:
        interval: steps between two times; 0: at the end alone.

    Attributes:
        should_stop: whether training should end early.
    """

    should_stop = False

    def __init__(self, interval: int) -> None:
        self.interval = interval

    def run(self, loop: "TrainingLoop") -> None:
        """Does it; called after every `interval` steps."""
        raise NotImplementedError

    def finish(self, loop: "TrainingLoop", interrupted: bool) -> None:
        """Called once after the last step; `interrupted` by a signal."""


class TrainingLoop:
    """Training from a step on.

    Args:
        gan: what is trained.
        step: steps that were trained already.
        batches: global batches from that step on, this process' rows.
        first_steps: where the first steps of the run ended, if that was before those of its settings.

    Attributes:
        config: the settings.
        gan: what is trained.
        distribution: of the run over devices and processes.
        step: steps trained so far.
        progress: its note is shown beside the progress.
    """

    def __init__(self, gan: VideoGAN, step: int, batches: tf.data.Dataset, first_steps: int | None = None) -> None:
        self.config, self.gan, self.distribution, self.step = gan.config, gan, gan.distribution, step
        self._first_steps = gan.objective.first_steps if first_steps is None else first_steps
        self._batches = iter(batches)
        self._noted = self._signal = 0  # what came, and what all have agreed to end by
        self._skipped: tf.Tensor | float = 0.0
        self._recent: list[Tensors] = []
        self._seconds = {"step": 0.0, "input": 0.0}

    def run(self, actions: Sequence[Action]) -> None:
        """Trains to the last step, to the time limit, until an action asks for the end, or until a signal does.

        Raises:
            SystemExit: a signal asked for the end; the code is 128 + its number.
            UserError: the run folder cannot be written any more, the run diverged, or the chief has failed.
        """
        steps, limit = self.config.optimization.steps, math.ceil(60 * self.config.run.minutes)
        begin = time.monotonic()
        with self._signals_noted(), self._writing():
            with _progress(self.step, steps, limit) as self.progress:
                while self.step < steps and not self._should_stop(actions, begin, limit):
                    self._train_step()
                    with self._failure_announced():
                        for action in actions:
                            if action.interval and self.step % action.interval == 0:
                                action.run(self)
                    self.progress.reach(int(time.monotonic() - begin) if limit else self.step)
            with self._failure_announced():
                for action in actions:  # signals are still noted: one that comes twice does not end the saving
                    action.finish(self, interrupted=bool(self._signal or self._noted))
            self._agree(ends=True)  # the others wait for what the chief writes
        if self._signal:
            logging.info("Stopped by %s at step %d, which is saved. The same command goes on from here.",
                         signal.Signals(self._signal).name, self.step)
            raise SystemExit(128 + self._signal)

    @property
    def skipped_last_step(self) -> bool:
        """Whether the last step changed nothing, because a gradient was not finite."""
        return bool(self._skipped)

    def recent_steps(self) -> tuple[list[Tensors], dict[str, float]]:
        """Metrics of the steps since the last call, and the seconds that `step` and `input` took in them."""
        recent, seconds = self._recent, self._seconds
        self._recent, self._seconds = [], dict.fromkeys(seconds, 0.0)
        return recent, seconds

    def sample(self, seeds: Sequence[int], clips: np.ndarray, raw_features: bool = False) -> dict[str, np.ndarray]:
        """Samples of the moving average, one at a time, as a server makes them. Called by the chief; each process makes
        a part.

        Args:
            seeds: of the samples.
            clips: real clips uint8 [N, T, H, W, 3], given to tasks that take clips, in turn.
            raw_features: whether they come with their features, see `evaluation.features.extract`.

        Returns:
            See `Task.sample`; the features as `raw/NAME`.
        """
        if self.distribution.processes > 1:
            self.distribution.all_reduce_sum(Notice(samples=1.0))  # the others wait in `_agree`
        return self._sample_part(seeds, clips if self.gan.task.given_clips else clips[:1], raw_features)

    def _sample_part(self, seeds: Sequence[int] = (), clips: np.ndarray = _NO_CLIPS, raw_features: bool = False
                     ) -> dict[str, np.ndarray]:
        """This process' part of the samples, and then those of all; what is wanted is the chief's to say."""
        distribution = self.distribution
        seeds, raw_features = json.loads(distribution.broadcast(json.dumps([list(seeds), raw_features])))
        clips = distribution.broadcast_array(clips)
        each = math.ceil(len(seeds) / distribution.processes)  # all make as many, some of them for nothing
        failure = None
        try:
            numbers = [i % len(seeds) for i in range(distribution.process * each, (distribution.process + 1) * each)]
            made = [self.gan.sample(tf.constant([seeds[i]], tf.int64), tf.constant(clips[i % len(clips)][np.newaxis]))
                    for i in numbers]
            samples = {name: np.concatenate([sample[name] for sample in made]) for name in made[0]}
            if raw_features:
                samples |= {f"raw/{name}": values for name, values in features.extract(samples["video"]).items()}
        except Exception as error:
            failure = error
        if distribution.all_reduce_sum([float(failure is not None)])[0]:
            raise failure or UserError(f"Stopped at step {self.step}, because another worker has: what it wrote says "
                                       "why.")
        return {name: distribution.gather(values)[:len(seeds)] for name, values in samples.items()}

    def _should_stop(self, actions: Sequence[Action], begin: float, limit: int) -> bool:
        share = (time.monotonic() - begin) / limit if limit else 0.0
        return self._agree(ends=share >= 1 or any(action.should_stop for action in actions),
                           ends_first_steps=self.step < self._first_steps and share >= _FIRST_SHARE)

    def _agree(self, ends: bool, failed: bool = False, ends_first_steps: bool = False) -> bool:
        """Whether any process ends, for its time or a signal: all get the same answer, and end their first steps alike.

        Raises:
            UserError: the chief has failed.
        """
        while True:
            own = Notice(float(bool(self._noted)), float(ends), float(failed), float(ends_first_steps))
            all_of_them = Notice(*self.distribution.all_reduce_sum(own))
            if not all_of_them.samples:
                break
            self._sample_part()  # the chief acts, and asks for help
        if all_of_them.failed and not failed:
            raise UserError(f"Stopped at step {self.step}, because the chief has: what it wrote says why.")
        if all_of_them.signalled:  # to whichever process
            self._signal = self._noted or signal.SIGTERM
        if all_of_them.ends_first_steps:
            self._end_first_steps()
        return all_of_them.signalled + all_of_them.ends > 0

    def _end_first_steps(self) -> None:
        """Goes on with what comes after them, and notes where, for a start that does these steps again."""
        objective, self._first_steps = self.gan.objective, self.step
        if self.distribution.is_chief:
            RunFolder(Path(self.config.run.run_dir)).save_first_steps(self.step)
            kind = "of pictures alone" if objective.schedule(0).pictures_only else "without discriminators"
            logging.info("Steps %s end after %d and not after %d: a third of the minutes is over.", kind, self.step,
                         objective.first_steps)

    @contextmanager
    def _failure_announced(self) -> Iterator[None]:
        """Lets no other process wait for one that fails."""
        try:
            yield
        except Exception:
            with suppress(tf.errors.OpError):  # one that is gone needs not be told
                self._agree(ends=True, failed=True)
            raise

    def _train_step(self) -> None:
        start = time.monotonic()
        batch = next(self._batches)
        ready = time.monotonic()
        metrics = self.gan.train_step(self.distribution.split(batch), tf.constant(self.step, tf.int64),
                                      self.gan.objective.schedule(self.step, self._first_steps))
        if self.distribution.is_chief:  # which logs them
            self._recent.append(metrics)
        self._skipped = metrics["skipped"]
        self.step += 1
        self._seconds["input"] += ready - start
        self._seconds["step"] += time.monotonic() - start

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        def note(number: int, _: object) -> None:
            self._noted = number

        before = {number: signal.getsignal(number) for number in _signals()}
        before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}  # as nohup does
        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Names what cannot be written: a full disk, a folder that is not there any more."""
        try:
            yield
        except OSError as error:
            saved = checkpoints.saved_steps(RunFolder(Path(self.config.run.run_dir)).checkpoints)
            raise UserError(f"Stopped at step {self.step}: {error}. The same command goes on from step "
                            f"{saved[-1] if saved else 0}.") from error


def check_workers(distribution: Distribution, config: Config, manifest: Manifest, target: Manifest | None) -> None:
    """Checks that all processes train the same on the same clips, and write into the same folder.

    Raises:
        UserError: they do not.
    """
    distribution.check_folder(Path(config.run.run_dir))
    same = {group: dataclasses.asdict(getattr(config, group)) for group in (
        "clip", "model", "objective", "given", "optimization")}
    if not distribution.is_same(json.dumps([same, config.hardware.precision], sort_keys=True)):
        optimization = config.optimization
        raise UserError("All workers must be started with the same settings: those of this one differ from another's. "
                        f"Received: batch_size={optimization.batch_size}, steps={optimization.steps}, "
                        f"seed={optimization.seed}, ...")
    if not distribution.is_same(f"{manifest.fingerprint} {target.fingerprint if target else ''}"):
        raise UserError("All workers must see the same videos at the same paths: clips that were prepared here are not "
                        f"those of another worker. Received: data={config.run.data}")


def start_training(config: Config, prepared: Path, manifest: Manifest, distribution: Distribution,
                   target: tuple[Path, Manifest] | None = None) -> TrainingLoop:
    """Starts a run, or goes on with what its folder holds.

    Args:
        config: the resolved settings.
        prepared: folder of the prepared clips.
        manifest: of that folder.
        distribution: of the run.
        target: folder of the prepared clips of the other domain, with its manifest; None without one.
    """
    run = RunFolder(Path(config.run.run_dir))
    gan = VideoGAN.create(config, distribution, hardware.precision_policy(config.hardware.precision),
                          hardware.uses_xla(config.hardware))
    step = checkpoints.restore(run.checkpoints, gan.variables) or 0
    if step:
        logging.info("Resuming %s at step %d.", run.path, step)
    elif config.run.init_from:
        _initialize_from(RunFolder(Path(config.run.init_from)), gan)
    if distribution.is_chief:
        if target:
            run.save_data(TrainingData.of(target[1], target[0], run.path), target[1], "target_data")
        run.save_config(config, TrainingData.of(manifest, prepared, run.path), manifest)
        run.drop_metrics_after(step)
    rows = distribution.rows(config.optimization.batch_size)
    batches = training_batches(prepared, manifest, config, step, rows)
    if target:
        batches = with_target(batches, training_batches(*target, config, step, rows))
    return TrainingLoop(gan, step, batches, run.first_steps())


def _initialize_from(other: RunFolder, gan: VideoGAN) -> None:
    other.load_config()  # raises UserError where it is no run
    count = checkpoints.initialize_from(other.checkpoints, gan.weights)
    logging.info("Initialized %d of %d weights from %s.", count, len(gan.weights), other.path)


def _signals() -> list[signal.Signals]:
    """Signals that ask for an end: a scheduler's, the user's, a closed terminal's, which Windows does not have."""
    return [signal.Signals[name] for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


def _progress(step: int, steps: int, limit: int) -> Progress:
    """Counts seconds where the time is limited, else steps."""
    return Progress("train", limit, "s") if limit else Progress("train", steps, "steps", step)
