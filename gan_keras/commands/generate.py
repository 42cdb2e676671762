"""Generates clips from an exported SavedModel; nothing else of the run is needed.

    python generate.py --model=runs/quickstart/export --seeds=0-15 --out=clips.webm

After about 10 seconds `clips.webm` plays sixteen clips side by side, in any browser. The same seed is the same clip,
always. `--seeds=7 --num_frames=10000` makes one long sequence, where the generator is recurrent.

    python generate.py --model=runs/inpaint/export --input=film.mp4 --mask=mask.png

Models of --task=enhance, inpaint, predict and reorient make films of films, at their own size, with their sound. A
SavedModel is code: load those that you trust.
"""

from pathlib import Path

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.command_line import next_command
from gan_keras.config.commands import GenerateSettings
from gan_keras.errors import UserError


def define_flags() -> None:
    """Defines the flags of generation."""
    flags.define(GenerateSettings)


def main() -> None:
    """Generates, and says where the clips are."""
    settings = flags.settings(GenerateSettings)
    logging.import_tensorflow()
    from gan_keras.serving.films import make_films
    from gan_keras.serving.generate import DEFAULT_OUT, generate
    from gan_keras.serving.model_description import ModelDescription
    from gan_keras.serving.saved_generator import SavedGenerator
    from gan_keras.serving.versions import find_version

    if settings.input and ModelDescription.load(find_version(Path(settings.model))).takes_films:
        films = make_films(settings, SavedGenerator(Path(settings.model)))
        for film in films:
            print(f"Film: {film.path} (of {film.name})" if film.path else f"None of {film.name}: {film.problem}")
        failed = sum(film.path is None for film in films)
        if failed:
            raise UserError(f"{failed} of {len(films)} inputs could not be used; the same command tries them again.")
        return
    model = generate(settings)
    out = settings.out or DEFAULT_OUT
    if settings.input:
        print(f"Clips: {out} (of {settings.input}, by {model.path})")
    else:
        label = {"label": settings.label} if settings.label else {}
        more = next_command("generate", model=settings.model, seeds="100-115", **label, out="more.webm")
        print(f"Clips: {out} (seeds {settings.seeds}, from {model.path})\nMore:  {more}")
