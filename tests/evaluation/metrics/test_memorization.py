"""The nearest training clips: the search against brute force, copies, and clips that are none."""

import numpy as np
import pytest
from scipy import ndimage

from gan_keras.evaluation.metrics import memorization
from gan_keras.evaluation.metrics.inputs import ClipSet, MetricInputs, TrainingSegment
from gan_keras.evaluation.metrics.memorization import closest_pairs, measure, nearest, plots
from gan_keras.evaluation.thumbnails import thumbnails

FRAMES = 4
COPIED, DISTANCE, RATIO = "memorization/copied", "memorization/distance", "memorization/ratio"


def video(seed, frames=12, size=32):
    """A smooth picture that moves steadily: uint8 [frames, size, size, 3]."""
    random = np.random.default_rng(seed)
    wide = ndimage.gaussian_filter(random.normal(size=(size, 2 * size, 3)), (3, 3, 0), mode="wrap")
    wide = np.clip(127 + 50 * wide / wide.std(), 0, 255).astype(np.uint8)
    return np.stack([np.roll(wide, -time, axis=1)[:, :size] for time in range(frames)])


TRAIN = [video(seed) for seed in range(12)]
SEGMENTS = [TrainingSegment(index, 100 + index, thumbnails(frames)) for index, frames in enumerate(TRAIN)]
HELD_OUT = [video(1000 + seed, FRAMES) for seed in range(60)]


def generated_set(clips):
    return ClipSet(np.stack(clips), -1 - np.arange(len(clips)), {})


def metric_inputs(generated, held_out=HELD_OUT, segments=SEGMENTS):
    other = ClipSet(np.stack([frames[:FRAMES] for frames in TRAIN]), np.arange(len(TRAIN)), {})
    held_out = None if held_out is None else ClipSet(np.stack(held_out), 1000 + np.arange(len(held_out)), {})
    return MetricInputs(generated, other, other, held_out, segments, 8.0)


def matches_of(*clips, segments=SEGMENTS):
    samples = generated_set(clips)
    return nearest(samples, metric_inputs(samples, segments=segments))


def brute_force(clip, segments, own_video=None):
    """(distance, record, offset, flipped) of every window, the nearest first."""
    small, all_windows = thumbnails(clip).astype(float), []
    for segment in segments:
        for offset in range(len(segment.thumbnails) - len(clip) + 1):
            for flipped in (False, True):
                window = segment.thumbnails[offset:offset + len(clip)].astype(float)
                window = window[:, :, ::-1] if flipped else window
                if segment.video_id != own_video:
                    distance = np.sqrt(np.mean((small - window)**2))
                    all_windows.append((distance, segment.record, offset, flipped))
    return sorted(all_windows)


@pytest.fixture(params=["full size", "half size first"])
def search(request, monkeypatch):
    if request.param == "half size first":
        monkeypatch.setattr(memorization, "MAX_FULL_SIZE_SEARCH", 0)


def test_planted_copies_are_found(search):
    matches = matches_of(TRAIN[3][0:4], TRAIN[5][7:11], TRAIN[7][8:12, :, ::-1])
    assert [(match.record, match.offset, match.flipped) for match in matches] == [
        (103, 0, False), (105, 7, False), (107, 8, True)]
    assert [match.distance for match in matches] == [0, 0, 0]
    assert [match.ratio for match in matches] == [0, 0, 0]


def test_matches_are_those_of_brute_force():
    random = np.random.default_rng(0)
    clips = [np.clip(TRAIN[index][index % 9:][:FRAMES] + random.normal(0, 40, (FRAMES, 32, 32, 3)), 0, 255)
             for index in range(5)] + HELD_OUT[:5]
    clips = [clip.astype(np.uint8) for clip in clips]
    for clip, match in zip(clips, matches_of(*clips), strict=True):
        distance, record, offset, flipped = brute_force(clip, SEGMENTS)[0]
        assert (match.record, match.offset, match.flipped) == (record, offset, flipped)
        assert match.distance == pytest.approx(distance, rel=1e-6)
        best = sorted({entry[1]: entry[0] for entry in reversed(brute_force(clip, SEGMENTS))}.values())
        assert match.ratio == pytest.approx(best[0] / best[4], rel=1e-6)


def test_a_search_at_half_size_first_is_nearly_exact(monkeypatch):
    exact = matches_of(*HELD_OUT[:20])
    monkeypatch.setattr(memorization, "MAX_FULL_SIZE_SEARCH", 0)
    for match, coarse in zip(exact, matches_of(*HELD_OUT[:20]), strict=True):
        assert match.distance <= coarse.distance * (1 + 1e-6) <= 1.05 * match.distance


def test_long_and_short_segments_in_small_blocks_make_no_difference(monkeypatch):
    segments = [*SEGMENTS, TrainingSegment(50, 150, thumbnails(video(50, 40))),
                TrainingSegment(51, 151, SEGMENTS[0].thumbnails[:3])]
    clips = [video(50, 40)[33:37], *HELD_OUT[:5]]
    in_one_block = matches_of(*clips, segments=segments)
    monkeypatch.setattr(memorization, "BLOCK_WINDOWS", 7)
    assert matches_of(*clips, segments=segments) == in_one_block
    assert (in_one_block[0].record, in_one_block[0].offset, in_one_block[0].distance) == (150, 33, 0)


def test_hand_computed_distances_and_ratios():
    grey = [np.full((FRAMES, 32, 32, 3), level, np.uint8) for level in (100, 130, 200)]
    segments = [TrainingSegment(number, number, thumbnails(clip)) for number, clip in enumerate(grey)]
    (match,) = matches_of(np.full((FRAMES, 32, 32, 3), 110, np.uint8), segments=segments)
    assert (match.record, match.distance) == (0, 10)
    assert match.ratio == pytest.approx(10 / 90)  # to the last of fewer than five videos
    half = np.full((FRAMES, 32, 32, 3), 100, np.uint8)
    half[:2] = 106
    (match,) = matches_of(half, segments=segments)
    assert match.distance == pytest.approx(np.sqrt(36 / 2))


