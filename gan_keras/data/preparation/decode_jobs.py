"""Decoding on all cores, one video at a time, so that no work is done twice and no video can harm the others.

The outcomes of every job are stored in a work folder under the hash of its inputs. After a kill they are found there.
A worker process that crashes costs one video, which is then reported by name.
"""

import errno
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

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import cleaning, reasons, segments
from gan_keras.data.sources.source_video import SHARED, SkippedVideo, SourceVideo
from gan_keras.errors import UserError
from gan_keras.files import temporary_path, write_atomically
from gan_keras.progress import Progress
from gan_keras.video import decode
from gan_keras.video.opencv import use_one_thread

_VERSION = 4  # of outcomes and of how they are made; outcomes of another version are not used again
CRASHED = "crashed"
"""Result of a task whose worker process died, and the reason why a video has no clips then."""

Runner = Callable[[Callable[[Any], None], Sequence[Any]], Iterator[tuple[Any, Any]]]
"""Calls a function with each of some tasks, wherever, and yields each task that is done with None or `CRASHED`. What a
task makes it leaves in the work folder."""

_MAX_JOB_CLIPS = 32  # of one array file, or drawn ones


@dataclass(frozen=True)
class StoredSegment:
    """Where the frames of a segment are stored.

    Attributes:
        first: index of the first frame in its video.
        frames: number of frames.
        offset: in bytes, in the job's file of frames.
        hash: of the content.
    """

    first: int
    frames: int
    offset: int
    hash: str


@dataclass(frozen=True)
class DecodeJob:
    """Videos that are decoded together, and the file that stores their outcomes."""

    videos: tuple[SourceVideo, ...]
    path: Path

    @property
    def frames_path(self) -> Path:
        """File of the raw frames of its segments."""
        return self.path.with_suffix(".frames")

    def outcomes(self) -> list[segments.SegmentedVideo] | None:
        """What became of each video; None if the job has not run."""
        try:
            stored = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return [segments.SegmentedVideo(**{**outcome,
                                           "size": outcome["size"] and tuple(outcome["size"]),
                                           "notes": tuple(outcome["notes"]),
                                           "segments": tuple(StoredSegment(**entry) for entry in outcome["segments"]),
                                           "skipped": tuple(SkippedVideo(**entry) for entry in outcome["skipped"])})
                for outcome in stored]

    def read(self, segment: StoredSegment, clip: ClipSettings) -> np.ndarray:
        """Frames of a segment, uint8 `[T, H, W, 3]`."""
        shape = (segment.frames, clip.height, clip.width, 3)
        return np.fromfile(self.frames_path, np.uint8, int(np.prod(shape)), offset=segment.offset).reshape(shape)


def make_jobs(videos: Sequence[SourceVideo], clip: ClipSettings, folder: Path) -> list[DecodeJob]:
    """Jobs that decode the videos; clips of one file, which is costly to open, share jobs.

    Args:
        videos: of a source, in order.
        clip: settings of the clips.
        folder: the work folder.
    """
    groups: list[list[SourceVideo]] = []
    for video in videos:
        last = groups[-1] if groups else []
        if video.kind in SHARED and last and video.path == last[0].path and len(last) < _MAX_JOB_CLIPS:
            last.append(video)
        else:
            groups.append([video])
    settings = json.dumps(asdict(clip), sort_keys=True)
    return [DecodeJob(tuple(group), folder / f"{_hash(_VERSION, settings, *(video.key for video in group))}.json")
            for group in groups]


def decode_job(job: DecodeJob, clip: ClipSettings) -> None:
    """Decodes the videos of a job into the work folder."""
    outcomes = []
    # Where files cannot be locked, another process may decode the same video.
    temporary = temporary_path(job.frames_path)
    with temporary.open("wb") as file:
        def store(first: int, frames: np.ndarray) -> StoredSegment:
            segment = StoredSegment(first, len(frames), file.tell(), cleaning.content_hash(frames))
            file.write(frames.tobytes())
            return segment

        for video in job.videos:
            start = file.tell()
            outcome = segments.extract(video, clip, store)
            if not outcome.segments:
                file.seek(start)
                file.truncate()
            outcomes.append(outcome)
    temporary.replace(job.frames_path)
    _save_outcomes(job, outcomes)


