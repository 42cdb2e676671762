"""Tasks: what a generator is trained for. One file each; its name is a value of `--task`.

This file imports nothing of the package: settings take the names from here.
"""

from pathlib import Path

_OTHER_FILES = ("__init__", "task", "registry", "video_to_video")

TASKS = tuple(sorted(file.stem for file in Path(__file__).parent.glob("*.py") if file.stem not in _OTHER_FILES))
"""Modules of this folder, each with a class of its name in camel case, see `tasks.task`."""
