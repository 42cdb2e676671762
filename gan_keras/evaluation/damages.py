"""Known damages of real clips, each weak, medium and strong: what a metric has to see before it is believed.

`freeze`, `shuffle`, `reverse`, `jitter` and `loop` only choose anew which of a clip's frames is shown when: a metric
that sees them sees motion. `drop` and `repeat` leave every single clip as it was: a metric that sees them sees variety.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import ndimage


@dataclasses.dataclass(frozen=True, eq=False)
class Specimen:
    """Real clips to be damaged.

    Attributes:
        clips: uint8 [N, T, H, W, 3].
        sources: int64 [N], as in `ClipSet`.
        labels: int64 [N], -1 where there are no classes.
        stranger: uint8 [T, H, W, 3], a training clip of a video that is not among them.
    """

    clips: np.ndarray
    sources: np.ndarray
    labels: np.ndarray
    stranger: np.ndarray

    @property
    def has_classes(self) -> bool:
        """Whether there are classes of which some can be dropped."""
        return len(np.unique(self.labels)) > 1


@dataclasses.dataclass(frozen=True)
class Damage:
    """A way to damage clips.

    Attributes:
        meaning: what is done, and what the strength counts.
        strengths: weak to strong.
        apply: makes a damaged copy.
    """

    meaning: str
    strengths: tuple[float, ...]
    apply: Callable[[Specimen, float, np.random.Generator], Specimen]


def blur(specimen: Specimen, pixels: float, _: np.random.Generator) -> Specimen:
    """Gaussian blur of every frame; the standard deviation is in pixels of a frame whose shorter side is 64."""
    sigma = pixels * min(specimen.clips.shape[2:4]) / 64
    return _with_clips(specimen, lambda clip: ndimage.gaussian_filter(
        clip.astype(np.float32), (0, sigma, sigma, 0), mode="nearest"))


def noise(specimen: Specimen, levels: float, random: np.random.Generator) -> Specimen:
    """Gaussian noise on every number of every frame; the standard deviation is in levels of 255."""
    return _with_clips(specimen, lambda clip: clip + levels * random.standard_normal(clip.shape, np.float32))


def freeze(specimen: Specimen, share: float, _: np.random.Generator) -> Specimen:
    """The last part of a clip stands still: its first frame is shown to the end."""
    frames = specimen.clips.shape[1]
    still = max(1, round(frames * (1 - share)))
    return _with_times(specimen, lambda times: np.minimum(times, still - 1))


def shuffle(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """Some of a clip's frames change places among themselves."""
    def permuted(times: np.ndarray) -> np.ndarray:
        moved = np.sort(random.permutation(len(times))[:max(2, round(share * len(times)))])
        times = times.copy()
        times[moved] = times[np.roll(moved, 1)] if len(moved) == 2 else times[random.permutation(moved)]
        return times

    return _with_times(specimen, permuted)


