"""Settings of a training run as one frozen tree of groups, to and from JSON.

Each setting has its default, help text and bounds here, once; flags and `config.json` derive from them. A builder takes
only the groups that it needs. All is checked on construction, so that nothing impossible reaches TensorFlow, which is
not imported here.
"""

import dataclasses
import difflib
import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Self

from gan_keras.config.settings import Settings, format_value, rules_of, setting, split_weight
from gan_keras.data import AUGMENTATIONS, DEGRADATIONS, HOLES
from gan_keras.errors import UserError
from gan_keras.losses import ADVERSARIAL_LOSSES, GRADIENT_PENALTIES, RECONSTRUCTION_LOSSES
from gan_keras.models.discriminators import DISCRIMINATORS
from gan_keras.models.encoders import ENCODERS
from gan_keras.models.generators import GENERATORS
from gan_keras.tasks import TASKS

MODEL_SELECTION_METRICS = (
    "frechet/joint", "frechet/appearance", "frechet/motion", "kernel/joint", "kernel/appearance", "kernel/motion",
    "precision", "recall", "density", "coverage", "factors/valid_clips", "fidelity/psnr")
"""Metrics by which a checkpoint can be selected as the best one."""


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
    """Shape of a training clip, and how clips are cut from videos."""

    resolution: str = setting("64", "Size of a frame in pixels: `64`, or `96x64` for width x height; multiples of 8.")
    num_frames: int = setting(16, "Frames of a clip; 1: single pictures.", minimum=1, maximum=1024)
    frame_stride: int = setting(1, "Keep every n-th frame of the source.", minimum=1, maximum=64)
    fps: float = setting(0.0, "Resample every source to this many frames per second first; 0 keeps its own rate.",
                         minimum=0.0, maximum=240.0)
    test_fraction: float = setting(0.1, "Share of the source videos held out as test split.", minimum=0.0, maximum=0.9)
    cut_threshold: float = setting(
        0.35, "Difference of two frames, from 0 to 1, from which on there is a hard cut between them; no clip crosses "
        "a cut; 1 detects none.", above=0.0, maximum=1.0)
    crop: str = setting("whole", "What of a frame a clip shows.", choices={
        "whole": "All of it, cropped to the aspect of `resolution` and resized.",
        "patches": "Patches of it at its own scale, up to 8 for each piece of a video, for models that whole films go "
                 "through."})
    keep: tuple[str, ...] = setting((), "Kinds of clips to keep that are skipped otherwise.",
                                    choices=("blank", "frozen", "duplicate"))
    follow_links: bool = setting(False, "Follow links that lead out of the source folder, and links to folders.")

    def check(self) -> None:
        """Checks that the resolution can be parsed."""
        parse_resolution(self.resolution)

    @property
    def height(self) -> int:
        """Height of a frame in pixels."""
        return parse_resolution(self.resolution)[0]

    @property
    def width(self) -> int:
        """Width of a frame in pixels."""
        return parse_resolution(self.resolution)[1]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """[T, H, W, C] of one clip."""
        return self.num_frames, self.height, self.width, 3


_FROM_NOISE = {"task": ("generate", "reconstruct")}
_RECONSTRUCT, _TRANSLATE = {"task": ("reconstruct",)}, {"task": ("translate",)}
_FROM_PAIRS = {"task": ("enhance", "inpaint", "predict", "reorient")}


