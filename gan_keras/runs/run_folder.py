"""Names and files of a run folder. All that export, evaluation and generation need is in it."""

import contextlib
import dataclasses
import json
import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Any

from gan_keras.config.settings import rules_of
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.files import write_atomically


@dataclasses.dataclass(frozen=True)
class BestEvaluation:
    """The best evaluation of a run so far.

    Attributes:
        step: step that was evaluated, of which there is a checkpoint.
        metric: metric by which it is best.
        value: value of that metric.
        clips: number of clips that were evaluated.
    """

    step: int
    metric: str
    value: float
    clips: int


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """What is known of the training clips without having them.

    Attributes:
        source: name of the source, without its folder.
        fps: frames per second.
        classes: names of the classes.
        clips: number of records of each split.
    """

    source: str
    fps: float
    classes: list[str]
    clips: dict[str, int]


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """Folder of one training run."""

    path: Path

    @property
    def config_file(self) -> Path:
        """Resolved settings."""
        return self.path / "config.json"

    @property
    def flag_file(self) -> Path:
        """Resolved settings as a flagfile."""
        return self.path / "train.flags"

    @property
    def versions_file(self) -> Path:
        """Versions of what the run was trained with."""
        return self.path / "versions.json"

    @property
    def data_file(self) -> Path:
        """`TrainingData`."""
        return self.path / "data.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of `ckpt-STEP` files."""
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        """Folder of contact sheets and clips sampled while training."""
        return self.path / "samples"

    @property
    def exports(self) -> Path:
        """Folder of exported versions, as TF Serving wants it."""
        return self.path / "export"

    @property
    def metrics_file(self) -> Path:
        """Metrics of the run, a JSON object a line."""
        return self.path / "metrics.jsonl"

    @property
    def best_file(self) -> Path:
        """`BestEvaluation`, of a run with `keep_best`."""
        return self.path / "best.json"

    def exists(self) -> bool:
        """Whether a run was started here."""
        return self.config_file.exists()

    def load_config(self) -> Config:
        """The settings of the run.

        Raises:
            UserError: the folder holds no run.
        """
        if not self.exists():
            raise UserError(f"{self.path} is not a run folder: it has no {self.config_file.name}. "
                            "Name one that train.py made.")
        return Config.load(self.config_file)

    def resolve(self, changes: dict[str, Any]) -> Config:
        """Settings of a start in this folder: those that the run was begun with, or the defaults, with changes.

        Args:
            changes: settings by name that the user named, for `Config.replace`.

        Raises:
            UserError: a setting that makes another model or another course of training differs from the run's.
        """
        if not self.exists():
            return Config().replace(**changes)
        stored = self.load_config()
        placeholders = {field.name: rules_of(field).placeholder for field, _ in stored.items()}
        config = stored.replace(**{name: value for name, value in changes.items()
                                   if value != (placeholders[name],)})
        for (field, before), (_, now) in zip(stored.items(), config.items(), strict=True):
            if before != now and not rules_of(field).changeable:
                raise UserError(f"`{field.name}` cannot change within a run: {self.path} was begun with "
                                f"{field.name}={_flag_value(before)}. Received: {field.name}={_flag_value(now)}. "
                                "Take another --run_dir.")
        return config

    def make(self) -> None:
        """Makes the folder and those in it.

        Raises:
            UserError: it cannot be written.
        """
        try:
            for folder in (self.path, self.checkpoints, self.samples):
                folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.versions_file, json.dumps(_versions(), indent=2) + "\n")
        except OSError as error:
            raise UserError(f"Run folder {self.path} cannot be written: {error.strerror or error}") from error

    def save_config(self, config: Config, data: TrainingData) -> None:
        """Writes the settings of the run, and what it is trained on."""
        write_atomically(self.config_file, config.to_json())
        write_atomically(self.data_file, json.dumps(dataclasses.asdict(data), indent=2) + "\n")
        write_atomically(self.flag_file, "".join(f"--{field.name}={_flag_value(value)}\n"
                                                 for field, value in config.items()))

    def load_data(self) -> TrainingData:
        """What the run was trained on.

        Raises:
            UserError: it cannot be read.
        """
        try:
            return TrainingData(**json.loads(self.data_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{self.data_file} cannot be read: {error}") from error

    def append_metrics(self, step: int, values: dict[str, Any]) -> None:
        """Appends one line to `metrics.jsonl`; a half line that a crash left there is ended first."""
        line = json.dumps({"step": step, "time": round(time.time(), 3), **values})
        with self.metrics_file.open("ab+") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - 1))
            file.write((b"" if file.read() in (b"", b"\n") else b"\n") + line.encode() + b"\n")

    def metrics(self) -> list[dict[str, Any]]:
        """The whole lines of `metrics.jsonl`."""
        entries = []
        if self.metrics_file.exists():
            for line in self.metrics_file.read_text(encoding="utf-8").splitlines():
                with contextlib.suppress(ValueError):  # half a line, left by a crash
                    entries.append(json.loads(line))
        return entries

    def drop_metrics_after(self, step: int) -> None:
        """Drops the lines of steps that a resumed run will do again."""
        kept = [json.dumps(entry) + "\n" for entry in self.metrics() if entry["step"] <= step]
        if self.metrics_file.exists():
            write_atomically(self.metrics_file, "".join(kept))

    def best(self) -> BestEvaluation | None:
        """The best evaluation of a run with `keep_best`; None where there is none.

        Raises:
            UserError: its file cannot be read.
        """
        if not self.best_file.exists():
            return None
        try:
            return BestEvaluation(**json.loads(self.best_file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(f"{self.best_file} cannot be read ({error}). Delete it to go on without.") from error

    def save_best(self, best: BestEvaluation) -> None:
        """Writes the best evaluation."""
        write_atomically(self.best_file, json.dumps(dataclasses.asdict(best), indent=2) + "\n")


def _flag_value(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _versions() -> dict[str, str]:
    packages = ("tensorflow", "keras", "numpy", "opencv-python-headless", "opencv-python")
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}
