"""Corruptions of real clips, each weak, medium and strong: what a metric has to be sensitive to before it is trusted.

`freeze`, `shuffle`, `reverse`, `jitter` and `loop` only choose which of a clip's frames is shown when: a metric that is
sensitive to them measures motion. `drop` and `repeat` leave every single clip as it is: a metric that is sensitive to
them measures variety.
"""

import dataclasses
from collections.abc import Callable

import numpy as np
from scipy import ndimage


@dataclasses.dataclass(frozen=True, eq=False)
class CleanClips:
    """Real clips to be corrupted.

    Attributes:
        clips: uint8 [N, T, H, W, 3].
        video_ids: int64 [N], as in `ClipSet`.
        labels: int64 [N], -1 where there are no classes.
        unseen_clip: uint8 [T, H, W, 3], a training clip of a video that none of them is of.
    """

    clips: np.ndarray
    video_ids: np.ndarray
    labels: np.ndarray
    unseen_clip: np.ndarray

    @property
    def has_classes(self) -> bool:
        """Whether there are classes, so that some can be dropped."""
        return len(np.unique(self.labels)) > 1


@dataclasses.dataclass(frozen=True)
class Corruption:
    """One way to corrupt clips.

    Attributes:
        meaning: what is done, and the unit of the strength.
        strengths: weak, medium and strong.
        apply: clean clips, a strength and a random generator → a corrupted copy.
    """

    meaning: str
    strengths: tuple[float, ...]
    apply: Callable[[CleanClips, float, np.random.Generator], CleanClips]


def blur(clean: CleanClips, pixels: float, _: np.random.Generator) -> CleanClips:
    """Gaussian blur of every frame; the standard deviation is in pixels of a frame whose shorter side is 64."""
    sigma = pixels * min(clean.clips.shape[2:4]) / 64
    return _with_clips(clean, lambda clip: ndimage.gaussian_filter(
        clip.astype(np.float32), (0, sigma, sigma, 0), mode="nearest"))


def sharpen(clean: CleanClips, amount: float, _: np.random.Generator) -> CleanClips:
    """Unsharp mask on every frame: what a blur by 1/64 of its shorter side takes away is added so many times."""
    sigma = min(clean.clips.shape[2:4]) / 64
    return _with_clips(clean, lambda clip: clip + amount * (clip - ndimage.gaussian_filter(
        clip.astype(np.float32), (0, sigma, sigma, 0), mode="nearest")))


def noise(clean: CleanClips, levels: float, random: np.random.Generator) -> CleanClips:
    """Gaussian noise on every value of every frame; the standard deviation is in levels of 255."""
    return _with_clips(clean, lambda clip: clip + levels * random.standard_normal(clip.shape, np.float32))


def freeze(clean: CleanClips, share: float, _: np.random.Generator) -> CleanClips:
    """A share of a clip at its end stands still: the last frame before it is shown to the end."""
    frames = clean.clips.shape[1]
    moving = max(1, round(frames * (1 - share)))
    return _with_times(clean, lambda times: np.minimum(times, moving - 1))


def slow(clean: CleanClips, share: float, _: np.random.Generator) -> CleanClips:
    """Clips lose a share of their speed; frames in between are blends of two neighbours."""
    def slow_down(clip: np.ndarray) -> np.ndarray:
        times = np.arange(len(clip)) * (1 - share)
        before = times.astype(int)
        later = (times - before)[:, None, None, None]
        return clip[before] * (1 - later) + clip[np.minimum(before + 1, len(clip) - 1)] * later

    return _with_clips(clean, slow_down)


def smooth(clean: CleanClips, frames: float, _: np.random.Generator) -> CleanClips:
    """Gaussian blur over time; the standard deviation is in frames."""
    return _with_clips(clean, lambda clip: ndimage.gaussian_filter1d(
        clip.astype(np.float32), frames, axis=0, mode="nearest"))


