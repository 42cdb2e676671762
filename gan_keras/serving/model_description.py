"""`model.json`: facts about an exported version, for programs. Reading it needs no TensorFlow."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Self

from gan_keras import __version__
from gan_keras.config.command_line import command_line
from gan_keras.config.settings import format_value
from gan_keras.errors import UserError

FILE = "model.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class ModelDescription:
    """Facts about an exported generator.

    Attributes:
        step: training steps.
        num_frames: frames of a clip.
        height: of a frame, in pixels.
        width: of a frame, in pixels.
        fps: frames per second at which clips play as the training clips did.
        signatures: name → `inputs` and `outputs` → name → `dtype` and `shape` (None: the batch).
        classes: names of the classes; a label is an index into them. Empty where the model has none.
        paired_signature: the signature that makes of a clip one that should equal it; empty: there is none.
        task: what it was trained for.
        factor: how many times larger a frame is than the one that it is made of.
        gan_keras: version of this library that exported it.
    """

    step: int
    num_frames: int
    height: int
    width: int
    fps: float
    signatures: dict[str, Any]
    classes: list[str] = dataclasses.field(default_factory=list)
    paired_signature: str = ""
    task: str = "generate"
    factor: int = 1
    gan_keras: str = __version__

    @property
    def needs_clips(self) -> bool:
        """Whether the model makes clips of clips only."""
        return "video" in self.signatures["serving_default"]["inputs"]

    @property
    def takes_films(self) -> bool:
        """Whether the model makes films of films, of any length and size."""
        return self.needs_clips and self.signatures["serving_default"]["inputs"]["video"]["shape"][1] is None

    @property
    def example_flags(self) -> dict[str, str]:
        """Flags of the command `generate`, beside `model`, for a start."""
        if self.takes_films:
            return {"input": "my_film.mp4"} | ({"mask": "my_mask.png"} if self.task == "inpaint" else {}) | (
                {"rotate": "5"} if self.task == "reorient" else {})
        return ({"input": "my_videos/"} if self.needs_clips else {"seeds": "0-15"}) | {"out": "clips.webm"}

    def save(self, version: Path) -> None:
        """Writes it into a version folder."""
        text = json.dumps({"format": FORMAT, **dataclasses.asdict(self)}, indent=2) + "\n"
        (version / FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, version: Path) -> Self:
        """Reads it from a version folder.

        Raises:
            UserError: it is not there, damaged, or of a later format.
        """
        path = version / FILE
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored.pop("format") != FORMAT:
                raise UserError(f"{path} is not of format {FORMAT}: it was exported by another version of gan_keras.")
            return cls(**stored)
        except FileNotFoundError as error:
            raise UserError(f"{version} is not an exported version: it has no {FILE}. Name one that the command export "
                            "made.") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path} cannot be read: {error}") from error


def serve_command(folder: str) -> str:
    """A command that serves a folder of versions with TensorFlow Serving.

    Args:
        folder: absolute path; it may hold colons and commas.
    """
    mount = format_value(("type=bind", f"source={folder}", "target=/models/video_gan"))
    return command_line("docker", "run", "--rm", "-p", "8501:8501", "--mount", mount, "-e", "MODEL_NAME=video_gan",
                        "tensorflow/serving")
