"""The networks of a run and one step of their training.

`VideoGAN.train_step` is the algorithm: compute the gradient of every network from one forward pass (`Objective`), sum
gradients over the replicas once, clip them, update all networks at once, then the exponential moving average.

Two replicas equal one at the same global batch: random numbers are drawn for the global batch and each replica takes
its rows; losses are divided by the global batch size; gradients are summed over replicas *before* they are clipped; and
a step with a gradient that is not finite on any replica is skipped on all.
"""

from collections.abc import Mapping, Sequence
from typing import Self

import keras
import tensorflow as tf

from gan_keras.config.train import Config
from gan_keras.data.input_pipeline import Batch
from gan_keras.layers.attention import check_attention
from gan_keras.layers.spectral_normalization import normalized_layers
from gan_keras.losses.forward_pass import StepNoise, Tensors
from gan_keras.models.build import seeded_initializers
from gan_keras.models.generator import Generator
from gan_keras.tasks.registry import find_task
from gan_keras.tasks.task import Networks, Task
from gan_keras.training.accumulation import accumulate_gradients
from gan_keras.training.adaptive_augmentation import next_probability
from gan_keras.training.distribution import Distribution
from gan_keras.training.metrics import discriminator_metrics
from gan_keras.training.objective import Objective
from gan_keras.training.optimizers import build_optimizer, learning_rate
from gan_keras.training.step_noise import StepRandom, draw_step_noise
from gan_keras.training.step_schedule import StepSchedule

Gradients = dict[str, list[tf.Tensor]]


