"""From the name of a task to the task."""

import importlib

from gan_keras.config.train import Config
from gan_keras.tasks.task import Task


def find_task(config: Config) -> Task:
    """The task that the settings name."""
    name = config.objective.task
    module = importlib.import_module(f"gan_keras.tasks.{name}")
    return getattr(module, "".join(part.capitalize() for part in name.split("_")))(config)
