"""The nearest training clips."""

import numpy as np
import pytest
from scipy import ndimage

from gan_keras.evaluation import memorization
from gan_keras.evaluation.evidence import ClipSet, Evidence, Stretch
from gan_keras.evaluation.memorization import closest_pairs, measure, nearest, plots
from gan_keras.evaluation.thumbnails import block_size, thumbnails

FRAMES = 4
COPIED, DISTANCE, RATIO = "memorization/copied", "memorization/distance", "memorization/ratio"


def video(seed, frames=12, size=32):
    """A smooth picture that moves steadily: uint8 [frames, size, size, 3]."""
    random = np.random.default_rng(seed)
    wide = ndimage.gaussian_filter(random.normal(size=(size, 2 * size, 3)), (3, 3, 0), mode="wrap")
    wide = np.clip(127 + 50 * wide / wide.std(), 0, 255).astype(np.uint8)
    return np.stack([np.roll(wide, -time, axis=1)[:, :size] for time in range(frames)])


TRAIN = [video(seed) for seed in range(12)]
STRETCHES = [Stretch(source, 100 + source, thumbnails(frames)) for source, frames in enumerate(TRAIN)]
HELD_OUT = [video(1000 + seed, FRAMES) for seed in range(60)]


def generated_set(clips):
    return ClipSet(np.stack(clips), -1 - np.arange(len(clips)), {})


def evidence(generated, held_out=HELD_OUT, stretches=STRETCHES):
    other = ClipSet(np.stack([frames[:FRAMES] for frames in TRAIN]), np.arange(len(TRAIN)), {})
    held_out = None if held_out is None else ClipSet(np.stack(held_out), 1000 + np.arange(len(held_out)), {})
    return Evidence(generated, other, other, held_out, stretches, 8.0)


def found(*clips, stretches=STRETCHES):
    candidate = generated_set(clips)
    return nearest(candidate, evidence(candidate, stretches=stretches))


def by_brute_force(clip, stretches, passed_over=None):
    """(distance, record, offset, flipped) of every window, the nearest first."""
    small, all_windows = thumbnails(clip).astype(float), []
    for stretch in stretches:
        for offset in range(len(stretch.thumbnails) - len(clip) + 1):
            for flipped in (False, True):
                window = stretch.thumbnails[offset:offset + len(clip)].astype(float)
                window = window[:, :, ::-1] if flipped else window
                if stretch.source != passed_over:
                    distance = np.sqrt(np.mean((small - window)**2))
                    all_windows.append((distance, stretch.record, offset, flipped))
    return sorted(all_windows)


@pytest.fixture(params=["full size", "half size first"])
def search(request, monkeypatch):
    if request.param == "half size first":
        monkeypatch.setattr(memorization, "_SMALL_SEARCH", 0)


def test_planted_copies_are_found_where_they_are(search):
    matches = found(TRAIN[3][0:4], TRAIN[5][7:11], TRAIN[7][8:12, :, ::-1])
    assert [(match.record, match.offset, match.flipped) for match in matches] == [
        (103, 0, False), (105, 7, False), (107, 8, True)]
    assert [match.distance for match in matches] == [0, 0, 0]
    assert [match.ratio for match in matches] == [0, 0, 0]


def test_the_nearest_is_that_of_a_search_one_by_one():
    random = np.random.default_rng(0)
    clips = [np.clip(TRAIN[index][index % 9:][:FRAMES] + random.normal(0, 40, (FRAMES, 32, 32, 3)), 0, 255)
             for index in range(5)] + HELD_OUT[:5]
    clips = [clip.astype(np.uint8) for clip in clips]
    for clip, match in zip(clips, found(*clips), strict=True):
        distance, record, offset, flipped = by_brute_force(clip, STRETCHES)[0]
        assert (match.record, match.offset, match.flipped) == (record, offset, flipped)
        assert match.distance == pytest.approx(distance, rel=1e-6)
        best = sorted({entry[1]: entry[0] for entry in reversed(by_brute_force(clip, STRETCHES))}.values())
        assert match.ratio == pytest.approx(best[0] / best[4], rel=1e-6)


