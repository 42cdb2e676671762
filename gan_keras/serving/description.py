"""`model.json`: what a version says of itself, for programs. Reading it needs no TensorFlow."""

import dataclasses
import json
from pathlib import Path
from typing import Any, Self

from gan_keras import __version__
from gan_keras.errors import UserError

FILE = "model.json"
FORMAT = 1


@dataclasses.dataclass(frozen=True)
class Description:
    """Facts about an exported generator.

    Attributes:
        step: training steps behind it.
        num_frames: frames of a clip.
        height: of a frame, in pixels.
        width: of a frame, in pixels.
        fps: frames per second at which clips play as the training clips did.
        signatures: name → `inputs` and `outputs` → name → `dtype` and `shape` (None: the batch).
        classes: names of the classes; a label is an index into them. Empty where the generator is told none.
        gan_keras: version of this library that exported it.
    """

    step: int
    num_frames: int
    height: int
    width: int
    fps: float
    signatures: dict[str, Any]
    classes: list[str] = dataclasses.field(default_factory=list)
    gan_keras: str = __version__

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
            raise UserError(f"{version} was not made by export.py: it has no {FILE}.") from error
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            if isinstance(error, UserError):
                raise
            raise UserError(f"{path} cannot be read: {error}") from error
