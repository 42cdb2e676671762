"""Turns a folder of videos into clips that train.py trains on.

    python prepare.py --source=data/shapes --out=/tmp/clips --resolution=64 --num_frames=16

takes about ten seconds on two cores and leaves in /tmp/clips the shards, `manifest.json`, and `report.html` with a
contact sheet and every file left out and why. The same command again has nothing to do; after a kill it goes on where
it was.

    python prepare.py --source=data/shapes --inspect

only tells what would be made, how large, and how long it would take. train.py prepares a raw folder by itself: this
script is for looking first, and for preparing once what several runs share.
"""

from pathlib import Path

from gan_keras import flags, quiet
from gan_keras.errors import UserError
from gan_keras.script_settings import PrepareSettings
from gan_keras.train_settings import ClipSettings, HardwareSettings


def main() -> None:
    """Prepares, or inspects, and says where things are."""
    quiet.import_tensorflow()
    from gan_keras.data.inspection import inspect
    from gan_keras.data.prepare import prepare
    from gan_keras.data.report import summary

    settings, clips = flags.settings(PrepareSettings), flags.settings(ClipSettings)
    workers = flags.settings(HardwareSettings).workers
    if settings.inspect:
        print(inspect(settings.source, clips, workers, Path(settings.out) if settings.out else None))
        return
    if not settings.out:
        raise UserError("`out` must name the folder to make. Received: out=")
    out = Path(settings.out)
    print(summary(prepare(settings.source, out, clips, workers)))
    print(f"\nClips: {out}\nReport: {out / 'report.html'}\nNext: python train.py --data={out} "
          "--run_dir=RUN_FOLDER")


if __name__ == "__main__":
    flags.define(PrepareSettings)
    flags.define(ClipSettings)
    flags.define(HardwareSettings, only=("workers",))
    flags.run(main)
