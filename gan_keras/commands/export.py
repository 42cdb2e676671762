"""Publishes the generator of a run as a SavedModel that TensorFlow Serving takes up.

    python export.py --run_dir=runs/quickstart

After about 10 seconds there is a new version in `runs/quickstart/export/`, checked by the path by which TensorFlow
Serving loads it, with a model card and sample clips.
"""

from pathlib import Path

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.command_line import next_command
from gan_keras.config.commands import ExportSettings
from gan_keras.runs.run_folder import RunFolder


def define_flags() -> None:
    """Defines the flags of an export."""
    flags.define(ExportSettings)


def main() -> None:
    """Exports, and says where it is and what to do with it."""
    settings = flags.settings(ExportSettings)
    logging.import_tensorflow()
    from gan_keras.serving.export import export
    from gan_keras.serving.model_description import ModelDescription, serve_command
    from gan_keras.training.hardware import precision_policy

    run = RunFolder(Path(settings.run_dir))
    folder = Path(settings.export_dir) if settings.export_dir else run.exports
    version = export(run, folder, settings.checkpoint or None, precision_policy(settings.precision))
    print(f"Exported as {version}\n"
          f"Model card: {version / 'model_card.md'}\n"
          f"Generate:   {next_command('generate', model=folder, **ModelDescription.load(version).example_flags)}\n"
          f"Serve:      {serve_command(str(folder.absolute()))}")
