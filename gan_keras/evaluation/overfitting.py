"""Whether a run's discriminators know the training clips by heart.

A discriminator that takes held-out clips for less real than training clips has learned these, and tells the generator
to come nearer to them. All clips are judged alike: cut into the views of training, without augmentation, at pairs of
frames evenly spread over the clip. A generated clip's small view is made of its frames, as a real one's is; in training
it is the generator's own small picture.

`NAME` below is a discriminator:

    discriminators/NAME/loss_train        the adversarial loss, mean over all pairs of a clip and a generated one
    discriminators/NAME/loss_held_out
    discriminators/NAME/error_train       share of what it judges in a clip (frames, pairs or the whole) that it takes
    discriminators/NAME/error_held_out    for the other side: logit not above the mean generated logit, or not below
    discriminators/NAME/error_generated   the mean training logit (1 - accuracy of training)
    discriminators/NAME/overfitting       (D(train) - D(held out)) / (D(train) - D(generated)), of mean logits

Errors are near 0.5 where both sides look alike. The last number is 0 where held-out clips look as real as training
clips, and 1 where they look generated (Karras et al., 2020, arXiv:2006.06676, eq. 1).
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from gan_keras import catalog, checkpoints
from gan_keras.data.clips import to_float
from gan_keras.errors import UserError
from gan_keras.evaluation.evidence import ClipSet
from gan_keras.evaluation.findings import AS_REAL, LEVEL, LOWER, Estimate, Metric, draw_weights, estimate_mean
from gan_keras.models.build import build_discriminators
from gan_keras.models.discriminator import Discriminator, named_weights
from gan_keras.models.views import close_view, pairs_from, small_scale, small_view
from gan_keras.run_folder import RunFolder

_PAIRS = 4
"""Pairs of frames judged of each clip."""

_MOST = 256
"""Clips of each kind that are judged: more would take minutes and hardly narrow the intervals."""

_AT_ONCE = 8

_METRICS = {
    "loss_train": Metric(AS_REAL, "Loss of the discriminator {name} on training clips."),
    "loss_held_out": Metric(AS_REAL, "Loss of the discriminator {name} on held-out clips; above that on training clips "
                            "where it knows those by heart."),
    "error_train": Metric(AS_REAL, "Share of training clips that the discriminator {name} takes for generated."),
    "error_held_out": Metric(AS_REAL, "Share of held-out clips that the discriminator {name} takes for generated; "
                             "above that of training clips where it knows those by heart."),
    "error_generated": Metric(AS_REAL, "Share of generated clips that the discriminator {name} takes for real."),
    "overfitting": Metric(LOWER, "How far held-out clips are from training clips for the discriminator {name}: 0 where "
                          "they look as real, 1 where they look generated."),
}

Logits = dict[str, np.ndarray]
"""By name of the clips, float32 [N, S]: the logit of each of a clip's S samples."""


def describe(name: str) -> Metric:
    """What a number of `judge` means.

    Raises:
        KeyError: `judge` gives no such number.
    """
    _, discriminator, what = name.split("/")
    metric = _METRICS[what]
    return Metric(metric.better, metric.meaning.format(name=f"`{discriminator}`"))


