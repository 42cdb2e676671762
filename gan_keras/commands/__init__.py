"""The commands `prepare`, `train`, `evaluate`, `export` and `generate`: flags → settings → one call.

This file imports nothing: `--help` answers at once.
"""

COMMANDS = ("prepare", "train", "evaluate", "export", "generate")
"""Modules of this folder, each with `define_flags` and `main`; its docstring is what `--help` prints."""
