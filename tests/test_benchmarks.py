"""What the benchmarks compute from what they measured; their timings are not tested."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import (
    cost_model,
    endless,
    flops,
    folder,
    folder_kinds,
    harness,
    learning_curve,
    one_film,
    operations,
    recipe,
    scaling,
    simulation,
    tasks,
    time_to_quality,
    translate,
    workers,
)
from gan_keras.config.train import ClipSettings
from gan_keras.data.drawn import moving_shapes
from gan_keras.data.preparation.prepare import prepare
from gan_keras.errors import UserError
from gan_keras.evaluation.metrics.factor_reader import read_clips
from gan_keras.runs.run_folder import RunFolder
from tests.processes import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
PICTURES = tf.TensorSpec([2, 6, 6, 4])
CONVOLUTION = 2 * (2 * 6 * 6 * 8) * (3 * 3 * 4)
"""Operations of 3x3 from 4 to 8 channels over PICTURES: each number of the result is a sum of 36 products."""


def counted(function, *specs):
    return flops.count(tf.function(function, autograph=False).get_concrete_function(*specs))


# ---- flops ----

def test_a_convolution_counts_its_multiply_adds_twice():
    kernel = tf.zeros([3, 3, 4, 8])
    assert counted(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"), PICTURES) == CONVOLUTION
    assert counted(lambda x: tf.nn.conv2d(x, kernel, 2, "SAME"), PICTURES) == CONVOLUTION // 4


def test_bytes_accessed_are_those_that_each_operation_reads_and_writes():
    function = tf.function(lambda x: tf.reshape(tf.exp(x) + x, [-1]), autograph=False)
    assert flops.count(function.get_concrete_function(PICTURES), flops.BYTES_ACCESSED) == 5 * 4 * 2 * 6 * 6 * 4


@pytest.mark.parametrize(("watched", "times"), [("kernel", 2), ("both", 3)])
def test_each_gradient_that_is_used_costs_as_much_as_the_convolution(watched, times):
    kernel = tf.zeros([3, 3, 4, 8])
    nested = tf.function(lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), autograph=False)

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch((x, kernel))
            loss = tf.reduce_sum(nested(x, kernel) ** 2)
        found = tape.gradient(loss, [x, kernel])
        return found if watched == "both" else found[1]

    assert counted(gradients, PICTURES) == times * CONVOLUTION


def test_convolutions_over_time_and_channel_by_channel():
    clips = tf.TensorSpec([1, 4, 6, 6, 2])
    assert counted(lambda x: tf.nn.conv3d(x, tf.zeros([3, 3, 3, 2, 5]), [1] * 5, "SAME"), clips) == (
        2 * (4 * 6 * 6 * 5) * (27 * 2))
    kernel = tf.zeros([3, 3, 4, 2])
    assert counted(lambda x: tf.nn.depthwise_conv2d(x, kernel, [1] * 4, "SAME"), PICTURES) == 2 * (2 * 36 * 8) * 9


def test_matrix_products_count_their_shared_side():
    left, right = tf.TensorSpec([7, 5]), tf.TensorSpec([7, 3])
    assert counted(lambda a, b: tf.matmul(a, b, transpose_a=True), left, right) == 2 * 5 * 3 * 7
    batch = tf.TensorSpec([6, 4, 2]), tf.TensorSpec([6, 2, 9])
    assert counted(tf.matmul, *batch) == 2 * 6 * 4 * 9 * 2


def test_loops_count_their_trips_and_conditionals_their_longer_branch():
    square, rows = tf.zeros([4, 4]), tf.TensorSpec([6, 4, 4])
    assert counted(lambda x: tf.map_fn(lambda row: row @ square, x), rows) == 6 * 2 * 4**3
    longer = lambda x: tf.cond(x[0, 0, 0] > 0, lambda: x[0] @ square @ square, lambda: x[0] @ square)  # noqa: E731
    assert counted(longer, rows) == 2 * 2 * 4**3


def test_what_nothing_needs_is_not_counted():
    def function(x):
        tf.matmul(x, x)
        return x + 1.0

    assert counted(function, tf.TensorSpec([4, 4])) == 0


def test_an_unknown_shape_is_not_guessed():
    with pytest.raises(ValueError, match="not known"):
        counted(lambda x: tf.matmul(x, tf.zeros([4, 4])), tf.TensorSpec([None, 4]))


# ---- endless ----

def test_a_sequence_that_darkens_departs_by_what_it_loses_and_one_that_loops_comes_back():
    frames = np.random.default_rng(0).integers(100, 200, (2 * endless.STRETCH, 4, 4, 3)).astype(np.uint8)
    darker = np.concatenate([frames, frames - 40])
    np.testing.assert_allclose(endless.colour_departure(darker[None], 2 * endless.STRETCH), [40])
    assert endless.nearest_later_frame(frames) > 20
    assert endless.nearest_later_frame(np.concatenate([frames, frames[:1]])) == 0
    np.testing.assert_allclose(endless.contrast(darker[None]), frames[None].std((2, 3)).mean())


# ---- recipe ----

def test_a_row_of_the_recipe_is_the_last_evaluation_and_the_median_speed(tmp_path):
    run = RunFolder(tmp_path)
    for step, speed in ((50, 10.0), (100, 90.0), (150, 80.0)):
        run.append_metrics(step, {"learning_rate": 1e-3, "speed/clips_per_second": speed})
    run.append_metrics(100, {"evaluation/clips": 64, "frechet/joint": 9.0})
    run.append_metrics(150, {"evaluation/clips": 64, "frechet/joint": 7.5, "coverage": 0.25,
                             "speed/clips_per_second": 500.0})
    row = recipe.row(run.metrics())
    assert row == {"steps": 150, **dict.fromkeys(recipe.COLUMNS), "clips/s": 80.0, "joint": 7.5, "coverage": 0.25}


def test_every_variant_is_a_start_of_train_py_of_its_own():
    code = ("from benchmarks import recipe\n"
            "from gan_keras.config import flags\n"
            "from gan_keras.config.train import Config\n"
            "flags.define_config()\n"
            "for line in recipe.VARIANTS.values():\n"
            "    flags.FLAGS.unparse_flags(); flags.FLAGS(['train.py', *line.split()])\n"
            "    Config().replace(**flags.named_config())")
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    folders = [recipe.folder_name(name) for name in recipe.VARIANTS]
    assert len(set(folders)) == len(folders) and not any("," in name for name in recipe.VARIANTS)


# ---- scaling, and what all share ----

def test_the_exponent_is_the_slope_between_the_ends():
    points = [{"pixels": 100, "milliseconds": 10.0, "peak_megabytes": 500.0},
              {"pixels": 200, "milliseconds": 999.0, "peak_megabytes": 999.0},
              {"pixels": 400, "milliseconds": 40.0, "peak_megabytes": 1000.0}]
    assert scaling.exponents(points) == {"milliseconds": 1.0, "peak_megabytes": 0.5}


def test_turns_alternate_and_are_compared_by_their_medians(capsys):
    ours, theirs, order = iter([8.0, 2.0, 6.0]), iter([1.0, 3.0]), []
    turns = harness.take_turns(lambda: order.append("ours") or next(ours),
                               lambda: order.append("theirs") or next(theirs))
    assert order == ["ours", "theirs", "ours", "theirs", "ours"]
    assert harness.comparison(turns, "clips_per_second") == {
        "peer_clips_per_second": 2.0, "ratio": 3.0, "turns": {"ours": [8.0, 2.0, 6.0], "theirs": [1.0, 3.0]}}
    assert capsys.readouterr().out.count("turn") == 5


def test_the_last_json_line_of_a_program_is_found():
    assert harness.last_json('{"a": 1}\n{"a": 2}\nbye\n') == {"a": 2}
    with pytest.raises(UserError, match="Received: output"):
        harness.last_json("nothing")


def test_a_program_that_fails_is_reported_with_its_last_line():
    with pytest.raises(harness.ProgramFailed, match=r"failed and said: broken\. Received: exit code=3"):
        harness.run(sys.executable, "-c", "import sys; print('broken', file=sys.stderr); sys.exit(3)")


def test_tables_are_markdown():
    assert harness.table(["name", "value"], [["one", 1.23456], ["none", None]]) == (
        "| name | value |\n|---|---|\n| one | 1.235 |\n| none | – |")


@pytest.mark.slow
def test_every_kind_of_file_in_a_folder_becomes_what_it_should(tmp_path):
    priority = os.sched_getscheduler(0)
    expected = folder_kinds.write_folder(tmp_path / "source", 1, seed=1)
    assert os.sched_getscheduler(0) == priority
    manifest = prepare(str(tmp_path / "source"), tmp_path / "prepared", ClipSettings(resolution="32", num_frames=8), 1)
    accounts = folder_kinds.check(manifest, expected)
    assert [text for account in accounts.values() for text in account.wrong] == []
    assert len(accounts) > 75 and set(manifest.classes) == set(folder_kinds.CLASSES)
    turned = accounts["turned"].outcomes
    expected["turned"] = {name: folder_kinds.Expected("left out", "blank") for name in expected["turned"]}
    [wrong] = folder_kinds.check(manifest, expected)["turned"].wrong
    assert turned == {"used": 1} and "used and not left out, `blank` is not said" in wrong
    del expected["turned"]
    assert len(folder_kinds.check(manifest, expected)["unforeseen"].wrong) == 1


def test_a_killed_preparation_is_compared_to_the_byte(tmp_path):
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        for file, content in (("manifest.json", "{}"), ("train", name)):
            (tmp_path / name / file).write_text(content)
    (tmp_path / "one" / "report.html").write_text("")
    assert folder.differences(tmp_path / "one", tmp_path / "other") == [
        "report.html differs after the kills", "train differs after the kills"]


def test_benchmarks_import_nothing_heavy_before_their_flags_are_parsed():
    commands = [path.stem for path in BENCHMARKS if "flags.run(main" in path.read_text()]
    code = ("import importlib, json, sys\n"
            f"for name in {commands}: importlib.import_module(f'benchmarks.{{name}}')\n"
            "print(json.dumps([m for m in ('tensorflow', 'keras', 'cv2', 'numpy') if m in sys.modules]))")
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(commands) == 20 and json.loads(found.stdout) == []


@pytest.mark.parametrize(("name", "layer"), [
    ("StatefulPartitionedCall/gradient_tape/backbone_1/point_0_1/convolution/Conv2D", "backbone point_0"),
    ("StatefulPartitionedCall/clip_3/level_2_convolution_0_1/BiasAdd", "clip level_2"),
    ("StatefulPartitionedCall/cond/generator/update_7/Sub", "cond generator"), ("Mul_3", "other")])
def test_an_operation_belongs_to_a_layer_of_a_network(name, layer):
    assert operations.layer_of(name) == layer


# ---- tasks ----

METRICS = {"step": 9, "fidelity/psnr": 30.0, "fidelity/ssim": 0.9, "fidelity/flow_error": 0.1,
           "fidelity/warping_error": 4.0, "fidelity/warping_error_of_targets": 5.0, "relative_mse/telea": 0.4,
           "relative_mse/edge": 0.6, "relative_mse/edge.low": 0.9, "relative_mse_moving/telea": 0.3,
           "relative_mse_moving/blend": 0.5, "horizon/01": 0.5, "horizon/02": 0.75, "horizon/02.low": 0.1}


def test_a_row_of_a_task_has_the_share_of_the_answer_that_is_hardest_to_beat():
    row = tasks.row("inpaint", METRICS)
    assert (row["steps"], row["best baseline"], row["share"], row["wanted"]) == (9, "edge", 0.6, 0.4)
    assert tasks.hardest(METRICS, "relative_mse_static") == (None, None)


def test_tables_have_parts_and_how_far_predictions_are_ahead():
    found = {"inpaint": METRICS, "predict": METRICS}
    assert "| moving holes | blend | 0.5 | 0.3 | – |" in tasks.parts_table(found)
    assert "| frames ahead | 1 | 2 |" in tasks.ahead_table(found) and "| 0.5 | 0.75 |" in tasks.ahead_table(found)
    assert tasks.parts_table({}) == tasks.ahead_table({}) == ""


def test_only_what_is_between_the_marks_of_a_page_is_replaced():
    page = "# Head\n<!-- tables -->\nold\n<!-- end of tables -->\nfoot\n"
    assert tasks.replaced(page, "new") == "# Head\n<!-- tables -->\nnew\n<!-- end of tables -->\nfoot\n"
    assert tasks.replaced((ROOT / "docs" / "tasks.md").read_text(), "new").count("<!-- tables -->\nnew\n") == 1


# ---- cost_model, simulation ----

MACHINE = cost_model.Machine(
    operations_per_second=1000.0, step_overhead=0.5, device_overhead=0.25, network_latency=0.1,
    network_bandwidth=100.0, step_bytes=50.0, pixel_bytes=2.0, preparation_overhead=3.0, video_seconds=0.5)
COST = cost_model.StepCost(operations=200.0, bytes_accessed=90.0, gradient_bytes=80.0, pixels=10.0)


def test_a_step_takes_its_operations_and_what_comes_beside():
    assert cost_model.line([(1, 5.0), (3, 9.0)]) == (3.0, 2.0)
    assert cost_model.step_seconds(MACHINE, COST, 5) == 1.5
    assert cost_model.step_seconds(MACHINE, COST, 5, devices=3) == 2.0
    slow_memory = cost_model.Machine(1000.0, memory_bandwidth=45.0)
    assert cost_model.step_seconds(slow_memory, COST, 5) == 10.0  # 2 s a clip for memory, 0.2 for operations
    assert cost_model.peak_bytes(MACHINE, COST, 3) == 110.0


def test_a_sum_over_a_ring_sends_each_share_twice_around():
    assert cost_model.all_reduce_seconds(MACHINE, 80.0, 1) == 0.0
    assert cost_model.all_reduce_seconds(MACHINE, 80.0, 4) == pytest.approx(6 * (0.1 + 0.2))
    assert cost_model.step_seconds(MACHINE, COST, 5, workers=4) == pytest.approx(1.5 + 6 * (0.1 + 0.2))


def test_predicted_shards_are_those_that_are_written(tmp_path):
    clip = ClipSettings(resolution="32", num_frames=8, test_fraction=0.0)
    prepared = prepare("shapes:520,frames=16", tmp_path / "prepared", clip, 1)
    written = [shard for split in prepared.splits.values() for shard in split]
    pixels = 16 * 32 * 32
    assert cost_model.shards(520, pixels) == len(written) == 2
    assert cost_model.prepared_bytes(520, pixels) == pytest.approx(sum(shard.bytes for shard in written), rel=1e-3)
    assert cost_model.shards(3, 256 * 256 * 250) == 3  # a record that is larger than a shard has one of its own


def test_workers_share_what_is_not_serial():
    machine = cost_model.Machine(1.0, preparation_overhead=3.0, video_seconds=0.5, serial_seconds=0.1)
    assert cost_model.preparation_seconds(machine, 10, 1) == pytest.approx(9.0)
    assert cost_model.preparation_seconds(machine, 10, 5) == pytest.approx(5.0)


def test_a_checkpoint_has_the_moments_of_all_and_the_average_of_the_generator():
    assert cost_model.checkpoint_bytes(10.0, 100.0) == 340.0


def test_a_prediction_holds_within_a_fifth():
    assert simulation.Check("", "s", 1.2, 1.0).holds and simulation.Check("", "s", 0.8, 1.0).holds
    assert not simulation.Check("", "s", 1.21, 1.0).holds and not simulation.Check("", "s", 0.79, 1.0).holds


def test_a_cluster_is_no_faster_than_it_reads():
    cost = cost_model.StepCost(operations=0.0, bytes_accessed=0.0, gradient_bytes=0.0, pixels=1e6)
    clusters = (simulation.ClusterSettings(gpus=2, clips_per_gpu=5, read_megabytes=speed) for speed in (1e9, 30.0))
    found = [simulation.cluster_costs(cluster, MACHINE, cost, {"generator": 10, "pair": 5})["clips a day"]
             for cluster in clusters]
    # A step takes 10 ms and two messages of 10 µs each, or reading 15 MB from 30 MB/s.
    assert found == ["86.2 million", "1.7 million"]


# ---- translate ----

def test_a_translated_clip_is_of_the_other_colour_and_keeps_shape_and_path():
    given = np.stack([moving_shapes.render(0, index, 6, 32, 32)[0] for index in (0, 0, 0, 0)])  # red circles
    blue = given[..., [2, 1, 0]]
    elsewhere = np.roll(blue, 6, axis=3)
    square = np.stack([moving_shapes.render(0, 1, 6, 32, 32)[0][..., [2, 1, 0]]])
    made = read_clips(np.concatenate([blue[:1], given[1:2], elsewhere[2:3], square]))
    found = translate.shares(read_clips(given), made, translate.is_colour(made, "blue"), "colour")
    assert found["of_the_other_domain"] == 0.75 and found["shape_kept"] == 0.75 and found["all"] == 0.25
    assert found["path_kept"] <= 0.75 and "colour_kept" not in found


def test_a_translated_clip_moves_as_the_other_domain_does():
    linear, sine = (np.stack([moving_shapes.render(9, index, 16, 32, 32, (motion,))[0] for index in range(4)])
                    for motion in ("linear", "sine"))
    nothing = np.zeros_like(sine[:1])
    made = read_clips(np.concatenate([sine[:1], linear[1:2], sine[2:3][..., [1, 2, 0]], nothing]))
    of_domain = translate.is_motion(*translate.distances(made, 32, 32, "linear", "sine"))
    np.testing.assert_array_equal(of_domain, [True, False, True, False])
    found = translate.shares(read_clips(sine), made, of_domain, "motion")
    assert found["readable"] == found["shape_kept"] == 0.75 and found["colour_kept"] == 0.5
    assert found["of_the_other_domain"] == 0.5 and found["all"] == 0.25


# ---- one film ----

def test_the_middle_third_is_damaged_by_scratches_and_missing_frames():
    mask = one_film.damage((30, 24, 32))
    assert not mask[:10].any() and not mask[20:].any() and (mask[10:20].mean((1, 2, 3)) > 0).sum() >= 5
    assert mask.all((1, 2, 3)).sum() == one_film.MISSING


def test_a_mended_film_is_compared_in_the_holes():
    true = np.random.default_rng(0).integers(0, 256, (30, 24, 32, 3), np.uint8)
    mask = one_film.damage(true.shape[:3])
    damaged = np.where(mask > 0, 255, true).astype(np.uint8)
    found = one_film.compared(true, damaged, mask, true)
    assert set(found) == {"scratches", "missing"}
    for part in found.values():
        assert part["made"] == part["share"] == 0 and part[part["best"]] == min(
            part[name] for name in ("telea", "navier_stokes", "replicate", "nearest_frame", "blend"))
    assert one_film.compared(true, damaged, mask, damaged)["scratches"]["made"] > 1000


# ---- learning_curve ----

def test_a_learning_curve_has_the_evaluations_and_the_losses(tmp_path):
    distances = {f"frechet/{name}.multiple": value for name, value in zip(
        learning_curve.DISTANCES, (2.0, 9.0, 4.0), strict=True)}
    metrics = [{"step": 50, "loss/clip": 1.0}, {"step": 100, "loss/clip": 0.5, "loss/pair": 2.0},
               {"step": 100, **distances, "coverage": 0.2}]
    row, = learning_curve.evaluations(metrics)
    assert (row["step"], row["motion"], row["coverage"], row["sharpness"]) == (100, 9.0, 0.2, None)
    found = learning_curve.losses(metrics)
    assert found == {"clip": [(50, 1.0), (100, 0.5)], "pair": [(100, 2.0)]}
    learning_curve.draw([row], found, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 1000


# ---- time_to_quality ----

def test_minutes_until_all_distances_are_below_are_those_of_training_alone():
    def evaluated(step, *values):
        return {"step": step, **{f"frechet/{name}": value for name, value in zip(
            time_to_quality.DISTANCES, values, strict=True)}}

    metrics = [{"step": 60, "speed/clips_per_second": 8.0}, evaluated(60, 3.0, 1.0, 9.0),
               {"step": 120, "speed/clips_per_second": 4.0}, evaluated(120, 1.0, 1.5, 4.0)]
    rows = time_to_quality.curve(metrics, batch_size=8)
    assert [(row["step"], row["minutes"]) for row in rows] == [(60, 1.0), (120, 3.0)]
    wanted = {"appearance": 2.0, "motion": 2.0, "joint": 5.0}
    assert time_to_quality.reached(rows, wanted) == 3.0 and time_to_quality.reached(rows[:1], wanted) is None
    assert time_to_quality.reached(rows, None) is None


# ---- workers ----

def test_runs_differ_by_the_largest_share_of_a_variable():
    one = {"a": np.array([2.0, 4.0]), "b": np.array([0.0]), "c": np.zeros(0)}
    assert workers.difference(one, one) == 0.0
    assert workers.difference(one, {**one, "a": np.array([2.0, 4.4])}) == pytest.approx(0.1)
    with pytest.raises(UserError, match="The runs have other variables: b"):
        workers.difference(one, {name: one[name] for name in "ac"})