@dataclasses.dataclass(frozen=True)
class ModelSettings(Settings):
    """Architecture of the networks."""

    generator: str = setting("drift", "Generator architecture.", choices=GENERATORS, only=_FROM_NOISE)
    discriminators: tuple[str, ...] = setting(
        ("pair", "clip_differences"), "Discriminators, any set of them, each as NAME or NAME:WEIGHT.",
        choices=DISCRIMINATORS, weighted=True)
    generator_width: int = setting(
        16, "Channels of the generator at full resolution; layers at lower resolutions have multiples.", minimum=4,
        maximum=1024)
    discriminator_width: int = setting(
        16, "Channels of a discriminator at full resolution; layers at lower resolutions have multiples.", minimum=4,
        maximum=1024)
    content_dim: int = setting(64, "Dimension of the content latent, which is the same for all frames of a clip.",
                               minimum=1, maximum=4096)
    motion_dim: int = setting(16, "Dimension of the motion latents: of the clip, and of the noise of each frame.",
                              minimum=1, maximum=4096)
    frame_pairs: int = setting(1, "Pairs of frames of each clip that are rendered at full resolution in a training "
                               "step.", minimum=1, maximum=512)
    low_resolution_factor: int = setting(
        0, "Downsampling factor of the frames that discriminators of whole clips see; 0: 2 below 64 pixels, 4 below "
        "256, else 8.", minimum=0, maximum=8)
    recurrence: str = setting("gru", "Recurrent layer of generators with motion and of the recurrent discriminator.",
                              choices=("gru", "lstm"))
    oscillators: int = setting(8, "Phase oscillators of generators with recurrent motion.", minimum=1, maximum=1024)
    palette_size: int = setting(4, "Colours that the layered generator composites into a picture.", minimum=2,
                                maximum=64, only={"generator": ("layered",)})
    attention: tuple[str, ...] = setting(
        (), "Self-attention in every network at these sizes: space:SIDE over the positions of a frame, time:SIDE over "
        "the frames of a clip, where feature maps are SIDE pixels high or wide.")
    static_background: bool = setting(
        False, "Composite a masked moving foreground over a static background (dcgan3d).",
        only={"generator": ("dcgan3d",)})
    conditional_normalization: bool = setting(
        False, "Normalize the generator's layers, then scale and shift them by content and class (mocogan, dcgan3d).",
        only={"generator": ("mocogan", "dcgan3d")})
    spectral_normalization: bool = setting(False, "Spectral normalization of every discriminator.")
    minibatch_stddev: bool = setting(False, "Give every discriminator the standard deviation over its minibatch.")
    classes: tuple[str, ...] = setting(
        (), "Train with the class of each clip: `all` for the classes that the data has, whose names the run keeps.",
        placeholder="all")
    class_conditioning: str = setting("projection", "How discriminators use the class.",
                                      choices={"projection": "Product of class embedding and features.",
                                               "classifier": "Auxiliary classifier (AC-GAN)."})
    categories: int = setting(0, "Categories of clips that are discovered without labels (InfoGAN); 0: none.",
                              minimum=0, maximum=1024)
    codes: int = setting(0, "Continuous codes from -1 to 1 that are discovered without labels (InfoGAN); 0: none.",
                         minimum=0, maximum=1024)
    encoder: str = setting("clip", "Encoder architecture of --task=reconstruct.", choices=ENCODERS, only=_RECONSTRUCT)
    encoder_prior: str = setting("kl", "What keeps encoded latents close to their prior (--task=reconstruct).",
                                 choices={"kl": "Kullback-Leibler divergence (VAE-GAN).",
                                          "adversarial": "A latent discriminator (adversarial autoencoder)."},
                                          only=_RECONSTRUCT)

    def check(self) -> None:
        """Checks settings that depend on each other."""
        for item in self.attention:
            axis, _, side = item.partition(":")
            if axis not in ("space", "time") or not side.isdecimal():
                raise UserError("`attention` must be a list of space:SIDE and time:SIDE, SIDE in pixels, as in space:8."
                                f" Received: attention={item}")
        if not self.discriminators:
            raise UserError("`discriminators` must name at least one. Received: discriminators=")
        if self.low_resolution_factor not in (0, 1, 2, 4, 8):
            raise UserError("`low_resolution_factor` must be 0, 1, 2, 4 or 8. Received: "
                            f"low_resolution_factor={self.low_resolution_factor}")


