"""The adversarial pair and one step of its training.

`VideoGAN` owns the generator, its running average, the discriminators and their optimizers. `train_step` is the
algorithm: look at the same views of real and generated clips, compute every network's gradient from one forward pass,
update all networks at once, update the average.

Two replicas equal one at the same global batch: random numbers are drawn for the global batch and each replica takes
its rows; losses are summed and divided by the global number of samples; gradients are summed over replicas *before*
they are clipped; and a step whose gradient is not finite on any replica is skipped on all.
"""

import math

import keras
import tensorflow as tf

from gan_keras import catalog, sampling
from gan_keras.config import Config
from gan_keras.data import clips as clip_batch
from gan_keras.data.augment import UNIFORMS
from gan_keras.errors import UserError
from gan_keras.models import blocks
from gan_keras.models.discriminator import Discriminator, build_discriminators, named_weights
from gan_keras.models.generator import build_generator
from gan_keras.models.views import close_view, pairs_from, small_scale, small_view
from gan_keras.optimizers import build_optimizer

Tensors = dict[str, tf.Tensor]
Noise = dict[str, tf.Tensor | Tensors]

_REFERENCE_VALUES = 64 * 64 * 3
"""Numbers in a sample for which `penalty_weight` is R3GAN's gamma. The squared gradient norm of an equally steep
discriminator falls as a sample has more numbers, so the weight grows with them."""