def test_windows_of_a_clips_own_video_do_not_count(search):
    clips = np.stack([TRAIN[2][1:5], TRAIN[4][0:4]])
    segments = [*SEGMENTS, TrainingSegment(2, 112, SEGMENTS[2].thumbnails)]
    samples = ClipSet(clips, np.array([2, -1]), {})
    real, generated = nearest(samples, metric_inputs(samples, segments=segments))
    distance, record, offset, flipped = brute_force(clips[0], segments, own_video=2)[0]
    assert (real.record, real.offset, real.flipped) == (record, offset, flipped)
    assert real.distance == pytest.approx(distance, rel=1e-6)
    assert (generated.record, generated.distance) == (104, 0)


def test_metrics_are_nan_where_no_training_clip_can_be_compared():
    samples = ClipSet(TRAIN[0][None, :FRAMES], np.array([0]), {})
    alone = metric_inputs(samples, held_out=None, segments=SEGMENTS[:1])
    assert nearest(samples, alone) == []
    assert all(np.isnan(estimate.value) for estimate in measure(samples, alone).values())


def test_copied_is_the_share_of_copies():
    fresh = [video(2000 + seed, FRAMES) for seed in range(20)]
    shares, ratios = [], []
    for copies in (0, 5, 10, 20):
        clips = [TRAIN[index % 12][index % 9:][:FRAMES] for index in range(copies)] + fresh[copies:]
        estimates = measure(generated_set(clips), metric_inputs(generated_set(clips)))
        shares.append(estimates[COPIED].value)
        ratios.append(estimates[RATIO].value)
    # On average 1 % of real clips count as copies, too.
    assert shares == pytest.approx([0, 0.25, 0.5, 1], abs=0.051)
    assert shares == sorted(set(shares))
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == 0
    assert estimates[DISTANCE].value == 0


def soft(clip, pixels=2.0):
    return ndimage.gaussian_filter(clip.astype(np.float32), (0, pixels, pixels, 0)).round().astype(np.uint8)


def test_blurred_flipped_and_noisy_copies_count_and_dull_clips_do_not():
    def copied(clips):
        return measure(generated_set(clips), metric_inputs(generated_set(clips)))[COPIED].value

    copies = [frames[2:6] for frames in TRAIN]
    noise = np.random.default_rng(0).normal(0, 15, copies[0].shape)
    assert copied([soft(clip)[:, :, ::-1] for clip in copies]) == 1
    assert copied([np.clip(clip + noise, 0, 255).astype(np.uint8) for clip in copies]) == 1
    fresh = [video(3000 + seed, FRAMES) for seed in range(24)]
    rare_distance = np.quantile([match.distance for match in matches_of(*HELD_OUT)], 0.01)
    for dull in ([soft(clip, 8.0) for clip in fresh], [clip // 4 + 96 for clip in fresh],
                 [np.full_like(clip, 127) for clip in fresh]):
        assert all(match.distance < rare_distance for match in matches_of(*dull))  # all copies, by distance alone
        assert copied(dull) < 0.25


def test_held_out_copies_of_training_clips_do_not_hide_copies():
    leaking = [*HELD_OUT[:50], *(frames[:FRAMES] for frames in TRAIN)]
    clips = [TRAIN[0][1:5], soft(TRAIN[1][2:6]), *HELD_OUT[50:]]
    samples = generated_set(clips)
    inputs = metric_inputs(samples, held_out=leaking)
    assert measure(samples, inputs)[COPIED].value == pytest.approx(2 / len(clips))
    assert measure(inputs.held_out, inputs)[COPIED].value >= 12 / 62


def test_limits_come_from_the_other_half_where_held_out_clips_are_few():
    samples = generated_set([TRAIN[0][1:5], soft(TRAIN[1][2:6]), *HELD_OUT[:6]])
    for held_out in (None, HELD_OUT[:10]):
        estimates = measure(samples, metric_inputs(samples, held_out=held_out))
        assert estimates[COPIED].value == pytest.approx(0.25, abs=0.13)


def test_each_set_of_clips_is_searched_once(monkeypatch):
    searched = []
    monkeypatch.setattr(memorization, "thumbnails", lambda clips: searched.append(len(clips)) or thumbnails(clips))
    inputs = metric_inputs(generated_set(HELD_OUT[:3]))
    measure(inputs.generated, inputs)
    histograms = plots(inputs)
    closest_pairs(inputs, 2)
    assert searched == [3, 60]  # generated and held out
    nearest(inputs.generated, metric_inputs(inputs.generated, segments=SEGMENTS[:6]))
    assert searched == [3, 60, 3]
    assert {name: len(values) for name, values in histograms[0].series.items()} == {"generated": 3, "held out": 60}


def test_the_closest_pairs_come_first():
    inputs = metric_inputs(generated_set([HELD_OUT[0], soft(TRAIN[6][3:7], 1.0), HELD_OUT[1], TRAIN[8][5:9]]))
    first, second = closest_pairs(inputs, 2)
    assert (first.sample, first.record, first.offset) == (3, 108, 5)
    assert (second.sample, second.record, second.offset) == (1, 106, 3)
    assert len(closest_pairs(inputs, 10)) == 4


def test_thumbnails_of_another_size_are_refused():
    samples = generated_set([video(0, FRAMES, size=128)[:, :, :64]])
    with pytest.raises(ValueError, match=r"Received: \(16, 16, 3\) in record 100"):
        nearest(samples, metric_inputs(samples))
