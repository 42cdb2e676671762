"""Trains a video GAN on a folder of clips.

    python train.py --flagfile=configs/quickstart.flags
    python train.py --data=my_videos/ --run_dir=runs/mine

The source is prepared first where it has not been (see prepare.py). The run folder holds all that export, evaluation
and generation need; the same command goes on where the run was stopped. It ends with a contact sheet, a playing clip
and a SavedModel, and says where they are.
"""

from pathlib import Path

from gan_keras import flags, quiet
from gan_keras.errors import UserError
from gan_keras.run_folder import RunFolder


def main() -> None:
    """Flags → config → prepared clips → training → export."""
    given = flags.given()
    run_dir = given.get("run_dir", "")
    if not run_dir:
        raise UserError("`run_dir` must name the folder of the run, as in --run_dir=runs/mine")
    run = RunFolder(Path(run_dir))
    config = run.resolve(given)

    quiet.import_tensorflow()
    from gan_keras.data.training_data import training_data
    from gan_keras.serving.export import export
    from gan_keras.trainer import Trainer

    run.make()
    prepared, manifest, config = training_data(config, given.keys(), run.path.parent / "prepared")
    trainer = Trainer(config, prepared, manifest)
    trainer.train()
    print(f"\nDone: {run.path}\n"
          f"  contact sheet  {trainer.shown}.png\n"
          f"  playing clips  {trainer.shown}.webm")
    if config.run.export:
        export(run, run.exports)
    print(f"\nNext:\n  tensorboard --logdir={run.path.parent}    then http://localhost:6006/#images\n"
          f"  python evaluate.py --run_dir={run.path}")
    if config.run.export:
        print(f"  python generate.py --model={run.exports} --seeds=0-15 --out=clips.webm\n"
              f"  docker run --rm -p 8501:8501 -v {run.exports.absolute()}:/models/video_gan -e MODEL_NAME=video_gan "
              "tensorflow/serving")


if __name__ == "__main__":
    flags.define_config()
    flags.run(main)
