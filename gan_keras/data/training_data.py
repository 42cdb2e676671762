"""What `--data` stands for: prepared clips as they are, or a raw source that is prepared first."""

import dataclasses
import hashlib
from collections.abc import Collection
from pathlib import Path

from gan_keras.config import Config
from gan_keras.data import records
from gan_keras.data.prepare import prepare
from gan_keras.data.records import Manifest
from gan_keras.errors import UserError


def training_data(config: Config, named: Collection[str], folder: Path) -> tuple[Path, Manifest, Config]:
    """Finds the prepared clips of a run, or makes them.

    A raw source is prepared into a folder of its own below `folder`, named after the source and the settings, so that
    every run with the same clips shares it.

    Args:
        config: the settings; `run.data` is the source.
        named: the settings that the user named; the rest of the clip settings follow a prepared folder.
        folder: where prepared folders are kept.

    Returns:
        The prepared folder, its manifest, and the settings with the clips as they are there.

    Raises:
        UserError: no source, a damaged one, or one prepared for other clips than were asked for.
    """
    source = config.run.data
    if not source:
        raise UserError("`data` must name a source of clips, as in --data=my_videos/")
    if records.is_prepared(Path(source)):
        manifest = records.verify(Path(source))
        for field in dataclasses.fields(config.clips):
            asked, there = getattr(config.clips, field.name), getattr(manifest.clips, field.name)
            if field.name in named and asked != there:
                raise UserError(f"`{field.name}` must be that of the prepared folder {source}, {there}. "
                                f"Received: {field.name}={asked}. Or name the raw source as --data.")
        return Path(source), manifest, _with_classes(dataclasses.replace(config, clips=manifest.clips), manifest)
    key = hashlib.sha256(f"{Path(source).absolute()}\n{config.clips}".encode()).hexdigest()[:8]
    name = "".join(letter if letter.isalnum() else "-" for letter in Path(source).name).strip("-") or "clips"
    prepared = folder / f"{name}-{config.clips.resolution}-{config.clips.num_frames}-{key}"
    prepare(source, prepared, config.clips, config.hardware.workers)
    manifest = records.verify(prepared)
    print(f"{manifest.count('train')} training clips of {manifest.videos['train']} videos, prepared in {prepared}"
          + (f" ({len(manifest.left_out)} left out, see its report.html)" if manifest.left_out else ""))
    return prepared, manifest, _with_classes(config, manifest)


def _with_classes(config: Config, manifest: Manifest) -> Config:
    """The settings with the names of the data's classes in place of `all`."""
    asked = config.model.classes
    if not asked:
        return config
    if not manifest.classes:
        raise UserError(f"`classes` must be empty: {config.run.data} has no classes; folders at its first level would "
                        f"be. Received: classes={','.join(asked)}")
    if asked not in (("all",), manifest.classes):
        raise UserError(f"`classes` must be all, or the classes of {config.run.data}: {','.join(manifest.classes)}. "
                        f"Received: classes={','.join(asked)}")
    return config.replace(classes=manifest.classes)
