"""Decoding on all cores, one video at a time, so that nothing done is done twice and no video can spoil the others.

The result of every job is kept in a work folder under the hash of what it was made from. A run that was killed finds
them there; a worker process that crashes takes down one video, which is then named.
"""

import functools
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gan_keras.data import cleaning, stretches
from gan_keras.progress import Progress
from gan_keras.run_folder import write_atomically
from gan_keras.train_settings import ClipSettings
from gan_keras.video import io
from gan_keras.video.items import Item, LeftOut

_VERSION = 1  # of what is done to a video; results of another version are not used again
CRASHED = "the decoder crashed or ran out of memory"
_SMALL_ITEMS = 32  # clips of one array file, or drawn ones, in one job


@dataclass(frozen=True)
class Stretch:
    """Where a stretch of video lies in the work folder."""

    first: int
    frames: int
    offset: int
    hash: str


@dataclass(frozen=True)
class Job:
    """Items that are done together, and the file that remembers their outcomes."""

    items: tuple[Item, ...]
    path: Path

    @property
    def frames_path(self) -> Path:
        """The raw frames of its stretches."""
        return self.path.with_suffix(".frames")

    def outcomes(self) -> list[stretches.Outcome] | None:
        """What became of its items; None if it was not done yet."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return [stretches.Outcome(**{**entry, "stretches": tuple(Stretch(**kept) for kept in entry["stretches"]),
                                     "left_out": tuple(LeftOut(**left) for left in entry["left_out"])})
                for entry in stored]

    def read(self, stretch: Stretch, clips: ClipSettings) -> np.ndarray:
        """The frames of a stretch, uint8 `[T, H, W, 3]`."""
        shape = (stretch.frames, clips.height, clips.width, 3)
        return np.fromfile(self.frames_path, np.uint8, int(np.prod(shape)), offset=stretch.offset).reshape(shape)


def make_jobs(items: Sequence[Item], clips: ClipSettings, folder: Path) -> list[Job]:
    """Splits the items into jobs; clips that share a file, which is costly to open, share jobs."""
    groups: list[list[Item]] = []
    for item in items:
        last = groups[-1] if groups else []
        if last and item.kind in ("array", "shapes") and item.path == last[0].path and len(last) < _SMALL_ITEMS:
            last.append(item)
        else:
            groups.append([item])
    settings = json.dumps(asdict(clips), sort_keys=True)
    return [Job(tuple(group), folder / f"{_hash(_VERSION, settings, *group)}.json") for group in groups]


def do(job: Job, clips: ClipSettings) -> None:
    """Decodes the items of a job into the work folder."""
    done = []
    with job.frames_path.open("wb") as file:
        for item in job.items:
            start = file.tell()

            def keep(first: int, frames: np.ndarray) -> Stretch:
                kept = Stretch(first, len(frames), file.tell(), cleaning.content_hash(frames))
                file.write(frames.tobytes())
                return kept

            outcome = stretches.extract(item, clips, keep)
            if not outcome.stretches:
                file.seek(start)
                file.truncate()
            done.append(outcome)
    _remember(job, done)


def work(jobs: Sequence[Job], clips: ClipSettings, workers: int) -> None:
    """Does every job that is not done yet, with a progress bar.

    Args:
        jobs: what is to be done.
        clips: what is to be made of it.
        workers: processes; 0 for one a core.
    """
    todo = [job for job in jobs if not job.path.exists()]
    count = sum(len(job.items) for job in jobs)
    with Progress("prepare", count, "videos", count - sum(len(job.items) for job in todo)) as progress:
        for job, crashed in each(functools.partial(do, clips=clips), todo, workers):
            if crashed is CRASHED:
                _remember_crash(job)
            progress.advance(len(job.items))


def each(function: Callable[[Any], Any], tasks: Sequence[Any], workers: int) -> Iterator[tuple[Any, Any]]:
    """Calls a function with each task in worker processes; yields (task, result) as they get ready, in any order.

    The result is `CRASHED` where the worker process died, even when it had the task alone.
    """
    workers = max(1, min(workers or cores(), len(tasks)))
    queue = deque(tasks)
    while queue:
        for task in (yield from _until_crash(function, queue, workers)):
            # Several tasks were under way: alone, it is plain whose fault it is.
            if (yield from _until_crash(function, deque([task]), 1)):
                yield task, CRASHED


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _until_crash(function: Callable[[Any], Any], queue: deque, workers: int) -> Iterator[tuple[Any, Any]]:
    """Works on the queue; when a process dies, returns the tasks that it may have died of."""
    pending: dict[Future, Any] = {}
    suspects: list[Any] = []
    with _pool(workers) as pool:
        try:
            while (queue and not suspects) or pending:
                while queue and not suspects and len(pending) < 2 * workers:
                    task = queue.popleft()
                    pending[_submit(pool, function, task)] = task
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    task = pending.pop(future)
                    if isinstance(future.exception(), BrokenProcessPool):
                        suspects.append(task)
                    else:
                        yield task, future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return suspects


def _submit(pool: ProcessPoolExecutor, function: Callable[[Any], Any], task: Any) -> Future:
    try:
        return pool.submit(function, task)
    except BrokenProcessPool as error:
        future: Future = Future()
        future.set_exception(error)
        return future


def _remember_crash(job: Job) -> None:
    left = (LeftOut(item.id, "unreadable", CRASHED) for item in job.items)
    _remember(job, [stretches.Outcome(entry.source, None, 0, None, (), (entry,)) for entry in left])


def _pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, because forking a process that runs TensorFlow's or OpenCV's threads may hang it.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _begin)


def _begin() -> None:
    """First thing in a worker process: leave Ctrl-C to the parent, and do not outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    io.use_one_thread()
    threading.Thread(target=_end_with, args=(multiprocessing.parent_process().sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _remember(job: Job, outcomes: list[stretches.Outcome]) -> None:
    write_atomically(job.path, json.dumps([asdict(outcome) for outcome in outcomes]))


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:32]
