"""Whole videos through a model that makes clips of clips: enhanced, mended, turned, continued.

Frames are decoded, made and written a few at a time, so a film of any length takes the same memory; each shot is a
sequence of its own. Frames too large for the memory are cut into tiles with a margin, beyond which nothing reaches.
"""

import contextlib
import dataclasses
import glob
import hashlib
import itertools
import json
import math
import re
import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import logging

from gan_keras.config.commands import GenerateSettings
from gan_keras.config.train import ClipSettings
from gan_keras.data.sources.listing import list_source
from gan_keras.data.sources.source_video import OpenedVideo, SourceVideo
from gan_keras.errors import UserError
from gan_keras.progress import Progress
from gan_keras.serving import tiles
from gan_keras.serving.film_masks import masked_shots
from gan_keras.serving.requests import parse_numbers, parse_seeds, parse_size
from gan_keras.serving.saved_generator import SavedGenerator
from gan_keras.video.cuts import split_shots
from gan_keras.video.encode import DEFAULT_FPS
from gan_keras.video.errors import DecodeError
from gan_keras.video.films import FILM_SUFFIXES, FilmWriter
from gan_keras.video.frames import Frame
from gan_keras.video.opencv import cv2

CUT_THRESHOLD = ClipSettings().cut_threshold
"""From which on a film is cut into shots, as in preparation."""
_PIECE_PIXELS = 2**21
"""Pixels of the frames that are made at once."""
MAX_PIECE = 8
"""Frames that are made at once, at most."""
_BYTES_PER_PIXEL, _BYTES_PER_PIXEL_WITH_MASK = 2700, 6200
"""Memory for a pixel of a made frame, the program's own included, where it is largest: with a mask when a film ends,
and the last frames are filled from those beside them."""
_MEMORY_SHARE = 0.5
WARM_UP = 32
"""Frames before those that are wanted, after which these are as if all had been made; more than a model's reach."""
_DONE = {"enhance": "enhanced", "inpaint": "mended", "reorient": "turned", "predict": "continued"}


class FilmResult(NamedTuple):
    """What became of an input: the file that was written, or why none was."""

    name: str
    path: Path | None
    problem: str = ""


def make_films(settings: GenerateSettings, model: SavedGenerator) -> list[FilmResult]:
    """Makes a film of each input; one that fails does not end the others.

    Raises:
        UserError: no such input, or settings that cannot be, of all of them.
    """
    videos = _inputs(settings.input)
    outputs = _outputs(settings, model, videos)
    work = _Work.of(settings, model)
    results = []
    for video, path in zip(videos, outputs, strict=True):
        try:
            _make_film(work, video, path)
            results.append(FilmResult(video.id, path))
        except (UserError, DecodeError, OSError) as error:
            results.append(FilmResult(video.id, None, str(error)))
            if len(videos) == 1:
                raise error if isinstance(error, UserError) else UserError(f"{video.path}: {error}") from error
            logging.warning("%s: %s", video.id, error)
    return results


def _inputs(text: str) -> list[SourceVideo]:
    paths = [text] if Path(text).exists() else sorted(glob.glob(text, recursive=True))  # noqa: PTH207 (any pattern)
    if not paths:
        raise UserError(f"`input` must name a video, a folder of some, or a pattern of their names. Received: "
                        f"input={text}")
    videos = [video for path in paths for video in list_source(path, ClipSettings()).videos]
    if not videos:
        raise UserError(f"`input` holds no videos. Received: input={text}")
    return videos


