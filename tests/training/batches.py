"""A batch to train on in tests, and steps on it."""

import tensorflow as tf

from gan_keras.data.input_pipeline import Batch
from gan_keras.training.step_schedule import StepSchedule

BATCH = Batch(tf.cast(tf.random.stateless_uniform([4, 2, 8, 8, 3], [3, 4], 0, 256, tf.int32), tf.uint8),
              tf.constant([0, 1, -1, 1], tf.int64))

WITHOUT_PENALTY = StepSchedule(generator=True, intervals=(1,))


def step_of(gan, step, batch=BATCH, schedule=None):
    """Trains one step; returns its metrics."""
    return gan.train_step(gan.distribution.split(batch), tf.constant(step, tf.int64),
                          schedule or gan.objective.schedule(step))


def train(gan, steps, batch=BATCH):
    """Trains so many steps; returns the metrics of the last one as numbers."""
    metrics = {}
    for step in range(steps):
        metrics = step_of(gan, step, batch)
    return {name: float(value) for name, value in metrics.items()}


def values(gan):
    """All variables of a checkpoint by name."""
    return {name: variable.numpy() for name, variable in gan.variables.items()}
