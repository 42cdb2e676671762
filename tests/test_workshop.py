"""Worker processes that may die. Nothing here imports TensorFlow, which every new process would have to import too."""

import os
import signal

from gan_keras.data import workshop
from gan_keras.train_settings import ClipSettings
from gan_keras.video.sources import list_source


def crash_on_odd(number):
    if number % 2:
        os.kill(os.getpid(), signal.SIGSEGV)
    return number * 10


def test_a_crashing_worker_costs_only_its_own_task():
    found = dict(workshop.each(crash_on_odd, [0, 1, 2, 4, 6], 2))
    assert found == {0: 0, 1: workshop.CRASHED, 2: 20, 4: 40, 6: 60}


def test_a_video_that_crashes_the_decoder_is_named_and_not_tried_again(tmp_path, monkeypatch):
    clips = ClipSettings(resolution="16", num_frames=4)
    jobs = workshop.make_jobs(list_source("shapes:1", clips).items, clips, tmp_path)
    monkeypatch.setattr(workshop, "each", lambda function, tasks, workers: [(task, workshop.CRASHED) for task in tasks])
    workshop.work(jobs, clips, 1)
    assert [str(entry) for outcome in jobs[0].outcomes() for entry in outcome.left_out] == [
        f"shapes-0-bounce/0000000: unreadable ({workshop.CRASHED})"]
    monkeypatch.setattr(workshop, "each", lambda function, tasks, workers: [1 / 0 for _ in tasks])
    workshop.work(jobs, clips, 1)