def _outputs(settings: GenerateSettings, model: SavedGenerator, videos: Sequence[SourceVideo]) -> list[Path]:
    """Where each film goes."""
    out, done = Path(settings.out), _DONE.get(model.description.task, "made")
    if out.suffix:
        if out.suffix.lower() not in FILM_SUFFIXES:
            raise UserError(f"`out` must end in one of {', '.join(FILM_SUFFIXES)}, or be a folder. Received: "
                            f"out={settings.out}")
        if len(videos) > 1:
            raise UserError(f"`out` must be a folder: {settings.input} holds {len(videos)} videos. Received: "
                            f"out={settings.out}")
        paths = [out]
    else:
        names = [re.sub(r"[\\/*?]+", "-", str(Path(video.id).with_suffix(""))) for video in videos]
        suffixes = [Path(video.path).suffix.lower() for video in videos]
        done = "preview" if settings.preview else done
        paths = [out / f"{name}-{done}{suffix if suffix in FILM_SUFFIXES else '.mp4'}"
                 for name, suffix in zip(names, suffixes, strict=True)]
    for path, video in zip(paths, videos, strict=True):
        if Path(video.path).exists() and path.exists() and path.samefile(video.path):
            raise UserError(f"`out` must be another file than `input`. Received: out={settings.out}")
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            (path.parent / f".{path.name}.try").touch()
            (path.parent / f".{path.name}.try").unlink()
    except OSError as error:
        raise UserError(f"`out` cannot be written: {error.strerror}. Received: out={settings.out}") from error
    return paths


# ---- what is asked for ----

@dataclasses.dataclass(frozen=True)
class _Work:
    """A model and what is asked of it.

    Attributes:
        parameters: further inputs of its signatures, [1, ...].
        key: what has to be the same for half a film to be gone on with.
    """

    settings: GenerateSettings
    model: SavedGenerator
    parameters: Mapping[str, np.ndarray]
    key: str

    @classmethod
    def of(cls, settings: GenerateSettings, model: SavedGenerator) -> "_Work":
        """Checks the settings against what the model takes.

        Raises:
            UserError: it takes a mask and there is none, or the other way round, and so on.
        """
        takes = model.inputs["serving_default"]
        if ("mask" in takes) != bool(settings.mask):
            raise UserError(f"`mask` must {'name' if 'mask' in takes else 'not name'} what is to be made anew for "
                            f"{model.path} (--task={model.description.task}). Received: mask={settings.mask}")
        turned = (settings.rotate, settings.zoom, settings.shift, settings.size) != (0.0, 1.0, "0,0", "")
        if turned and "angle" not in takes:
            raise UserError(f"`rotate`, `zoom`, `shift` and `size` are for --task=reorient; {model.path} is of "
                            f"--task={model.description.task}.")
        if settings.fps:
            raise UserError(f"`fps` is for clips of seeds: films keep their rate. Received: fps={settings.fps}")
        if settings.num_frames and model.description.task != "predict":
            raise UserError(f"`num_frames` is for --task=predict; {model.path} is of "
                            f"--task={model.description.task}. Received: num_frames={settings.num_frames}")
        parameters = {} if "angle" not in takes else {
            "angle": np.array([settings.rotate], np.float32), "zoom": np.array([settings.zoom], np.float32),
            "shift": np.array([parse_numbers(settings.shift, 2, "shift", "0,0")], np.float32),
            "size": np.array([parse_size(settings.size)], np.int64)}
        asked = {name: value for name, value in dataclasses.asdict(settings).items() if name not in ("input", "out")}
        key = json.dumps([asked, str(model.path.resolve()), model.description.step])
        return cls(settings, model, parameters, key)

    @property
    def predicts(self) -> bool:
        """Whether the film is continued, rather than made anew."""
        return "last_segment" not in self.model.inputs

    @property
    def frames_ahead(self) -> int:
        """Frames by which a film is continued."""
        return self.settings.num_frames or self.model.description.num_frames


# ---- a film ----

