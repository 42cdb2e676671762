"""Training data: prepared clips as they are, or a raw source (`--data`) that is prepared first.

A run goes on with the clips that it began with, wherever run, clips or source are by then: the prepared clips are used
where they are still there, and else its source is prepared again and has to give the same.
"""

import dataclasses
from collections.abc import Collection
from pathlib import Path

from absl import logging

from gan_keras.config.settings import format_value
from gan_keras.config.train import ClipSettings, Config
from gan_keras.data import records
from gan_keras.data.preparation.prepare import describe_changes, describe_differences, list_videos, prepare_below
from gan_keras.data.preparation.usage import size
from gan_keras.data.records import Manifest
from gan_keras.data.sources.listing import Source
from gan_keras.errors import UserError
from gan_keras.files import absolute_path


@dataclasses.dataclass(frozen=True)
class PreparedClips:
    """The prepared clips that a run began with.

    Attributes:
        run: the run folder.
        source: `data` of the run.
        folders: where they may be.
        manifest: of the folder when the run began.
    """

    run: Path
    source: str
    folders: tuple[Path, ...]
    manifest: Manifest

    def find(self) -> Path | None:
        """The folder, where it still is and of the same clips."""
        for folder in self.folders:
            if records.is_prepared(folder) and records.load_manifest(folder).fingerprint == self.manifest.fingerprint:
                return folder
        return None

    def has_the_names_of(self, listed: Source, clip: ClipSettings) -> bool:
        """Whether a source has the videos of these clips by name, for clips of the same settings."""
        names = {entry.video_id for entry in self.manifest.sources}
        return clip == self.manifest.clip and names == {video.id for video in listed.videos}

    def check(self, differences: str, source: str) -> None:
        """Raises UserError for a source that differs from these clips."""
        if differences:
            raise UserError(f"{source} is not the data that {self.run} began with: {differences}. To train on it take "
                            f"another --run_dir, with --init_from={self.run} to begin with these weights.")


def training_data(config: Config, named: Collection[str], folder: Path, begun: PreparedClips | None = None
                  ) -> tuple[Path, Manifest, Config]:
    """Prepared clips of a run; a raw source is prepared.

    A raw source is prepared into a folder of its own below `folder`, named after the source, the settings and the
    content, so that every run with the same clips shares it.

    Args:
        config: the settings; `run.data` is the source.
        named: names of the settings that the user gave. The other clip settings are those of a prepared folder.
        folder: parent of prepared folders.
        begun: the clips that a run began with, which goes on.

    Returns:
        The prepared folder, its manifest, and the settings with the clip settings and classes of the data.

    Raises:
        UserError: no source, a damaged one, one that was prepared with other clip settings than the named ones, or one
            of other clips than the run began with.
    """
    source = config.run.data
    if not source:
        raise UserError("`data` must name a source of clips, as in --data=my_videos/")
    begun_folder = begun.find() if begun else None
    if begun_folder and source == begun.source:
        return _go_on(begun_folder, config)
    if config.run.run_dir and not begun and absolute_path(source) == absolute_path(config.run.run_dir):
        raise UserError("`run_dir` must be another folder than `data`, as in --run_dir=runs/mine. Received: "
                        f"run_dir={config.run.run_dir}, data={source}")
    if begun and not begun_folder:
        logging.info("The clips that %s began with are no longer in %s: its data is opened again.", begun.run,
                     " or ".join(map(str, begun.folders)))
    if records.is_prepared(Path(source)):
        manifest = records.verify(Path(source))
        for field in dataclasses.fields(config.clip):
            value, prepared_value = getattr(config.clip, field.name), getattr(manifest.clip, field.name)
            if field.name in named and value != prepared_value:
                raise UserError(f"`{field.name}` must be that of the prepared folder {source}, {prepared_value}. "
                                f"Received: {field.name}={value}. Or name the raw source as --data.")
        if begun and begun.manifest.splits != manifest.splits:
            keys = {entry.video_id: entry.key for entry in manifest.sources}
            begun.check(describe_differences(begun.manifest, manifest.clip, keys), source)
        return Path(source), manifest, _with_classes(dataclasses.replace(config, clip=manifest.clip), manifest)
    listed = list_videos(source, config.clip, folder)
    changes = describe_changes(begun.manifest, listed, config.clip) if begun else ""
    if begun and not begun.has_the_names_of(listed, config.clip):
        begun.check(changes, source)  # before it is prepared
    if begun_folder and not changes:
        return _go_on(begun_folder, config)
    prepared, _ = prepare_below(listed, folder, config.clip, config.hardware.workers)
    manifest = records.verify(prepared)
    if begun and begun.manifest.splits != manifest.splits:  # copies of files have other times and the same clips
        begun.check(changes or f"{_failed(manifest)} now, {_failed(begun.manifest)} then", source)
    unused = size(manifest.usage.unused)
    _log(manifest, prepared, f" ({_count(unused)} not used: see its report.html)" if unused else "")
    return prepared, manifest, _with_classes(config, manifest)


def _go_on(folder: Path, config: Config) -> tuple[Path, Manifest, Config]:
    manifest = records.verify(folder)
    _log(manifest, folder, "; the run goes on with those that it began with, whatever became of their source")
    return folder, manifest, _with_classes(dataclasses.replace(config, clip=manifest.clip), manifest)


def _failed(manifest: Manifest) -> str:
    return f"{len(manifest.failed)} videos failed to decode"


def _log(manifest: Manifest, folder: Path, remark: str) -> None:
    logging.info("%d training clips of %d videos, prepared in %s%s", manifest.count("train"), manifest.videos["train"],
                 folder, remark)


def _count(unused: int) -> str:
    return "1 video or file is" if unused == 1 else f"{unused} videos and files are"


def _with_classes(config: Config, manifest: Manifest) -> Config:
    """Settings with the names of the data's classes in place of `all`."""
    classes = config.model.classes
    if not classes:
        return config
    if not manifest.classes:
        raise UserError(f"`classes` must be empty: {config.run.data} has no classes; folders at its first level would "
                        f"be. Received: classes={format_value(classes)}")
    if classes not in (("all",), manifest.classes):
        raise UserError(f"`classes` must be all, or the classes of {config.run.data}: "
                        f"{format_value(manifest.classes)}. Received: classes={format_value(classes)}")
    return config.replace(classes=manifest.classes)
