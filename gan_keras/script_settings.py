"""Settings of the scripts other than `train.py`, declared as those of `config` are. Imports no TensorFlow."""

import dataclasses
import re

from gan_keras.errors import UserError
from gan_keras.settings import Settings, setting

FEWEST_CLIPS = 16
"""Clips below which nothing can be measured."""


@dataclasses.dataclass(frozen=True)
class PrepareSettings(Settings):
    """What to prepare, and where to."""

    source: str = setting("", "Source of clips: a folder of videos (nested folders: classes), of folders of frames or "
                          "of image strips; .npy or .npz; shapes:COUNT.")
    out: str = setting("", "Folder to make: shards, manifest.json, report.html.")
    inspect: bool = setting(False, "Only tell what would be made; writes nothing but a report.html, and that only when "
                            "`out` is named.")


@dataclasses.dataclass(frozen=True)
class ExportSettings(Settings):
    """What is exported, and where to."""

    run_dir: str = setting("", "Folder of the run that train.py made.")
    export_dir: str = setting("", "Folder of versions, as a server wants it; the export becomes the next number in it. "
                              "By default `export` in the run folder.")
    checkpoint: int = setting(0, "Step of the checkpoint to export; 0: the best one where the run keeps it, else "
                              "the newest.", minimum=0)

    def check(self) -> None:
        """What has no sensible default must be named."""
        if not self.run_dir:
            raise UserError("`run_dir` must name a run folder. Received: run_dir=")


@dataclasses.dataclass(frozen=True)
class GenerateSettings(Settings):
    """What is generated, and where to."""

    model: str = setting("", "A version that export.py made, or the folder of versions, for the newest.")
    seeds: str = setting("0-15", "Which clips: `0-15`, `1,5,9`, or both mixed. The same seed is the same clip, always.")
    num_frames: int = setting(0, "Frames of a clip, from the first one on; 0: as many as in training. Any number "
                            "where the generator is recurrent: its sequences have no end.", minimum=0)
    label: tuple[str, ...] = setting(
        (), "Class of the clips, of a model that was trained with --classes, or several with weights, which mixes them,"
        " as in walk:0.7,wave:0.3; empty: by the seed.")
    input: str = setting("", "Instead of seeds: clips to be made again, by a model that was trained with --encoder; a "
                         "folder of videos, or one.")
    between: int = setting(0, "Of the input: so many steps on the way from each clip to the next.", minimum=0,
                           maximum=64)
    fps: float = setting(0.0, "Frames per second at which the files play; 0: as the training clips did.",
                         minimum=0.0, maximum=240.0)
    out: str = setting("clips.webm", ".webm, .mp4 or .gif: all clips side by side. .png: a contact sheet, a clip in "
                       "each row. .npz: the array `videos`, uint8 [N, T, H, W, 3]. Any of them with {seed} in it: a "
                       "file for each clip. No extension: a folder of frames, or of such a folder for each of several "
                       "seeds.")

    def check(self) -> None:
        """What has no sensible default must be named."""
        for name in ("model", "out"):
            if not getattr(self, name):
                raise UserError(f"`{name}` must name a path. Received: {name}=")
        if self.between and not self.input:
            raise UserError("`between` needs `input`, the clips to go between. Received: "
                            f"between={self.between}, input=")
        if self.input and (self.label or self.num_frames):
            raise UserError("`input` is made again as it is: it takes neither `label` nor `num_frames`. Received: "
                            f"input={self.input}, label={','.join(self.label)}, num_frames={self.num_frames}")


@dataclasses.dataclass(frozen=True)
class EvaluateSettings(Settings):
    """What is evaluated, and against what."""

    run_dir: str = setting("", "A run that train.py made.")
    model: str = setting("", "Or: a version that export.py made, or the folder of versions, for the newest.")
    videos: str = setting("", "Or anybody's clips: an .npz with `videos`, an .npy (uint8 [N, T, H, W, 3]), or a folder "
                          "of videos.")
    data: str = setting("", "Real clips: a prepared folder or a raw source as train.py takes it. By default the run's.")
    checkpoint: int = setting(0, "Step of the run's checkpoint; 0: the best one where the run keeps it, else the "
                              "newest.", minimum=0)
    clips: int = setting(0, "Clips to measure; 0: 1024, and 256 for a self-test; fewer where clips are large.",
                         minimum=0, maximum=65536)
    out: str = setting("", "Folder for report.html, metrics.jsonl and TensorBoard's events. By default `evaluation` in "
                       "the run folder, else runs/evaluation-NAME.")
    selftest: bool = setting(False, "Measure the metrics: damage real clips by known amounts, and tell which metric "
                             "sees it.")

    def check(self) -> None:
        """What is to be measured is named once, and what to measure it against."""
        named = {name: getattr(self, name) for name in ("run_dir", "model", "videos")}
        if not self.selftest and sum(map(bool, named.values())) != 1:
            raise UserError("Exactly one of `run_dir`, `model` and `videos` must be named. Received: "
                            + ", ".join(f"{name}={value}" for name, value in named.items()))
        if self.selftest and (self.model or self.videos):
            raise UserError("`selftest` measures on real clips, `data` or those of `run_dir`, and nothing else. "
                            f"Received: model={self.model}, videos={self.videos}")
        if not self.data and not self.run_dir:
            raise UserError("`data` must name the real clips, a prepared folder or a raw source, as in "
                            "--data=my_videos/. Received: data=")
        if self.checkpoint and (not self.run_dir or self.selftest):
            raise UserError(f"`checkpoint` is one of a `run_dir`. Received: checkpoint={self.checkpoint}")
        if 0 < self.clips < FEWEST_CLIPS:
            raise UserError(f"`clips` must be at least {FEWEST_CLIPS}, or 0. Received: clips={self.clips}")


@dataclasses.dataclass(frozen=True)
class FeatureSettings(Settings):
    """A network that you bring, whose features are compared beside the built-in ones."""

    features: str = setting("", "Folder of a SavedModel that you trust, of a network that takes clips; empty: only the "
                            "built-in features.")
    features_name: str = setting("features", "What its numbers are called; i3d_logits: they are the logits of I3D, and "
                                 "their Fréchet distance is the FVD.")
    features_signature: str = setting("serving_default", "Signature to call.")
    features_layer: str = setting("", "Output to take; empty: the only one that the signature has.")
    features_size: int = setting(0, "Side to which frames are resized; 0: as the network declares it, else the clips' "
                                 "own.", minimum=0, maximum=2048)
    features_range: str = setting("-1..1", "Numbers that the network takes for black..white; one that takes uint8 "
                                  "always gets 0..255.", choices=("-1..1", "0..1", "0..255"))

    def check(self) -> None:
        """The name can be part of a metric's name, and is not that of a built-in feature."""
        built_in = ("appearance", "motion", "joint")
        if not re.fullmatch("[a-z0-9_]+", self.features_name) or self.features_name in built_in:
            raise UserError(f"`features_name` must be of a-z, 0-9 and _, and none of {', '.join(built_in)}. "
                            f"Received: features_name={self.features_name}")