class VideoGAN:
    """Networks, optimizers and the training step; `create` makes them from settings.

    Args:
        task: what is trained.
        networks: that are trained, built in the strategy's scope, as all that follows.
        ema: generator whose weights are the exponential moving average of the trained one's.
        distribution: of the step over devices.
        xla: compile the computation of the gradients, where that needs nothing of other replicas.

    Attributes:
        config: the settings.
        optimizers: by network: `generator`, each discriminator, each auxiliary network.

    Raises:
        UserError: settings that no network of these has a place for.
    """

    def __init__(self, task: Task, networks: Networks, ema: Generator, distribution: Distribution, xla: bool) -> None:
        self.config, self.task, self.networks, self.ema = task.config, task, networks, ema
        self.generator, self.discriminators = networks.generator, networks.discriminators
        self.distribution = distribution
        check_attention(self.config.model.attention, [
            *self.generator.networks.values(), *(each.network for each in self.discriminators.values())])
        self._trained = networks.trained_variables(self.config.optimization.freeze)
        self.optimizers = {name: build_optimizer(self.config.optimization, name, variables)
                           for name, variables in self._trained.items()}
        self._augment_probability = keras.Variable(
            0.0 if self.config.objective.ada_target else 1.0, trainable=False, name="augment_probability")
        self._parts = self.config.hardware.gradient_accumulation_steps
        self.objective = Objective(task, networks, distribution.replicas, self._parts)
        # Compiled without what crosses replicas, which XLA cannot hold, and the noise, which XLA draws otherwise.
        self.local_gradients = self._local_gradients if self.objective.crosses_replicas else tf.function(
            self._local_gradients, jit_compile=xla, autograph=False)

    @classmethod
    def create(cls, config: Config, distribution: Distribution, precision: str = "float32", xla: bool = False) -> Self:
        """Networks with new weights, functions of the settings' seed, and what trains them.

        Args:
            config: the settings.
            distribution: of the step over devices.
            precision: Keras dtype policy of the trained networks; the moving average is float32 always.
            xla: see the constructor.

        Raises:
            UserError: the batch cannot be split, or settings that no network of these has a place for.
        """
        distribution.check_batch_size(config)
        task = find_task(config)
        with distribution.strategy.scope(), seeded_initializers(config.optimization.seed):
            generator, discriminators = task.build_generator(precision), task.build_discriminators(precision)
            ema = task.build_generator("float32")
            for average, weight in zip(ema.weights, generator.weights, strict=True):
                average.assign(weight)
            networks = Networks(generator, discriminators, task.build_auxiliary(generator))
            return cls(task, networks, ema, distribution, xla)

    # ---- weights ----

    @property
    def weights(self) -> dict[str, keras.Variable]:
        """Weights of all networks, by their names in a checkpoint."""
        return self.networks.weights | self.ema.named_weights("ema")

    @property
    def variables(self) -> dict[str, keras.Variable]:
        """All variables of a checkpoint, by names that do not change between runs."""
        adaptive = {"augment_probability": self._augment_probability} if self.config.objective.ada_target else {}
        return self.weights | adaptive | {
            f"optimizer/{name}/{variable.path}": variable
            for name, optimizer in self.optimizers.items() for variable in optimizer.variables}

    # ---- over all replicas ----

    @tf.function(autograph=False)
    def sample(self, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """Samples of the moving average, see `Task.sample`: seeds int64 [B], clips uint8 [B, T, H, W, 3]."""
        return self.task.sample(self.ema, seeds, clips)

    @tf.function(autograph=False)
    def train_step(self, batch: Batch, step: tf.Tensor, schedule: StepSchedule) -> Tensors:
        """One step of all networks that are due.

        Args:
            batch: as `Distribution.split` gives it.
            step: int64 scalar, from which the step's random numbers come.
            schedule: of the step, `objective.schedule(step)`; Python values.

        Returns:
            float32 scalars by name; `skipped` is 1 where a gradient was not finite and nothing was changed.
        """
        strategy = self.distribution.strategy
        gradients, metrics = strategy.run(self._gradients, (batch, step, schedule))
        metrics = {name: strategy.experimental_local_results(value)[0] for name, value in metrics.items()}
        norms = [value for name, value in metrics.items() if name.startswith("gradient_norm/")]
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(norms)))
        tf.cond(finite, lambda: self._update(gradients, step, metrics), lambda: None)
        return {**metrics, "skipped": 1.0 - tf.cast(finite, tf.float32)}

    def _update(self, gradients: Gradients, step: tf.Tensor, metrics: Tensors) -> None:
        for name, of_network in gradients.items():
            self._apply(self.optimizers[name], of_network, self._trained[name],
                        learning_rate(self.config.optimization, name, step))
        for discriminator in self.discriminators.values():
            for layer in normalized_layers(discriminator.network):
                self._assign(layer.singular_vector, layer.next_singular_vector())
        if "generator" in gradients:
            self._update_ema(step)
        accuracies = [value for name, value in metrics.items() if name.startswith("accuracy_pairs/")]
        if self.config.objective.ada_target and accuracies:  # there are none in steps without discriminators
            self._assign(self._augment_probability, next_probability(
                self._augment_probability.value, accuracies, self.config.objective,
                self.config.optimization.batch_size))

    def _apply(self, optimizer: keras.optimizers.Optimizer, gradients: Sequence[tf.Tensor],
               variables: Sequence[keras.Variable], rate: tf.Tensor) -> None:
        """One update on each replica. `optimizer.apply` would sum the gradients, which are that sum already, again."""
        for variable, gradient in zip(variables, gradients, strict=True):
            self.distribution.strategy.extended.update(
                variable.value, lambda value, gradient: optimizer.update_step(gradient, value, rate),
                args=(gradient,), group=False)
        self._assign(optimizer.iterations, optimizer.iterations.value + 1)

    def _update_ema(self, step: tf.Tensor) -> None:
        """Exponential moving average of the generator's weights, with warm-up of the decay."""
        passed = tf.cast(step, tf.float32)
        decay = tf.minimum(self.config.optimization.ema_decay, (1.0 + passed) / (10.0 + passed))
        for average, trained in zip(self.ema.trainable_variables, self.generator.trainable_variables, strict=True):
            self.distribution.strategy.extended.update(
                average.value, lambda mean, value: mean.assign_sub((1.0 - decay) * (mean - value)),
                args=(trained.value,), group=True)

    def _assign(self, variable: keras.Variable, value: tf.Tensor) -> None:
        self.distribution.strategy.extended.update(variable.value, lambda old, new: old.assign(new), args=(value,),
                                                   group=True)

    # ---- on each replica ----

    def noise(self, step: tf.Tensor, part: tf.Tensor | int) -> StepNoise:
        """Random numbers of a part of the batch in a step: of a replica, or one of the parts that it goes through."""
        optimization = self.config.optimization
        random = StepRandom(optimization.seed, step, optimization.batch_size, self.config.clip.num_frames,
                            self.distribution.replicas * self._parts, part)
        return draw_step_noise(self.config, self.task, self.generator, random,
                               tf.convert_to_tensor(self._augment_probability.value))

    def _gradients(self, batch: Batch, step: tf.Tensor, schedule: StepSchedule) -> tuple[Gradients, Tensors]:
        """Gradients of each network, summed over replicas and clipped, and metrics of the global batch."""
        replica = tf.distribute.get_replica_context()
        first = replica.replica_id_in_sync_group * self._parts
        gradients, metrics, logits = accumulate_gradients(batch, self._parts, lambda rows, number: self.local_gradients(
            rows, self.noise(step, first + number), schedule))
        gradients, metrics = replica.all_reduce("sum", (gradients, metrics))
        for name, of_network in gradients.items():
            gradients[name], metrics[f"gradient_norm/{name}"] = tf.clip_by_global_norm(
                of_network, self.config.optimization.gradient_clip_norm)
        if self.config.objective.ada_target:
            metrics["augment_probability"] = tf.convert_to_tensor(self._augment_probability.value)
        return gradients, metrics | discriminator_metrics(logits)

    def _local_gradients(self, batch: Batch, noise: StepNoise, schedule: StepSchedule
                         ) -> tuple[Gradients, Tensors, Mapping[str, tuple[tf.Tensor, tf.Tensor]]]:
        with tf.GradientTape(persistent=True) as tape:
            losses, metrics, logits = self.objective.losses(batch, noise, schedule)
        gradients = {name: tape.gradient(loss, self._trained[name]) for name, loss in losses.items()
                     if name in self._trained}
        return gradients, metrics, logits

