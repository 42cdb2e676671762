"""The rules that keep the house in order."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the ground up; a room imports from its own row and those above it in this list only.
FLOORS = [
    {"__version__", "errors", "quiet"},
    {"catalog"},
    {"settings"},
    {"script_settings", "train_settings"},
    {"config"},
    {"flags", "progress", "run_folder", "sampling", "hardware"},
    {"video"},
    {"pages"},
    {"data"},
    {"losses", "penalties", "terms", "models", "optimizers"},
    {"step_noise"},
    {"objective"},
    {"checkpoints"},
    {"serving"},
    {"gan", "summaries"},
    {"evaluation"},
    {"trainer"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = sorted((ROOT / "gan_keras").rglob("*.py"))


def room_of(path):
    return path.relative_to(ROOT / "gan_keras").parts[0].removesuffix(".py")


def imports(path):
    """The modules a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module == "gan_keras":
                yield from (f"gan_keras.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_downward(path):
    if path.name == "__init__.py" and path.parent.name == "gan_keras":
        return
    floor = FLOOR[room_of(path)]
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "gan_keras" and len(parts) > 1:
            assert FLOOR[parts[1]] <= floor, f"{path.name} imports {module}, which is above it"


def test_only_one_file_imports_opencv():
    assert [path.name for path in SOURCES if "cv2" in imports(path)] == ["opencv.py"]


def test_library_code_reads_no_flags():
    assert [path.name for path in SOURCES if any(module.startswith("absl") for module in imports(path))] == ["flags.py"]


def test_files_and_functions_stay_readable():
    for path in SOURCES:
        text = path.read_text()
        assert text.count("\n") <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 50, f"{path}: {node.name}"


@pytest.mark.parametrize("script", ["train", "prepare", "evaluate", "export", "generate"])
def test_scripts_import_nothing_heavy_before_their_flags_are_parsed(script):
    code = f"import sys, {script}; print([m for m in ('tensorflow', 'keras', 'cv2', 'numpy') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