def test_half_the_size_first_finds_nearly_as_near_ones(monkeypatch):
    exact = found(*HELD_OUT[:20])
    monkeypatch.setattr(memorization, "_SMALL_SEARCH", 0)
    for match, coarse in zip(exact, found(*HELD_OUT[:20]), strict=True):
        assert match.distance <= coarse.distance * (1 + 1e-6) <= 1.05 * match.distance


def test_long_stretches_and_small_blocks_make_no_difference(monkeypatch):
    stretches = [*STRETCHES, Stretch(50, 150, thumbnails(video(50, 40))), Stretch(51, 151, STRETCHES[0].thumbnails[:3])]
    clips = [video(50, 40)[33:37], *HELD_OUT[:5]]
    at_once = found(*clips, stretches=stretches)
    monkeypatch.setattr(memorization, "_WINDOWS_AT_ONCE", 7)
    assert found(*clips, stretches=stretches) == at_once
    assert (at_once[0].record, at_once[0].offset, at_once[0].distance) == (150, 33, 0)


def test_distances_known_by_hand():
    grey = [np.full((FRAMES, 32, 32, 3), level, np.uint8) for level in (100, 130, 200)]
    stretches = [Stretch(number, number, thumbnails(clip)) for number, clip in enumerate(grey)]
    (match,) = found(np.full((FRAMES, 32, 32, 3), 110, np.uint8), stretches=stretches)
    assert (match.record, match.distance) == (0, 10)
    assert match.ratio == pytest.approx(10 / 90)  # to the last of fewer than five videos
    half = np.full((FRAMES, 32, 32, 3), 100, np.uint8)
    half[:2] = 106
    (match,) = found(half, stretches=stretches)
    assert match.distance == pytest.approx(np.sqrt(36 / 2))


def test_windows_of_the_own_video_do_not_count(search):
    clips = np.stack([TRAIN[2][1:5], TRAIN[4][0:4]])
    stretches = [*STRETCHES, Stretch(2, 112, STRETCHES[2].thumbnails)]
    candidate = ClipSet(clips, np.array([2, -1]), {})
    own, stranger = nearest(candidate, evidence(candidate, stretches=stretches))
    distance, record, offset, flipped = by_brute_force(clips[0], stretches, passed_over=2)[0]
    assert (own.record, own.offset, own.flipped) == (record, offset, flipped)
    assert own.distance == pytest.approx(distance, rel=1e-6)
    assert (stranger.record, stranger.distance) == (104, 0)


def test_a_clip_that_nothing_can_be_compared_with_has_no_number():
    candidate = ClipSet(TRAIN[0][None, :FRAMES], np.array([0]), {})
    alone = evidence(candidate, held_out=None, stretches=STRETCHES[:1])
    assert nearest(candidate, alone) == []
    assert all(np.isnan(estimate.value) for estimate in measure(candidate, alone).values())


def test_the_share_of_copies_is_found():
    fresh = [video(2000 + seed, FRAMES) for seed in range(20)]
    shares, ratios = [], []
    for copies in (0, 5, 10, 20):
        clips = [TRAIN[index % 12][index % 9:][:FRAMES] for index in range(copies)] + fresh[copies:]
        estimates = measure(generated_set(clips), evidence(generated_set(clips)))
        shares.append(estimates[COPIED].value)
        ratios.append(estimates[RATIO].value)
    # A hundredth of the real clips, in the mean, is held for copies too.
    assert shares == pytest.approx([0, 0.25, 0.5, 1], abs=0.051)
    assert shares == sorted(set(shares))
    assert ratios == sorted(ratios, reverse=True)
    assert ratios[-1] == 0
    assert estimates[DISTANCE].value == 0


def soft(clip, pixels=2.0):
    return ndimage.gaussian_filter(clip.astype(np.float32), (0, pixels, pixels, 0)).round().astype(np.uint8)