def reverse(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """Some clips run backwards."""
    chosen = random.random(len(specimen.clips)) < share
    clips = np.where(chosen[:, None, None, None, None], specimen.clips[:, ::-1], specimen.clips)
    return dataclasses.replace(specimen, clips=clips)


def jitter(specimen: Specimen, frames: float, random: np.random.Generator) -> Specimen:
    """Each frame is shown up to so many frames too early or too late: some come twice, some not at all."""
    def shaken(times: np.ndarray) -> np.ndarray:
        return np.clip(times + random.integers(-int(frames), int(frames), len(times), endpoint=True), 0, times[-1])

    return _with_times(specimen, shaken)


def flicker(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """Every frame is up to so much brighter or darker, each by another amount."""
    return _with_clips(specimen, lambda clip: clip * (1 + random.uniform(-share, share, (len(clip), 1, 1, 1))))


def fade(specimen: Specimen, share: float, _: np.random.Generator) -> Specimen:
    """Clips grow evenly darker; the last frame has lost so much of its brightness."""
    return _with_clips(specimen, lambda clip: clip * (1 - np.linspace(0, share, len(clip))[:, None, None, None]))


def loop(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """Some clips show their first third again and again."""
    period = max(2, specimen.clips.shape[1] // 3)

    def looped(times: np.ndarray) -> np.ndarray:
        return times % period if random.random() < share else times

    return _with_times(specimen, looped)


def splice(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """In some clips another one begins in the middle."""
    chosen, half = random.random(len(specimen.clips)) < share, specimen.clips.shape[1] // 2
    clips = specimen.clips.copy()
    clips[chosen, half:] = np.roll(specimen.clips, 1, axis=0)[chosen, half:]
    return dataclasses.replace(specimen, clips=clips)


def drop(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """So many clips of half of the classes are replaced by others of the classes that are kept."""
    classes = np.unique(specimen.labels)
    doomed = np.isin(specimen.labels, classes[len(classes) - len(classes) // 2:])
    gone = doomed & (random.random(len(doomed)) < share)
    instead = random.choice(np.flatnonzero(~doomed), gone.sum())
    return _replace(specimen, gone, specimen.clips[instead], specimen.sources[instead])


def repeat(specimen: Specimen, share: float, random: np.random.Generator) -> Specimen:
    """So many clips are replaced by one and the same training clip."""
    gone = random.permutation(len(specimen.clips)) < round(share * len(specimen.clips))
    return _replace(specimen, gone, specimen.stranger, -1 - np.arange(gone.sum()))


DAMAGES = {
    "blur": Damage("Gaussian blur of every frame, in 1/64 of its shorter side", (0.5, 1.0, 2.0), blur),
    "noise": Damage("Gaussian noise on every frame, in levels of 255", (4.0, 8.0, 16.0), noise),
    "freeze": Damage("so large a part at the end stands still", (0.25, 0.5, 1.0), freeze),
    "shuffle": Damage("so large a part of the frames change places", (0.25, 0.5, 1.0), shuffle),
    "reverse": Damage("so large a part of the clips run backwards", (0.25, 0.5, 1.0), reverse),
    "jitter": Damage("frames are shown up to so many frames too early or late", (1.0, 2.0, 4.0), jitter),
    "flicker": Damage("frames are up to so much brighter or darker, each by another amount", (0.05, 0.1, 0.2), flicker),
    "fade": Damage("clips grow darker, up to so much", (0.1, 0.3, 0.6), fade),
    "loop": Damage("so large a part of the clips show their first third again and again", (0.25, 0.5, 1.0), loop),
    "splice": Damage("in so large a part of the clips another one begins in the middle", (0.25, 0.5, 1.0), splice),
    "drop": Damage("so large a part of half of the classes are replaced by clips of the others", (0.5, 0.75, 1.0),
                   drop),
    "repeat": Damage("so large a part of the clips are one and the same training clip", (0.05, 0.2, 0.5), repeat),
}


def _with_clips(specimen: Specimen, change: Callable[[np.ndarray], np.ndarray]) -> Specimen:
    """Changes clip by clip: only one is held as floats."""
    clips = np.empty_like(specimen.clips)
    for index, clip in enumerate(specimen.clips):
        clips[index] = np.clip(np.round(change(clip)), 0, 255)
    return dataclasses.replace(specimen, clips=clips)


def _with_times(specimen: Specimen, change: Callable[[np.ndarray], np.ndarray]) -> Specimen:
    times = np.arange(specimen.clips.shape[1])
    return _with_clips(specimen, lambda clip: clip[change(times)])


def _replace(specimen: Specimen, which: np.ndarray, clips: np.ndarray, sources: np.ndarray) -> Specimen:
    new_clips, new_sources = specimen.clips.copy(), specimen.sources.copy()
    new_clips[which], new_sources[which] = clips, sources
    return dataclasses.replace(specimen, clips=new_clips, sources=new_sources)
