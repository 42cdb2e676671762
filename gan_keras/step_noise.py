"""Every random number of a training step, a function of seed and step alone."""

import tensorflow as tf

from gan_keras import penalties, sampling
from gan_keras.config import Config
from gan_keras.data.augment import UNIFORMS
from gan_keras.models import views
from gan_keras.models.generator import Generator

Tensors = dict[str, tf.Tensor]
Noise = dict[str, tf.Tensor | Tensors]


def draw_noise(config: Config, generator: Generator, replicas: int, step: tf.Tensor, replica_id: tf.Tensor) -> Noise:
    """Draws the numbers of the global batch and cuts them to a replica's rows.

    Returns:
        `latents` of the generated clips by name, and `encoded`, standard normal numbers like them, where there is an
        encoder; `frames` [B, pairs, 3], which frames are judged closely, as `views.judged_frames` takes them; by view
        `penalty` [B, 1], `augment` [B, augmentations, UNIFORMS + 1], of which the last number says whether one is
        applied at all, and `disturbance` and `instance`, normal numbers of the view's shape, where the penalty takes
        them and where there is instance noise (Sønderby et al., 2016, arXiv:1610.04490).
    """
    seed, batch_size, num_frames = config.optimization.seed, config.optimization.batch_size, config.clips.num_frames
    shapes = views.view_shapes(config.clips, config.model)

    def mine(of_batch: tf.Tensor) -> tf.Tensor:
        rows = of_batch.shape[0] // replicas
        return of_batch[replica_id * rows:(replica_id + 1) * rows]

    def uniform(stream: str, *shape: int) -> tf.Tensor:
        return mine(sampling.step_uniform(seed, stream, step, [batch_size, *shape]))

    def latents(stream: str) -> Tensors:
        seeds = mine(sampling.step_seeds(seed, stream, step, batch_size))
        return sampling.draw_latents(generator.latents, seeds, num_frames)

    drawn = {"latents": latents("latents"), "frames": uniform("frames", config.model.judged_pairs, views.UNIFORMS)}
    for stream, shape in (("penalty", (1,)), ("augment", (len(config.objective.augment_step), UNIFORMS + 1))):
        drawn[stream] = {view: uniform(f"{stream}/{view}", *shape) for view in shapes}
    if generator.encoder:
        drawn["encoded"] = latents("encoded")
    for stream, wanted in (("disturbance", config.objective.penalty in penalties.DISTURBS),
                           ("instance", config.objective.instance_noise > 0)):
        if wanted:
            drawn[stream] = {view: mine(sampling.step_normal(seed, f"{stream}/{view}", step, [batch_size, *shape]))
                             for view, shape in shapes.items()}
    return drawn
