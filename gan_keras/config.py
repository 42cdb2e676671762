"""Every setting once: default, help and bounds. The flags, `config.json` and the error messages derive from here.

A `Config` is a frozen tree of groups; a builder takes only the group it needs. Validation happens on construction, in
the user's language, so that nothing impossible reaches TensorFlow. This module imports no TensorFlow.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from gan_keras.errors import UserError
from gan_keras.settings import Settings, setting

JUDGED_BY = ("frechet/joint", "frechet/appearance", "frechet/motion", "kernel/joint", "kernel/appearance",
             "kernel/motion", "precision", "recall", "density", "coverage", "factors/valid_clips")
"""Numbers of an evaluation by which a checkpoint can be the best one."""


def parse_resolution(text: str) -> tuple[int, int]:
    """`"64"` → (64, 64) and `"96x64"` (width x height) → (64, 96): (height, width) in pixels.

    Raises:
        UserError: not a size, not a multiple of 8, or not within 8 to 2048.
    """
    parts = text.lower().split("x")
    if len(parts) > 2 or not all(part.isdecimal() for part in parts):
        raise UserError(f"`resolution` must be a size as 64 or 96x64 (width x height). Received: resolution={text}")
    width, height = int(parts[0]), int(parts[-1])
    for side in (height, width):
        if side % 8 or not 8 <= side <= 2048:
            raise UserError(f"`resolution` must be a multiple of 8 from 8 to 2048. Received: resolution={text}")
    return height, width


@dataclasses.dataclass(frozen=True)
class ClipSettings(Settings):
    """What a training clip is. Prepared data is made for these."""

    resolution: str = setting("64", "Size of a frame: `64`, or `96x64` for width x height; multiples of 8.")
    num_frames: int = setting(16, "Frames of a clip.", minimum=2, maximum=1024)
    frame_stride: int = setting(1, "Keep every n-th frame of the source.", minimum=1, maximum=64)
    fps: float = setting(0.0, "Bring every source to this many frames per second first; 0 keeps its own rate.",
                         minimum=0.0, maximum=240.0)
    test_fraction: float = setting(0.1, "Share of the source videos held out as test split.", minimum=0.0, maximum=0.9)
    cut_threshold: float = setting(0.35, "How unlike two frames are at a hard cut, from 0 to 1; no clip crosses a cut; "
                                   "1 looks for none.", above=0.0, maximum=1.0)
    keep: tuple[str, ...] = setting((), "Reasons for which clips shall not be left out.",
                                    choices=("blank", "frozen", "duplicate"))

    def check(self) -> None:
        """The resolution can be read."""
        parse_resolution(self.resolution)

    @property
    def height(self) -> int:
        """Of a frame, in pixels."""
        return parse_resolution(self.resolution)[0]

    @property
    def width(self) -> int:
        """Of a frame, in pixels."""
        return parse_resolution(self.resolution)[1]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """[T, H, W, C] of one clip."""
        return self.num_frames, self.height, self.width, 3


@dataclasses.dataclass(frozen=True)
class ModelSettings(Settings):
    """The networks."""

    generator: str = setting("layered", "Family of the generator.", room="models.generators")
    discriminators: tuple[str, ...] = setting(
        ("pair", "clip"), "Discriminators, any set of them, each alone or as NAME:WEIGHT.",
        room="models.discriminators", weighted=True)
    generator_width: int = setting(16, "Channels of the generator at full resolution; inner layers have multiples.",
                                   minimum=4, maximum=1024)
    discriminator_width: int = setting(
        16, "Channels of a discriminator at full resolution; inner layers have multiples.", minimum=4, maximum=1024)
    content_size: int = setting(64, "Numbers in the latent that stays the same over a clip.", minimum=1, maximum=4096)
    motion_size: int = setting(16, "Numbers in the latent of each frame that drives the motion.",
                               minimum=1, maximum=4096)
    judged_pairs: int = setting(1, "Pairs of neighbouring frames of each clip that are rendered and judged at full "
                                "resolution in a step.", minimum=1, maximum=512)
    small_scale: int = setting(0, "How many times smaller the frames are that the clip discriminator sees; 0: by the "
                               "resolution.", minimum=0, maximum=8)

    def check(self) -> None:
        """There is a discriminator, and small pictures have a size that can be made."""
        if not self.discriminators:
            raise UserError("`discriminators` must name at least one. Received: discriminators=")
        if self.small_scale not in (0, 1, 2, 4, 8):
            raise UserError(f"`small_scale` must be 0, 1, 2, 4 or 8. Received: small_scale={self.small_scale}")


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings(Settings):
    """What the networks are trained for."""

    loss: str = setting("relativistic", "Adversarial loss.", room="losses")
    penalty: str = setting("r1r2", "Gradient penalty on the discriminators.", room="penalties", choices=("none",))
    penalty_weight: float = setting(1.0, "Weight of the penalty.", above=0.0)
    penalty_every: int = setting(4, "Apply the penalty every n-th step, n times as strong.", minimum=1, maximum=1000)
    augment: tuple[str, ...] = setting((), "Augmentation of the training clips, the same for every frame of a clip.",
                                       room="data.augment")
    augment_step: tuple[str, ...] = setting(
        (), "Differentiable augmentation of what the discriminators see, real and generated alike (for few clips).",
        room="data.augment")


@dataclasses.dataclass(frozen=True)
class OptimizationSettings(Settings):
    """How the networks are trained."""

    steps: int = setting(20000, "Training steps of the whole run.", minimum=1, changeable=True)
    batch_size: int = setting(16, "Clips in a step, over all devices together.", minimum=1, maximum=65536)
    seed: int = setting(0, "Seed of weights, latents, order of clips and augmentation.", minimum=0, maximum=2**31 - 1)
    optimizer: str = setting("adam", "Optimizer of all networks.", choices=("adam", "sgd"))
    learning_rate: float = setting(1e-3, "Learning rate after the warm-up.", above=0.0)
    discriminator_learning_rate: float = setting(0.0, "The same of the discriminators; 0: as the generator's.",
                                                 minimum=0.0)
    learning_rate_schedule: str = setting("constant", "How the learning rate goes on after the warm-up.",
                                          choices=("constant", "cosine"))
    warmup_steps: int = setting(0, "Steps over which the learning rate grows from 0.", minimum=0)
    beta_1: float = setting(0.0, "Adam's decay of the mean gradient.", minimum=0.0, maximum=0.9999)
    beta_2: float = setting(0.99, "Adam's decay of the mean squared gradient.", minimum=0.0, maximum=0.99999)
    gradient_norm_limit: float = setting(10.0, "Gradients of a network are scaled down to this norm.", above=0.0)
    average_decay: float = setting(0.999, "Decay of the running average of the generator's weights, from which "
                                   "samples are drawn.", minimum=0.0, maximum=0.999999)


@dataclasses.dataclass(frozen=True)
class HardwareSettings(Settings):
    """What it runs on."""

    precision: str = setting("auto", "Numbers in the networks; auto: bfloat16 where the hardware has it.",
                             choices=("auto", "float32", "bfloat16"), changeable=True)
    strategy: str = setting("mirrored", "Train on all devices of the machine, or on a single one.",
                            choices=("mirrored", "single"), changeable=True)
    virtual_devices: int = setting(0, "Split the CPU into this many devices, to try a mirrored run; 0 does not.",
                                   minimum=0, maximum=64, changeable=True)
    xla: str = setting("auto", "Compile the training step with XLA; auto: on GPUs.", choices=("auto", "on", "off"),
                       changeable=True)
    workers: int = setting(0, "Processes that decode videos; 0: one for each core.", minimum=0, maximum=1024,
                           changeable=True)


@dataclasses.dataclass(frozen=True)
class RunSettings(Settings):
    """Where the run lives and what it leaves."""

    data: str = setting("", "Source of clips: a folder of videos, frames or image strips, .npy, .npz, shapes:, or a "
                        "prepared folder.", changeable=True)
    run_dir: str = setting("", "Folder of the run; starting again in it resumes.", changeable=True)
    log_every: int = setting(50, "Steps between two lines of numbers.", minimum=1, changeable=True)
    sample_every: int = setting(500, "Steps between two sets of samples.", minimum=1, changeable=True)
    checkpoint_every: int = setting(500, "Steps between two checkpoints.", minimum=1, changeable=True)
    keep_checkpoints: int = setting(3, "Checkpoints kept.", minimum=2, maximum=10000, changeable=True)
    minutes: float = setting(0.0, "Stop this start after so many minutes of training, with all that the end brings; "
                             "0: at `steps`.", minimum=0.0, changeable=True)
    export: bool = setting(True, "Export a SavedModel when the run ends.", changeable=True)
    evaluate_every: int = setting(0, "Steps between two evaluations while training, like evaluate.py's; 0: none.",
                                  minimum=0, changeable=True)
    evaluate_clips: int = setting(256, "Clips in such an evaluation.", minimum=16, maximum=65536, changeable=True)
    keep_best: str = setting("", "Keep the checkpoint that is best by this number, and export it.",
                             choices=("", *JUDGED_BY), changeable=True)
    patience: int = setting(0, "Stop after so many evaluations without a better `keep_best`; 0: never.", minimum=0,
                            changeable=True)

    def check(self) -> None:
        """What ends a run by its quality is measured."""
        if self.keep_best and not self.evaluate_every:
            raise UserError(f"`keep_best` needs evaluations while training: name --evaluate_every too. "
                            f"Received: keep_best={self.keep_best}, evaluate_every=0")
        if self.patience and not self.keep_best:
            raise UserError("`patience` needs `keep_best`, the number that is to improve. Received: "
                            f"patience={self.patience}, keep_best=")


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a training run, in groups."""

    clips: ClipSettings = ClipSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    optimization: OptimizationSettings = OptimizationSettings()
    hardware: HardwareSettings = HardwareSettings()
    run: RunSettings = RunSettings()

    def replace(self, **values: Any) -> Self:
        """A copy with settings changed by bare name, whatever group they are in."""
        groups = {}
        for group in dataclasses.fields(self):
            known = {field.name for field in dataclasses.fields(group.type)}
            changes = {name: value for name, value in values.items() if name in known}
            groups[group.name] = dataclasses.replace(getattr(self, group.name), **changes)
        return dataclasses.replace(self, **groups)

    def items(self) -> Iterator[tuple[dataclasses.Field, Any]]:
        """Every setting's field and value, group by group."""
        for group in dataclasses.fields(self):
            for field in dataclasses.fields(group.type):
                yield field, getattr(getattr(self, group.name), field.name)

    def to_json(self) -> str:
        """The whole config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The config that `to_json` wrote. Settings it lacks take their defaults.

        Raises:
            UserError: not JSON, or a setting this version does not know.
        """
        try:
            stored = json.loads(text)
            groups = {group.name: group.type(**_tuples(stored.pop(group.name, {})))
                      for group in dataclasses.fields(cls)}
            if stored:
                raise ValueError(f"unknown: {', '.join(stored)}")
        except UserError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"config.json cannot be read: {error}") from error
        return cls(**groups)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a `config.json`."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
