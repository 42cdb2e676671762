"""One object for all that differs between devices and processes."""

import numpy as np
import pytest
import tensorflow as tf

from gan_keras.config.train import HardwareSettings
from gan_keras.errors import UserError
from gan_keras.training import hardware
from gan_keras.training.distribution import Distribution, make_distribution
from tests.training.batches import BATCH


def test_each_process_decodes_its_own_rows_and_the_first_one_writes():
    strategy = tf.distribute.get_strategy()
    processes = [Distribution(strategy, processes=3, process=number) for number in range(3)]
    rows = [list(range(12))[process.rows(12)] for process in processes]
    assert rows == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert [process.is_chief for process in processes] == [True, False, False]


def test_a_batch_is_split_over_the_devices_in_order(two_devices, undistributed):
    parts = two_devices.strategy.experimental_local_results(two_devices.split(BATCH).clips)
    np.testing.assert_array_equal(tf.concat(parts, 0), BATCH.clips)
    assert len(parts) == 2 and undistributed.split(BATCH) is BATCH


def test_a_batch_that_cannot_be_split_is_refused(two_devices, tiny):
    two_devices.check_batch_size(tiny)
    with pytest.raises(UserError, match=r"`batch_size` must be a multiple of the 2 devices\. Received: batch_size=5"):
        two_devices.check_batch_size(tiny.replace(batch_size=5))


def test_one_process_agrees_with_itself(undistributed):
    assert [undistributed.any(value) for value in (True, False)] == [True, False]


def test_strategy_takes_all_devices_or_one():
    assert make_distribution(HardwareSettings()).replicas == 2
    assert make_distribution(HardwareSettings(strategy="single")).replicas == 1


def test_several_devices_need_a_mirrored_strategy():
    with pytest.raises(UserError, match="`virtual_devices` splits the CPU"):
        make_distribution(HardwareSettings(strategy="single", virtual_devices=2))


def test_precision_decides_the_policy(monkeypatch):
    assert hardware.precision_policy(HardwareSettings(precision="float32")) == "float32"
    assert hardware.precision_policy(HardwareSettings(precision="bfloat16")) == "mixed_bfloat16"
    for has, policy in ((True, "mixed_bfloat16"), (False, "float32")):
        monkeypatch.setattr(hardware, "has_bfloat16", lambda has=has: has)
        assert hardware.precision_policy(HardwareSettings()) == policy


def test_xla_is_for_gpus_unless_asked_for():
    assert [hardware.uses_xla(HardwareSettings(xla=value)) for value in ("auto", "on", "off")] == [False, True, False]
