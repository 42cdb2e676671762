"""The settings of a training run, in groups: default, help and bounds of each, once.

What `train.py` takes as flags. `config.Config` is the tree of these groups. Imports no TensorFlow.
"""

import dataclasses

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
    num_frames: int = setting(16, "Frames of a clip; 1: single pictures.", minimum=1, maximum=1024)
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


_ONLY_OF = {"still_background": ("dcgan3d",), "conditional_normalization": ("mocogan", "dcgan3d")}
"""Settings that only some families of generators have a place for."""


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
    recurrence: str = setting("gru", "Recurrent layer of the families with motion, and of the recurrent discriminator.",
                              choices=("gru", "lstm"))
    attention: tuple[str, ...] = setting(
        (), "Self-attention in every network at these sizes: space:SIDE over the places of a frame, time:SIDE over the "
        "frames of a clip, where frames are SIDE pixels.")
    still_background: bool = setting(False, "A foreground with a mask over a background that stands still (dcgan3d).")
    conditional_normalization: bool = setting(
        False, "Normalize the generator's layers, and let content and class scale and shift them (mocogan, dcgan3d).")
    spectral_normalization: bool = setting(False, "Spectral normalization of every discriminator.")
    minibatch_statistics: bool = setting(False, "Tell every discriminator how unlike the samples of a batch are.")
    classes: tuple[str, ...] = setting(
        (), "Train with the class of each clip: `all` for those that the data has, whose names the run then keeps.",
        stands_for_found="all")
    class_judge: str = setting("projection", "How discriminators judge the class.",
                               choices=("projection", "classifier"))
    categories: int = setting(0, "Kinds of clips that the generator is to find by itself (InfoGAN); 0: none.",
                              minimum=0, maximum=1024)
    codes: int = setting(0, "Codes from -1 to 1 whose meaning the generator is to find by itself (InfoGAN); 0: none.",
                         minimum=0, maximum=1024)

    encoder: str = setting("", "Network that brings clips back to latents (autoencoder); empty: none.",
                           room="models.encoders", choices=("",))
    encoder_prior: str = setting("kl", "What keeps encoded latents like drawn ones: their divergence (VAE-GAN), or a "
                                 "discriminator of latents (adversarial autoencoder).", choices=("kl", "adversarial"))

    def check(self) -> None:
        """There is a discriminator, small pictures have a size that can be made, and what is named has a place."""
        for item in self.attention:
            over, _, side = item.partition(":")
            if over not in ("space", "time") or not side.isdecimal():
                raise UserError("`attention` must be a list of space:SIDE and time:SIDE, SIDE in pixels, as in space:8."
                                f" Received: attention={item}")
        if self.encoder and (self.classes or self.categories or self.codes):
            raise UserError("`encoder` cannot be had together with classes, categories or codes. Received: "
                            f"encoder={self.encoder}")
        for name, families in _ONLY_OF.items():
            if getattr(self, name) and self.generator not in families:
                raise UserError(f"`{name}` is for --generator={' or '.join(families)}. Received: "
                                f"generator={self.generator}")
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
    penalty_every: int = setting(8, "Apply the penalty every n-th step, n times as strong.", minimum=1, maximum=1000)
    discriminator_steps: int = setting(1, "Update the generator in every n-th step only.", minimum=1, maximum=1000)
    unroll_steps: int = setting(0, "Judge the generator by discriminators so many steps ahead (unrolled GAN); 0: as "
                                "they are.", minimum=0, maximum=100)
    class_weight: float = setting(1.0, "Weight of the class, where discriminators classify.", minimum=0.0)
    information_weight: float = setting(1.0, "Weight of the codes that are to be read from the clips.", minimum=0.0)
    feature_matching: float = setting(0.0, "Weight of the distance between mean discriminator features of real and "
                                      "generated clips.", minimum=0.0)
    reconstruction: tuple[str, ...] = setting(
        ("l1", "features"), "How the clips that an encoder's latents make are compared with those it saw: pixels by l1 "
        "or l2, features of the discriminators; each alone or as NAME:WEIGHT.", choices=("l1", "l2", "features"),
        weighted=True)
    prior_weight: float = setting(0.001, "Weight of what keeps encoded latents like drawn ones.", minimum=0.0)
    perceptual: str = setting("", "A frozen network of yours, .keras or the folder of a SavedModel, whose features of "
                              "generated clips shall be as those of real ones; empty: none.")
    perceptual_weight: float = setting(1.0, "Weight of that.", minimum=0.0)
    mask_sparsity: float = setting(0.1, "Weight of what a foreground's mask covers.", minimum=0.0)
    augment: tuple[str, ...] = setting((), "Augmentation of the training clips, the same for every frame of a clip.",
                                       room="data.augment")
    augment_step: tuple[str, ...] = setting(
        (), "Differentiable augmentation of what the discriminators see, real and generated alike (for few clips).",
        room="data.augment")
    instance_noise: float = setting(
        0.0, "Standard deviation of the noise on all that discriminators see, real and generated, which range from -1 "
        "to 1: against discriminators that know real clips by their compression.", minimum=0.0, maximum=2.0)
    augment_target: float = setting(
        0.0, "Apply `augment_step` as often as keeps this sign of overfitting, the share of pairs in which the real "
        "sample is taken for the more real one less that of the others; 0: always.", minimum=0.0, maximum=1.0)
    augment_clips: int = setting(
        20000, "Clips over which `augment_target` can bring augmentation from never to always.", minimum=1)

    def check(self) -> None:
        """What adapts is there."""
        if self.augment_target and not self.augment_step:
            raise UserError("`augment_target` needs `augment_step`, the augmentations to apply, as in "
                            f"--augment_step=flip,crop. Received: augment_target={self.augment_target}, augment_step=")


@dataclasses.dataclass(frozen=True)
class OptimizationSettings(Settings):
    """How the networks are trained."""

    steps: int = setting(20000, "Training steps of the whole run.", minimum=1, changeable=True)
    batch_size: int = setting(16, "Clips in a step, over all devices together.", minimum=1, maximum=65536)
    seed: int = setting(0, "Seed of weights, latents, order of clips and augmentation.", minimum=0, maximum=2**31 - 1)
    optimizer: str = setting("adam", "Optimizer of all networks.", choices=("adam", "sgd"))
    learning_rate: float = setting(5e-4, "Learning rate after the warm-up.", above=0.0)
    discriminator_learning_rate: float = setting(0.0, "The same of the discriminators; 0: as the generator's.",
                                                 minimum=0.0)
    learning_rate_schedule: str = setting("constant", "How the learning rate goes on after the warm-up.",
                                          choices=("constant", "cosine"))
    warmup_steps: int = setting(0, "Steps over which the learning rate grows from 0.", minimum=0)
    beta_1: float = setting(0.0, "Adam's decay of the mean gradient.", minimum=0.0, maximum=0.9999)
    beta_2: float = setting(0.99, "Adam's decay of the mean squared gradient.", minimum=0.0, maximum=0.99999)
    gradient_norm_limit: float = setting(10.0, "Gradients of a network are scaled down to this norm.", above=0.0)
    freeze: tuple[str, ...] = setting((), "Weights that are not trained, by their names in a checkpoint, with * and ?: "
                                      "generator/renderer/*, discriminator/*/stem/*.")
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
    init_from: str = setting("", "Begin with the weights of this run, those that have the names and shapes of weights "
                             "here.")
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
