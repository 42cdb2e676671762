"""Decoding in worker processes, which may crash. Nothing here imports TensorFlow: every new process would have to."""

import dataclasses
import os
import signal

from gan_keras.config.train import ClipSettings
from gan_keras.data.preparation import decode_jobs
from gan_keras.data.sources.listing import list_source
from gan_keras.data.sources.source_video import SourceVideo


def crash_on_odd(number):
    if number % 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return number * 10


def test_a_crashing_worker_costs_only_its_own_task():
    results = dict(decode_jobs.map_in_processes(crash_on_odd, [0, 1, 2, 4, 6], 2))
    assert results == {0: 0, 1: decode_jobs.CRASHED, 2: 20, 4: 40, 6: 60}


def test_a_video_that_crashes_the_decoder_is_named_and_tried_again_at_the_next_start(tmp_path, monkeypatch):
    clip = ClipSettings(resolution="16", num_frames=4)
    jobs = decode_jobs.make_jobs(list_source("shapes:2", clip).videos[:1], clip, tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(decode_jobs, "map_in_processes",
                      lambda function, tasks, workers: [(task, decode_jobs.CRASHED) for task in tasks])
        [(_, outcome)] = decode_jobs.run_jobs(jobs, clip, 1)
    assert [str(entry) for entry in outcome.skipped] == ["shapes-0-bounce/0000000: crashed"]
    assert decode_jobs.failed(outcome)
    [(job, outcome)] = decode_jobs.run_jobs(jobs, clip, 1)
    assert job is jobs[0] and len(outcome.segments) == 1 and not decode_jobs.failed(outcome)
    monkeypatch.setattr(decode_jobs, "map_in_processes", lambda function, tasks, workers: [1 / 0 for _ in tasks])
    assert decode_jobs.run_jobs(jobs, clip, 1) == [(job, outcome)]


def test_a_job_is_found_again_wherever_its_source_is_and_not_when_a_file_changes(tmp_path):
    clip = ClipSettings(resolution="16", num_frames=4)
    video = SourceVideo("a.mp4", "video", None, "/here/a.mp4", size=10, stamp=1, split="")

    def path(**changes):
        return decode_jobs.make_jobs([dataclasses.replace(video, **changes)], clip, tmp_path)[0].path

    assert path() == path(path="/there/a.mp4")
    others = [path(), path(size=11), path(stamp=2), path(id="b.mp4"), path(label="x"), path(split="test")]
    assert len(set(others)) == len(others)
    drawn = {path(kind="shapes", path=parameters) for parameters in ("0,8,16,16,sine", "0,9,16,16,sine")}
    assert len(drawn) == 2


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
        frames = [frame.pixels for frame in video.open((clip.height, clip.width)).frames]
        assert (job.read(segment, clip) == frames).all()
