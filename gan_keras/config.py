"""The settings of a training run as one frozen tree. The flags and `config.json` derive from it.

A builder takes only the group it needs. Validation happens on construction, in the user's language, so that nothing
impossible reaches TensorFlow. This module imports no TensorFlow.
"""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from gan_keras.errors import UserError
from gan_keras.train_settings import (
    ClipSettings,
    HardwareSettings,
    ModelSettings,
    ObjectiveSettings,
    OptimizationSettings,
    RunSettings,
)


@dataclasses.dataclass(frozen=True)
class Config:
    """All settings of a training run, in groups."""

    clips: ClipSettings = ClipSettings()
    model: ModelSettings = ModelSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    optimization: OptimizationSettings = OptimizationSettings()
    hardware: HardwareSettings = HardwareSettings()
    run: RunSettings = RunSettings()

    def replace(self, **values: Any) -> Self:
        """A copy with settings changed by bare name, whatever group they are in."""
        groups = {}
        for group in dataclasses.fields(self):
            known = {field.name for field in dataclasses.fields(group.type)}
            changes = {name: value for name, value in values.items() if name in known}
            groups[group.name] = dataclasses.replace(getattr(self, group.name), **changes)
        return dataclasses.replace(self, **groups)

    def items(self) -> Iterator[tuple[dataclasses.Field, Any]]:
        """Every setting's field and value, group by group."""
        for group in dataclasses.fields(self):
            for field in dataclasses.fields(group.type):
                yield field, getattr(getattr(self, group.name), field.name)

    def to_json(self) -> str:
        """The whole config as indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The config that `to_json` wrote. Settings it lacks take their defaults.

        Raises:
            UserError: not JSON, or a setting this version does not know.
        """
        try:
            stored = json.loads(text)
            groups = {group.name: group.type(**_tuples(stored.pop(group.name, {})))
                      for group in dataclasses.fields(cls)}
            if stored:
                raise ValueError(f"unknown: {', '.join(stored)}")
        except UserError:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise UserError(f"config.json cannot be read: {error}") from error
        return cls(**groups)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a `config.json`."""
        return cls.from_json(Path(path).read_text(encoding="utf-8"))


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
