"""The rules that keep the house in order."""

import ast
import subprocess
import sys

import pytest

from tests.processes import ROOT

# From the ground up; a room imports from its own row and those above it in this list only.
FLOORS = [
    {"__version__", "errors"},
    {"files", "logging"},
    {"progress"},
    {"config", "video"},
    {"reports", "layers"},
    {"data"},
    {"models"},
    {"losses"},
    {"tasks"},
    {"runs"},
    {"serving"},
    {"evaluation"},
    {"training"},
    {"commands"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
SOURCES = sorted((ROOT / "gan_keras").rglob("*.py"))
NAME_LISTS = {"gan_keras.commands", "gan_keras.data", "gan_keras.losses", "gan_keras.tasks",
              "gan_keras.models.generators", "gan_keras.models.discriminators", "gan_keras.models.encoders"}
"""Names to choose from, beside what they name; these modules import nothing of the package."""


def module_of(path):
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES}


def imports(path):
    """The modules a file imports, anywhere in it, by statement or by name: where it has a string such as
    `f"gan_keras.models.{name}"`, all modules of such names."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in names)
        elif isinstance(node, ast.Constant) and str(node.value).startswith("gan_keras."):
            yield from (name for name in MODULES if name.startswith(node.value) and name != module_of(path))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = [*module_of(path).split("."), "__version__"][1]
    for module in imports(path):
        parts = module.split(".")
        if parts[0] == "gan_keras" and len(parts) > 1 and module not in NAME_LISTS:
            assert FLOOR[parts[1]] <= FLOOR[room], f"{path.name} imports {module}, which is above it"


@pytest.mark.parametrize("name", sorted(NAME_LISTS))
def test_lists_of_names_import_nothing_of_the_package(name):
    assert not [module for module in imports(MODULES[name]) if module.startswith("gan_keras")]


def test_no_modules_import_each_other_in_a_circle():
    needs = {name: {module for module in imports(path) if module in MODULES} for name, path in MODULES.items()}
    while needs:
        free = {name for name, modules in needs.items() if not modules & needs.keys()}
        assert free, f"a circle goes through some of {sorted(needs)}"
        needs = {name: modules for name, modules in needs.items() if name not in free}


def test_only_one_file_imports_opencv():
    assert [path.name for path in SOURCES if "cv2" in imports(path)] == ["opencv.py"]


def test_only_one_file_reads_flags():
    def reads_flags(path):
        return any(isinstance(node, ast.ImportFrom) and (node.module, node.names[0].name) == ("absl", "flags")
                   for node in ast.walk(ast.parse(path.read_text())))

    assert [path.name for path in SOURCES if reads_flags(path)] == ["flags.py"]


def test_only_commands_and_their_frame_print():
    def prints(path):
        return any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
                   for node in ast.walk(ast.parse(path.read_text())))

    rooms = {path.relative_to(ROOT / "gan_keras").parts[0] for path in SOURCES if prints(path)}
    assert rooms == {"commands", "config"}


def private_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") != "self":
            yield node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("setattr", "delattr"):
            yield from ((argument.value, node.lineno) for argument in node.args
                        if isinstance(argument, ast.Constant) and isinstance(argument.value, str))


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_tests_reach_for_nothing_private(path):
    found = [f"{path.name}:{line} {name}" for name, line in private_names(path)
             if name.startswith("_") and not name.startswith("__") and name not in ("_replace", "_fields", "_asdict")]
    assert not found


@pytest.mark.parametrize("script", ["train", "prepare", "evaluate", "export", "generate", "gan_keras.commands.run"])
def test_scripts_import_nothing_heavy_before_their_flags_are_parsed(script):
    heavy = ("tensorflow", "keras", "cv2", "av", "numpy")
    code = f"import sys, {script}; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
