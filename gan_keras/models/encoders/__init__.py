"""Encoder architectures, one a file. This file imports nothing: settings take the names from here."""

ENCODERS = {"clip": "Convolutions over each frame, then a recurrent layer over time."}
"""Functions of the modules of the same name."""
