"""Publishes the generator of a run as a SavedModel that TensorFlow Serving takes up.

    python export.py --run_dir=runs/quickstart

After about 10 seconds there is a new version in `runs/quickstart/export/`, checked by the path by which TensorFlow
Serving loads it, with a model card and sample clips.
"""

from pathlib import Path

from gan_keras import flags, quiet
from gan_keras.script_settings import ExportSettings


def main() -> None:
    """Exports, and says where it is and what to do with it."""
    settings = flags.settings(ExportSettings)
    quiet.import_tensorflow()
    from gan_keras.run_folder import RunFolder
    from gan_keras.serving.export import export

    run = RunFolder(Path(settings.run_dir))
    folder = Path(settings.export_dir) if settings.export_dir else run.exports
    version = export(run, folder, settings.checkpoint or None, print)
    print(f"Model card: {version / 'model_card.md'}\n"
          f"Generate:   python generate.py --model={folder} --seeds=0-15 --out=clips.webm\n"
          f"Serve:      docker run --rm -p 8501:8501 -v {folder.absolute()}:/models/video_gan -e MODEL_NAME=video_gan "
          "tensorflow/serving")


if __name__ == "__main__":
    flags.define(ExportSettings)
    flags.run(main)
