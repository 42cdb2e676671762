"""Decoding in worker processes, which may crash. Nothing here imports TensorFlow: every new process would have to."""

import os
import signal

from gan_keras.config.train import ClipSettings
from gan_keras.data import decode_jobs
from gan_keras.data.sources import list_source


def crash_on_odd(number):
    if number % 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return number * 10


def test_a_crashing_worker_costs_only_its_own_task():
    results = dict(decode_jobs.map_in_processes(crash_on_odd, [0, 1, 2, 4, 6], 2))
    assert results == {0: 0, 1: decode_jobs.CRASHED, 2: 20, 4: 40, 6: 60}


def test_a_video_that_crashes_the_decoder_is_named_and_not_tried_again(tmp_path, monkeypatch):
    clip = ClipSettings(resolution="16", num_frames=4)
    jobs = decode_jobs.make_jobs(list_source("shapes:1", clip).videos, clip, tmp_path)
    monkeypatch.setattr(decode_jobs, "map_in_processes",
                        lambda function, tasks, workers: [(task, decode_jobs.CRASHED) for task in tasks])
    decode_jobs.run_jobs(jobs, clip, 1)
    assert [str(entry) for outcome in jobs[0].outcomes() for entry in outcome.skipped] == [
        f"shapes-0-bounce/0000000: unreadable ({decode_jobs.CRASHED})"]
    monkeypatch.setattr(decode_jobs, "map_in_processes", lambda function, tasks, workers: [1 / 0 for _ in tasks])
    decode_jobs.run_jobs(jobs, clip, 1)


def test_a_job_stores_the_frames_of_its_segments(tmp_path):
    clip = ClipSettings(resolution="16", num_frames=4)
    videos = list_source("shapes:count=2,frames=6", clip).videos
    [job] = decode_jobs.make_jobs(videos, clip, tmp_path)
    assert job.outcomes() is None
    decode_jobs.decode_job(job, clip)
    outcomes = job.outcomes()
    assert [outcome.video_id for outcome in outcomes] == [video.id for video in videos]
    for video, outcome in zip(videos, outcomes, strict=True):
        [segment] = outcome.segments
        assert (segment.first, segment.frames, outcome.decoded, outcome.size) == (0, 6, 6, (16, 16))
        assert (job.read(segment, clip) == list(video.open()[1])).all()
