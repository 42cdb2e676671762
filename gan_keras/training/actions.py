"""Actions of the training loop: logging, samples, evaluation, checkpoints. Only the chief process has them."""

import time
from functools import partial
from pathlib import Path

from absl import logging

from gan_keras.data.input_pipeline import first_clips
from gan_keras.data.records import Manifest
from gan_keras.evaluation.callback import EvaluationCallback
from gan_keras.runs import checkpoints
from gan_keras.runs.run_folder import RunFolder
from gan_keras.runs.summaries import Summaries
from gan_keras.training.divergence import divergence_error
from gan_keras.training.loop import Action, TrainingLoop
from gan_keras.training.metrics import mean_over_steps
from gan_keras.training.optimizers import learning_rate
from gan_keras.video.contact_sheets import enlarge
from gan_keras.video.encode import write_clip

SAMPLES = 16
"""Clips that are sampled from the fixed seeds 0 to 15 every time."""
_SHEET_ROWS = 8


class LogMetrics(Action):
    """Writes the mean metrics of the steps since the last time to TensorBoard and `metrics.jsonl`.

    Raises:
        UserError: no gradient was finite in any of these steps.
    """

    def __init__(self, interval: int, run: RunFolder, summaries: Summaries, step: int) -> None:
        super().__init__(interval)
        self._run, self._summaries = run, summaries
        self._started_at = self._last_finite = step

    def run(self, loop: TrainingLoop) -> None:
        """See the class."""
        steps, seconds = loop.recent_steps()
        start = time.monotonic()
        metrics = mean_over_steps(steps)
        seconds["step"] += time.monotonic() - start  # where devices run behind, reading waits for them
        skipped = round(metrics.pop("skipped") * len(steps))
        begin = loop.step - len(steps) + 1
        finite = [begin + i for i, each in enumerate(steps) if not float(each["skipped"])]
        if not finite:
            raise divergence_error(self._run, loop.config, begin, loop.step, self._last_finite, self._started_at)
        self._last_finite = finite[-1]
        if skipped:
            logging.warning("%d of steps %d to %d skipped, their gradients were not finite.", skipped, begin, loop.step)
        clips_per_second = len(steps) * loop.config.optimization.batch_size / seconds["step"]
        rate = float(learning_rate(loop.config.optimization, "generator", loop.step))
        metrics |= {"skipped_steps": skipped, "learning_rate": rate, "speed/clips_per_second": clips_per_second,
                    "speed/input_wait_share": seconds["input"] / seconds["step"]}
        self._summaries.scalars(loop.step, metrics)
        self._run.append_metrics(loop.step, {name: round(value, 6) for name, value in metrics.items()})
        loop.progress.note = f"step {loop.step}, {clips_per_second:.1f} clips/s, loss " + ", ".join(
            f"{name.removeprefix('loss/')} {value:.2f}" for name, value in metrics.items() if name.startswith("loss/"))


class WriteSamples(Action):
    """Writes samples of fixed seeds to TensorBoard, and as a contact sheet and a playing clip to the samples folder.

    Attributes:
        path: of the last contact sheet and clip, without suffix.
    """

    def __init__(self, interval: int, run: RunFolder, summaries: Summaries, prepared: Path, manifest: Manifest,
                 step: int) -> None:
        super().__init__(interval)
        self._run, self._summaries, self._fps = run, summaries, manifest.playback_fps
        self._real = first_clips(prepared, manifest, manifest.clip.num_frames, SAMPLES)
        self.path = self._path(step)
        self._written_at = step if self.path.with_suffix(".webm").exists() else -1

    def write_real_clips(self, step: int) -> None:
        """Writes real clips and the settings to TensorBoard, to look at beside the samples.

        Args:
            step: the first step that this start trains: if the next start does it again, it replaces them.
        """
        self._summaries.settings(step)
        self._summaries.clips(step, "clips/real", self._real, self._fps)

    def run(self, loop: TrainingLoop) -> None:
        """See the class."""
        if self._written_at == loop.step:
            return
        self._written_at = loop.step
        clips = loop.gan.task.shown(loop.sample(range(SAMPLES), self._real))
        shown = enlarge(clips)
        self.path = self._path(loop.step)
        write_clip(self.path.with_suffix(".png"), shown[:_SHEET_ROWS], self._fps)
        write_clip(self.path.with_suffix(".webm"), shown, self._fps)
        # After the files, which say that the events were written: a later start does not repeat these.
        self._summaries.clips(loop.step, "clips/generated", clips, self._fps)
        self._summaries.weights(loop.step, loop.gan.ema.named_weights("weights"))

    def finish(self, loop: TrainingLoop, interrupted: bool) -> None:
        """Samples of the last step, unless a signal asks for a quick end."""
        if not interrupted:
            self.run(loop)

    def _path(self, step: int) -> Path:
        return self._run.samples / f"step-{step:06d}"


