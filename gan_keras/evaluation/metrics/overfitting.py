"""Overfitting of a run's discriminators to the training clips.

A discriminator that finds held-out clips less real than training clips has memorized these, and drives the generator
to come nearer to them. All clips are treated alike: cut into the views of training, without augmentation, at pairs of
frames evenly spread over the clip. A generated clip's low-resolution view is made of its frames, as a real one's is; in
training it is the generator's own low-resolution picture.

`NAME` below is a discriminator:

    discriminators/NAME/loss_train        the adversarial loss, mean over all pairs of a clip and a generated one
    discriminators/NAME/loss_held_out
    discriminators/NAME/error_train       share of a clip's samples (frames, pairs or the whole) that it takes
    discriminators/NAME/error_held_out    for the other side: logit not above the mean generated logit, or not below
    discriminators/NAME/error_generated   the mean training logit (1 - accuracy of training)
    discriminators/NAME/overfitting       (D(train) - D(held out)) / (D(train) - D(generated)), of mean logits

Errors are near 0.5 where both sides look alike. The last number is 0 where held-out clips look as real as training
clips, and 1 where they look generated (Karras et al., 2020, arXiv:2006.06676, eq. 1).
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.pixels import to_float
from gan_keras.errors import UserError
from gan_keras.evaluation.metrics.estimates import (
    LEVEL,
    UNKNOWN,
    bootstrap_weights,
    estimate_mean,
    from_bootstrap,
)
from gan_keras.evaluation.metrics.inputs import ClipSet
from gan_keras.evaluation.metrics.types import AS_REAL, LOWER, Estimate, Metric
from gan_keras.losses import adversarial
from gan_keras.losses.adversarial import AdversarialLoss
from gan_keras.models.build import view_factor
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.views import neighbouring_pairs, views_of
from gan_keras.runs.restore import restore_discriminators
from gan_keras.runs.run_folder import RunFolder
from gan_keras.tasks.registry import find_task

_PAIRS = 4
"""Pairs of frames of each clip."""

_MAX_CLIPS = 256
"""Clips of each kind: more would take minutes and hardly narrow the intervals."""

_BATCH_SIZE = 8

_METRICS = {
    "loss_train": Metric(AS_REAL, "Loss of the discriminator {name} on training clips."),
    "loss_held_out": Metric(AS_REAL, "Loss of the discriminator {name} on held-out clips; above that on training clips "
                            "where it has memorized those."),
    "error_train": Metric(AS_REAL, "Share of training clips that the discriminator {name} takes for generated."),
    "error_held_out": Metric(AS_REAL, "Share of held-out clips that the discriminator {name} takes for generated; "
                             "above that of training clips where it has memorized those."),
    "error_generated": Metric(AS_REAL, "Share of generated clips that the discriminator {name} takes for real."),
    "overfitting": Metric(LOWER, "How far held-out clips are from training clips for the discriminator {name}: 0 where "
                          "they look as real, 1 where they look generated."),
}


def metric_info(name: str) -> Metric:
    """Meaning of a metric of `measure_discriminators`.

    Raises:
        KeyError: there is no such metric.
    """
    _, discriminator, kind = name.split("/")
    metric = _METRICS[kind]
    return Metric(metric.better, metric.meaning.format(name=f"`{discriminator}`"))


def measure_discriminators(run: RunFolder, step: int, real: ClipSet, held_out: ClipSet | None, generated: ClipSet
                           ) -> dict[str, Estimate]:
    """Measures the discriminators of a run's checkpoint.

    Args:
        run: the run folder.
        step: of the checkpoint.
        real: training clips of the run's shape.
        held_out: clips of the test split, or None; without them their metrics and `overfitting` are not there.
        generated: clips of the run's generator. Of each kind 256 are used.

    Returns:
        The metrics by name, as above. `overfitting` is NaN where training clips do not look more real than generated
        ones beyond chance: there is nothing to measure it by. Nothing for tasks that show conditions to discriminators
        beside the clips: clips alone say nothing to these.

    Raises:
        UserError: no such checkpoint, a damaged one, or logits that are not finite.
    """
    config = run.load_config()
    if find_task(config).shown_conditions:
        return {}
    sets = {"train": real.subsample(_MAX_CLIPS), "generated": generated.subsample(_MAX_CLIPS)}
    if held_out:
        sets["held_out"] = held_out.subsample(_MAX_CLIPS)
    metrics = {}
    for name, discriminator in restore_discriminators(run, step).items():
        logits = {which: _logits(discriminator, config, clips.clips) for which, clips in sets.items()}
        if not all(np.isfinite(values).all() for values in logits.values()):
            raise UserError(f"The discriminator {name} of checkpoint {step} in {run.checkpoints} gives numbers that "
                            "are not finite: the run has diverged. Name an earlier --checkpoint.")
        estimates = estimate_from_logits(logits, sets, adversarial.FUNCTIONS[config.objective.loss])
        metrics |= {f"discriminators/{name}/{kind}": estimate for kind, estimate in estimates.items()}
    return metrics


def estimate_from_logits(logits: Mapping[str, np.ndarray], sets: Mapping[str, ClipSet], loss: AdversarialLoss
                         ) -> dict[str, Estimate]:
    """Metrics of one discriminator.

    Args:
        logits: float32 [N, S], of the S samples of each clip of `train`, `generated` and perhaps `held_out`.
        sets: these clips.
        loss: whose discriminator part is measured.
    """
    generated = logits["generated"]
    errors = {which: values <= generated.mean() for which, values in logits.items()}
    errors["generated"] = generated >= logits["train"].mean()
    losses = {which: _losses(values, generated, loss) for which, values in logits.items() if which != "generated"}
    estimates = {f"{kind}_{which}": estimate_mean(values.mean(axis=1), sets[which].video_ids)
                 for kind, by_set in (("loss", losses), ("error", errors)) for which, values in by_set.items()}
    if "held_out" in sets:
        estimates["overfitting"] = _overfitting({which: values.mean(axis=1) for which, values in logits.items()}, sets)
    return estimates


def _logits(discriminator: Discriminator, config: Config, clips: np.ndarray) -> np.ndarray:
    """Logits float32 [N, S] of the samples of each clip, uint8 [N, T, H, W, 3]."""
    pairs = min(_PAIRS, clips.shape[1] - 1)
    first = np.round(np.linspace(0, clips.shape[1] - 2, pairs)).astype(np.int32)
    factor, logits = view_factor(config.clip, config.model), []
    for start in range(0, len(clips), _BATCH_SIZE):
        batch = to_float(tf.constant(clips[start:start + _BATCH_SIZE]))
        views = views_of(batch, neighbouring_pairs(tf.tile(first[np.newaxis], [len(batch), 1])), factor)
        samples = discriminator.samples(getattr(views, discriminator.view))
        logits.append(discriminator(samples).logits.numpy().reshape(len(batch), -1))
    return np.concatenate(logits)


def _losses(real: np.ndarray, generated: np.ndarray, loss: AdversarialLoss) -> np.ndarray:
    """The discriminator's loss of each sample float32 [N, S], averaged over all generated clips, [M, S]."""
    against = tf.constant(generated)
    return np.stack([loss(tf.broadcast_to(one, generated.shape), against)[0].numpy().mean(axis=0) for one in real])


def _overfitting(logits: Mapping[str, np.ndarray], sets: Mapping[str, ClipSet]) -> Estimate:
    """From mean logits float32 [N]; the interval draws whole videos of each set."""
    draws = {}
    for position, (which, values) in enumerate(logits.items()):
        weights = bootstrap_weights(sets[which].video_ids)
        # The draws of sets of one size are the same; shifted against each other they are independent.
        draws[which] = np.roll(weights @ values / weights.sum(axis=1), position)
    unit = draws["train"] - draws["generated"]
    if not np.quantile(unit, (1 - LEVEL) / 2) > 0:
        return UNKNOWN
    mean = {which: float(values.mean()) for which, values in logits.items()}
    ratios = np.divide(draws["train"] - draws["held_out"], unit, out=np.full_like(unit, np.nan), where=unit != 0)
    return from_bootstrap((mean["train"] - mean["held_out"]) / (mean["train"] - mean["generated"]), ratios)
