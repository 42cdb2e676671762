"""Measures how good a video generator is, without any download: a run, an exported model, or anybody's clips.

    python evaluate.py --run_dir=runs/quickstart
    python evaluate.py --model=runs/quickstart/export --data=data/shapes
    python evaluate.py --videos=theirs.npz --data=my_videos/
    python evaluate.py --validate_metrics --data=my_videos/ --resolution=64

Every metric stands beside its noise floor: what real clips give in place of the generated ones. It ends with a table, a
report.html that needs no network, and a line of metrics.jsonl; TensorBoard shows the same. What the metrics mean, and
what they do not see, is in docs/evaluation.md.
"""

from gan_keras import logging
from gan_keras.config import flags
from gan_keras.config.commands import EvaluateSettings, FeatureSettings
from gan_keras.config.train import ClipSettings


def define_flags() -> None:
    """Defines the flags of an evaluation."""
    flags.define(EvaluateSettings)
    flags.define(FeatureSettings)
    flags.define(ClipSettings)


def main() -> None:
    """Flags → real clips and those to evaluate → report."""
    settings, features = flags.settings(EvaluateSettings), flags.settings(FeatureSettings)
    named = flags.named_settings()
    logging.import_tensorflow()
    from gan_keras.evaluation.evaluate import evaluate, validate_metrics

    print(validate_metrics(settings, named) if settings.validate_metrics else evaluate(settings, features, named))
