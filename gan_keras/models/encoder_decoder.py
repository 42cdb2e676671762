"""From given clips to clips: an encoder–decoder for clips of any length and size.

It begins as the *base*, an answer that needs no network (a clip enlarged, a hole filled from the frames beside it),
and learns what has to be added. Where there is a *mask*, it adds that within the mask alone: outside, what it was given
comes back bit by bit. Or it adds nothing, and learns the *flow* by which the base is warped.

Fully convolutional over space, without statistics over space, so that tiles with a margin of `SPATIAL_REACH` equal the
whole. Time enters by shifting channels between frames (Lin et al., TSM, 2019, arXiv:1811.08383), once at each level,
so a frame sees `reach` frames before and after it. The same layers also make a *streaming* network, which takes the
next frames of a film with its buffers of those before (as BSVD, Qi et al., 2022, arXiv:2207.06937): whatever way
a film is cut into pieces, each frame is the same, and is computed once.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import keras
from keras import layers

from gan_keras.layers.frames import (
    Delay,
    DepthToSpace,
    ForEachFrame,
    SpaceToDepth,
    StreamingShift,
    TemporalShift,
    ToClips,
    ToPictures,
    Upsample,
    Warp,
    WithinFilm,
)
from gan_keras.models.latents import Latent

SIDE_MULTIPLE = 8
"""Sides of frames are multiples of this many pixels."""
SPATIAL_REACH = 80
"""Pixels, a multiple of `SIDE_MULTIPLE`, from beyond which nothing reaches a pixel; found by an impulse in a test."""

_WIDTHS = (2, 4, 6)
"""Of the levels at a half, a quarter and an eighth of the size, as multiples of the generator's width."""
_MAX_DISPLACEMENT = 8
"""Pixels from which what is warped may come, to each side."""
_BLOCKS = 2
"""Residual blocks of a level on the way down; the first one has the time beside. On the way up there is one."""


@dataclasses.dataclass(frozen=True)
class EncoderDecoder:
    """The network in its two forms, which share all weights.

    Attributes:
        clips: functional model, {`base` [B, T, H, W, 3], `guide` [B, T, H, W, C], `mask` [B, T, H, W, 1], latents by
            name [B, D]}, those that there are, → {`pictures` [B, T, H, W, 3] float32}; where it only warps, also
            `flow` [B, T, H / 4, W / 4, 2], x and y, in pixels where it is small.
        streaming: functional model for the next frames of one film, {`base` [N, H, W, 3] and so on, latents [1, D],
            `time` [N] int64, the number of each frame from 0 on, `last` [N] int64, that of the last frame there will
            be, and the buffers, [n, h, w, c] by name} → {`pictures` [N, H, W, 3], and the next buffers}. The
            pictures are those of `reach` frames before; those of before the film are to be left out.
        reach: frames.
        buffers: shape of each, (n, factor, c): n frames, `factor` times smaller, c channels.
    """

    clips: keras.Model
    streaming: keras.Model
    reach: int
    buffers: Mapping[str, tuple[int, int, int]]


def encoder_decoder(generator_width: int, guide: int, masked: bool, causal: bool = False,
                    latents: Mapping[str, Latent] | None = None, warped: int = 0, only_warps: bool = False
                    ) -> EncoderDecoder:
    """Builds the network with new weights.

    Args:
        generator_width: see `_WIDTHS`.
        guide: channels of what it sees beside base and mask; 0: nothing.
        masked: whether there is a mask, 1 where something is to be made and 0 elsewhere.
        causal: whether no frame sees those after it.
        latents: random inputs of a clip, for which an answer is one of several.
        warped: pictures, the first channels of the guide, of which it may take pixels, warped by a flow that it makes
            itself (learned by what has to be shown, as in deep voxel flow, Liu et al., 2017, arXiv:1702.02463).
        only_warps: whether the base is warped, by a smooth flow, instead of anything being added to it.
    """
    builder, stream = _Builder(generator_width, guide, masked, causal, latents or {}, warped, only_warps), _Stream()
    return EncoderDecoder(builder.model(_WholeClips()), builder.model(stream), stream.delay, stream.buffers)


