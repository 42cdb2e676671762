"""What a run computes on: devices, precision, compilation."""

from pathlib import Path

import tensorflow as tf

from gan_keras.errors import UserError
from gan_keras.train_settings import HardwareSettings

_BFLOAT16_CPU_FLAGS = ("avx512_bf16", "amx_bf16")
_BFLOAT16_COMPUTE_CAPABILITY = (8, 0)


def make_strategy(settings: HardwareSettings) -> tf.distribute.Strategy:
    """The distribution strategy over the devices that the settings ask for.

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
    return tf.distribute.MirroredStrategy(devices)


def precision_policy(settings: HardwareSettings) -> str:
    """The Keras dtype policy of the trained networks."""
    if settings.precision == "auto":
        return "mixed_bfloat16" if has_bfloat16() else "float32"
    return {"float32": "float32", "bfloat16": "mixed_bfloat16"}[settings.precision]


def uses_xla(settings: HardwareSettings) -> bool:
    """Whether the training step is compiled: on a CPU it would run many times slower than oneDNN."""
    if settings.xla == "auto":
        return bool(tf.config.list_physical_devices("GPU"))
    return settings.xla == "on"


def has_bfloat16() -> bool:
    """Whether the device that trains has instructions for bfloat16; without them it is slower than float32."""
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
        return capability >= _BFLOAT16_COMPUTE_CAPABILITY
    information = Path("/proc/cpuinfo")
    return information.exists() and any(flag in information.read_text() for flag in _BFLOAT16_CPU_FLAGS)
