"""Base of the tasks that make clips of given clips: enhance, inpaint, predict, reorient.

Ordinary clips are corrupted, and the network (`models.encoder_decoder`) learns to make the true ones. Such a task says
how clips are corrupted, what the network is to begin with, and which distances count. First, for `--fidelity_steps`,
these alone; then discriminators join, which see what was made beside what was given.

| signature         | inputs                                           | outputs                                      |
|-------------------|--------------------------------------------------|----------------------------------------------|
| `serving_default` | `video` uint8 [B, T, H, W, 3], and what the task | `video` uint8 [B, T, H', W', 3]              |
|                   | takes                                            |                                              |
| `pairs`           | `video` uint8 [B, T, H, W, 3] of the trained     | `video`, which was made; `given`; `target`;  |
|                   | shape, `seed` int64 [B]                          | `mask`, where there is one                   |
| `initial_state`   | any frames of a film, as `serving_default`       | `first_frame`, and what is remembered        |
| `next_segment`    | the next frames, and the outputs of the one      | `video`, fewer frames at first; `first_frame`|
|                   | before                                           | and what is remembered                       |
| `last_segment`    | the outputs of the one before                    | `video`, the frames that are still to come   |

Time, height and width are free. `pairs` corrupts clips as in training, by a seed, and mends them: for evaluation. A
film goes through `initial_state`, any number of `next_segment` and one `last_segment`, cut as one likes: their frames
are those of `serving_default` for the whole film. Each shot of a film is a film of its own.
"""

import dataclasses
import zlib
from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from gan_keras.data.input_pipeline import Batch
from gan_keras.data.pixels import to_float, to_uint8
from gan_keras.layers.frames import sizes
from gan_keras.losses import reconstruction
from gan_keras.losses.forward_pass import Example, ForwardPass, LossTerm, StepNoise, Tensors, mean_per_clip
from gan_keras.models.build import dtype_policy
from gan_keras.models.discriminator import Discriminator
from gan_keras.models.encoder_decoder import SIDE_MULTIPLE, EncoderDecoder, encoder_decoder
from gan_keras.models.generator import Generator
from gan_keras.models.latents import ALGORITHM, Latent, draw_latents
from gan_keras.tasks.task import Draw, Networks, Signature, Task
from gan_keras.video.contact_sheets import match

Shape = tuple[int, ...]

_NO_LAST_FRAME = 2**40
_EXAMPLE_FRAMES, _EXAMPLE_SIDES = 3, (16, 24)