class SaveCheckpoint(Action):
    """Saves all variables; spares the checkpoint of the best evaluation."""

    def __init__(self, interval: int, run: RunFolder, step: int) -> None:
        super().__init__(interval)
        self._run, self._saved_at = run, step

    def run(self, loop: TrainingLoop) -> None:
        """Saves, but not after a step that changed nothing: a run that diverges keeps the checkpoints before that."""
        if not loop.skipped_last_step:
            self.save(loop)

    def save(self, loop: TrainingLoop) -> None:
        """Saves the variables as they are, if that was not done yet."""
        if self._saved_at == loop.step:
            return
        self._saved_at = loop.step
        best = self._run.best()  # what is written down: until that changes, its checkpoint is needed
        checkpoints.save(self._run.checkpoints, loop.step, loop.gan.variables, loop.config.run.keep_checkpoints,
                         best.step if best else None)

    def finish(self, loop: TrainingLoop, interrupted: bool) -> None:
        """The checkpoint of the last step."""
        self.save(loop)


class Evaluate(Action):
    """Evaluates the generator; keeps the checkpoint of the best evaluation and stops early where none improves."""

    def __init__(self, interval: int, run: RunFolder, summaries: Summaries, callback: EvaluationCallback,
                 save_checkpoint: SaveCheckpoint) -> None:
        super().__init__(interval)
        self._run, self._summaries, self._callback, self._save = run, summaries, callback, save_checkpoint

    @property
    def should_stop(self) -> bool:
        """Whether `patience` evaluations brought no improvement."""
        return self._callback.should_stop

    def run(self, loop: TrainingLoop) -> None:
        """See the class."""
        if self._callback.has_evaluated(loop.step):
            return
        before = self._callback.best
        self._summaries.scalars(loop.step, self._callback.evaluate(loop.step, partial(loop.sample, raw_features=True)))
        if self._callback.best != before:
            self._save.save(loop)
            self._run.save_best(self._callback.best)
        logging.info("%s", self._callback)

    def finish(self, loop: TrainingLoop, interrupted: bool) -> None:
        """Evaluation of the last step, and a line where training stopped early."""
        if not interrupted:
            self.run(loop)
        if self.should_stop and not interrupted:
            best = self._callback.best
            logging.info("Stopped at step %d: %s was best at step %d, %.4g, and has not improved in %d evaluations.",
                         loop.step, best.metric, best.step, best.value, loop.config.run.patience)


def make_actions(loop: TrainingLoop, prepared: Path, manifest: Manifest,
                 target: tuple[Path, Manifest] | None = None) -> list[Action]:
    """The actions that the settings ask for, in the order in which they are done; none but for the chief process.

    Raises:
        UserError: too few clips to evaluate with.
    """
    if not loop.distribution.is_chief:
        return []
    settings = loop.config.run
    run = RunFolder(Path(settings.run_dir))
    summaries = Summaries(run, resumed_at=loop.step)
    save = SaveCheckpoint(settings.checkpoint_every, run, loop.step)
    samples = WriteSamples(settings.sample_every, run, summaries, prepared, manifest, loop.step)
    actions = [LogMetrics(settings.log_every, run, summaries, loop.step)]
    if settings.evaluate_every:
        callback = EvaluationCallback.create(run, loop.config, prepared, manifest, target)
        actions.append(Evaluate(settings.evaluate_every, run, summaries, callback, save))
    samples.write_real_clips(loop.step + 1)
    return [*actions, save, samples]
