"""Measures how good a video generator is, without any download: a run, an exported model, or anybody's clips.

    python evaluate.py --run_dir=runs/quickstart
    python evaluate.py --model=runs/quickstart/export --data=data/shapes
    python evaluate.py --videos=theirs.npz --data=my_videos/
    python evaluate.py --selftest --data=my_videos/ --resolution=64

Every number stands beside its noise floor: what real clips give in place of the generated ones. It ends with a table, a
report.html that needs no network, and a line of metrics.jsonl; TensorBoard shows the same. What the numbers mean, and
what they do not see, is in docs/evaluation.md.
"""

from gan_keras import flags, quiet
from gan_keras.script_settings import EvaluateSettings, FeatureSettings
from gan_keras.train_settings import ClipSettings


def main() -> None:
    """Flags → real clips and those in question → report."""
    settings, features, given = flags.settings(EvaluateSettings), flags.settings(FeatureSettings), flags.given()
    quiet.import_tensorflow()
    from gan_keras.evaluation import command

    if settings.selftest:
        command.selftest(settings, given)
    else:
        command.evaluate(settings, features, given)


if __name__ == "__main__":
    flags.define(EvaluateSettings)
    flags.define(FeatureSettings)
    flags.define(ClipSettings)
    flags.run(main)
