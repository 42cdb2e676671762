"""Names and files of a run folder. All that export, evaluation and generation need is in it."""

import contextlib
import dataclasses
import json
import math
import os
import platform
import tempfile
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from gan_keras.config.flagfiles import format_flag
from gan_keras.config.settings import format_value, rules_of
from gan_keras.config.train import Config
from gan_keras.errors import UserError
from gan_keras.files import CHECKPOINTS_FOLDER, VERSIONS_FILE, absolute_path, check_path, write_atomically

if TYPE_CHECKING:  # they import OpenCV; commands import this module before their flags are parsed
    from gan_keras.data.records import Manifest
    from gan_keras.data.training_data import PreparedClips

Content = TypeVar("Content")


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
        prepared: folder of the prepared clips, as an absolute path.
        prepared_from_run: the same, from the run folder on.
    """

    source: str
    fps: float
    classes: list[str]
    clips: dict[str, int]
    prepared: str = ""
    prepared_from_run: str = ""

    @classmethod
    def of(cls, manifest: "Manifest", prepared: Path, run: Path) -> Self:
        """What a run keeps of its data.

        Args:
            manifest: of the prepared clips.
            prepared: their folder.
            run: the run folder.
        """
        folder = absolute_path(prepared)
        return cls(Path(manifest.source).name, manifest.playback_fps, list(manifest.classes),
                   {split: manifest.count(split) for split in manifest.splits}, str(folder),
                   os.path.relpath(folder, absolute_path(run)))


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
        return self.path / VERSIONS_FILE

    def _data_file(self, setting: str) -> Path:
        """`TrainingData` of the source that a setting names."""
        return self.path / f"{setting}.json"

    def _clips_file(self, setting: str) -> Path:
        """Manifest of the prepared clips of the source that a setting names, as it was when the run began."""
        return self.path / f"{setting}_manifest.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of `ckpt-STEP` files."""
        return self.path / CHECKPOINTS_FOLDER

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

    @property
    def _first_steps_file(self) -> Path:
        """Where the first steps ended, of a run whose minutes ended them."""
        return self.path / "first_steps.json"

    def exists(self) -> bool:
        """Whether a run was started here."""
        return self.config_file.exists()

    def load_config(self) -> Config:
        """The settings of the run.

        Raises:
            UserError: the folder holds no run.
        """
        check_path(self.path)
        if not self.exists():
            raise UserError(f"{self.path} is not a run folder: it has no {self.config_file.name}. "
                            "Name one that the command train made.")
        return Config.load(self.config_file)

    def resolve(self, changes: dict[str, Any]) -> Config:
        """Settings of a start in this folder: those that the run was begun with, or the defaults, with changes.

        Paths in them become absolute: the run may go on from another working folder.

        Args:
            changes: settings by name that the user named, for `Config.replace`.

        Raises:
            UserError: a setting that makes another model or another course of training differs from the run's.
        """
        if not self.exists():
            return _with_absolute_paths(Config().replace(**changes), Config())
        stored = self.load_config()
        placeholders = {field.name: rules_of(field).placeholder for field, _ in stored.items()}
        config = _with_absolute_paths(stored.replace(**{name: value for name, value in changes.items()
                                                        if value != (placeholders[name],)}), stored)
        for (field, before), (_, now) in zip(stored.items(), config.items(), strict=True):
            if before != now and not rules_of(field).changeable:
                raise UserError(f"`{field.name}` cannot change within a run: {self.path} was begun with "
                                f"{field.name}={format_value(before)}. Received: {field.name}={format_value(now)}. "
                                "Take another --run_dir.")
        return config

    def check_writable(self) -> None:
        """Checks that the folder and those in it can be made and written; makes nothing.

        Raises:
            UserError: one of them cannot.
        """
        check_path(self.path)
        for folder in self._made:
            there = next(path for path in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(path))
            try:
                with tempfile.TemporaryFile(dir=there):
                    pass
            except OSError as error:
                raise UserError(f"Run folder {self.path} cannot be written: {there}: "
                                f"{error.strerror or error}") from error

    def make(self) -> None:
        """Makes the folder and those in it.

        Raises:
            UserError: it cannot be written.
        """
        try:
            for folder in self._made:
                folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.versions_file, json.dumps(_versions(), indent=2) + "\n")
        except OSError as error:
            raise UserError(f"Run folder {self.path} cannot be written: {error.strerror or error}") from error

    @property
    def _made(self) -> tuple[Path, ...]:
        return self.path, self.checkpoints, self.samples

    def save_config(self, config: Config, data: TrainingData, manifest: "Manifest | None" = None) -> None:
        """Writes the settings of the run, and what it is trained on.

        Args:
            config: the settings.
            data: what is known of the clips.
            manifest: of the prepared clips; without it the run cannot tell them from others.
        """
        self.save_data(data, manifest)
        elsewhere = config.replace(run_dir=str(absolute_path(self.path)))  # for a start from another working folder
        write_atomically(self.flag_file, "".join(f"{format_flag(field.name, value)}\n"
                                                 for field, value in elsewhere.items()))
        write_atomically(self.config_file, config.to_json())  # last: with it the run exists

    def save_data(self, data: TrainingData, manifest: "Manifest | None", setting: str = "data") -> None:
        """Writes what the run is trained on.

        Args:
            data: what is known of the clips.
            manifest: of the prepared clips; without it the run cannot tell them from others.
            setting: that names their source, `data` or `target_data`.
        """
        if manifest:
            write_atomically(self._clips_file(setting), manifest.to_json())
        write_atomically(self._data_file(setting), json.dumps(dataclasses.asdict(data), indent=2) + "\n")

    def prepared_clips(self, setting: str = "data") -> "PreparedClips | None":
        """The prepared clips that the run began with; None where it has not begun.

        They are looked for where they were, seen from the run folder, which may have been moved together with them, and
        then where they were before.

        Args:
            setting: that names their source, `data` or `target_data`.

        Raises:
            UserError: what the run knows of them cannot be read.
        """
        from gan_keras.data.records import Manifest
        from gan_keras.data.training_data import PreparedClips

        file = self._clips_file(setting)
        if not self.exists() or not file.exists():
            return None
        data = self.load_data(setting)
        beside = absolute_path(self.path / data.prepared_from_run)
        try:
            manifest = Manifest.from_json(file.read_text(encoding="utf-8", errors="surrogateescape"))
        except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
            raise UserError(f"{file} cannot be read ({error}). Delete it, and the run goes on with `{setting}` as it "
                            "is today.") from error
        folders = tuple(dict.fromkeys((beside, Path(data.prepared))))
        return PreparedClips(self.path, getattr(self.load_config().run, setting), folders, manifest)

    def load_data(self, setting: str = "data") -> TrainingData:
        """What the run was trained on.

        Args:
            setting: that names its source, `data` or `target_data`.

        Raises:
            UserError: it cannot be read.
        """
        return _read(self._data_file(setting), lambda values: TrainingData(**values))

    def append_metrics(self, step: int, values: dict[str, Any]) -> None:
        """Appends one line to `metrics.jsonl`; a half line that a crash left there is ended first.

        Args:
            step: of the metrics.
            values: by name; a number that is not finite is written as null, for which strict JSON has no other word.

        Raises:
            UserError: it cannot be written.
        """
        line = _metrics_line({"step": step, "time": round(time.time(), 3), **values})
        try:
            with self.metrics_file.open("ab+") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                file.write((b"" if file.read() in (b"", b"\n") else b"\n") + line.encode())
        except OSError as error:
            raise UserError(f"{self.metrics_file} cannot be written: {error.strerror or error}") from error

    def metrics(self) -> list[dict[str, Any]]:
        """The whole lines of `metrics.jsonl`; a number that was not finite is None."""
        entries = []
        if self.metrics_file.exists():
            for line in self.metrics_file.read_bytes().splitlines():
                with contextlib.suppress(ValueError):  # half a line, left by a crash
                    entry = json.loads(line, parse_constant=lambda _: None)  # older runs have NaN
                    if isinstance(entry, dict) and "step" in entry:
                        entries.append(entry)
        return entries

    def drop_metrics_after(self, step: int) -> None:
        """Drops the lines, and the best evaluation, of steps that a resumed run will do again."""
        kept = [_metrics_line(entry) for entry in self.metrics() if entry["step"] <= step]
        if self.metrics_file.exists():
            write_atomically(self.metrics_file, "".join(kept))
        best = self.best()
        if best and best.step > step:
            self.best_file.unlink()

    def first_steps(self) -> int | None:
        """Steps after which its minutes ended the first steps of the run; None where they did not.

        Raises:
            UserError: the file cannot be read.
        """
        file = self._first_steps_file
        return _read(file, int, "Delete it, and the first steps are those of the settings.") if file.exists() else None

    def save_first_steps(self, steps: int) -> None:
        """Writes after how many steps its minutes ended the first steps of the run."""
        write_atomically(self._first_steps_file, f"{steps}\n")

    def best(self) -> BestEvaluation | None:
        """The best evaluation of a run with `keep_best`; None where there is none.

        Raises:
            UserError: its file cannot be read.
        """
        file = self.best_file
        if not file.exists():
            return None
        return _read(file, lambda values: BestEvaluation(**values), "Delete it to go on without.")

    def save_best(self, best: BestEvaluation) -> None:
        """Writes the best evaluation."""
        write_atomically(self.best_file, json.dumps(dataclasses.asdict(best), indent=2) + "\n")


def _read(file: Path, parse: Callable[[Any], Content], advice: str = "") -> Content:
    """What a file of JSON holds.

    Raises:
        UserError: it cannot be read; `advice` says what to do.
    """
    try:
        return parse(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"{file} cannot be read ({error}). {advice}".strip()) from error


def _with_absolute_paths(config: Config, stored: Config) -> Config:
    """Settings with absolute paths, where there is something or the stored path is the same: shapes:100 is none."""
    paths = {}
    for (field, value), (_, before) in zip(config.items(), stored.items(), strict=True):
        if rules_of(field).path and value and field.name != "run_dir":
            path = absolute_path(value)
            if str(path) == before or path.exists():
                paths[field.name] = str(path)
    return config.replace(**paths)


def _metrics_line(entry: dict[str, Any]) -> str:
    finite = {name: None if isinstance(value, float) and not math.isfinite(value) else value
              for name, value in entry.items()}
    return json.dumps(finite, allow_nan=False) + "\n"


def _versions() -> dict[str, str]:
    packages = ("tensorflow", "keras", "numpy", "opencv-python-headless", "opencv-python")
    versions = {}
    for package in packages:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {"python": platform.python_version(), "machine": platform.machine(), **versions}
