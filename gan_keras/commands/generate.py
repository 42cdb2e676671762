"""Generates clips from an exported SavedModel; nothing else of the run is needed.

    python generate.py --model=runs/quickstart/export --seeds=0-15 --out=clips.webm

After about 10 seconds `clips.webm` plays sixteen clips side by side, in any browser. The same seed is the same clip,
always. `--seeds=7 --num_frames=10000` makes one long sequence, where the generator is recurrent. A SavedModel is code:
load those that you trust.
"""

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.command_line import next_command
from gan_keras.config.commands import GenerateSettings


def define_flags() -> None:
    """Defines the flags of generation."""
    flags.define(GenerateSettings)


def main() -> None:
    """Generates, and says where the clips are."""
    settings = flags.settings(GenerateSettings)
    logging.import_tensorflow()
    from gan_keras.serving.generate import generate

    model = generate(settings)
    if settings.input:
        print(f"Clips: {settings.out} (of {settings.input}, by {model.path})")
    else:
        label = {"label": settings.label} if settings.label else {}
        more = next_command("generate", model=settings.model, seeds="100-115", **label, out="more.webm")
        print(f"Clips: {settings.out} (seeds {settings.seeds}, from {model.path})\nMore:  {more}")
