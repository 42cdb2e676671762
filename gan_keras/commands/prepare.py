"""Turns a folder of videos into clips to train on.

    python prepare.py --source=data/shapes --out=/tmp/clips --resolution=64 --num_frames=16

takes about ten seconds on two cores and leaves in /tmp/clips the shards, `manifest.json`, and `report.html` with a
contact sheet and every file skipped and why. The same command again has nothing to do; after a kill it goes on where
it was.

    python prepare.py --source=data/shapes --inspect

only reports what would be made, how large, and how long it would take. Training prepares a raw folder by itself: this
command is for looking first, and for preparing once what several runs share.
"""

from pathlib import Path

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.command_line import next_command
from gan_keras.config.commands import PrepareSettings
from gan_keras.config.train import ClipSettings, HardwareSettings
from gan_keras.errors import UserError


def define_flags() -> None:
    """Defines the flags of source, clips and workers."""
    flags.define(PrepareSettings)
    flags.define(ClipSettings)
    flags.define(HardwareSettings, only=("workers",))


def main() -> None:
    """Prepares, or inspects, and says where things are."""
    logging.import_tensorflow()
    from gan_keras.data.preparation.beam import beam_runner
    from gan_keras.data.preparation.inspection import inspect
    from gan_keras.data.preparation.prepare import prepare
    from gan_keras.data.preparation.report import summary

    settings, clip = flags.settings(PrepareSettings), flags.settings(ClipSettings)
    workers = flags.settings(HardwareSettings).workers
    if settings.inspect:
        print(inspect(settings.source, clip, workers, Path(settings.out) if settings.out else None))
        return
    if not settings.out:
        raise UserError("`out` must name the folder to make, as in --out=prepared/mine. Received: out=")
    out = Path(settings.out)
    runner = None if settings.runner == "local" else beam_runner(settings.runner, settings.runner_options)
    print(summary(prepare(settings.source, out, clip, workers, runner)))
    print(f"\nClips: {out}\nReport: {out / 'report.html'}\nNext: {next_command('train', data=out)}")