def shuffle(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """A share of a clip's frames are permuted among themselves."""
    def permute(times: np.ndarray) -> np.ndarray:
        moved = np.sort(random.permutation(len(times))[:max(2, round(share * len(times)))])
        times = times.copy()
        times[moved] = times[np.roll(moved, 1)] if len(moved) == 2 else times[random.permutation(moved)]
        return times

    return _with_times(clean, permute)


def reverse(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """A share of the clips are played backwards."""
    chosen = random.random(len(clean.clips)) < share
    clips = np.where(chosen[:, None, None, None, None], clean.clips[:, ::-1], clean.clips)
    return dataclasses.replace(clean, clips=clips)


def jitter(clean: CleanClips, frames: float, random: np.random.Generator) -> CleanClips:
    """Each frame is shown up to so many frames too early or too late: some come twice, some not at all."""
    def shift(times: np.ndarray) -> np.ndarray:
        return np.clip(times + random.integers(-int(frames), int(frames), len(times), endpoint=True), 0, times[-1])

    return _with_times(clean, shift)


def flicker(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """Each frame is brighter or darker by up to a share of its brightness, each by another amount."""
    return _with_clips(clean, lambda clip: clip * (1 + random.uniform(-share, share, (len(clip), 1, 1, 1))))


def fade(clean: CleanClips, share: float, _: np.random.Generator) -> CleanClips:
    """Clips grow evenly darker; the last frame has lost a share of its brightness."""
    return _with_clips(clean, lambda clip: clip * (1 - np.linspace(0, share, len(clip))[:, None, None, None]))


def loop(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """A share of the clips show their first third again and again."""
    period = max(2, clean.clips.shape[1] // 3)

    def repeat_start(times: np.ndarray) -> np.ndarray:
        return times % period if random.random() < share else times

    return _with_times(clean, repeat_start)


def splice(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """In a share of the clips another one begins in the middle."""
    chosen, half = random.random(len(clean.clips)) < share, clean.clips.shape[1] // 2
    clips = clean.clips.copy()
    clips[chosen, half:] = np.roll(clean.clips, 1, axis=0)[chosen, half:]
    return dataclasses.replace(clean, clips=clips)


def drop(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """A share of the clips of half of the classes are replaced by clips of the other classes."""
    classes = np.unique(clean.labels)
    of_dropped_class = np.isin(clean.labels, classes[len(classes) - len(classes) // 2:])
    replaced = of_dropped_class & (random.random(len(clean.labels)) < share)
    substitutes = random.choice(np.flatnonzero(~of_dropped_class), replaced.sum())
    return _replace(clean, replaced, clean.clips[substitutes], clean.video_ids[substitutes])


def repeat(clean: CleanClips, share: float, random: np.random.Generator) -> CleanClips:
    """A share of the clips are replaced by one and the same training clip."""
    replaced = random.permutation(len(clean.clips)) < round(share * len(clean.clips))
    return _replace(clean, replaced, clean.unseen_clip, -1 - np.arange(replaced.sum()))


CORRUPTIONS = {
    "blur": Corruption("Gaussian blur of every frame, in 1/64 of its shorter side", (0.5, 1.0, 2.0), blur),
    "sharpen": Corruption("unsharp mask on every frame, so many times what a blur by 1/64 of its side takes away",
                          (0.5, 1.0, 2.0), sharpen),
    "noise": Corruption("Gaussian noise on every frame, in levels of 255", (4.0, 8.0, 16.0), noise),
    "freeze": Corruption("a share of each clip at its end stands still", (0.25, 0.5, 1.0), freeze),
    "slow": Corruption("clips lose a share of their speed, with blended frames in between", (0.25, 0.5, 0.75), slow),
    "smooth": Corruption("Gaussian blur over time, in frames", (0.5, 1.0, 2.0), smooth),
    "shuffle": Corruption("a share of the frames of each clip are permuted", (0.25, 0.5, 1.0), shuffle),
    "reverse": Corruption("a share of the clips are played backwards", (0.25, 0.5, 1.0), reverse),
    "jitter": Corruption("frames are shown up to so many frames too early or late", (1.0, 2.0, 4.0), jitter),
    "flicker": Corruption("frames are brighter or darker by up to a share, each by another amount", (0.05, 0.1, 0.2),
                          flicker),
    "fade": Corruption("clips grow darker, the last frame by a share", (0.1, 0.3, 0.6), fade),
    "loop": Corruption("a share of the clips show their first third again and again", (0.25, 0.5, 1.0), loop),
    "splice": Corruption("in a share of the clips another one begins in the middle", (0.25, 0.5, 1.0), splice),
    "drop": Corruption("a share of half of the classes are replaced by clips of the others", (0.5, 0.75, 1.0), drop),
    "repeat": Corruption("a share of the clips are one and the same training clip", (0.05, 0.2, 0.5), repeat),
}


def _with_clips(clean: CleanClips, change: Callable[[np.ndarray], np.ndarray]) -> CleanClips:
    """Changes one clip at a time, so that only one is held as floats."""
    clips = np.empty_like(clean.clips)
    for index, clip in enumerate(clean.clips):
        clips[index] = np.clip(np.round(change(clip)), 0, 255)
    return dataclasses.replace(clean, clips=clips)


def _with_times(clean: CleanClips, change: Callable[[np.ndarray], np.ndarray]) -> CleanClips:
    """Shows other frames: `change` maps the times 0 to T - 1 to the frames that are shown, int [T]."""
    times = np.arange(clean.clips.shape[1])
    return _with_clips(clean, lambda clip: clip[change(times)])


def _replace(clean: CleanClips, replaced: np.ndarray, clips: np.ndarray, video_ids: np.ndarray) -> CleanClips:
    new_clips, new_video_ids = clean.clips.copy(), clean.video_ids.copy()
    new_clips[replaced], new_video_ids[replaced] = clips, video_ids
    return dataclasses.replace(clean, clips=new_clips, video_ids=new_video_ids)
