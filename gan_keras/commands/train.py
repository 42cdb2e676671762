"""Trains a video GAN on a folder of clips.

    python train.py --flagfile=configs/quickstart.flags
    python train.py --data=my_videos/
    python train.py --data=my_videos/ --run_dir=runs/mine --resolution=96x64

The source is prepared first where it has not been. The run folder, by default runs/ and the name of the source, holds
all that export, evaluation and generation need; the same command goes on where the run was stopped. It ends with a
contact sheet, a playing clip and a SavedModel, and says where they are.
"""

import dataclasses
import re
from pathlib import Path

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.command_line import command_line, next_command
from gan_keras.errors import UserError
from gan_keras.runs.run_folder import RunFolder


def define_flags() -> None:
    """Defines the flags of every setting of a training run."""
    flags.define_config()


def main() -> None:
    """Flags → config → prepared clips → training → export."""
    named = flags.named_settings()
    if not named.get("run_dir"):
        named["run_dir"] = str(_default_run(named.get("data", "")).path)
    run = RunFolder(Path(named["run_dir"]))
    config = run.resolve(named)
    run.check_writable()  # before anything that takes long

    logging.import_tensorflow()
    from gan_keras.data.training_data import training_data
    from gan_keras.serving.export import export
    from gan_keras.serving.model_description import ModelDescription, serve_command
    from gan_keras.training.actions import WriteSamples, make_actions
    from gan_keras.training.distribution import make_distribution
    from gan_keras.training.loop import check_workers, start_training

    distribution = make_distribution(config.hardware)
    with distribution.lost_workers_named():
        distribution.check_batch_size(config, run.exists())
        with distribution.chief_first():
            prepared, manifest, config = training_data(config, named.keys(), run.path.parent / "prepared",
                                                       run.prepared_clips())
            target = None
            if config.run.target_data:
                others = config.replace(data=config.run.target_data, classes=())
                target = training_data(others, dataclasses.asdict(config.clip), run.path.parent / "prepared",
                                       run.prepared_clips("target_data"))[:2]
            run.make()  # of a source with clips: a mistake leaves no folder
        check_workers(distribution, config, manifest, target[1] if target else None)
        loop = start_training(config, prepared, manifest, distribution, target)
        actions = make_actions(loop, prepared, manifest, target)
        loop.run(actions)
        model = None
        if distribution.is_chief:
            samples = next(action for action in actions if isinstance(action, WriteSamples))
            print(f"\nDone: {run.path}\n"
                  f"  contact sheet  {samples.path}.png\n"
                  f"  playing clips  {samples.path}.webm")
            if config.run.export:
                model = ModelDescription.load(export(run, run.exports))
        distribution.barrier()  # one that ends earlier looks to the others as if it were lost
    if not distribution.is_chief:
        return
    print(f"\nNext:\n  {command_line('tensorboard', logdir=run.path.parent)}    then http://localhost:6006/#images\n"
          f"  {next_command('evaluate', run_dir=run.path)}")
    if model:
        print(f"  {next_command('generate', model=run.exports, **model.example_flags)}\n"
              f"  {serve_command(str(run.exports.absolute()))}")


def _default_run(data: str) -> RunFolder:
    """The run folder of a source, for a start that names none.

    Raises:
        UserError: no source, or the run in that folder is of another one of the same name.
    """
    if not data:
        raise UserError("`data` must name a source of clips, as in --data=my_videos/. Received: data=")
    path = Path(data).absolute()
    name = path.stem if path.is_file() else path.resolve().name if path.name == ".." else path.name
    name = re.sub(r"[^\w.-]+", "-", name).strip("-.") or "clips"
    run = RunFolder(Path("runs") / name)
    if run.exists():
        before = run.load_config().run.data
        if Path(before).exists() and Path(before).resolve() != path.resolve():  # where it is gone, the clips tell
            raise UserError(f"`run_dir` must be named: {run.path} is the run of {before}. --run_dir={run.path} goes on "
                            f"with it, another folder begins a run. Received: data={data}, run_dir=")
    return run