class _Builder:
    """Layers by name, made once, and the graph over them for a way of treating time."""

    def __init__(self, width: int, guide: int, masked: bool, causal: bool, latents: Mapping[str, Latent],
                 warped: int, only_warps: bool) -> None:
        self._warped, self._only_warps = warped, only_warps
        self._widths, self._causal, self._latents = [factor * width for factor in _WIDTHS], causal, latents
        self._channels = {"base": 3} | ({"guide": guide} if guide else {}) | ({"mask": 1} if masked else {})
        self._layers: dict[str, layers.Layer] = {}

    def model(self, time: "_Time") -> keras.Model:
        """The network for whole clips, or for the next frames of a film."""
        given = {name: time.input(name, channels) for name, channels in self._channels.items()}
        codes = {name: keras.Input((latent.dim,), name=name) for name, latent in self._latents.items()}
        pictures = {name: time.pictures(value) for name, value in given.items()}
        x = self._layer("seen", layers.Concatenate)(list(pictures.values())) if len(pictures) > 1 else pictures["base"]
        x = self._convolution(self._layer("stem_half", SpaceToDepth)(x), self._widths[0], 3, "stem")
        skips, known = [], {name: time.keep(pictures[name]) for name in pictures if name != "guide" or self._warped}
        for level, width in enumerate(self._widths):
            if level:
                skips.append(time.keep(x))
                x = self._convolution(self._layer(f"down_{level}_half", SpaceToDepth)(x), width, 1, f"down_{level}")
            time.factor = 2 ** (level + 1)
            for i in range(_BLOCKS):
                x = self._block(x, width, f"level_{level}_{i}", time if i == 0 else None)
        for name, code in codes.items():
            scales = self._layer(f"{name}_scales", layers.Dense, x.shape[-1], bias_initializer="ones")(code)
            scales = layers.Reshape((1, 1, x.shape[-1]))(time.each_frame(scales))
            x = self._layer(f"{name}_modulated", layers.Multiply)([x, scales])
        # A flow stays at a quarter of the size: at half of it, neighbours went different ways.
        for level, skip in reversed(list(enumerate(skips))[self._only_warps:]):
            time.factor = 2 ** (level + 1)
            # Not by depth to space: of what is the same everywhere, as within a large hole, it makes a pattern.
            x = self._convolution(x, self._widths[level], 1, f"up_{level}")
            x = self._layer(f"up_{level}_double", layers.UpSampling2D)(x)
            x = self._layer(f"up_{level}_sum", layers.Add)([x, time.recall(skip, f"skip_{level}")])
            x = self._block(x, self._widths[level], f"up_{level}", time)
        x, time.factor = self._activation(x, "top"), 1
        known = {name: time.recall(value, f"late_{name}") for name, value in known.items()}
        made = self._warped_base(x, known["base"], time) if self._only_warps else {
            "pictures": time.clips(self._with_added(x, known))}
        return keras.Model(given | codes | time.inputs, made | time.outputs, name=time.name)

    def _warped_base(self, x: keras.KerasTensor, base: keras.KerasTensor, time: "_Time"
                     ) -> dict[str, keras.KerasTensor]:
        """The base, each pixel taken from where the flow says."""
        flow = self._convolution(x, 2, 3, "top", zeros=True)
        offsets = self._layer("top_upsampled", Upsample, 4)(flow)
        # Pixels, at first; all of `Warp`'s range at once would be out of the discriminators' sight.
        offsets = self._layer("top_scaled", layers.Rescaling, 1 / _MAX_DISPLACEMENT, dtype="float32")(offsets)
        return {"pictures": time.clips(self._layer("made", Warp, _MAX_DISPLACEMENT)(base, offsets)),
                **time.auxiliary("flow", flow)}

    def _with_added(self, x: keras.KerasTensor, known: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """The base and what is added to it."""
        x = self._convolution(x, 4 * (3 + 3 * self._warped), 3, "top", zeros=True)
        x = self._layer("top_double", DepthToSpace, dtype="float32")(x)
        x = self._with_warped(x, known) if self._warped else x
        if "mask" in known:
            x = self._layer("within_mask", layers.Multiply, dtype="float32")([x, known["mask"]])
        return self._layer("made", layers.Add, dtype="float32")([x, known["base"]])

    def _with_warped(self, x: keras.KerasTensor, known: Mapping[str, keras.KerasTensor]) -> keras.KerasTensor:
        """What is added to the base. x says of what: its own colours, and for each picture of the guide how much of it,
        and the flow by which that is warped."""
        added = x[..., :3]
        for i in range(self._warped):
            gate, offsets = x[..., 3 + 3 * i:4 + 3 * i], x[..., 4 + 3 * i:6 + 3 * i]
            picture = known["guide"][..., 3 * i:3 * i + 3]
            warped = self._layer(f"warped_{i}", Warp, _MAX_DISPLACEMENT)(picture, offsets)
            change = self._layer(f"warped_{i}_change", layers.Subtract, dtype="float32")([warped, known["base"]])
            gated = self._layer(f"warped_{i}_gated", layers.Multiply, dtype="float32")([change, gate])
            added = self._layer(f"warped_{i}_sum", layers.Add, dtype="float32")([added, gated])
        return added

    def _block(self, x: keras.KerasTensor, width: int, name: str, time: "_Time | None") -> keras.KerasTensor:
        """Residual block; with `time`, its branch sees the frames beside."""
        branch = x
        if time is not None:
            branch, x = time.shift(x, f"{name}_shift", self._causal)
        for i in range(2):
            branch = self._activation(branch, f"{name}_{i}")
            branch = self._convolution(branch, width, 3, f"{name}_{i}", zeros=i == 1)
        return self._layer(f"{name}_sum", layers.Add)([x, branch])

    def _convolution(self, x: keras.KerasTensor, channels: int, kernel: int, name: str, zeros: bool = False
                     ) -> keras.KerasTensor:
        initializer = "zeros" if zeros else "he_normal"
        return self._layer(f"{name}_convolution", layers.Conv2D, channels, kernel, padding="same",
                           kernel_initializer=initializer)(x)

    def _activation(self, x: keras.KerasTensor, name: str) -> keras.KerasTensor:
        return self._layer(f"{name}_activation", layers.LeakyReLU, negative_slope=0.2)(x)

    def _layer(self, name: str, make: Callable[..., layers.Layer], *arguments: object, **settings: object
               ) -> layers.Layer:
        if name not in self._layers:
            self._layers[name] = make(*arguments, name=name, **settings)
        return self._layers[name]


class _Time(Protocol):
    """How a network treats the frames of a clip; pictures are [N, H, W, C], `keep` and `recall` go around others."""

    name: str
    factor: int
    inputs: dict[str, keras.KerasTensor]
    outputs: dict[str, keras.KerasTensor]

    def input(self, name: str, channels: int) -> keras.KerasTensor: ...
    def pictures(self, clips: keras.KerasTensor) -> keras.KerasTensor: ...
    def clips(self, pictures: keras.KerasTensor) -> keras.KerasTensor: ...
    def auxiliary(self, name: str, pictures: keras.KerasTensor) -> dict[str, keras.KerasTensor]: ...
    def each_frame(self, values: keras.KerasTensor) -> keras.KerasTensor: ...
    def shift(self, x: keras.KerasTensor, name: str, causal: bool) -> tuple[keras.KerasTensor, keras.KerasTensor]: ...
    def keep(self, x: keras.KerasTensor) -> Any: ...
    def recall(self, kept: Any, name: str) -> keras.KerasTensor: ...


class _WholeClips:
    """All frames of a clip at once."""

    name, factor = "backbone", 1

    def __init__(self) -> None:
        self.inputs: dict[str, keras.KerasTensor] = {}
        self.outputs: dict[str, keras.KerasTensor] = {}
        self._like: keras.KerasTensor | None = None

    def input(self, name: str, channels: int) -> keras.KerasTensor:
        """Clips that are given."""
        clips = keras.Input((None, None, None, channels), name=name)
        self._like = clips if self._like is None else self._like
        return clips

    def pictures(self, clips: keras.KerasTensor) -> keras.KerasTensor:
        """Their frames."""
        return ToPictures()(clips)

    def clips(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """The opposite."""
        return ToClips(dtype="float32")(pictures, self._like)

    def auxiliary(self, name: str, pictures: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """An output for losses, beside the pictures that are made, by its name."""
        return {name: self.clips(pictures)}

    def each_frame(self, values: keras.KerasTensor) -> keras.KerasTensor:
        """What belongs to a clip, for each of its frames."""
        return ForEachFrame()(values, self._like)

    def shift(self, x: keras.KerasTensor, name: str, causal: bool) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Pictures that see the frames beside, and the pictures as they were."""
        return TemporalShift(causal=causal, name=name)(x, self._like), x

    def keep(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Pictures, for `recall`."""
        return x

    def recall(self, kept: keras.KerasTensor, name: str) -> keras.KerasTensor:
        """They again, of the same frames as all else."""
        return kept


class _Stream:
    """The next frames of one film. What sees the frame after it is late by one more frame.

    Attributes:
        delay: frames by which pictures are late, so far in the network.
        factor: how many times smaller than the frames they are there.
        buffers: see `EncoderDecoder`.
    """

    name = "streaming"

    def __init__(self) -> None:
        self.delay, self.factor, self.buffers = 0, 1, {}
        self.outputs: dict[str, keras.KerasTensor] = {}
        self.inputs = {name: keras.Input((), name=name, dtype="int64") for name in ("time", "last")}

    def input(self, name: str, channels: int) -> keras.KerasTensor:
        """Frames that are given."""
        return keras.Input((None, None, channels), name=name)

    def pictures(self, clips: keras.KerasTensor) -> keras.KerasTensor:
        """The frames are pictures."""
        return clips

    def clips(self, pictures: keras.KerasTensor) -> keras.KerasTensor:
        """The pictures are frames."""
        return pictures

    def auxiliary(self, name: str, pictures: keras.KerasTensor) -> dict[str, keras.KerasTensor]:
        """No loss looks at a film in pieces."""
        return {}

    def each_frame(self, values: keras.KerasTensor) -> keras.KerasTensor:
        """One row is as good as one for each frame."""
        return values

    def shift(self, x: keras.KerasTensor, name: str, causal: bool) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Pictures that see the frames beside, and the pictures as they were, both late."""
        x = WithinFilm(self.delay)(x, self.inputs["time"], self.inputs["last"])
        layer = StreamingShift(causal=causal)
        shifted, x, self.outputs[name] = layer(x, self._buffer(name, layer.buffered_frames, x))
        self.delay += 0 if causal else 1
        return shifted, x

    def keep(self, x: keras.KerasTensor) -> tuple[keras.KerasTensor, int]:
        """Pictures, and how late they are."""
        return x, self.delay

    def recall(self, kept: tuple[keras.KerasTensor, int], name: str) -> keras.KerasTensor:
        """They again, as late as all else is now."""
        x, delay = kept
        if delay == self.delay:
            return x
        x, self.outputs[name] = Delay(dtype=x.dtype)(x, self._buffer(name, self.delay - delay, x))
        return x

    def _buffer(self, name: str, frames: int, like: keras.KerasTensor) -> keras.KerasTensor:
        self.inputs[name] = keras.Input((None, None, like.shape[-1]), name=name, dtype=like.dtype)
        self.buffers[name] = frames, self.factor, like.shape[-1]
        return self.inputs[name]
