"""Trains a video GAN on a folder of clips.

    python train.py --flagfile=configs/quickstart.flags
    python train.py --data=my_videos/ --run_dir=runs/mine

The source is prepared first where it has not been (see prepare.py). The run folder holds all that export, evaluation
and generation need; the same command goes on where the run was stopped. It ends with a contact sheet, a playing clip
and a SavedModel, and says where they are.
"""

from pathlib import Path

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder


def define_flags() -> None:
    """Defines the flags of every setting of a training run."""
    flags.define_config()


def main() -> None:
    """Flags → config → prepared clips → training → export."""
    named = flags.named_settings()
    if not named.get("run_dir"):
        raise UserError("`run_dir` must name the folder of the run, as in --run_dir=runs/mine")
    run = RunFolder(Path(named["run_dir"]))
    config = run.resolve(named)

    logging.import_tensorflow()
    from gan_keras.data.training_data import training_data
    from gan_keras.serving.export import export
    from gan_keras.serving.model_description import ModelDescription
    from gan_keras.training.actions import WriteSamples, make_actions
    from gan_keras.training.distribution import make_distribution
    from gan_keras.training.loop import start_training

    run.make()
    distribution = make_distribution(config.hardware)
    distribution.check_batch_size(config)  # before the source is prepared, which takes long
    prepared, manifest, config = training_data(config, named.keys(), run.path.parent / "prepared")
    loop = start_training(config, prepared, manifest, distribution)
    actions = make_actions(loop, prepared, manifest)
    loop.run(actions)
    if not distribution.is_chief:
        return
    samples = next(action for action in actions if isinstance(action, WriteSamples))
    print(f"\nDone: {run.path}\n"
          f"  contact sheet  {samples.path}.png\n"
          f"  playing clips  {samples.path}.webm")
    if config.run.export:
        model = ModelDescription.load(export(run, run.exports))
    print(f"\nNext:\n  tensorboard --logdir={run.path.parent}    then http://localhost:6006/#images\n"
          f"  python evaluate.py --run_dir={run.path}")
    if config.run.export:
        print(f"  {model.generate_command(str(run.exports))}\n"
              f"  docker run --rm -p 8501:8501 -v {run.exports.absolute()}:/models/video_gan -e MODEL_NAME=video_gan "
              "tensorflow/serving")