def test_blurred_flipped_and_noisy_copies_are_copies_but_few_dull_clips_are():
    def copied(clips):
        return measure(generated_set(clips), evidence(generated_set(clips)))[COPIED].value

    copies = [frames[2:6] for frames in TRAIN]
    noise = np.random.default_rng(0).normal(0, 15, copies[0].shape)
    assert copied([soft(clip)[:, :, ::-1] for clip in copies]) == 1
    assert copied([np.clip(clip + noise, 0, 255).astype(np.uint8) for clip in copies]) == 1
    fresh = [video(3000 + seed, FRAMES) for seed in range(24)]
    rarely_nearer = np.quantile([match.distance for match in found(*HELD_OUT)], 0.01)
    for dull in ([soft(clip, 8.0) for clip in fresh], [clip // 4 + 96 for clip in fresh],
                 [np.full_like(clip, 127) for clip in fresh]):
        assert all(match.distance < rarely_nearer for match in found(*dull))  # all copies, going by that alone
        assert copied(dull) < 0.25


def test_held_out_copies_of_training_clips_do_not_hide_copies():
    leaking = [*HELD_OUT[:50], *(frames[:FRAMES] for frames in TRAIN)]
    clips = [TRAIN[0][1:5], soft(TRAIN[1][2:6]), *HELD_OUT[50:]]
    candidate = generated_set(clips)
    assert measure(candidate, evidence(candidate, held_out=leaking))[COPIED].value == pytest.approx(2 / len(clips))
    held_out = evidence(candidate, held_out=leaking).held_out
    assert measure(held_out, evidence(candidate, held_out=leaking))[COPIED].value >= 12 / 62


def test_few_held_out_clips_are_replaced_by_training_clips_of_other_videos():
    candidate = generated_set([TRAIN[0][1:5], soft(TRAIN[1][2:6]), *HELD_OUT[:6]])
    for held_out in (None, HELD_OUT[:10]):
        assert measure(candidate, evidence(candidate, held_out=held_out))[COPIED].value == pytest.approx(0.25, abs=0.13)


def test_the_search_is_done_once_for_the_same_clips(monkeypatch):
    calls = []
    find = memorization._find
    monkeypatch.setattr(memorization, "_find", lambda *arguments: calls.append(1) or find(*arguments))
    facts = evidence(generated_set(HELD_OUT[:3]))
    measure(facts.generated, facts)
    histograms = plots(facts)
    closest_pairs(facts, 2)
    assert len(calls) == 2  # generated and held out
    nearest(facts.generated, evidence(facts.generated, stretches=STRETCHES[:6]))
    assert len(calls) == 3
    assert {name: len(values) for name, values in histograms[0].series.items()} == {"generated": 3, "held out": 60}


def test_the_most_suspicious_pairs_come_first():
    facts = evidence(generated_set([HELD_OUT[0], soft(TRAIN[6][3:7], 1.0), HELD_OUT[1], TRAIN[8][5:9]]))
    first, second = closest_pairs(facts, 2)
    assert (first.candidate, first.record, first.offset) == (3, 108, 5)
    assert (second.candidate, second.record, second.offset) == (1, 106, 3)
    assert len(closest_pairs(facts, 10)) == 4


def test_thumbnails_are_means_of_blocks():
    clips = np.zeros((2, 3, 64, 96, 3), np.uint8)
    clips[1, 2, 4:8, 8:12] = 200
    clips[0, 0, 0, 0] = 255
    small = thumbnails(clips)
    assert small.shape == (2, 3, 16, 24, 3)
    assert small[1, 2, 1, 2].tolist() == [200, 200, 200]
    assert small[0, 0, 0, 0].tolist() == [16, 16, 16]  # 255 / 16, rounded
    assert small.astype(int).sum() == 3 * (200 + 16)
    random = np.random.default_rng(0).integers(0, 256, (2, 3, 64, 96, 3), np.uint8)
    np.testing.assert_array_equal(thumbnails(random[..., ::-1, :]), thumbnails(random)[..., ::-1, :])


@pytest.mark.parametrize("height, width, size", [(8, 8, 1), (16, 16, 1), (24, 32, 2), (64, 64, 4), (72, 96, 4),
                                                 (128, 128, 8), (136, 136, 8), (256, 448, 16)])
def test_blocks_leave_about_sixteen_pixels(height, width, size):
    assert block_size(height, width, 16) == size


def test_thumbnails_of_another_size_are_refused():
    candidate = generated_set([video(0, FRAMES, size=128)[:, :, :64]])
    with pytest.raises(ValueError, match=r"Received: \(16, 16, 3\) in record 100"):
        nearest(candidate, evidence(candidate))