@dataclasses.dataclass(frozen=True)
class ObjectiveSettings(Settings):
    """Task, losses and augmentation."""

    task: str = setting("generate", "What the generator is trained for: clips from noise (generate, and reconstruct "
                        "through latents as well), or clips from given ones: enhance, inpaint, predict, reorient, "
                        "translate.", choices=TASKS)
    loss: str = setting("relativistic", "Adversarial loss.", choices=ADVERSARIAL_LOSSES)
    penalty: str = setting("r1r2", "Gradient penalty of the discriminators.",
                           choices={"none": "No gradient penalty.", **GRADIENT_PENALTIES})
    penalty_weight: float = setting(1.0, "Weight of the gradient penalty; of r1 and r1r2 for samples of 64x64x3 "
                                    "values, in proportion for others.", above=0.0)
    penalty_interval: int = setting(8, "Steps between two gradient penalties, each of which counts as many times (lazy "
                                    "regularization).", minimum=1, maximum=1000)
    discriminator_steps: int = setting(1, "Update the generator in every n-th step only.", minimum=1, maximum=1000)
    picture_steps: int = setting(
        1500, "Steps at the start in which only pairs of frames at full resolution are generated and seen, which is "
        "fast; discriminators of clips follow. With --minutes they end after a third of these. There are none where no "
        "discriminator sees full resolution, and none for --task=reconstruct.", minimum=0)
    student_forcing: int = setting(
        0, "Train on continuations, too (student forcing): a generated clip is the first of its sequence or any of so "
        "many that follow it, from the state to which the generator itself has come; 0: always the first.",
        minimum=0, maximum=64, only={"task": ("generate",), "generator": ("drift", "layered", "mocogan")})
    unroll_steps: int = setting(0, "Steps by which discriminators are unrolled for the generator's loss (unrolled GAN);"
                                " 0: none.", minimum=0, maximum=100)
    classification_weight: float = setting(1.0, "Weight of the class loss of --class_conditioning=classifier.",
                                           minimum=0.0)
    mutual_information_weight: float = setting(1.0, "Weight of the mutual information of categories and codes.",
                                               minimum=0.0)
    feature_matching_weight: float = setting(
        0.0, "Weight of feature matching: the distance between mean discriminator features of real and generated "
        "clips.", minimum=0.0)
    reconstruction: tuple[str, ...] = setting(
        ("l1", "features"), "Reconstruction losses of --task=reconstruct, each as NAME or NAME:WEIGHT.",
        choices=RECONSTRUCTION_LOSSES, weighted=True, only=_RECONSTRUCT)
    kl_weight: float = setting(0.001, "Weight of the Kullback-Leibler divergence of --encoder_prior=kl.", minimum=0.0,
                               only=_RECONSTRUCT)
    latent_adversarial_weight: float = setting(
        0.1, "Weight of the latent discriminator's loss of --encoder_prior=adversarial.", minimum=0.0,
        only=_RECONSTRUCT)
    perceptual_network: str = setting(
        "", "A frozen network for the perceptual loss, .keras or the folder of a SavedModel; empty: no such loss.",
        path=True, only=_FROM_NOISE)
    perceptual_weight: float = setting(1.0, "Weight of the perceptual loss.", minimum=0.0)
    mask_sparsity_weight: float = setting(0.1, "Weight of the sparsity of a foreground's mask.", minimum=0.0)
    augment: tuple[str, ...] = setting((), "Augmentation of the training clips, the same for every frame of a clip.",
                                       choices=AUGMENTATIONS)
    diffaugment: tuple[str, ...] = setting(
        (), "Differentiable augmentation of all that discriminators see, real and generated (for few clips).",
        choices=AUGMENTATIONS)
    ada_target: float = setting(
        0.0, "Adaptive discriminator augmentation: adapt the probability of --diffaugment towards this mean of "
        "sign(D(real) - D(generated)); 0: a fixed probability of 1.", minimum=0.0, maximum=1.0)
    ada_clips: int = setting(
        20000, "Clips over which adaptive discriminator augmentation can go from probability 0 to 1.", minimum=1)
    instance_noise: float = setting(
        0.0, "Standard deviation of Gaussian noise on all that discriminators see, whose range is -1 to 1; against "
        "discriminators that recognize real clips by their compression.", minimum=0.0, maximum=2.0)

    def check(self) -> None:
        """Checks settings that depend on each other."""
        if self.ada_target and not self.diffaugment:
            raise UserError("`ada_target` needs `diffaugment`, the augmentations to apply, as in "
                            f"--diffaugment=flip,crop. Received: ada_target={self.ada_target}, diffaugment=")


