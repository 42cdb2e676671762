"""What can be named on the command line, read from the source without importing it.

A *room* is a module whose public functions are the choices (`losses`), or a package whose public modules each hold
one function of their own name (`models.generators`). Adding a choice is adding the function or the file: flags,
help texts and error messages follow. Nothing here imports TensorFlow, so `--help` stays instant.
"""

import ast
import importlib
from collections.abc import Callable
from pathlib import Path

_PACKAGE = Path(__file__).parent


def choices(room: str) -> dict[str, str]:
    """The names a room offers, each with the first line of its docstring.

    Args:
        room: dotted path below the package, e.g. `"losses"` or `"models.generators"`.
    """
    path = _PACKAGE.joinpath(*room.split("."))
    if path.is_dir():
        modules = [file for file in sorted(path.glob("*.py")) if not file.stem.startswith("_")]
        return {file.stem: _first_line(ast.parse(file.read_text(encoding="utf-8"))) for file in modules}
    tree = ast.parse(path.with_suffix(".py").read_text(encoding="utf-8"))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return {function.name: _first_line(function) for function in functions}


def find(room: str, name: str) -> Callable:
    """Imports and returns the function that `name` stands for in a room."""
    if (_PACKAGE.joinpath(*room.split("."))).is_dir():
        return getattr(importlib.import_module(f"gan_keras.{room}.{name}"), name)
    return getattr(importlib.import_module(f"gan_keras.{room}"), name)


def _first_line(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").split("\n", 1)[0]
