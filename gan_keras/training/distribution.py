"""Distribution of a run over devices and processes, in one object."""

import dataclasses
from typing import TypeVar

import tensorflow as tf

from gan_keras.config.train import Config, HardwareSettings
from gan_keras.errors import UserError
from gan_keras.layers.minibatch_stddev import GROUP_SIZE

Batch = TypeVar("Batch")


@dataclasses.dataclass(frozen=True)
class Distribution:
    """How a run is distributed. Everything that differs between processes is decided here.

    The order of clips and all noise are functions of (seed, step), so processes share nothing else than gradients.

    Attributes:
        strategy: over the devices of all processes.
        processes: how many processes train together.
        process: which of them this is; the first one is the chief.
    """

    strategy: tf.distribute.Strategy
    processes: int = 1
    process: int = 0

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
        multiple = GROUP_SIZE if config.model.minibatch_stddev else 1
        batch_size = config.optimization.batch_size
        each = multiple * self.replicas
        if batch_size % each == 0:
            return
        devices = f"the {self.replicas} devices" if multiple == 1 else \
            f"{multiple} for each of the {self.replicas} devices, because of `minibatch_stddev`"
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

    def any(self, value: bool) -> bool:
        """Whether a value is true in any process; all processes get the same answer."""
        if self.processes == 1:
            return value
        total = self.strategy.reduce("sum", self.strategy.run(lambda: tf.constant(float(value))), axis=None)
        return float(total) > 0


def make_distribution(settings: HardwareSettings) -> Distribution:
    """Distribution over the devices that the settings ask for.

    Must be called before TensorFlow has run anything when `virtual_devices` splits the CPU.

    Raises:
        UserError: several devices were asked for with `--strategy=single`.
    """
    if settings.virtual_devices:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * settings.virtual_devices
        tf.config.set_logical_device_configuration(cpu, parts)
    for gpu in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(gpu, True)
    virtual = settings.virtual_devices > 0
    gpus = [] if virtual else tf.config.list_logical_devices("GPU")
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if settings.strategy == "single":
        if virtual and len(devices) > 1:
            raise UserError("`virtual_devices` splits the CPU for `--strategy=mirrored`. "
                            f"Received: virtual_devices={settings.virtual_devices}, strategy=single")
        devices = devices[:1]
    return Distribution(tf.distribute.MirroredStrategy(devices))
