"""The objective: losses of all networks for one training step, computed by one replica from its rows of the batch.

An objective is a list of terms (`losses.forward_pass.LossTerm`). It computes a forward pass once, each term from it,
and sums terms per network. All numbers are this replica's share of the mean over the global batch, so that a sum over
the replicas is that mean.
"""

import tensorflow as tf

from gan_keras.data.augment import augment
from gan_keras.data.input_pipeline import Batch
from gan_keras.errors import UserError
from gan_keras.layers.clipping import clip_with_inward_gradient
from gan_keras.losses import adversarial
from gan_keras.losses.forward_pass import DiscriminatorPass, Example, ForwardPass, LossTerm, StepNoise, Tensors
from gan_keras.losses.unrolling import unrolled_outputs
from gan_keras.models.build import view_factor
from gan_keras.models.discriminator import Discriminator, repeat_for_samples
from gan_keras.models.views import View, Views, for_each_view, sampled_frames, views_of
from gan_keras.tasks.task import Networks, Task
from gan_keras.training.step_schedule import PICTURES, StepSchedule, step_schedule


class Objective:
    """Losses of the networks of a task.

    Args:
        task: whose terms and examples.
        networks: that are trained.
        replicas: over how many devices a batch is split.
        parts: in which each of them goes through its rows, one after the other.

    Raises:
        UserError: a loss of all rows together, and several parts.
    """

    def __init__(self, task: Task, networks: Networks, replicas: int, parts: int = 1) -> None:
        self._task, self._networks, self._config = task, networks, task.config
        self._replicas, self._parts = replicas, parts
        self._terms = [term for term in task.terms(networks) if term.weight]
        together = [term.name for term in self._terms if term.crosses_replicas]
        if parts > 1 and together:
            raise UserError(f"`gradient_accumulation_steps` must be 1 with a loss of all clips of a batch together: "
                            f"{', '.join(together)}. Received: gradient_accumulation_steps={parts}")
        self._factor = view_factor(task.config.clip, task.config.model)
        self._pictures_first = task.pictures_first and task.config.clip.num_frames > 1 and any(
            discriminator.view == PICTURES for discriminator in networks.discriminators.values())

    @property
    def crosses_replicas(self) -> bool:
        """Whether a loss needs values of other replicas before it is done; XLA cannot compile such a step."""
        return self._replicas > 1 and any(term.crosses_replicas for term in self._terms)

    @property
    def first_steps(self) -> int:
        """Steps at the start that are of pictures alone, or without discriminators; 0: there are none."""
        return self._config.objective.picture_steps if self._pictures_first else self._task.fidelity_steps

    def schedule(self, step: int, first_steps: int | None = None) -> StepSchedule:
        """What a step computes.

        Args:
            step: its number, from 0 on.
            first_steps: in place of those of the settings.
        """
        intervals = {term.interval for term in self._terms}
        first = self.first_steps if first_steps is None else first_steps
        return step_schedule(step, self._config.objective, intervals, first, self._pictures_first)

    def losses(self, batch: Batch, noise: StepNoise, schedule: StepSchedule
               ) -> tuple[Tensors, Tensors, dict[str, tuple[tf.Tensor, tf.Tensor]]]:
        """Computes the losses of a step.

        Args:
            batch: this replica's rows, or a part of them.
            noise: of these rows.
            schedule: what this step computes.

        Returns:
            The loss of each network that is updated; losses and terms by the names under which they are logged; and
            the logits of each discriminator for real and generated samples, [N]. All losses are shares of the global
            mean.
        """
        forward = self.forward(batch, noise, schedule)
        size = float(batch.clips.shape[0] * self._replicas * self._parts)
        losses, metrics = {}, {}
        for term in self._terms:
            if self._is_due(term, schedule):
                value = tf.reduce_sum(term.compute(forward)) / size
                losses[term.network] = losses.get(term.network, 0.0) + term.weight * term.interval * value
                metrics[f"terms/{term.network}/{term.name}"] = value
        metrics |= {f"loss/{network}": loss for network, loss in losses.items()}
        logits = {name: tuple(tf.reshape(outputs.logits, [-1]) for outputs in (
            through.real_outputs, through.generated_outputs)) for name, through in forward.discriminators.items()}
        return losses, metrics, logits

    def forward(self, batch: Batch, noise: StepNoise, schedule: StepSchedule) -> ForwardPass:
        """Makes examples, generates clips, and passes both through all discriminators."""
        example = self._task.example(batch, noise)
        frames = sampled_frames(noise.frames, self._config.clip.num_frames)
        factor = None if schedule.pictures_only else self._factor
        real = self._as_seen(views_of(example.target, frames, factor), example, noise)
        inputs = {**noise.latents, **example.condition}
        generator, earlier = self._networks.generator, noise.earlier
        state = earlier and generator.state_after(inputs, earlier.noise, earlier.counts)
        outputs = generator.outputs(inputs, frames if schedule.pictures_only else None, state, training=True)
        generated = self._generated_views(outputs, example, noise, factor)
        discriminators = {name: self._discriminate(discriminator, real, generated, inputs.get("label"), schedule)
                          for name, discriminator in self._networks.discriminators.items()
                          if self._is_seen(discriminator.view, schedule)}
        forward = ForwardPass(example, noise, inputs, outputs, real, generated, discriminators)
        if not schedule.generator:
            return forward
        return forward._replace(task=self._task.extend(forward, self._networks, lambda inputs, noise: (
            self._generated_views(self._networks.generator.outputs(inputs, training=True), example, noise, factor))))

    def _is_due(self, term: LossTerm, schedule: StepSchedule) -> bool:
        updated = schedule.generator or term.network in self._networks.discriminators
        return updated and term.interval in schedule.intervals and self._is_seen(term.view, schedule)

    def _is_seen(self, view: View | None, schedule: StepSchedule) -> bool:
        """Whether a view is seen by a discriminator; None: whole clips, which terms without one compare."""
        if view is None:
            return not schedule.pictures_only
        return schedule.adversarial and (not schedule.pictures_only or view == PICTURES)

    def _discriminate(self, discriminator: Discriminator, real: Views, generated: Views, label: tf.Tensor | None,
                      schedule: StepSchedule) -> DiscriminatorPass:
        real, generated = (discriminator.samples(getattr(views, discriminator.view)) for views in (real, generated))
        label = None if label is None else repeat_for_samples(label, real)
        outputs = tuple(discriminator(samples, label, training=True) for samples in (real, generated))
        objective, optimization, seen = self._config.objective, self._config.optimization, outputs
        if objective.unroll_steps and schedule.generator:
            seen = unrolled_outputs(discriminator, adversarial.FUNCTIONS[objective.loss], real, generated, label,
                                    objective.unroll_steps,
                                    optimization.discriminator_learning_rate or optimization.learning_rate)
        return DiscriminatorPass(discriminator, real, generated, label, *outputs, seen)

    def _generated_views(self, outputs: Tensors, example: Example, noise: StepNoise, factor: int | None) -> Views:
        frames = sampled_frames(noise.frames, self._config.clip.num_frames)
        views = self._networks.generator.views(outputs, frames, factor)
        views = for_each_view(lambda view: clip_with_inward_gradient(view, -1.0, 1.0), views)
        return self._as_seen(views, example, noise)

    def _as_seen(self, views: Views, example: Example, noise: StepNoise) -> Views:
        """Views as discriminators see them: beside the conditions that are shown, augmented, with noise."""
        objective = self._config.objective
        frames = sampled_frames(noise.frames, self._config.clip.num_frames)
        for name in self._task.shown_conditions:
            shown = views_of(example.condition[name], frames, self._factor)
            views = for_each_view(lambda view, condition: tf.concat([view, condition], axis=-1), views, shown)
        if objective.diffaugment:
            views = for_each_view(lambda view, uniform: augment(
                view, objective.diffaugment, uniform, noise.augment_probability), views, noise.diffaugment)
        if objective.instance_noise:
            views = for_each_view(lambda view, normal: view + objective.instance_noise * normal, views, noise.instance)
        return views