@dataclasses.dataclass(frozen=True)
class GivenSettings(Settings):
    """What a generator of --task=enhance, inpaint, predict or reorient is given, made from the training clips."""

    degrade: tuple[str, ...] = setting(
        ("down2",), "Degradations that --task=enhance takes back, each as NAME, its strength drawn for each clip, or "
        "NAME:STRENGTH, in pixels, levels of 255 or as a quality, as in noise:25.", choices=DEGRADATIONS, weighted=True,
        only={"task": ("enhance",)})
    holes: tuple[str, ...] = setting(tuple(HOLES), "Kinds of holes that --task=inpaint fills.", choices=HOLES,
                                     only={"task": ("inpaint",)})
    context_frames: int = setting(4, "Frames that --task=predict is given, at most; each clip draws from 1 to as many.",
                                minimum=1, maximum=64, only={"task": ("predict",)})
    fidelity_steps: int = setting(
        2000, "Steps at the start in which only the distance from the true clips counts; discriminators follow. With "
        "--minutes they end after a third of these.",
        minimum=0, only=_FROM_PAIRS)
    sharpness: float = setting(
        1.0, "Weight of the discriminators in the generator's loss, times that of the task: above 0 clips look sharper "
        "and are farther from the true ones; 0: there are no discriminators.", minimum=0.0, maximum=100.0,
        only={"task": (*_FROM_PAIRS["task"], "translate")})
    translation: str = setting("appearance", "What --task=translate changes.", choices={
        "appearance": "How things look: something is added to their pixels.",
        "motion": "Where they are: pixels move by up to 8 to each side, along a smooth flow."}, only=_TRANSLATE)
    cycle_weight: float = setting(10.0, "Weight of what comes back having to be what went there (--task=translate).",
                                  minimum=0.0, only=_TRANSLATE)
    recycle_weight: float = setting(0.0, "Weight of what is moved on the way having to come back as it went, moved "
                                    "(--task=translate); 0: no such loss.", minimum=0.0, only=_TRANSLATE)
    identity_weight: float = setting(5.0, "Weight of clips of a domain having to stay when they are translated to it "
                                     "(--task=translate); it fades out over the first half of the steps.", minimum=0.0,
                                     only=_TRANSLATE)
    smoothness_weight: float = setting(10.0, "Weight of what is beside each other having to move alike "
                                       "(--translation=motion).", minimum=0.0, only={"translation": ("motion",)})

    def check(self) -> None:
        """Checks that a frame has one size."""
        if {"down2", "down4"} <= {item.partition(":")[0] for item in self.degrade}:
            raise UserError("`degrade` must have down2 or down4, not both. Received: "
                            f"degrade={format_value(self.degrade)}")
        if not self.degrade or not self.holes:
            raise UserError("`degrade` and `holes` must name one or more. Received: "
                            f"degrade={format_value(self.degrade)}, holes={format_value(self.holes)}")