def run_jobs(jobs: Sequence[DecodeJob], clip: ClipSettings, workers: int, runner: Runner | None = None
             ) -> list[tuple[DecodeJob, segments.SegmentedVideo]]:
    """Runs every job that has not run yet, or failed for a reason that may have passed, with a progress bar.

    Args:
        jobs: all jobs of a preparation.
        clip: settings of the clips.
        workers: processes; 0 for one a core.
        runner: another one than processes of this machine.

    Returns:
        Job and outcome of every video.

    Raises:
        FileNotFoundError: another process has removed the work folder.
    """
    pending = [job for job in jobs if _is_pending(job)]
    count = sum(len(job.videos) for job in jobs)
    with Progress("prepare", count, "videos", count - sum(len(job.videos) for job in pending)) as progress:
        elsewhere = runner is not None
        runner = runner or functools.partial(map_in_processes, workers=workers)
        for job, result in runner(functools.partial(decode_job, clip=clip), pending):
            if result is CRASHED:
                _save_outcomes(job, [crashed(video.id) for video in job.videos])
            progress.advance(len(job.videos))
    outcomes = []
    for job in jobs:
        stored = job.outcomes()
        if stored is None and elsewhere and job.path.parent.is_dir():
            raise UserError(f"The runner's workers left nothing in {job.path.parent}: they have to see it at this "
                            "path, on a disk that all share.")
        if stored is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(job.path))
        outcomes += [(job, outcome) for outcome in stored]
    return outcomes


def failed(outcome: segments.SegmentedVideo) -> bool:
    """Whether a video, or a part of one, is left out for a reason that may have passed at the next start."""
    return any(reasons.passes(entry.reason) for entry in outcome.skipped)


def _is_pending(job: DecodeJob) -> bool:
    outcomes = job.outcomes()
    return outcomes is None or any(map(failed, outcomes))


def map_in_processes(function: Callable[[Any], Any], tasks: Sequence[Any], workers: int) -> Iterator[tuple[Any, Any]]:
    """Calls a function with each task in worker processes.

    Args:
        function: can be pickled.
        tasks: its arguments.
        workers: processes; 0 for one a core.

    Yields:
        (task, result) as they are ready, in any order. The result is `CRASHED` where the worker process died although
        it ran no other task.
    """
    workers = max(1, min(workers or cores(), len(tasks)))
    queue = deque(tasks)
    while queue:
        for task in (yield from _map_until_crash(function, queue, workers)):
            # Several tasks were running. Each is run again alone, to see which one crashes.
            if (yield from _map_until_crash(function, deque([task]), 1)):
                yield task, CRASHED


def crashed(video_id: str) -> segments.SegmentedVideo:
    """Outcome of a video whose worker process died."""
    return segments.SegmentedVideo(video_id, None, 0, None, (), (SkippedVideo(video_id, CRASHED),))


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _map_until_crash(function: Callable[[Any], Any], queue: deque, workers: int) -> Iterator[tuple[Any, Any]]:
    """Runs the tasks of a queue until a process dies; returns the tasks that may have killed it."""
    pending: dict[Future, Any] = {}
    suspects: list[Any] = []
    with _make_pool(workers) as pool:
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


def _make_pool(workers: int) -> ProcessPoolExecutor:
    # Spawned, because forking a process that runs TensorFlow's or OpenCV's threads may hang it.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), _start_worker,
                               (max(1, cores() // workers),))


def _start_worker(threads: int) -> None:
    """Start of a worker process: ignore Ctrl-C, which the parent handles, and end with the parent.

    Args:
        threads: of the video that it decodes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_thread()
    decode.threads = threads
    threading.Thread(target=_exit_with, args=(multiprocessing.parent_process().sentinel,), daemon=True).start()


def _exit_with(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def _save_outcomes(job: DecodeJob, outcomes: list[segments.SegmentedVideo]) -> None:
    write_atomically(job.path, json.dumps([asdict(outcome) for outcome in outcomes]))


def _hash(*parts: object) -> str:
    return hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()[:32]
