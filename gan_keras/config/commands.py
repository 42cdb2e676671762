"""Settings of the commands other than `train`. Nothing here imports TensorFlow."""

import dataclasses
import re

from gan_keras.config.settings import Settings, setting
from gan_keras.errors import UserError

MIN_EVALUATED_CLIPS = 16
"""Clips below which nothing can be evaluated."""


@dataclasses.dataclass(frozen=True)
class PrepareSettings(Settings):
    """Preparation of training clips."""

    source: str = setting("", "Source of clips: a folder of videos (nested folders: classes), of folders of frames or "
                          "of image strips; .npy or .npz; a list, .csv with the columns path, label, start, end; a "
                          ".tar of videos; tfds:NAME; a pattern of remote files; shapes:COUNT or skies:COUNT.",
                          path=True)
    out: str = setting("", "Folder to make: shards, manifest.json, report.html.", path=True)
    inspect: bool = setting(False, "Only report what would be made; writes nothing but a report.html, and that only "
                            "when `out` is named.")
    runner: str = setting("local", "What decodes and writes.", choices={
        "local": "Processes of this machine (--workers).", "direct": "Apache Beam on this machine, to try a pipeline.",
        "flink": "Apache Flink, by Beam (not tried).", "spark": "Apache Spark, by Beam (not tried).",
        "dataflow": "Google's, by Beam (not tried)."})
    runner_options: str = setting("", "Options of Beam, as in --runner_options='--flink_master=host:8081 "
                                  "--parallelism=8'.")

    def check(self) -> None:
        """Checks that options are for something."""
        if self.runner_options and self.runner == "local":
            raise UserError(f"`runner_options` is for another --runner than local. Received: "
                            f"runner_options={self.runner_options}, runner=local")
        if self.inspect and self.runner != "local":
            raise UserError(f"`runner` is for preparing, not for --inspect. Received: runner={self.runner}, "
                            "inspect=true")


@dataclasses.dataclass(frozen=True)
class ExportSettings(Settings):
    """Export of a SavedModel."""

    run_dir: str = setting("", "Folder of the training run.", path=True)
    export_dir: str = setting("", "Folder of versions, as a server wants it; the export becomes the next number in it. "
                              "By default `export` in the run folder.", path=True)
    checkpoint: int = setting(0, "Step of the checkpoint to export; 0: the best one where the run keeps it, else "
                              "the newest.", minimum=0)
    precision: str = setting("float32", "Of the networks. bfloat16 is for hardware that has it, and changes frames by "
                             "less than a level in the mean; auto: bfloat16 where this machine has it.",
                             choices=("float32", "bfloat16", "auto"))

    def check(self) -> None:
        """Checks that what has no sensible default is named."""
        if not self.run_dir:
            raise UserError("`run_dir` must name a run folder. Received: run_dir=")


@dataclasses.dataclass(frozen=True)
class GenerateSettings(Settings):
    """Generation of clips."""

    model: str = setting("", "Exported version, or the folder of versions, for the newest.", path=True)
    seeds: str = setting("0-15", "Seeds of the clips: `0-15`, `1,5,9`, or both mixed. The same seed is the same clip, "
                         "always.")
    num_frames: int = setting(0, "Frames of a clip, from the first one on; 0: as many as in training. Any number "
                            "where the generator is recurrent: its sequences have no end.", minimum=0)
    label: str = setting("", "Class of the clips, of a model that was trained with --classes, or several with weights, "
                         "which mixes them, as in walk:0.7,wave:0.3; in such a list, a name with commas is in double "
                         "quotes with its weight. Empty: by the seed.")
    input: str = setting("", "Instead of seeds: videos for a model that takes some; one, a folder, or a pattern as "
                         "films/*.mp4. Of --task=reconstruct: the first frames of each. Of --task=enhance, inpaint, "
                         "predict, reorient: all of each, at its own size and rate, with its sound.", path=True)
    mask: str = setting("", "What --task=inpaint is to make anew: a video or a folder of pictures as long as the "
                        "input, or one picture, white there; or a rectangle X,Y,WIDTH,HEIGHT in pixels. It is made 4 "
                        "pixels larger all around, because compression smears edges.", path=True)
    rotate: float = setting(0.0, "Degrees, clockwise, by which --task=reorient turns the input.", minimum=-180.0,
                            maximum=180.0)
    zoom: float = setting(1.0, "Times by which --task=reorient enlarges the input.", minimum=0.1, maximum=10.0)
    shift: str = setting("0,0", "Pixels by which --task=reorient shifts the input: RIGHT,DOWN.")
    size: str = setting("", "Size in pixels that --task=reorient puts the input on, WIDTHxHEIGHT; empty: its own.")
    preview: float = setting(0.0, "Only the first so many seconds of each input, beside what is made of them; 0: all.",
                             minimum=0.0)
    interpolation_steps: int = setting(0, "Clips interpolated between each clip of the input and the next; 0: the "
                                       "reconstructions alone.", minimum=0, maximum=64)
    fps: float = setting(0.0, "Frames per second at which the files play; 0: as the training clips did.",
                         minimum=0.0, maximum=240.0)
    out: str = setting("", ".webm, .mp4, .webp or .gif: all clips side by side. .png: a contact sheet, a "
                       "clip in each row. .npz: the array `videos`, uint8 [N, T, H, W, 3]. Any of them with {seed} in "
                       "it: a file for each clip. No extension: a folder of frames, or of such a folder for each of "
                       "several seeds. Of whole videos: a file, or a folder for several. Empty: clips.webm, and for "
                       "whole videos a name made of theirs.", path=True)

    def check(self) -> None:
        """Checks that what has no sensible default is named."""
        if not self.model:
            raise UserError("`model` must name a path. Received: model=")
        if self.interpolation_steps and not self.input:
            raise UserError("`interpolation_steps` needs `input`, the clips to interpolate between. Received: "
                            f"interpolation_steps={self.interpolation_steps}, input=")
        if self.input and self.label:
            raise UserError(f"`label` is for clips of seeds. Received: input={self.input}, label={self.label}")


