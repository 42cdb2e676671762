"""Precision and compilation that the hardware is good for."""

from pathlib import Path

import tensorflow as tf

from gan_keras.config.train import HardwareSettings

_BFLOAT16_CPU_FLAGS = ("avx512_bf16", "amx_bf16")
_BFLOAT16_COMPUTE_CAPABILITY = (8, 0)


def precision_policy(precision: str) -> str:
    """Keras dtype policy for a precision: `float32`, `bfloat16`, or `auto`."""
    if precision == "auto":
        return "mixed_bfloat16" if has_bfloat16() else "float32"
    return {"float32": "float32", "bfloat16": "mixed_bfloat16"}[precision]


def uses_xla(settings: HardwareSettings) -> bool:
    """Whether the training step is compiled: on a CPU it would run many times slower than with oneDNN."""
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