@dataclasses.dataclass(frozen=True)
class OptimizationSettings(Settings):
    """Optimizers and the course of training."""

    steps: int = setting(20000, "Training steps of the whole run.", minimum=1, changeable=True)
    batch_size: int = setting(8, "Clips of a training step, over all devices together.", minimum=1, maximum=65536)
    seed: int = setting(0, "Seed of weights, latents, order of clips and augmentation.", minimum=0, maximum=2**31 - 1)
    optimizer: str = setting("adam", "Optimizer of all networks.", choices=("adam", "sgd"))
    learning_rate: float = setting(1e-3, "Learning rate after the warm-up.", above=0.0, changeable=True)
    discriminator_learning_rate: float = setting(
        0.0, "Learning rate of the discriminators after the warm-up; 0: that of the generator.", minimum=0.0,
        changeable=True)
    learning_rate_schedule: str = setting("constant", "Schedule of the learning rate after the warm-up.",
                                          choices={
        "constant": "It stays.", "cosine": "It falls to 0 over all steps.",
        "cooldown": "It stays, and falls evenly to 0 over the last quarter of the steps."})
    warmup_steps: int = setting(0, "Steps over which the learning rate grows from 0.", minimum=0)
    beta_1: float = setting(0.0, "Adam's decay rate of the mean gradient.", minimum=0.0, maximum=0.9999)
    beta_2: float = setting(0.99, "Adam's decay rate of the mean squared gradient.", minimum=0.0, maximum=0.99999)
    gradient_clip_norm: float = setting(10.0, "Global norm to which the gradients of each network are clipped.",
                                        above=0.0)
    freeze: tuple[str, ...] = setting((), "Weights that are not trained, by their names in a checkpoint, with * and ?: "
                                      "generator/renderer/*, discriminator/*/stem/*.")
    ema_decay: float = setting(0.999, "Decay of the exponential moving average of the generator's weights, from which "
                               "samples are drawn.", minimum=0.0, maximum=0.999999)


@dataclasses.dataclass(frozen=True)
class HardwareSettings(Settings):
    """Devices, precision and compilation."""

    precision: str = setting("auto", "Precision of the trained networks; auto: bfloat16 where the hardware has it.",
                             choices=("auto", "float32", "bfloat16"), changeable=True)
    strategy: str = setting("mirrored", "Devices that train together.", choices={
        "mirrored": "All of this machine.", "single": "One.",
        "multi_worker": "All of several machines, in each of which this command is started: found by TF_CONFIG or by "
                        "Slurm's srun.",
        "tpu": "All of a TPU."}, changeable=True)
    gradient_accumulation_steps: int = setting(
        1, "Parts in which each device goes through its clips of a step, one after the other: less memory for the same "
        "step.", minimum=1, maximum=1024, changeable=True)
    virtual_devices: int = setting(0, "Split the CPU into this many devices, to try a run over several; 0 does not.",
                                   minimum=0, maximum=64, changeable=True)
    xla: str = setting("auto", "Compile the training step with XLA; auto: on GPUs.", choices=("auto", "on", "off"),
                       changeable=True)
    workers: int = setting(0, "Processes that decode videos; 0: one for each core.", minimum=0, maximum=1024,
                           changeable=True)