def _make_film(work: _Work, video: SourceVideo, path: Path) -> None:
    opened = video.open(None)
    rate = opened.rate or DEFAULT_FPS
    unit = 1.0 if opened.rate else 1.0 / DEFAULT_FPS  # of a frame's time
    total = opened.frame_count or 0
    if work.settings.preview:
        total = min(total, math.ceil(work.settings.preview * rate))
    if work.predicts:
        total += work.frames_ahead
    is_file = video.kind == "video"
    stamp = hashlib.sha256(f"{work.key} {video.key}".encode()).hexdigest()
    writer = FilmWriter(path, rate, stamp)
    if writer.done:
        logging.info("%s: going on behind %d frames that are made.", path, writer.done)
    with Progress(path.name, total, "frames", initial=writer.done) as progress:
        try:
            for index, frame in enumerate(_made_frames(work, opened, writer.done), writer.done):
                writer.write(frame.pixels, frame.time * unit)
                progress.reach(index + 1)
        except BaseException:
            with contextlib.suppress(OSError):  # of a disk that is full; what was closed stays
                writer.abandon()
            raise
        if not writer.written:
            raise DecodeError("unreadable", "no frame of it can be decoded")
        writer.finish(Path(video.path) if is_file and not work.settings.preview else None, opened.start)
    for loss in opened.losses:
        logging.warning("%s: %s", video.id, loss)


def _made_frames(work: _Work, opened: OpenedVideo, done: int) -> Iterator[Frame]:
    """Frames of the film that is made, from number `done` on."""
    if work.predicts:
        frames = _continued(work, opened)
        yield from itertools.islice(frames, done, None)
        return
    begin, waiting, sequence = max(0, done - WARM_UP), deque(), None
    piece: list[tuple[np.ndarray, np.ndarray | None]] = []
    size = 1

    def made(pictures: np.ndarray) -> Iterator[Frame]:
        for picture in pictures:
            index, given = waiting.popleft()
            if index >= done:
                pixels = _beside(given.pixels, picture) if work.settings.preview else picture
                yield Frame(pixels, given.time)

    shots = masked_shots(opened.frames, work.settings.mask, CUT_THRESHOLD) if work.settings.mask else (
        (frame, None) for frame in split_shots(opened.frames, CUT_THRESHOLD))
    frames = enumerate(shots)
    if work.settings.preview:
        unit = 1.0 if opened.rate else DEFAULT_FPS
        frames = itertools.takewhile(lambda entry: entry[1][0].time < work.settings.preview * unit, frames)
    for index, (frame, mask) in frames:
        if index < begin:
            continue
        if sequence and frame.pixels.shape[:2] != sequence.size:
            raise DecodeError("unreadable", f"its frames are of different sizes, from frame {index} on")
        if sequence is None or frame.starts_shot:
            if sequence:
                yield from made(sequence.push(piece))
                yield from made(sequence.finish())
            piece = []
            sequence = _Sequence(work, frame.pixels.shape[:2])
            size = sequence.piece
        piece.append((frame.pixels, mask))
        waiting.append((index, frame))
        if len(piece) == size:
            yield from made(sequence.push(piece))
            piece = []
    if sequence:
        yield from made(sequence.push(piece))
        yield from made(sequence.finish())


