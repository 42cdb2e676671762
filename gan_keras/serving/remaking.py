"""What an autoencoder's SavedModel makes of real clips: the clips again, or those on the way from one to the next."""

import itertools
from pathlib import Path

import numpy as np

from gan_keras.errors import UserError
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io
from gan_keras.video.sources import list_source

_MOST_CLIPS = 64


def remade(model: SavedGenerator, source: str, between: int) -> np.ndarray:
    """What a model makes of the clips of a source.

    Args:
        model: the generator.
        source: anything `video.sources` knows; the first frames of each video are taken, the first 64 videos.
        between: clips on the way from each to the next, in the latents; 0 for the clips alone.

    Returns:
        uint8 [N, T, H, W, 3]. N is `between` + 1 for each step from a clip to the next, and one more.

    Raises:
        UserError: the model has no encoder, or the source no clip that is long enough.
    """
    if not model.encodes:
        raise UserError(f"`input` must be empty: {model.path} was trained without --encoder. Received: input={source}")
    clips = _read(source, model)
    if not between:
        return np.concatenate([model.reconstruct(clip[np.newaxis]) for clip in clips])
    if len(clips) < 2:
        raise UserError(f"`between` needs two clips or more to go from one to the other; {source} has {len(clips)}. "
                        f"Received: between={between}")
    latents = [model.encode(clip[np.newaxis]) for clip in clips]
    ways = [{name: (1 - share) * before[name] + share * after[name] for name in before}
            for before, after in itertools.pairwise(latents) for share in np.linspace(0, 1, between + 2)[:-1]]
    return np.concatenate([model.decode(latent) for latent in [*ways, latents[-1]]])


def _read(source: str, model: SavedGenerator) -> np.ndarray:
    """The first frames of the videos of a source, at the size of the model's."""
    facts = model.description
    settings = ClipSettings(resolution=f"{facts.width}x{facts.height}", num_frames=facts.num_frames)
    clips, troubles = [], []
    for item in list_source(source, settings).items[:_MOST_CLIPS]:
        try:
            frames = [io.fit(frame, facts.height, facts.width)
                      for frame in itertools.islice(item.open()[1], facts.num_frames)]
        except io.ReadError as error:
            troubles.append(f"{item.id}: {error}")
            continue
        if len(frames) == facts.num_frames:
            clips.append(np.stack(frames))
        else:
            troubles.append(f"{item.id}: {len(frames)} of {facts.num_frames} frames")
    if not clips:
        raise UserError(f"{Path(source)} has no clip of {facts.num_frames} frames"
                        + (f" ({troubles[0]})" if troubles else "") + ".")
    return np.stack(clips)