def judge(run: RunFolder, step: int, real: ClipSet, held_out: ClipSet | None, generated: ClipSet,
          say: Callable[[str], None] = print) -> dict[str, Estimate]:
    """Asks the discriminators of a run's checkpoint.

    Args:
        run: the run folder.
        step: of the checkpoint.
        real: training clips of the run's shape.
        held_out: clips of the test split, or None; without them their numbers and `overfitting` are not there.
        generated: clips of the run's generator. Of each kind 256 are judged.
        say: is told of a damaged checkpoint.

    Returns:
        The numbers by name, as above. `overfitting` is NaN where training clips do not look more real than generated
        ones beyond chance: there is nothing to measure it by.

    Raises:
        UserError: no such checkpoint, a damaged one, or logits that are not finite.
    """
    config = run.load_config()
    discriminators = build_discriminators(config.clips, config.model, "float32")
    if checkpoints.restore(run.checkpoints, named_weights(discriminators), say, step) is None:
        raise UserError(f"{run.path} has no checkpoint yet, so there are no discriminators in it.")
    loss = catalog.find("losses", config.objective.loss)
    sets = {"train": real.some(_MOST), "generated": generated.some(_MOST)}
    if held_out:
        sets["held_out"] = held_out.some(_MOST)
    found = {}
    for name, discriminator in discriminators.items():
        scale = small_scale(config.clips, config.model)
        logits = {which: _judge(discriminator, scale, clips.clips) for which, clips in sets.items()}
        if not all(np.isfinite(values).all() for values in logits.values()):
            raise UserError(f"The discriminator {name} of checkpoint {step} in {run.checkpoints} gives numbers that "
                            "are not finite: the run has diverged. Name an earlier --checkpoint.")
        numbers = _estimates(logits, sets, loss)
        found |= {f"discriminators/{name}/{what}": estimate for what, estimate in numbers.items()}
    return found


def _judge(discriminator: Discriminator, scale: int, clips: np.ndarray) -> np.ndarray:
    """Logits float32 [N, S] of the samples of each clip, uint8 [N, T, H, W, 3]."""
    pairs = min(_PAIRS, clips.shape[1] - 1)
    first = np.round(np.linspace(0, clips.shape[1] - 2, pairs)).astype(np.int32)
    logits = []
    for start in range(0, len(clips), _AT_ONCE):
        few = to_float(tf.constant(clips[start:start + _AT_ONCE]))
        frames = pairs_from(tf.tile(first[np.newaxis], [len(few), 1]))
        view = small_view(few, scale) if discriminator.view == "small" else close_view(few, frames)
        samples = discriminator.samples(view)
        logits.append(discriminator.logits(samples).numpy().reshape(len(few), -1))
    return np.concatenate(logits)


def _estimates(logits: Logits, sets: dict[str, ClipSet], loss: Callable) -> dict[str, Estimate]:
    """The numbers of one discriminator, from its logits of `train`, `generated` and perhaps `held_out`."""
    fake = logits["generated"]
    errors = {which: values <= fake.mean() for which, values in logits.items()}
    errors["generated"] = fake >= logits["train"].mean()
    losses = {which: _losses(values, fake, loss) for which, values in logits.items() if which != "generated"}
    numbers = {f"{what}_{which}": estimate_mean(values.mean(axis=1), sets[which].sources)
               for what, of_clips in (("loss", losses), ("error", errors)) for which, values in of_clips.items()}
    if "held_out" in sets:
        numbers["overfitting"] = _overfitting({which: values.mean(axis=1) for which, values in logits.items()}, sets)
    return numbers


def _losses(real: np.ndarray, fake: np.ndarray, loss: Callable) -> np.ndarray:
    """The discriminator's loss of each sample float32 [N, S], the mean over all generated clips, [M, S]."""
    fakes = tf.constant(fake)
    return np.stack([loss(tf.broadcast_to(one, fake.shape), fakes)[0].numpy().mean(axis=0) for one in real])


def _overfitting(logits: Logits, sets: dict[str, ClipSet]) -> Estimate:
    """From logits float32 [N]; the interval draws whole videos of each set."""
    drawn = {}
    for place, (which, values) in enumerate(logits.items()):
        weights = draw_weights(sets[which].sources)
        # The draws of sets of one size are the same; shifted against each other they are independent.
        drawn[which] = np.roll(weights @ values / weights.sum(axis=1), place)
    tail = (1 - LEVEL) / 2
    unit = drawn["train"] - drawn["generated"]
    if not np.quantile(unit, tail) > 0:
        return Estimate(np.nan, np.nan, np.nan)
    mean = {which: float(values.mean()) for which, values in logits.items()}
    low, high = np.quantile((drawn["train"] - drawn["held_out"]) / unit, [tail, 1 - tail])
    return Estimate((mean["train"] - mean["held_out"]) / (mean["train"] - mean["generated"]), float(low), float(high))
