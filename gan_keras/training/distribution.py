"""Distribution of a run over devices and processes, in one object."""

import dataclasses
import hashlib
import json
import re
import signal
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import tensorflow as tf
from absl import logging

from gan_keras.config.train import Config, HardwareSettings
from gan_keras.errors import UserError, WorkerLost, error_text
from gan_keras.layers.minibatch_stddev import GROUP_SIZE
from gan_keras.training.cluster import Cluster, find_cluster

Batch = TypeVar("Batch")

_SECONDS_OF_CACHES = 10.0
"""For which a network disk may not show a new file."""
_LONGEST_WAIT_FOR_OTHERS = 15 * 60
"""In seconds."""
_OF_CONNECTIONS = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError,
                   tf.errors.DeadlineExceededError)
_TASK = re.compile(r"/job:\w+/replica:0/task:\d+")
"""How TensorFlow's messages name a process."""


@dataclasses.dataclass(frozen=True)
class Distribution:
    """How a run is distributed. Everything that differs between processes is decided here.

    The order of clips and all noise are functions of (seed, step), so processes share nothing else than gradients.

    Attributes:
        strategy: over the devices of all processes.
        addresses: see `cluster.Cluster`; of a process that is alone, empty.
        process: which of them this is.
    """

    strategy: tf.distribute.Strategy
    addresses: Mapping[str, str] = dataclasses.field(default_factory=dict)
    process: int = 0

    @property
    def processes(self) -> int:
        """How many processes train together."""
        return max(len(self.addresses), 1)

    @property
    def replicas(self) -> int:
        """Devices of all processes together."""
        return self.strategy.num_replicas_in_sync

    @property
    def is_chief(self) -> bool:
        """Whether this process writes what all have in common: checkpoints, metrics, samples, exports."""
        return self.process == 0

    def check_batch_size(self, config: Config, begun: bool = False) -> None:
        """Checks that a global batch can be split.

        Args:
            config: the settings.
            begun: whether it is of a run that goes on, which keeps its batch size.

        Raises:
            UserError: it cannot.
        """
        parts = config.hardware.gradient_accumulation_steps
        multiple = parts * (GROUP_SIZE if config.model.minibatch_stddev else 1)
        batch_size = config.optimization.batch_size
        each = multiple * self.replicas
        if batch_size % each == 0:
            return
        reasons = {"minibatch_stddev": config.model.minibatch_stddev, "gradient_accumulation_steps": parts > 1}
        why = " and ".join(f"`{name}`" for name, holds in reasons.items() if holds)
        devices = f"{multiple} for each of the {self.replicas} devices, because of {why}" if why else \
            f"the {self.replicas} devices"
        below = batch_size // each * each
        would_do = [] if begun else [f"--batch_size={below} or {below + each}" if below else f"--batch_size={each}"]
        fewer = " or ".join(str(count) for count in range(1, self.replicas) if batch_size % (multiple * count) == 0)
        if fewer and config.hardware.virtual_devices:
            would_do.append(f"--virtual_devices={fewer}")
        elif fewer:
            would_do.append(f"{fewer} of the devices, with --strategy=single (1) or CUDA_VISIBLE_DEVICES")
        raise UserError(f"`batch_size` must be a multiple of {devices}. Received: batch_size={batch_size}. "
                        f"What would do: {'; or '.join(would_do)}.")

    def rows(self, batch_size: int) -> slice:
        """Rows of a global batch that this process decodes."""
        share = batch_size // self.processes
        return slice(self.process * share, (self.process + 1) * share)

    def split(self, batch: Batch) -> Batch:
        """This process' rows of a batch as one part for each of its replicas, for `VideoGAN.train_step`."""
        local = self.replicas // self.processes
        if local == 1:
            return batch
        parts = [tf.split(values, local) for values in tf.nest.flatten(batch)]
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.nest.pack_sequence_as(batch, [
                part[context.replica_id_in_sync_group % local] for part in parts]))

    def all_reduce_sum(self, values: Sequence[float]) -> list[float]:
        """Sums of values over all processes, the same in each; waits for all of them."""
        if self.processes == 1:
            return list(values)
        return self._summed(np.array(values, np.float64)).tolist()

    def is_same(self, text: str) -> bool:
        """Whether all processes call this with the same text."""
        digest = hashlib.sha256(text.encode()).digest()
        numbers = [float(int.from_bytes(digest[i:i + 4], "big")) for i in range(0, len(digest), 4)]
        return self.all_reduce_sum(numbers) == [number * self.processes for number in numbers]

    def broadcast(self, text: str) -> str:
        """The chief's text, in every process."""
        if self.processes == 1:
            return text
        data = text.encode() if self.is_chief else b""
        length = round(self.all_reduce_sum([float(len(data))])[0])
        summed = self.all_reduce_sum([float(value) for value in data.ljust(length, b"\0")])
        return bytes(round(value) for value in summed).decode()

    def broadcast_array(self, values: np.ndarray) -> np.ndarray:
        """The chief's array in every process; the others give any of the same type, uint8 or float32."""
        if self.processes == 1:
            return values
        shape = json.loads(self.broadcast(json.dumps(values.shape)))
        return self._summed(values if self.is_chief else np.zeros(shape, values.dtype))

    def gather(self, values: np.ndarray) -> np.ndarray:
        """Arrays of all processes, of one shape, uint8 or float32, one after the other along the first axis."""
        if self.processes == 1:
            return values
        count, everything = len(values), np.zeros((self.processes * len(values), *values.shape[1:]), values.dtype)
        everything[self.process * count:(self.process + 1) * count] = values
        return self._summed(everything)

    def _summed(self, values: np.ndarray) -> np.ndarray:
        """Sum over all processes, of floats: integers to 255 are exact, and some devices sum no others."""
        floats = tf.constant(values.astype(np.result_type(values, np.float32)))
        return _all_reduce_sum(self.strategy, self.replicas // self.processes, floats).numpy().astype(values.dtype)

    def check_folder(self, folder: Path) -> None:
        """Checks that all processes see one folder.

        Raises:
            UserError: this one sees another than the chief.
        """
        if self.processes == 1:
            return
        path = folder / self.broadcast(f".seen-by-all-{uuid.uuid4().hex}")
        if self.is_chief:
            path.touch()
        self.barrier()
        deadline = time.monotonic() + _SECONDS_OF_CACHES
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        seen = path.exists()
        everywhere = self.all_reduce_sum([float(seen)])[0] == self.processes
        if self.is_chief:
            path.unlink(missing_ok=True)
        if not everywhere:
            raise UserError("`run_dir` must be one folder for all workers, on a disk that they share; worker "
                            f"{self.process} {'sees' if seen else 'does not see'} what the chief wrote there. "
                            f"Received: run_dir={folder}")

    def barrier(self) -> None:
        """Returns when every process has come to its call of this."""
        self.all_reduce_sum([0.0])

    @contextmanager
    def chief_first(self) -> Iterator[None]:
        """Runs the block in the chief, and then, when that has done it, in the others."""
        if not self.is_chief:
            self.barrier()
        yield
        if self.is_chief:
            self.barrier()

    @contextmanager
    def lost_workers_named(self) -> Iterator[None]:
        """Makes one line of what TensorFlow says when another process is gone; other errors stay what they are.

        Raises:
            WorkerLost: another process has ended or cannot be reached.
        """
        try:
            yield
        except tf.errors.OpError as error:
            named = set(_TASK.findall(error.message))
            lost = [f"{number} of {self.processes} ({address})" for number, (name, address) in
                    enumerate(self.addresses.items()) if name in named and number != self.process]
            if self.processes == 1 or not (lost or isinstance(error, _OF_CONNECTIONS)):
                raise
            said = "" if lost else f" TensorFlow said: {error_text(error)[:200]}"
            raise WorkerLost(f"Worker {' and '.join(lost) or 'of this training'} has ended or cannot be reached: what "
                             "it wrote says why. The same command, on all workers or on fewer, goes on from the last "
                             f"checkpoint.{said}") from error


@tf.function(autograph=False, reduce_retracing=True)
def _all_reduce_sum(strategy: tf.distribute.Strategy, local: int, values: tf.Tensor) -> tf.Tensor:
    """Over processes, each of which has `local` replicas: the first of them brings the values."""
    def of_replica() -> tf.Tensor:
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        return tf.where(tf.equal(number % local, 0), values, tf.zeros_like(values))

    return strategy.reduce("sum", strategy.run(of_replica), axis=None)


def make_distribution(settings: HardwareSettings) -> Distribution:
    """Distribution over the devices, and the processes, that the settings ask for.

    Must be called before TensorFlow has run anything. With `--strategy=multi_worker` it waits for all processes.

    Raises:
        UserError: several devices were asked for with `--strategy=single`; the environment does not say which processes
            train together; there is no TPU.
    """
    if settings.virtual_devices:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * settings.virtual_devices
        tf.config.set_logical_device_configuration(cpu, parts)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    return _DISTRIBUTIONS[settings.strategy](settings)


def _of_this_machine(settings: HardwareSettings) -> Distribution:
    virtual = settings.virtual_devices > 0
    gpus = [] if virtual else tf.config.list_logical_devices("GPU")
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if settings.strategy == "single":
        if virtual and len(devices) > 1:
            raise UserError("`virtual_devices` splits the CPU for `--strategy=mirrored`. "
                            f"Received: virtual_devices={settings.virtual_devices}, strategy=single")
        devices = devices[:1]
    return Distribution(tf.distribute.MirroredStrategy(devices))


def _of_several_machines(settings: HardwareSettings) -> Distribution:
    cluster = find_cluster()
    logging.info("Worker %d of %d waits for the others, at most %d minutes: %s", cluster.process,
                 len(cluster.addresses), _LONGEST_WAIT_FOR_OTHERS // 60, ", ".join(cluster.addresses.values()))
    try:
        with _waiting_that_ends():
            if settings.virtual_devices:
                strategy = _on_virtual_devices(cluster, settings.virtual_devices)
            else:
                strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster.resolver)
    except tf.errors.OpError as error:
        here = list(cluster.addresses.values())[cluster.process]
        raise WorkerLost(f"The workers did not find each other; this one is {here}: is the port free, and do all have "
                         f"the same addresses? TensorFlow said: {error_text(error)[:200]}") from error
    return Distribution(strategy, cluster.addresses, cluster.process)


@contextmanager
def _waiting_that_ends() -> Iterator[None]:
    """Lets Ctrl+C, and a clock, end this process at once, as if Python had no handler: TensorFlow waits in C++ and lets
    no Python run. There is nothing to save yet. (SIGTERM it takes for itself.)"""
    before = signal.getsignal(signal.SIGINT)
    if before != signal.SIG_IGN:  # as it is of a process in the background
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.alarm(_LONGEST_WAIT_FOR_OTHERS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


def _on_virtual_devices(cluster: Cluster, count: int) -> tf.distribute.Strategy:
    """MultiWorkerMirroredStrategy over the parts of a CPU, of which it takes only the first by itself."""
    from tensorflow.python.distribute.collective_all_reduce_strategy import CollectiveAllReduceExtended

    class Extended(CollectiveAllReduceExtended):
        def _initialize_local_devices(self, _: object, worker_device: str) -> tuple[tuple[str, ...], str]:
            return tuple(f"{worker_device}/device:CPU:{i}" for i in range(count)), "CPU"

    class VirtualMultiWorkerStrategy(tf.distribute.Strategy):
        _collective_key_base = 0

        def __init__(self) -> None:
            options = tf.distribute.experimental.CommunicationOptions()
            super().__init__(Extended(self, cluster_resolver=cluster.resolver, communication_options=options))

    return VirtualMultiWorkerStrategy()


def _of_tpus(settings: HardwareSettings) -> Distribution:
    """Tried without a TPU as far as that goes: to the message that there is none."""
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver.connect()
    except (ValueError, tf.errors.OpError) as error:
        raise UserError(f"`strategy` must be another one: no TPU is found ({error}). Received: strategy=tpu") from error
    return Distribution(tf.distribute.TPUStrategy(resolver))


_DISTRIBUTIONS = {"mirrored": _of_this_machine, "single": _of_this_machine, "multi_worker": _of_several_machines,
                  "tpu": _of_tpus}