def _beside(given: np.ndarray, made: np.ndarray) -> np.ndarray:
    """What was given, at the size of what was made, on the left of it."""
    if given.shape != made.shape:
        given = cv2.resize(given, made.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.concatenate([given, made], 1)


class _Sequence:
    """The frames of one shot, tile by tile.

    Args:
        work: what is asked for.
        size: (height, width) of its frames; also an attribute.

    Attributes:
        piece: frames that are made at once.
    """

    def __init__(self, work: _Work, size: tuple[int, int]) -> None:
        self._work = work
        self.size = size
        self._tiles = affordable_tiles(size, work)
        self._states: list[dict[str, np.ndarray] | None] = [None] * len(self._tiles)
        height, width = _made_size(size, work)
        self.piece = piece_length(height * width // len(self._tiles))

    def push(self, piece: list[tuple[np.ndarray, np.ndarray | None]]) -> np.ndarray:
        """Takes the next frames with their masks, gives those that can be known: uint8 [n, H, W, 3]."""
        if not piece:
            return np.zeros((0, 1, 1, 3), np.uint8)
        frames = {"video": np.stack([pixels for pixels, _ in piece])}
        if piece[0][1] is not None:
            frames["mask"] = np.stack([mask for _, mask in piece])[..., np.newaxis]
        parts = []
        for i, tile in enumerate(self._tiles):
            request = {name: value[np.newaxis, :, tile.rows, tile.columns] for name, value in frames.items()}
            request |= self._work.parameters
            if self._states[i] is None:
                self._states[i] = self._work.model("initial_state", request)
            outputs = self._work.model("next_segment", {**request, **self._states[i]})
            parts.append(outputs.pop("video")[0])
            self._states[i] = outputs
        return self._joined(parts)

    def finish(self) -> np.ndarray:
        """The frames that are still to come."""
        if self._states[0] is None:
            return np.zeros((0, 1, 1, 3), np.uint8)
        return self._joined([self._work.model("last_segment", {
            name: value for name, value in {**state, **self._work.parameters}.items()
            if name in self._work.model.inputs["last_segment"]})["video"][0] for state in self._states])

    def _joined(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        if len(parts) == 1:
            return parts[0]
        factor = _factor(self._work)
        height, width = (factor * side for side in self.size)
        whole = np.empty((len(parts[0]), height, width, 3), np.uint8)
        for tile, part in zip(self._tiles, parts, strict=True):
            (top, bottom), (left, right) = tile.core
            y, x = tile.rows.start, tile.columns.start
            whole[:, factor * top:factor * bottom, factor * left:factor * right] = part[
                :, factor * (top - y):factor * (bottom - y), factor * (left - x):factor * (right - x)]
        return whole


def piece_length(pixels: int) -> int:
    """Frames of so many pixels that are made at once."""
    return int(np.clip(_PIECE_PIXELS // max(pixels, 1), 1, MAX_PIECE))


def affordable_tiles(size: tuple[int, int], work: _Work) -> list[tiles.Tile]:
    """Tiles as large as the memory allows; the whole frame where that is so, and where a model turns it."""
    height, width = size
    factor = _factor(work)
    each = _BYTES_PER_PIXEL_WITH_MASK if work.settings.mask else _BYTES_PER_PIXEL
    affordable = _MEMORY_SHARE * tiles.available_memory() / (each * factor**2)
    if height * width <= affordable or work.parameters:
        return [tiles.Tile(slice(0, height), slice(0, width), ((0, height), (0, width)))]
    margin = tiles.margin_of(bool(work.settings.mask))
    side = int(math.sqrt(affordable)) - 2 * margin
    return tiles.cut(size, max(side // tiles.MULTIPLE, 1) * tiles.MULTIPLE, margin)


def _factor(work: _Work) -> int:
    """How many times larger a made frame is than a given one."""
    return work.model.description.factor


def _made_size(size: tuple[int, int], work: _Work) -> tuple[int, int]:
    wanted = work.parameters["size"][0] if work.parameters else (0, 0)
    return tuple(int(new) or _factor(work) * old for new, old in zip(wanted, size, strict=True))


# ---- prediction ----

def _continued(work: _Work, opened: OpenedVideo) -> Iterator[Frame]:
    """The frames of an input, and then those that follow by the model."""
    seed = parse_seeds(work.settings.seeds)[0].start
    limit = sys.maxsize
    if work.settings.preview and opened.rate:
        limit = max(1, int(work.settings.preview * opened.rate))
    last: deque[Frame] = deque(maxlen=WARM_UP)
    times: list[float] = []
    for frame in itertools.islice(opened.frames, limit):
        last.append(frame)
        times.append(frame.time)
        yield frame
    if not last:
        return
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0 / (opened.rate or 1.0)
    pictures = _following(work.model, np.stack([frame.pixels for frame in last]), seed)
    for i, pixels in enumerate(itertools.islice(pictures, work.frames_ahead), 1):
        yield Frame(pixels, times[-1] + i * step)


def _following(model: SavedGenerator, known: np.ndarray, seed: int) -> Iterator[np.ndarray]:
    """Frames that follow uint8 [K, H, W, 3], without end: of what was made more is made."""
    for segment in itertools.count():
        request = {"video": known[np.newaxis], "seed": np.array([seed + segment], np.int64)}
        known = model("serving_default", request)["video"][0]
        yield from known