@dataclasses.dataclass(frozen=True)
class EvaluateSettings(Settings):
    """Evaluation of a generator."""

    run_dir: str = setting("", "Run folder to evaluate.", path=True)
    model: str = setting("", "Exported version to evaluate, or the folder of versions, for the newest.",
                         path=True)
    videos: str = setting("", "Anybody's clips to evaluate: an .npz with `videos`, an .npy (uint8 [N, T, H, W, 3]), or "
                          "a folder of videos.", path=True)
    data: str = setting("", "Real clips to compare with: a prepared folder or a raw source as the command train "
                        "takes it. By default the run's.", path=True)
    checkpoint: int = setting(0, "Step of the run's checkpoint; 0: the best one where the run keeps it, else the "
                              "newest.", minimum=0)
    clips: int = setting(0, "Clips to evaluate; 0: 1024, and 256 to validate metrics; fewer where clips are large.",
                         minimum=0, maximum=65536)
    out: str = setting("", "Folder for report.html, metrics.jsonl and TensorBoard's events. By default `evaluation` in "
                       "the run folder, else runs/evaluation-NAME.", path=True)
    validate_metrics: bool = setting(False, "Validate the metrics instead: corrupt real clips by known amounts, and "
                                     "report which metric responds.")

    def check(self) -> None:
        """Checks that one thing is evaluated, and against real clips."""
        named = {name: getattr(self, name) for name in ("run_dir", "model", "videos")}
        if not self.validate_metrics and sum(map(bool, named.values())) != 1:
            raise UserError("Exactly one of `run_dir`, `model` and `videos` must be named. Received: "
                            + ", ".join(f"{name}={value}" for name, value in named.items()))
        if self.validate_metrics and (self.model or self.videos):
            raise UserError("`validate_metrics` takes real clips, `data` or those of `run_dir`, and nothing else. "
                            f"Received: model={self.model}, videos={self.videos}")
        if not self.data and not self.run_dir:
            raise UserError("`data` must name the real clips, a prepared folder or a raw source, as in "
                            "--data=my_videos/. Received: data=")
        if self.checkpoint and (not self.run_dir or self.validate_metrics):
            raise UserError(f"`checkpoint` is one of a `run_dir`. Received: checkpoint={self.checkpoint}")
        if 0 < self.clips < MIN_EVALUATED_CLIPS:
            raise UserError(f"`clips` must be at least {MIN_EVALUATED_CLIPS}, or 0. Received: clips={self.clips}")


@dataclasses.dataclass(frozen=True)
class FeatureSettings(Settings):
    """Features of your own network, compared beside the built-in ones."""

    features: str = setting("", "Your network that takes clips, a SavedModel that you trust or a .keras file; empty: "
                            "only the built-in features.", path=True)
    features_name: str = setting("features", "Name of the features of your network; i3d_logits: they are the logits of "
                                 "I3D, and their Fréchet distance is the FVD.")
    features_signature: str = setting("serving_default", "Signature of your SavedModel to call.")
    features_layer: str = setting("", "Output of your network to take; empty: the only one that it has.")
    features_size: int = setting(0, "Side to which frames are resized for your network; 0: as it declares it, else the "
                                 "clips' own.", minimum=0, maximum=2048)
    features_range: str = setting("-1..1", "Values that your network takes for black..white; one that takes uint8 "
                                  "always gets 0..255.", choices=("-1..1", "0..1", "0..255"))

    def check(self) -> None:
        """Checks that the name can be part of a metric's name, and is not that of built-in features."""
        built_in = ("appearance", "motion", "joint")
        if not re.fullmatch("[a-z0-9_]+", self.features_name) or self.features_name in built_in:
            raise UserError(f"`features_name` must be of a-z, 0-9 and _, and none of {', '.join(built_in)}. "
                            f"Received: features_name={self.features_name}")