class VideoToVideo(Task):
    """Clips from given clips.

    Attributes:
        guide: channels that the network sees beside base and mask.
        warped: pictures at the beginning of the guide that the network may warp and take pixels of.
        only_warps: whether the network warps its base and adds nothing.
        masked: whether something is made within a mask alone.
        takes_mask: whether the mask is part of a request.
        causal: whether no frame is made from frames after it.
        latents: random inputs, where one given clip has several answers.
        streams: whether a film can be made in segments.
        look_ahead: frames after a frame that its condition depends on, and as many before it.
        adversarial_weight: of the discriminators' losses for the generator, at `--sharpness=1`.
        feature_weight: of feature matching, likewise.
    """

    given_clips, pictures_first, paired_signature = True, False, "pairs"
    guide: int = 0
    warped: int = 0
    only_warps: bool = False
    masked: bool = False
    takes_mask: bool = False
    causal: bool = False
    latents: Mapping[str, Latent] = {}
    streams: bool = True
    look_ahead: int = 0
    adversarial_weight: float = 0.01
    feature_weight: float = 0.0

    # ---- what a task says ----

    def random_numbers(self) -> dict[str, tuple[str, Shape]]:
        """Random numbers by which a clip is corrupted: name → (`uniform` or `normal`, shape)."""
        raise NotImplementedError

    def corrupt(self, clips: tf.Tensor, random: Tensors) -> tuple[Tensors, tf.Tensor]:
        """Corrupts clips.

        Args:
            clips: true ones, float32 [B, T, H, W, 3].
            random: by name, [B, ...], see `random_numbers`.

        Returns:
            What is given, as `conditions` takes it, `video` float32 [B, T, h, w, 3] and more; and the target.
        """
        raise NotImplementedError

    def conditions(self, given: Tensors) -> Tensors:
        """What the network sees of what is given: `base`, and `guide` and `mask` where it has them."""
        raise NotImplementedError

    def conditions_between(self, given: Tensors, before: tf.Tensor | int, after: tf.Tensor | int) -> Tensors:
        """Conditions of some frames, of which others beside them are part: the first and the last of `given`, at most
        `look_ahead`."""
        return self.conditions(given)  # without `look_ahead` there are none

    def fidelity_terms(self) -> list[LossTerm]:
        """Distances of what is made from the target."""
        raise NotImplementedError

    def parameters(self) -> dict[str, tuple[tf.TensorSpec, float]]:
        """Further inputs of the signatures by name, without the batch dimension, with a value for checks."""
        return {}

    # ---- networks and training ----

    @property
    def fidelity_steps(self) -> int:
        """See `Task`."""
        return self.config.given.fidelity_steps

    @property
    def shown_conditions(self) -> Mapping[str, int]:
        """See `Task`."""
        return {"base": 3} | ({"mask": 1} if self.masked else {})

    def build_generator(self, precision: str) -> Generator:
        """Builds the network of the task."""
        with dtype_policy(precision):
            network = encoder_decoder(self.config.model.generator_width, self.guide, self.masked, self.causal,
                                      self.latents, self.warped, self.only_warps)
        return Generator(self.latents, network.clips, stream=network)

    def build_discriminators(self, precision: str) -> dict[str, Discriminator]:
        """Those of the settings, their weights as the task and `--sharpness` say; none where that is 0."""
        weight = self.adversarial_weight * self.config.given.sharpness
        if not weight:
            return {}
        return {name: dataclasses.replace(each, weight=weight * each.weight)
                for name, each in super().build_discriminators(precision).items()}

    def draw_noise(self, draw: Draw, generator: Generator) -> Tensors:
        """Random numbers by which the clips of a step are corrupted."""
        return {name: getattr(draw, kind)(f"corruption/{name}", *shape)
                for name, (kind, shape) in self.random_numbers().items()}

    def example(self, batch: Batch, noise: StepNoise) -> Example:
        """Corrupted clips, and the true ones."""
        given, target = self.corrupt(to_float(batch.clips), noise.task)
        return Example({name: tf.stop_gradient(value) for name, value in self.conditions(given).items()}, target)

    def terms(self, networks: Networks) -> list[LossTerm]:
        """Distances from the target, then the adversarial losses."""
        features = [LossTerm(f"features/{name}", self.feature_weight * self.config.given.sharpness, "generator",
                             _feature_distance(name), view=discriminator.view)
                    for name, discriminator in networks.discriminators.items()]
        return self.fidelity_terms() + features + super().terms(networks)

    # ---- use ----

    def sample(self, generator: Generator, seeds: tf.Tensor, clips: tf.Tensor) -> Tensors:
        """Clips, corrupted by the seeds and mended, see `pairs` at the top of this file."""
        return self._pairs(generator, {"video": clips, "seed": seeds})

    def shown(self, samples: Mapping[str, np.ndarray]) -> np.ndarray:
        """What was given, what was made and what is true side by side, uint8 [B, T, H, 3 W, 3]."""
        target = samples["target"]
        return np.concatenate([match(samples["given"], target), samples["video"], target], 3)

    def signatures(self, generator: Generator) -> dict[str, Signature]:
        """See the top of this file."""
        clip, video = self.config.clip, tf.TensorSpec([None, None, None, 3], tf.uint8)
        example = self.example_request()
        request = {name: tf.TensorSpec([None, *spec.shape], spec.dtype, name)
                   for name, spec in self._request().items()}
        pairs_request = {"video": tf.TensorSpec([None, *clip.shape], tf.uint8, "video"),
                         "seed": tf.TensorSpec([None], tf.int64, "seed")}
        mask = tf.TensorSpec([None, None, None, 1], tf.uint8)
        pairs = {"video": video, "given": video, "target": video} | ({"mask": mask} if self.masked else {})

        def example_pairs() -> Mapping[str, np.ndarray]:
            clips = np.random.default_rng(0).integers(0, 256, (2, *clip.shape), np.uint8)
            return {"video": clips, "seed": np.array([0, 7], np.int64)}

        signatures = {
            "serving_default": Signature(request, {"video": video}, lambda inputs: {"video": self._made(
                generator, self.given_by(inputs), inputs.get("seed"))}, lambda: example),
            "pairs": Signature(pairs_request, pairs, lambda inputs: self._pairs(generator, inputs), example_pairs)}
        return signatures | (self._segments(generator, request, example) if self.streams else {})

    def given_by(self, inputs: Tensors) -> Tensors:
        """What a request gives, as `conditions` takes it."""
        given = {name: value for name, value in inputs.items() if name != "seed"}
        given["video"] = to_float(given["video"])
        if "mask" in given:
            fits = tf.debugging.assert_equal(tf.shape(given["mask"])[:4], tf.shape(given["video"])[:4],
                                             "`mask` must have the frames of `video`, of the same size.")
            with tf.control_dependencies([fits]):  # or what multiplies both may complain first
                given["mask"] = tf.cast(given["mask"] > 0, tf.float32)
        return given

    def example_request(self) -> dict[str, np.ndarray]:
        """A request of a small batch, for checks."""
        random, shape = np.random.default_rng(0), (2, _EXAMPLE_FRAMES, *_EXAMPLE_SIDES)
        values = {"video": random.integers(0, 256, (*shape, 3), np.uint8),
                  "mask": (random.random((*shape, 1)) < 0.2).astype(np.uint8), "seed": np.array([0, 7], np.int64)}
        values |= {name: np.full((2, *spec.shape), value, spec.dtype.as_numpy_dtype)
                   for name, (spec, value) in self.parameters().items()}
        return {name: values[name] for name in self._request()}

    def _request(self) -> dict[str, tf.TensorSpec]:
        video = {"video": tf.TensorSpec([None, None, None, 3], tf.uint8)}
        mask = {"mask": tf.TensorSpec([None, None, None, 1], tf.uint8)} if self.takes_mask else {}
        seed = {"seed": tf.TensorSpec([], tf.int64)} if self.latents else {}
        return video | mask | {name: spec for name, (spec, _) in self.parameters().items()} | seed

    def _made(self, generator: Generator, given: Tensors, seeds: tf.Tensor | None) -> tf.Tensor:
        """Clips of what is given, uint8 [B, T, H', W', 3]."""
        conditions = self.conditions(given)
        height, width = sizes(conditions["base"])[2:4]
        latents = draw_latents(self.latents, seeds, 1) if self.latents else {}
        made = generator.clips({name: _padded(value) for name, value in conditions.items()} | latents)
        return to_uint8(made[:, :, :height, :width])

    def _pairs(self, generator: Generator, inputs: Tensors) -> Tensors:
        random = {name: _by_seed(name, kind, shape, inputs["seed"])
                  for name, (kind, shape) in self.random_numbers().items()}
        given, target = self.corrupt(to_float(inputs["video"]), random)
        pairs = {"video": self._made(generator, given, inputs["seed"]), "given": to_uint8(given["video"]),
                 "target": to_uint8(target)}
        return pairs | ({"mask": tf.cast(self.conditions(given)["mask"], tf.uint8)} if self.masked else {})

    # ---- films, segment by segment ----

    def _segments(self, generator: Generator, request: Mapping[str, tf.TensorSpec], example: Mapping[str, np.ndarray]
                  ) -> dict[str, Signature]:
        stream, frames = generator.stream, ("video", "mask") if self.takes_mask else ("video",)
        state = {"first_frame": tf.TensorSpec([], tf.int64)}
        for name in frames:
            state[f"context_{name}"] = tf.TensorSpec(request[name].shape[1:], tf.uint8)
        for name, (count, _, channels) in stream.buffers.items():
            state[name] = tf.TensorSpec([count, None, None, channels], tf.float32)
        video = {"video": tf.TensorSpec([None, None, None, 3], tf.uint8)}
        parameters = {name: request[name] for name in self.parameters()}

        def initial_state(inputs: Tensors) -> Tensors:
            height, width = sizes(_padded(self.conditions(self.given_by(inputs))["base"][:, :1]))[2:4]
            batch = tf.shape(inputs["video"])[0]
            buffers = {name: tf.zeros([batch, count, height // factor, width // factor, channels])
                      for name, (count, factor, channels) in stream.buffers.items()}
            return {"first_frame": tf.zeros([batch], tf.int64), **buffers,
                    **{f"context_{name}": inputs[name][:, :0] for name in frames}}

        def next_segment(inputs: Tensors) -> Tensors:
            return self._advance(stream, inputs, {name: inputs[name] for name in frames}, ends=False)

        def last_segment(inputs: Tensors) -> Tensors:
            nothing = {name: inputs[f"context_{name}"][:, :0] for name in frames}
            return {"video": self._advance(stream, inputs, nothing, ends=True)["video"]}

        def second_segment() -> Mapping[str, np.ndarray]:
            before = {**_tensors(example), **initial_state(_tensors(example))}
            rows = [next_segment({name: value[row:row + 1] for name, value in before.items()}) for row in range(2)]
            after = {name: np.concatenate([row[name].numpy() for row in rows]) for name in state}
            return {**example, **after}

        where = {name: tf.TensorSpec([None, *spec.shape], spec.dtype, name) for name, spec in state.items()}
        without_frames = where | parameters
        return {
            "initial_state": Signature(request, state, initial_state, lambda: example),
            "next_segment": Signature(request | where, {**video, **state}, next_segment, second_segment),
            "last_segment": Signature(without_frames, video, last_segment, lambda: {
                name: value for name, value in second_segment().items() if name in without_frames})}

    def _advance(self, stream: EncoderDecoder, inputs: Tensors, frames: Tensors, ends: bool) -> Tensors:
        """Takes the next frames of a film, of one row, and gives those that can be known now."""
        known = {name: tf.concat([inputs[f"context_{name}"], new], 1) for name, new in frames.items()}
        seen_before = inputs["first_frame"][0]
        seen = seen_before + tf.shape(frames["video"], tf.int64)[1]
        begin = seen - tf.shape(known["video"], tf.int64)[1]  # number of the first frame that is known
        first = tf.maximum(seen_before - self.look_ahead, 0)
        stop = seen if ends else tf.maximum(seen - self.look_ahead, 0)
        before = tf.cast(tf.minimum(first - begin, self.look_ahead), tf.int32)
        looked_at = {name: value[:, tf.cast(first - begin, tf.int32) - before:] for name, value in known.items()}
        conditions = self.conditions_between(self.given_by({name: inputs[name] for name in self.parameters()}
                                                           | looked_at), before, tf.cast(seen - stop, tf.int32))
        height, width = sizes(conditions["base"])[2:4]
        late = stream.reach if ends else 0
        ready = {name: tf.pad(_padded(value)[0], [[0, late], [0, 0], [0, 0], [0, 0]])
                 for name, value in conditions.items()}
        time = tf.range(first, stop + late)
        last = tf.fill(tf.shape(time), seen - 1 if ends else tf.constant(_NO_LAST_FRAME, tf.int64))
        buffers = {name: inputs[name][0] for name in stream.buffers}

        def outputs() -> Tensors:
            given = {**ready, "time": time, "last": last}
            # When a film ends, many frames are made by one request: one by one, or they would take as many times more
            # memory than all before.
            return _one_by_one(stream, given, buffers) if ends else stream.streaming({**given, **buffers})

        def nothing_yet() -> Tensors:  # a convolution over no pictures gives a wrong number of channels
            return {"pictures": ready["base"], **buffers}

        made = tf.cond(tf.size(time) > 0, outputs, nothing_yet)
        pictures = to_uint8(made["pictures"][tf.maximum(stream.reach - first, 0):])[:, :height, :width]
        context = {f"context_{name}": value[:, tf.maximum(tf.shape(value)[1] - 2 * self.look_ahead, 0):]
                   for name, value in known.items()}
        return {"video": pictures[tf.newaxis], "first_frame": seen[tf.newaxis], **context,
                **{name: made[name][tf.newaxis] for name in stream.buffers}}


def _one_by_one(stream: EncoderDecoder, given: Tensors, buffers: Tensors) -> Tensors:
    """What the streaming network makes of frames, which it is given one after the other.

    Args:
        stream: the network.
        given: its inputs of each frame, [N, ...], one or more.
        buffers: those before the first one.
    """
    def make(number: tf.Tensor, pictures: tf.TensorArray, buffers: Tensors
             ) -> tuple[tf.Tensor, tf.TensorArray, Tensors]:
        frame = {name: value[number:number + 1] for name, value in given.items()}
        made = stream.streaming({**frame, **buffers})
        after = {name: tf.ensure_shape(made[name], value.shape) for name, value in buffers.items()}
        return number + 1, pictures.write(number, made["pictures"][0]), after

    count = tf.shape(given["time"])[0]
    pictures = tf.TensorArray(tf.float32, count, element_shape=[None, None, 3])
    _, pictures, buffers = tf.while_loop(lambda number, *_: number < count, make, (0, pictures, buffers),
                                         parallel_iterations=1)
    return {"pictures": pictures.stack(), **buffers}


def _feature_distance(name: str) -> Callable[[ForwardPass], tf.Tensor]:
    """Feature matching by pairs: the L1 distance of what a discriminator sees in what was made and in the target (as
    pix2pixHD, Wang et al., 2018, arXiv:1711.11585, of the last features, over all positions)."""
    def compute(forward: ForwardPass) -> tf.Tensor:
        real, generated = (outputs.features for outputs in forward.discriminators[name].seen_by_generator)
        return mean_per_clip(reconstruction.l1(tf.stop_gradient(real), generated), forward)

    return compute


def difference_term(name: str, weight: float, within_mask: bool) -> LossTerm:
    """L1 distance from the target: of all pixels, or of those in the mask."""
    def compute(forward: ForwardPass) -> tf.Tensor:
        made, target = forward.outputs["pictures"], forward.example.target
        if within_mask:
            return reconstruction.l1_within(forward.example.condition["mask"], target, made)
        return reconstruction.l1(target, made)

    return LossTerm(name, weight, "generator", compute)


def change_term(weight: float) -> LossTerm:
    """L1 distance of the changes from frame to frame in the mask: what is made has to move as what it stands for."""
    def compute(forward: ForwardPass) -> tf.Tensor:
        made, target = forward.outputs["pictures"], forward.example.target
        mask = forward.example.condition["mask"]
        return reconstruction.l1_within(tf.maximum(mask[:, 1:], mask[:, :-1]), target[:, 1:] - target[:, :-1],
                                        made[:, 1:] - made[:, :-1])

    return LossTerm("change", weight, "generator", compute)


def _padded(clips: tf.Tensor) -> tf.Tensor:
    """Clips whose sides are multiples of `SIDE_MULTIPLE`, edges repeated."""
    for axis in (2, 3):
        side = sizes(clips)[axis]
        wanted = -(-side // SIDE_MULTIPLE) * SIDE_MULTIPLE
        if not isinstance(side, int) or wanted != side:
            clips = tf.gather(clips, tf.minimum(tf.range(wanted), side - 1), axis=axis)
    return clips


def _by_seed(name: str, kind: str, shape: Shape, seeds: tf.Tensor) -> tf.Tensor:
    """Random numbers of each seed, [B, *shape]."""
    draw = tf.random.stateless_normal if kind == "normal" else tf.random.stateless_uniform
    stream = tf.constant(zlib.crc32(name.encode()), tf.int64)
    return tf.map_fn(lambda seed: draw(shape, tf.stack([seed, stream]), alg=ALGORITHM), seeds,
                     fn_output_signature=tf.float32)


def _tensors(values: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(value) for name, value in values.items()}
