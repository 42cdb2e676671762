"""Training data: prepared clips as they are, or a raw source (`--data`) that is prepared first."""

import dataclasses
import hashlib
from collections.abc import Collection
from pathlib import Path

from absl import logging

from gan_keras.config.train import Config
from gan_keras.data import records
from gan_keras.data.prepare import prepare
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError


def training_data(config: Config, named: Collection[str], folder: Path) -> tuple[Path, Manifest, Config]:
    """Prepared clips of a run; a raw source is prepared.

    A raw source is prepared into a folder of its own below `folder`, named after the source and the settings, so that
    every run with the same clips shares it.

    Args:
        config: the settings; `run.data` is the source.
        named: names of the settings that the user gave. The other clip settings are those of a prepared folder.
        folder: parent of prepared folders.

    Returns:
        The prepared folder, its manifest, and the settings with the clip settings and classes of the data.

    Raises:
        UserError: no source, a damaged one, or one that was prepared with other clip settings than the named ones.
    """
    source = config.run.data
    if not source:
        raise UserError("`data` must name a source of clips, as in --data=my_videos/")
    if records.is_prepared(Path(source)):
        manifest = records.verify(Path(source))
        for field in dataclasses.fields(config.clip):
            value, prepared_value = getattr(config.clip, field.name), getattr(manifest.clip, field.name)
            if field.name in named and value != prepared_value:
                raise UserError(f"`{field.name}` must be that of the prepared folder {source}, {prepared_value}. "
                                f"Received: {field.name}={value}. Or name the raw source as --data.")
        return Path(source), manifest, _with_classes(dataclasses.replace(config, clip=manifest.clip), manifest)
    key = hashlib.sha256(f"{Path(source).absolute()}\n{config.clip}".encode()).hexdigest()[:8]
    name = "".join(letter if letter.isalnum() else "-" for letter in Path(source).name).strip("-") or "clips"
    prepared = folder / f"{name}-{config.clip.resolution}-{config.clip.num_frames}-{key}"
    prepare(source, prepared, config.clip, config.hardware.workers)
    manifest = records.verify(prepared)
    skipped = f" ({len(manifest.skipped)} skipped, see its report.html)" if manifest.skipped else ""
    logging.info("%d training clips of %d videos, prepared in %s%s", manifest.count("train"), manifest.videos["train"],
                 prepared, skipped)
    return prepared, manifest, _with_classes(config, manifest)


def _with_classes(config: Config, manifest: Manifest) -> Config:
    """Settings with the names of the data's classes in place of `all`."""
    classes = config.model.classes
    if not classes:
        return config
    if not manifest.classes:
        raise UserError(f"`classes` must be empty: {config.run.data} has no classes; folders at its first level would "
                        f"be. Received: classes={','.join(classes)}")
    if classes not in (("all",), manifest.classes):
        raise UserError(f"`classes` must be all, or the classes of {config.run.data}: {','.join(manifest.classes)}. "
                        f"Received: classes={','.join(classes)}")
    return config.replace(classes=manifest.classes)