class VideoGAN:
    """Networks, optimizers and the training step.

    Args:
        config: the settings.
        strategy: built under and run by this `tf.distribute` strategy.
        precision: Keras dtype policy of the trained networks; the average is float32 always.
        xla: compile the computation of the gradients.

    Raises:
        UserError: the batch does not split over the replicas.

    Attributes:
        generator: the generator that is trained.
        average: the running average of its weights, from which samples are drawn.
        discriminators: by name.
        optimizers: by network: `generator` and each discriminator.
    """

    def __init__(self, config: Config, strategy: tf.distribute.Strategy, precision: str = "float32",
                 xla: bool = False) -> None:
        self.config = config
        self.strategy = strategy
        if config.optimization.batch_size % strategy.num_replicas_in_sync:
            raise UserError(f"`batch_size` must be a multiple of the {strategy.num_replicas_in_sync} devices. "
                            f"Received: batch_size={config.optimization.batch_size}")
        keras.utils.set_random_seed(config.optimization.seed)
        with strategy.scope():
            self.generator = build_generator(config.clips, config.model, precision)
            self.discriminators = build_discriminators(config.clips, config.model, precision)
            self.average = build_generator(config.clips, config.model, "float32")
            for mine, trained in zip(self.average.weights, self.generator.weights, strict=True):
                mine.assign(trained)
            self.optimizers = {name: build_optimizer(config.optimization, name, variables)
                               for name, variables in self._trained.items()}
        self._adversarial = catalog.find("losses", config.objective.loss)
        self._scale = small_scale(config.clips, config.model)
        # Compiled without what crosses replicas, which XLA cannot hold, and the noise, which XLA draws otherwise.
        self._local_gradients = tf.function(self._compute_gradients, jit_compile=xla, autograph=False)

    @property
    def _trained(self) -> dict[str, list[keras.Variable]]:
        """The variables that each optimizer updates."""
        return {"generator": self.generator.trainable_variables,
                **{name: judge.network.trainable_variables for name, judge in self.discriminators.items()}}

    @property
    def variables(self) -> dict[str, keras.Variable]:
        """Everything a checkpoint holds, by a path that does not change between runs."""
        networks = (self.generator.named_weights("generator") | self.average.named_weights("average")
                    | named_weights(self.discriminators))
        return networks | {f"optimizer/{name}/{variable.path}": variable
                           for name, optimizer in self.optimizers.items() for variable in optimizer.variables}

    @property
    def learning_rate(self) -> float:
        """The generator's learning rate now."""
        return float(tf.convert_to_tensor(self.optimizers["generator"].learning_rate))

    def penalizes(self, step: int) -> bool:
        """Whether the gradient penalty is due at a step."""
        return self.config.objective.penalty != "none" and step % self.config.objective.penalty_every == 0

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.int64)])
    def sample(self, seeds: tf.Tensor) -> tf.Tensor:
        """Clips of the running average, seeds int64 [B] → uint8 [B, T, H, W, 3]."""
        latents = sampling.draw_latents(self.average.latents, seeds, self.config.clips.num_frames)
        return clip_batch.to_uint8(self.average.clips(latents))

    def split(self, clips: tf.Tensor) -> tf.Tensor:
        """The global batch as one part for each replica, for `train_step`."""
        if self.strategy.num_replicas_in_sync == 1:
            return clips
        parts = tf.split(clips, self.strategy.num_replicas_in_sync)
        return self.strategy.experimental_distribute_values_from_function(lambda at: parts[at.replica_id_in_sync_group])

    @tf.function(autograph=False)
    def train_step(self, clips: tf.Tensor, step: tf.Tensor, penalize: bool) -> Tensors:
        """One step of all networks.

        Args:
            clips: uint8 [batch_size, T, H, W, 3], or that split over the replicas.
            step: int64 scalar, from which the step's random numbers come.
            penalize: whether the gradient penalty is part of it; a Python bool (each value is traced once).

        Returns:
            float32 scalars by name; `skipped` is 1 where a gradient was not finite and nothing was changed.
        """
        gradients, numbers = self.strategy.run(self._gradients, (clips, step, penalize))
        numbers = {name: self.strategy.experimental_local_results(value)[0] for name, value in numbers.items()}
        norms = [value for name, value in numbers.items() if name.startswith("gradient_norm/")]
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(norms)))
        tf.cond(finite, lambda: self._update(gradients, step), lambda: None)
        return {**numbers, "skipped": 1.0 - tf.cast(finite, tf.float32)}

    # ---- over all replicas ----

    def _update(self, gradients: dict[str, list[tf.Tensor]], step: tf.Tensor) -> None:
        self.strategy.run(self._update_networks, (gradients,))
        self._update_average(step)

    def _update_average(self, step: tf.Tensor) -> None:
        """Moves the average towards the weights: slowly, but not so slowly that the first steps stay in it."""
        passed = tf.cast(step, tf.float32)
        decay = tf.minimum(self.config.optimization.average_decay, (1.0 + passed) / (10.0 + passed))
        for average, trained in zip(self.average.trainable_variables, self.generator.trainable_variables, strict=True):
            self.strategy.extended.update(
                average.value, lambda mine, value: mine.assign_sub((1.0 - decay) * (mine - value)),
                args=(trained.value,), group=True)

    # ---- on each replica ----

    def _gradients(self, clips: tf.Tensor, step: tf.Tensor, penalize: bool
                   ) -> tuple[dict[str, list[tf.Tensor]], Tensors]:
        """The gradient of each network, summed over replicas and clipped, and what the step measured."""
        replica = tf.distribute.get_replica_context()
        found, numbers = self._local_gradients(clips, self._noise(step, replica.replica_id_in_sync_group), penalize)
        found, numbers = replica.all_reduce("sum", (found, numbers))
        clipped = {}
        for name, gradient in found.items():
            clipped[name], numbers[f"gradient_norm/{name}"] = tf.clip_by_global_norm(
                gradient, self.config.optimization.gradient_norm_limit)
        return clipped, numbers

    def _compute_gradients(self, clips: tf.Tensor, noise: Noise, penalize: bool
                           ) -> tuple[dict[str, list[tf.Tensor]], Tensors]:
        real = self._real_views(clips, noise)
        numbers: Tensors = {}
        with tf.GradientTape(persistent=True) as tape:
            fake = self._fake_views(noise)
            losses = {"generator": tf.constant(0.0)}
            for name, judge in self.discriminators.items():
                judged = self._judge(judge, real[judge.view], fake[judge.view], penalize, noise)
                losses[name] = judged["loss"] + judged.get("penalty", 0.0)
                losses["generator"] += judge.weight * judged.pop("generator")
                numbers |= {f"{what}/{name}": value for what, value in judged.items()}
            numbers["loss/generator"] = losses["generator"]
        gradients = {name: tape.gradient(losses[name], variables) for name, variables in self._trained.items()}
        return gradients, numbers

    def _judge(self, judge: Discriminator, real_view: tf.Tensor, fake_view: tf.Tensor, penalize: bool,
               noise: Noise) -> Tensors:
        """Losses of one discriminator, and of the generator before it, as this replica's share of the global mean."""
        real, fake = judge.samples(real_view), judge.samples(fake_view)
        real_logits, fake_logits = judge.network(real, training=True), judge.network(fake, training=True)
        loss, generator_loss = self._adversarial(real_logits, fake_logits)
        measured = {"loss": self._mean(loss), "generator": self._mean(generator_loss),
                    "accuracy_real": self._mean(tf.cast(real_logits > tf.reduce_mean(fake_logits), tf.float32)),
                    "accuracy_generated": self._mean(tf.cast(fake_logits < tf.reduce_mean(real_logits), tf.float32)),
                    "logit_real": self._mean(real_logits), "logit_generated": self._mean(fake_logits)}
        if penalize:
            objective = self.config.objective
            of_samples = catalog.find("penalties", objective.penalty)(
                judge.network, real, tf.stop_gradient(fake), _for_samples(noise["penalty"][judge.view], real))
            weight = objective.penalty_weight * math.prod(real.shape[1:]) / _REFERENCE_VALUES
            measured["penalty"] = weight * objective.penalty_every * self._mean(of_samples)
        return measured

    def _mean(self, values: tf.Tensor) -> tf.Tensor:
        """This replica's share of the mean over the global batch."""
        return tf.reduce_mean(values) / self.strategy.num_replicas_in_sync

    def _noise(self, step: tf.Tensor, replica_id: tf.Tensor) -> Noise:
        """Every random number of the step: those of the global batch, cut to this replica's rows."""
        optimization, replicas = self.config.optimization, self.strategy.num_replicas_in_sync
        seed, batch_size = optimization.seed, optimization.batch_size

        def mine(global_noise: tf.Tensor) -> tf.Tensor:
            rows = global_noise.shape[0] // replicas
            return global_noise[replica_id * rows:(replica_id + 1) * rows]

        def uniform(stream: str, *shape: int) -> tf.Tensor:
            return mine(sampling.step_uniform(seed, stream, step, [batch_size, *shape]))

        seeds = mine(sampling.step_seeds(seed, "latents", step, batch_size))
        drawn = {"latents": sampling.draw_latents(self.generator.latents, seeds, self.config.clips.num_frames),
                 "frames": uniform("frames", self.config.model.judged_pairs)}
        augmentations = len(self.config.objective.augment_step)
        for stream, shape in (("penalty", (1,)), ("augment", (augmentations, UNIFORMS))):
            drawn[stream] = {view: uniform(f"{stream}/{view}", *shape) for view in ("small", "close")}
        return drawn

    def _real_views(self, clips: tf.Tensor, noise: Noise) -> Tensors:
        close = close_view(clips, self._judged_frames(noise))
        return self._augmented({"small": small_view(clip_batch.to_float(clips), self._scale),
                                "close": clip_batch.to_float(close)}, noise)

    def _fake_views(self, noise: Noise) -> Tensors:
        """Small pictures of all frames, and full-size ones of those that will be looked at."""
        outputs = self.generator.outputs(noise["latents"], training=True)
        views = {"small": outputs["small"], "close": self.generator.render(outputs, self._judged_frames(noise))}
        return self._augmented({view: blocks.cut(clips, -1.0, 1.0) for view, clips in views.items()}, noise)

    def _judged_frames(self, noise: Noise) -> tf.Tensor:
        return pairs_from(tf.cast(noise["frames"] * (self.config.clips.num_frames - 1), tf.int32))

    def _augmented(self, views: Tensors, noise: Noise) -> Tensors:
        names = self.config.objective.augment_step
        return {view: clip_batch.augment(clips, names, noise["augment"][view]) for view, clips in views.items()}

    def _update_networks(self, gradients: dict[str, list[tf.Tensor]]) -> None:
        # `apply` sums over the replicas, and these gradients are that sum already.
        share = 1.0 / self.strategy.num_replicas_in_sync
        for name, variables in self._trained.items():
            self.optimizers[name].apply([gradient * share for gradient in gradients[name]], variables)


def _for_samples(uniform: tf.Tensor, samples: tf.Tensor) -> tf.Tensor:
    """[B, 1] → [N]: the number of each clip for each of its samples."""
    return tf.repeat(uniform[:, 0], tf.shape(samples)[0] // tf.shape(uniform)[0])
