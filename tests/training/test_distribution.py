"""One object for all that differs between devices and processes."""

import re
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import HardwareSettings
from gan_keras.errors import UserError
from gan_keras.training import hardware
from gan_keras.training.distribution import Distribution, WorkerLost, make_distribution
from tests.training.batches import BATCH


def test_each_process_decodes_its_own_rows_and_the_first_one_writes():
    strategy = tf.distribute.get_strategy()
    addresses = {f"/job:worker/replica:0/task:{number}": f"host{number}:2222" for number in range(3)}
    processes = [Distribution(strategy, addresses, number) for number in range(3)]
    rows = [list(range(12))[process.rows(12)] for process in processes]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert [process.is_chief for process in processes] == [True, False, False]


def test_a_process_that_is_gone_is_named_by_number_and_address():
    addresses = {"/job:chief/replica:0/task:0": "a:1", "/job:worker/replica:0/task:0": "b:2",
                 "/job:worker/replica:0/task:1": "c:3"}
    distribution = Distribution(tf.distribute.get_strategy(), addresses, 1)
    error = tf.errors.UnavailableError(None, None, "/job:worker/replica:0/task:1 of /job:worker/replica:0/task:0: gone")
    with pytest.raises(WorkerLost, match=r"Worker 2 of 3 \(c:3\) has ended"), distribution.lost_workers_named():
        raise error
    alone = Distribution(tf.distribute.get_strategy())
    with pytest.raises(tf.errors.UnavailableError), alone.lost_workers_named():
        raise error


def test_a_process_that_is_alone_waits_for_nobody():
    alone = Distribution(tf.distribute.get_strategy())
    assert alone.all_reduce_sum([1.0, 2.0]) == [1.0, 2.0]
    order = []
    with alone.chief_first():
        order.append("chief")
    assert order == ["chief"]


def test_without_a_tpu_another_strategy_is_asked_for():
    with pytest.raises(UserError, match="`strategy` must be another one: no TPU is found"):
        make_distribution(HardwareSettings(strategy="tpu"))


def test_a_batch_is_split_over_the_devices_in_order(two_devices, undistributed):
    parts = two_devices.strategy.experimental_local_results(two_devices.split(BATCH).clips)
    np.testing.assert_array_equal(tf.concat(parts, 0), BATCH.clips)
    assert len(parts) == 2 and undistributed.split(BATCH) is BATCH


def test_a_batch_that_cannot_be_split_is_refused(two_devices, tiny):
    two_devices.check_batch_size(tiny)
    with pytest.raises(UserError, match=r"`batch_size` must be a multiple of the 2 devices\. Received: batch_size=5"):
        two_devices.check_batch_size(tiny.replace(batch_size=5))


@pytest.mark.parametrize(("devices", "settings", "message"), [
    (3, {"batch_size": 16}, "--batch_size=15 or 18; or 1 or 2 of the devices, with --strategy=single (1) or "
                            "CUDA_VISIBLE_DEVICES"),
    (8, {"batch_size": 6, "virtual_devices": 8}, "--batch_size=8; or --virtual_devices=1 or 2 or 3 or 6"),
    (2, {"batch_size": 12, "minibatch_stddev": True}, "--batch_size=8 or 16; or 1 of the devices, with "
                                                      "--strategy=single (1) or CUDA_VISIBLE_DEVICES"),
    (2, {"batch_size": 6, "minibatch_stddev": True}, "--batch_size=8")])
def test_what_would_do_is_told(tiny, devices, settings, message):
    strategy = SimpleNamespace(num_replicas_in_sync=devices)
    with pytest.raises(UserError, match=re.escape(f"What would do: {message}.") + "$"):
        Distribution(strategy).check_batch_size(tiny.replace(**settings))


def test_a_run_that_goes_on_keeps_its_batch_size(tiny):
    strategy = SimpleNamespace(num_replicas_in_sync=3)
    with pytest.raises(UserError, match=r"What would do: --virtual_devices=1 or 2\.$"):
        Distribution(strategy).check_batch_size(tiny.replace(batch_size=4, virtual_devices=3), begun=True)


def test_strategy_takes_all_devices_or_one():
    assert make_distribution(HardwareSettings()).replicas == 2
    assert make_distribution(HardwareSettings(strategy="single")).replicas == 1


def test_several_devices_need_a_mirrored_strategy():
    with pytest.raises(UserError, match="`virtual_devices` splits the CPU"):
        make_distribution(HardwareSettings(strategy="single", virtual_devices=2))


def test_precision_decides_the_policy(monkeypatch):
    assert hardware.precision_policy(HardwareSettings(precision="float32").precision) == "float32"
    assert hardware.precision_policy(HardwareSettings(precision="bfloat16").precision) == "mixed_bfloat16"
    for has, policy in ((True, "mixed_bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "has_bfloat16", lambda has=has: has)
        assert hardware.precision_policy(HardwareSettings().precision) == policy


def test_xla_is_for_gpus_unless_asked_for():
    assert [hardware.uses_xla(HardwareSettings(xla=value)) for value in ("auto", "on", "off")] == [False, True, False]
