"""What a training step computes, as a function of its number: a run that goes on needs no other counter."""

from collections.abc import Collection
from typing import NamedTuple

from gan_keras.config.train import ObjectiveSettings
from gan_keras.models.views import View

PICTURES: View = "full_resolution"
"""The view that steps of pictures alone have."""


class StepSchedule(NamedTuple):
    """What a step computes; each value is traced once.

    Attributes:
        generator: whether the generator and auxiliary networks are updated.
        intervals: intervals of terms that are due.
        pictures_only: whether only the frames of the full-resolution view are generated, and whole clips are seen by no
            discriminator.
        adversarial: whether discriminators see anything, and are updated.
    """

    generator: bool
    intervals: tuple[int, ...]
    pictures_only: bool = False
    adversarial: bool = True


def step_schedule(step: int, settings: ObjectiveSettings, intervals: Collection[int], first_steps: int = 0,
                  pictures_first: bool = False) -> StepSchedule:
    """The schedule of a step.

    Args:
        step: number of the step, from 0 on.
        settings: when the generator is updated.
        intervals: of all terms.
        first_steps: steps at the start that are of pictures alone, or without discriminators.
        pictures_first: which of the two.
    """
    return StepSchedule(generator=(step + 1) % settings.discriminator_steps == 0,
                        intervals=tuple(interval for interval in sorted(intervals) if step % interval == 0),
                        pictures_only=pictures_first and step < first_steps,
                        adversarial=pictures_first or step >= first_steps)