@dataclasses.dataclass(frozen=True)
class RunSettings(Settings):
    """Where the run lives, and what it writes when."""

    data: str = setting("", "Source of clips: a folder of videos, frames or image strips, a list (.csv), .npy, .npz, "
                        ".tar, tfds:, shapes:, skies:, a pattern of remote files, or a prepared folder.",
                        changeable=True, path=True)
    target_data: str = setting("", "Source of the clips that --task=translate translates those of `data` to; they "
                               "need not be alike.", changeable=True, path=True)
    run_dir: str = setting("", "Folder of the run; starting again in it resumes. By default runs/NAME, NAME being that "
                           "of `data`.", changeable=True, path=True)
    init_from: str = setting("", "Run folder whose weights initialize this run, as far as names and shapes agree.",
                             path=True)
    log_every: int = setting(50, "Steps between two lines of metrics.", minimum=1, changeable=True)
    sample_every: int = setting(500, "Steps between two sets of samples.", minimum=1, changeable=True)
    checkpoint_every: int = setting(500, "Steps between two checkpoints.", minimum=1, changeable=True)
    keep_checkpoints: int = setting(3, "Checkpoints kept.", minimum=2, maximum=10000, changeable=True)
    minutes: float = setting(0.0, "Minutes of training after which this start ends as a whole run does; 0: no limit "
                             "but `steps`.", minimum=0.0, changeable=True)
    export: bool = setting(True, "Export a SavedModel when the run ends.", changeable=True)
    evaluate_every: int = setting(0, "Steps between two evaluations while training, like those of the command evaluate;"
                                  " 0: none.", minimum=0, changeable=True)
    evaluate_clips: int = setting(256, "Clips of an evaluation while training.", minimum=16, maximum=65536,
                                  changeable=True)
    keep_best: str = setting("", "Metric by which the best checkpoint is kept and exported; empty: the newest one is.",
                             choices=("", *MODEL_SELECTION_METRICS), changeable=True)
    patience: int = setting(0, "Evaluations without a better `keep_best` after which training stops early; 0: never.",
                            minimum=0, changeable=True)

    def check(self) -> None:
        """Checks that what ends a run early is measured."""
        if self.keep_best and not self.evaluate_every:
            raise UserError(f"`keep_best` needs evaluations while training: name --evaluate_every too. "
                            f"Received: keep_best={self.keep_best}, evaluate_every=0")
        if self.patience and not self.keep_best:
            raise UserError("`patience` needs `keep_best`, the metric that is to improve. Received: "
                            f"patience={self.patience}, keep_best=")


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a training run, in groups."""

    clip: ClipSettings = ClipSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    given: GivenSettings = GivenSettings()
    optimization: OptimizationSettings = OptimizationSettings()
    hardware: HardwareSettings = HardwareSettings()
    run: RunSettings = RunSettings()

    def __post_init__(self) -> None:
        discriminators = [split_weight(item)[0] for item in self.model.discriminators]
        if self.clip.num_frames == 1 and "pair" in discriminators:
            raise UserError("`discriminators` must be without pair where clips have one frame, as in --discriminators="
                            f"frame. Received: num_frames=1, discriminators={format_value(self.model.discriminators)}")
        if bool(self.run.target_data) != (self.objective.task == "translate"):
            raise UserError("`target_data` names the clips that --task=translate translates others to, and is for that "
                            f"task alone. Received: target_data={self.run.target_data}, task={self.objective.task}")

    def _check_uses(self, named: Collection[str]) -> None:
        """Refuses settings that were named and that nothing would read."""
        values = {field.name: value for field, value in self.items()}
        for field, value in self.items():
            for name, used_with in rules_of(field).only.items():
                if field.name in named and value != field.default and values[name] not in used_with:
                    raise UserError(f"`{field.name}` is for --{name}={' or '.join(used_with)}. Received: {field.name}="
                                    f"{format_value(value)}, {name}={values[name]}")

    @classmethod
    def names(cls) -> list[str]:
        """Names of all settings, group by group."""
        return [field.name for group in dataclasses.fields(cls) for field in dataclasses.fields(group.type)]

    def replace(self, **values: Any) -> Self:
        """Copy with settings changed by name, whatever group they are in.

        Raises:
            TypeError: there is no setting of that name.
            UserError: a value that a setting cannot have.
        """
        groups, named = {}, tuple(values)
        for group in dataclasses.fields(self):
            known = [field.name for field in dataclasses.fields(group.type) if field.name in values]
            groups[group.name] = dataclasses.replace(getattr(self, group.name),
                                                     **{name: values.pop(name) for name in known})
        for name in values:
            close = difflib.get_close_matches(name, self.names(), 1)
            raise TypeError(f"There is no setting {name!r}" + (f"; did you mean {close[0]!r}?" if close else "."))
        changed = dataclasses.replace(self, **groups)
        changed._check_uses(named)
        return changed

    def items(self) -> Iterator[tuple[dataclasses.Field, Any]]:
        """Field and value of every setting, group by group."""
        for group in dataclasses.fields(self):
            for field in dataclasses.fields(group.type):
                yield field, getattr(getattr(self, group.name), field.name)

    def to_json(self) -> str:
        """The whole config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The config that `to_json` wrote. Settings that it lacks take their defaults.

        Raises:
            UserError: not JSON, or a setting that this version does not know.
        """
        try:
            stored = json.loads(text)
            groups = {group.name: group.type(**_with_tuples(stored.pop(group.name, {})))
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


def _with_tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
