"""Discriminator architectures, one a file. This file imports nothing: settings take the names from here."""

DISCRIMINATORS = {
    "clip": "Whole clips, all frames at low resolution.",
    "clip_differences": "Whole clips, all frames at low resolution, and beside each its difference to the one before.",
    "frame": "Single frames at full resolution.",
    "mlp": "Whole clips at low resolution, fully connected layers (Goodfellow et al., 2014).",
    "multiscale": "Patches of single frames at full, half and quarter resolution (Wang et al., 2018).",
    "pair": "Two frames of a clip at full resolution, side by side.",
    "patch": "Patches of single frames at full resolution (Isola et al., 2017).",
    "recurrent": "Whole clips at low resolution, frame by frame through a recurrent layer."}
"""Functions of the modules of the same name."""
