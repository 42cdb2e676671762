"""Generates clips from a SavedModel that export.py made; nothing else of the run is needed.

    python generate.py --model=runs/quickstart/export --seeds=0-15 --out=clips.webm

After about 10 seconds `clips.webm` plays sixteen clips side by side, in any browser. The same seed is the same clip,
always. `--seeds=7 --num_frames=10000` makes one long sequence, where the generator is recurrent. A SavedModel is code:
load those that you trust.
"""

from gan_keras import flags, quiet
from gan_keras.script_settings import GenerateSettings


def main() -> None:
    """Generates, and says where the clips are."""
    settings = flags.settings(GenerateSettings)
    quiet.import_tensorflow()
    from gan_keras.serving.generation import generate

    model = generate(settings)
    shown = f"made again of {settings.input}" if settings.input else f"seeds {settings.seeds}"
    print(f"Clips: {settings.out} ({shown}, from {model.path})\n"
          f"More:  python generate.py --model={settings.model} --seeds=100-115 --out=more.webm")


if __name__ == "__main__":
    flags.define(GenerateSettings)
    flags.run(main)
