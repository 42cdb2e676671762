"""The networks of a run and one step of their training.

`VideoGAN` owns the generator, its running average, the discriminators and their optimizers. `train_step` is the
algorithm: compute every network's gradient from one forward pass (`objective.Objective`), update all networks at once,
update the average.

Two replicas equal one at the same global batch: random numbers are drawn for the global batch and each replica takes
its rows; losses are summed and divided by the global number of samples; gradients are summed over replicas *before*
they are clipped; and a step whose gradient is not finite on any replica is skipped on all.
"""

import fnmatch

import keras
import tensorflow as tf

from gan_keras import sampling
from gan_keras.config import Config
from gan_keras.data import clips as clip_batch
from gan_keras.errors import UserError
from gan_keras.models.attention import check_attention
from gan_keras.models.build import build_discriminators, build_generator, build_latent_judge
from gan_keras.models.discriminator import named_weights
from gan_keras.models.heads import STATISTICS_GROUP
from gan_keras.models.spectral import normalized_layers
from gan_keras.objective import Due, Objective
from gan_keras.optimizers import build_optimizer
from gan_keras.step_noise import Noise, Tensors, draw_noise


class VideoGAN:
    """Networks, optimizers and the training step.

    Args:
        config: the settings.
        strategy: built under and run by this `tf.distribute` strategy.
        precision: Keras dtype policy of the trained networks; the average is float32 always.
        xla: compile the computation of the gradients, where that needs nothing of other replicas.

    Raises:
        UserError: the batch does not split over the replicas, or settings that no network of these has a place for.

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
        _check_batch(config, strategy.num_replicas_in_sync)
        keras.utils.set_random_seed(config.optimization.seed)
        with strategy.scope():
            self.generator = build_generator(config.clips, config.model, precision)
            self.discriminators = build_discriminators(config.clips, config.model, precision)
            self.average = build_generator(config.clips, config.model, "float32")
            for mine, trained in zip(self.average.weights, self.generator.weights, strict=True):
                mine.assign(trained)
            self._latent_judge = build_latent_judge(self.generator, config.clips, config.model) \
                if config.model.encoder and config.model.encoder_prior == "adversarial" else None
            self._trained = self._not_frozen()
            self.optimizers = {name: build_optimizer(config.optimization, name, variables)
                               for name, variables in self._trained.items()}
            self._augment_probability = keras.Variable(
                0.0 if config.objective.augment_target else 1.0, trainable=False, name="augment_probability")
        check_attention(config.model, [*self.generator.networks.values(),
                                       *(judge.network for judge in self.discriminators.values())])
        self._objective = Objective(config, self.generator, self.discriminators, self._latent_judge,
                                    strategy.num_replicas_in_sync)
        # Compiled without what crosses replicas, which XLA cannot hold, and the noise, which XLA draws otherwise.
        self._local_gradients = self._compute_gradients if self._objective.crosses_replicas else tf.function(
            self._compute_gradients, jit_compile=xla, autograph=False)

    def _not_frozen(self) -> dict[str, list[keras.Variable]]:
        """The variables that each optimizer updates: all that can be trained but those that `freeze` names."""
        trainable = {"generator": self.generator.trainable_variables,
                     **{name: judge.network.trainable_variables for name, judge in self.discriminators.items()}}
        if self._latent_judge:
            trainable["latents"] = self._latent_judge.trainable_variables
        names = {id(variable): name for name, variable in self._networks.items()}
        frozen = set()
        for pattern in self.config.optimization.freeze:
            found = set(fnmatch.filter(names.values(), pattern))
            if not found:
                raise UserError(f"`freeze` names no weights of these networks, whose names are as "
                                f"{next(iter(names.values()))}. Received: freeze={pattern}")
            frozen |= found
        left = {network: [variable for variable in variables if names[id(variable)] not in frozen]
                for network, variables in trainable.items()}
        return {network: variables for network, variables in left.items() if variables}

    @property
    def _networks(self) -> dict[str, keras.Variable]:
        """The weights of the networks that are trained."""
        of_latents = {f"discriminator/latents/{variable.path}": variable
                      for variable in (self._latent_judge.weights if self._latent_judge else ())}
        return self.generator.named_weights("generator") | named_weights(self.discriminators) | of_latents

    @property
    def weights(self) -> dict[str, keras.Variable]:
        """The weights of all networks, by the names of `variables`."""
        return self._networks | self.average.named_weights("average")

    @property
    def variables(self) -> dict[str, keras.Variable]:
        """Everything a checkpoint holds, by a path that does not change between runs."""
        adapted = {"augment_probability": self._augment_probability} if self.config.objective.augment_target else {}
        return self.weights | adapted | {
            f"optimizer/{name}/{variable.path}": variable
            for name, optimizer in self.optimizers.items() for variable in optimizer.variables}

    @property
    def learning_rate(self) -> float:
        """The generator's learning rate now."""
        return float(tf.convert_to_tensor(self.optimizers["generator"].learning_rate))

    def due(self, step: int) -> Due:
        """What is part of a step, for `train_step`."""
        return self._objective.due(step)

    @tf.function(autograph=False, input_signature=[tf.TensorSpec([None], tf.int64)])
    def sample(self, seeds: tf.Tensor) -> tf.Tensor:
        """Clips of the running average, seeds int64 [B] → uint8 [B, T, H, W, 3]."""
        latents = sampling.draw_latents(self.average.latents, seeds, self.config.clips.num_frames)
        return clip_batch.to_uint8(self.average.clips(latents))

    def split(self, batch: Tensors) -> Tensors:
        """The global batch as one part for each replica, for `train_step`."""
        replicas = self.strategy.num_replicas_in_sync
        if replicas == 1:
            return batch
        parts = {name: tf.split(values, replicas) for name, values in batch.items()}
        return self.strategy.experimental_distribute_values_from_function(
            lambda at: {name: values[at.replica_id_in_sync_group] for name, values in parts.items()})

    @tf.function(autograph=False)
    def train_step(self, batch: Tensors, step: tf.Tensor, due: Due) -> Tensors:
        """One step of all networks that are due.

        Args:
            batch: `clips` uint8 [batch_size, T, H, W, 3] and `label` int64 [batch_size], or that split over the
                replicas.
            step: int64 scalar, from which the step's random numbers come.
            due: what is part of it; Python values (each is traced once).

        Returns:
            float32 scalars by name; `skipped` is 1 where a gradient was not finite and nothing was changed.
        """
        gradients, numbers = self.strategy.run(self._gradients, (batch, step, due))
        numbers = {name: self.strategy.experimental_local_results(value)[0] for name, value in numbers.items()}
        norms = [value for name, value in numbers.items() if name.startswith("gradient_norm/")]
        finite = tf.reduce_all(tf.math.is_finite(tf.stack(norms)))
        tf.cond(finite, lambda: self._update(gradients, step, numbers), lambda: None)
        return {**numbers, "skipped": 1.0 - tf.cast(finite, tf.float32)}

    # ---- over all replicas ----

    def _update(self, gradients: dict[str, list[tf.Tensor]], step: tf.Tensor, numbers: Tensors) -> None:
        self.strategy.run(self._update_networks, (gradients,))
        for judge in self.discriminators.values():
            for layer in normalized_layers(judge.network):
                self._assign(layer.direction, layer.next_direction())
        if "generator" in gradients:
            self._update_average(step)
        if self.config.objective.augment_target:
            self._adapt(numbers)

    def _update_average(self, step: tf.Tensor) -> None:
        """Moves the average towards the weights: slowly, but not so slowly that the first steps stay in it."""
        passed = tf.cast(step, tf.float32)
        decay = tf.minimum(self.config.optimization.average_decay, (1.0 + passed) / (10.0 + passed))
        for average, trained in zip(self.average.trainable_variables, self.generator.trainable_variables, strict=True):
            self.strategy.extended.update(
                average.value, lambda mine, value: mine.assign_sub((1.0 - decay) * (mine - value)),
                args=(trained.value,), group=True)

    def _adapt(self, numbers: Tensors) -> None:
        """More augmentation where the discriminators know the training clips too well, less where they do not.

        r = E[sign(D(x) - D(G(z)))], held at `augment_target` by steps of fixed size (ADA, Karras et al., 2020,
        arXiv:2006.06676, section 3.1; there E[sign(D(x))], but a relativistic logit has no zero).
        """
        objective = self.config.objective
        known = tf.reduce_mean([2.0 * numbers[f"accuracy_pairs/{name}"] - 1.0 for name in self.discriminators])
        change = self.config.optimization.batch_size / objective.augment_clips
        change *= tf.sign(known - objective.augment_target)
        self._assign(self._augment_probability,
                     tf.clip_by_value(self._augment_probability.value + change, 0.0, 1.0))

    def _assign(self, variable: keras.Variable, value: tf.Tensor) -> None:
        self.strategy.extended.update(variable.value, lambda mine, new: mine.assign(new), args=(value,), group=True)

    # ---- on each replica ----

    def noise(self, step: tf.Tensor, replica_id: tf.Tensor | int) -> Noise:
        """The random numbers of a replica in a step; see `step_noise`."""
        return draw_noise(self.config, self.generator, self.strategy.num_replicas_in_sync, step, replica_id)

    def _gradients(self, batch: Tensors, step: tf.Tensor, due: Due) -> tuple[dict[str, list[tf.Tensor]], Tensors]:
        """The gradient of each network, summed over replicas and clipped, and what the step measured."""
        replica = tf.distribute.get_replica_context()
        noise = {**self.noise(step, replica.replica_id_in_sync_group),
                 "augment_probability": tf.convert_to_tensor(self._augment_probability.value)}
        found, numbers = self._local_gradients(batch, noise, due)
        found, numbers = replica.all_reduce("sum", (found, numbers))
        clipped = {}
        for name, gradient in found.items():
            clipped[name], numbers[f"gradient_norm/{name}"] = tf.clip_by_global_norm(
                gradient, self.config.optimization.gradient_norm_limit)
        if self.config.objective.augment_target:
            numbers["augment_probability"] = noise["augment_probability"]
        return clipped, numbers

    def _compute_gradients(self, batch: Tensors, noise: Noise, due: Due
                           ) -> tuple[dict[str, list[tf.Tensor]], Tensors]:
        with tf.GradientTape(persistent=True) as tape:
            losses, numbers = self._objective.losses(batch, noise, due)
        gradients = {name: tape.gradient(loss, self._trained[name]) for name, loss in losses.items()
                     if name in self._trained}
        return gradients, numbers

    def _update_networks(self, gradients: dict[str, list[tf.Tensor]]) -> None:
        # `apply` sums over the replicas, and these gradients are that sum already.
        share = 1.0 / self.strategy.num_replicas_in_sync
        for name, gradient in gradients.items():
            self.optimizers[name].apply([part * share for part in gradient], self._trained[name])


def _check_batch(config: Config, replicas: int) -> None:
    batch_size = config.optimization.batch_size
    if batch_size % replicas:
        raise UserError(f"`batch_size` must be a multiple of the {replicas} devices. Received: batch_size={batch_size}")
    if config.model.minibatch_statistics and batch_size % (STATISTICS_GROUP * replicas):
        raise UserError(f"`batch_size` must be a multiple of {STATISTICS_GROUP} for each of the {replicas} devices "
                        f"where there are minibatch statistics. Received: batch_size={batch_size}")
